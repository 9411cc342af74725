//! Where ssh is told to go, and what the person's own configuration makes of it.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::model::operation::words;

/// The arguments that name the host for every call of ssh.
#[derive(Debug, Clone)]
pub(super) struct Destination {
    pub user: Option<String>,
    pub host: String,
    pub port: Option<u16>,
    pub config: Option<PathBuf>,
}

/// What ssh's configuration says about a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Effective {
    pub hostname: String,
    pub port: String,
    /// How a host key is checked: see [`Effective::parse`].
    pub host_keys: HostKeys,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HostKeys {
    /// Only a known key.
    Strict,
    /// A known key, or that of a host that was never seen.
    AcceptNew,
}

impl HostKeys {
    pub(super) fn option(self) -> &'static str {
        match self {
            HostKeys::Strict => "StrictHostKeyChecking=yes",
            HostKeys::AcceptNew => "StrictHostKeyChecking=accept-new",
        }
    }
}

impl Destination {
    pub(super) fn arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        if let Some(config) = &self.config {
            arguments.extend(["-F".to_owned(), config.display().to_string()]);
        }
        if let Some(user) = &self.user {
            arguments.extend(["-l".to_owned(), user.clone()]);
        }
        if let Some(port) = self.port {
            arguments.extend(["-p".to_owned(), port.to_string()]);
        }
        arguments.extend(["--".to_owned(), self.host.clone()]);
        arguments
    }

    /// A line that shows a person what ssh does on its way.
    pub(super) fn try_by_hand(&self) -> String {
        let mut argv = vec!["ssh".to_owned(), "-v".to_owned()];
        argv.extend(self.arguments());
        argv.push("true".to_owned());
        words(&argv)
    }

    /// Asks ssh what its configuration means for this host. `None` when ssh cannot read it: connecting then says why.
    pub(super) async fn effective(&self) -> Option<Effective> {
        let asked = Command::new("ssh")
            .arg("-G")
            .args(self.arguments())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        // A `Match exec` in the configuration may take its time, or forever.
        let output = tokio::time::timeout(Duration::from_secs(5), asked).await.ok()?.ok()?;
        output.status.success().then(|| Effective::parse(&String::from_utf8_lossy(&output.stdout)))
    }
}

impl Effective {
    /// Reads the output of `ssh -G`.
    ///
    /// Where the configuration says `accept-new` it is obeyed; `no` and `off` are taken as `accept-new`, since a changed key is
    /// never accepted; `yes` and `ask`, ssh's default, are strict: there is nobody to ask, and a host that was never seen
    /// is for a person to look at.
    fn parse(text: &str) -> Effective {
        let value = |key: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))
                .unwrap_or_default()
                .to_owned()
        };
        let host_keys = match value("stricthostkeychecking").as_str() {
            "accept-new" | "no" | "off" | "false" => HostKeys::AcceptNew,
            _ => HostKeys::Strict,
        };
        Effective { hostname: value("hostname"), port: value("port"), host_keys }
    }

    /// The name under which ssh files the host's key.
    pub(super) fn known_as(&self) -> String {
        if self.port == "22" { self.hostname.clone() } else { format!("[{}]:{}", self.hostname, self.port) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effective(checking: &str) -> Effective {
        Effective::parse(&format!(
            "user deploy\nhostname 10.0.0.1\nport 2222\nstricthostkeychecking {checking}\n"
        ))
    }

    #[test]
    fn a_changed_host_key_is_never_accepted_whatever_the_configuration_says() {
        for (checking, expected) in [
            ("ask", HostKeys::Strict),
            ("true", HostKeys::Strict),
            ("yes", HostKeys::Strict),
            ("accept-new", HostKeys::AcceptNew),
            ("false", HostKeys::AcceptNew),
            ("off", HostKeys::AcceptNew),
        ] {
            assert_eq!(effective(checking).host_keys, expected, "{checking}");
        }
    }

    #[test]
    fn a_key_is_filed_under_the_port_unless_it_is_the_usual_one() {
        assert_eq!(effective("yes").known_as(), "[10.0.0.1]:2222");
        let usual = Effective { port: "22".into(), ..effective("yes") };
        assert_eq!(usual.known_as(), "10.0.0.1");
    }

    #[test]
    fn the_line_to_try_by_hand_can_be_pasted() {
        let destination = Destination {
            user: Some("deploy".into()),
            host: "app".into(),
            port: Some(2222),
            config: Some("/etc/two words".into()),
        };
        assert_eq!(destination.try_by_hand(), "ssh -v -F '/etc/two words' -l deploy -p 2222 -- app true");
    }
}
