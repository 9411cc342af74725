//! A container, as Docker describes it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One element of the `containers` that a containers query gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    pub id: String,
    pub name: String,
    /// The Compose service.
    pub service: String,
    /// Docker's word: `running`, `exited`, `paused`, `restarting`, `created`, `dead`.
    pub state: String,
    /// Docker's word: `healthy`, `unhealthy`, `starting`; absent where there is no health check.
    #[serde(default)]
    pub health: Option<String>,
    #[serde(default)]
    pub restarts: Option<i64>,
    #[serde(default)]
    pub exit_code: Option<i64>,
    #[serde(default)]
    pub oom_killed: bool,
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    #[serde(default)]
    pub finished_at: Option<Timestamp>,
    /// The network that it was made for: `docker_default`, or Docker's words for none of its own, such as `host`.
    #[serde(default)]
    pub network: Option<String>,
    /// The networks that it is attached to.
    #[serde(default)]
    pub networks: Vec<String>,
}

impl Container {
    pub fn is_running(&self) -> bool {
        self.state == "running"
    }

    /// When it stopped, for one that has. A paused one has not: what Docker remembers of it is an earlier stop.
    pub fn down_since(&self) -> Option<Timestamp> {
        self.finished_at.filter(|finished| {
            !self.is_running() && self.started_at.is_none_or(|started| started <= *finished)
        })
    }

    /// The network that it was made for, when it runs and is not attached to it.
    pub fn missing_network(&self) -> Option<&str> {
        const NONE_OF_ITS_OWN: [&str; 4] = ["bridge", "default", "host", "none"];
        let network = self.network.as_deref().filter(|name| !name.is_empty())?;
        let is_own = !NONE_OF_ITS_OWN.contains(&network) && !network.starts_with("container:");
        (self.is_running() && is_own && !self.networks.iter().any(|name| name == network)).then_some(network)
    }

    /// In a few words, for a table: `running, unhealthy`, `exited (137), killed for memory`.
    pub fn describe(&self) -> String {
        let mut text = self.state.clone();
        match (&self.health, self.exit_code) {
            // What Docker says where nobody asked for a check.
            (Some(health), _) if self.is_running() && health != "none" => {
                text.push_str(&format!(", {health}"))
            }
            (_, Some(code)) if !self.is_running() => text.push_str(&format!(" ({code})")),
            _ => {}
        }
        if self.oom_killed {
            text.push_str(", killed for memory");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(state: &str, health: Option<&str>, exit_code: i64) -> Container {
        Container {
            id: "c0ffee".into(),
            name: "docker-argus-1-1".into(),
            service: "argus-1".into(),
            state: state.into(),
            health: health.map(String::from),
            restarts: Some(0),
            exit_code: Some(exit_code),
            oom_killed: false,
            started_at: None,
            finished_at: Some("2026-03-01T03:14:00Z".parse().unwrap()),
            network: Some("docker_default".into()),
            networks: vec!["docker_default".into()],
        }
    }

    #[test]
    fn a_container_that_was_cut_off_from_its_network_is_told() {
        let cut = Container { networks: Vec::new(), ..container("running", None, 0) };
        assert_eq!(cut.missing_network(), Some("docker_default"));
        assert_eq!(Container { state: "exited".into(), ..cut.clone() }.missing_network(), None);
        assert_eq!(Container { network: Some("host".into()), ..cut }.missing_network(), None);
        assert_eq!(container("running", None, 0).missing_network(), None);
    }

    #[test]
    fn a_running_container_is_described_by_its_health_and_a_stopped_one_by_its_exit_code() {
        assert_eq!(container("running", Some("unhealthy"), 0).describe(), "running, unhealthy");
        assert_eq!(container("running", None, 0).describe(), "running");
        assert_eq!(container("exited", Some("unhealthy"), 137).describe(), "exited (137)");
    }

    #[test]
    fn only_a_stopped_container_is_down_since_a_time() {
        assert!(container("exited", None, 0).down_since().is_some());
        assert!(container("running", None, 0).down_since().is_none());
        let started_at = Some("2026-03-01T03:20:00Z".parse().unwrap());
        assert!(Container { started_at, ..container("paused", None, 0) }.down_since().is_none());
    }
}
