//! `opsctl cleanup disk --schedule`: a systemd service and a timer that make room every day.

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;

use super::machine;
use crate::base::nearest::listed;
use crate::base::percent::Percent;
use crate::base::{Error, Result};
use crate::cli::open::Workplace;
use crate::cli::operator::named_by_the_system;
use crate::model::operation::{quoted, words};
use crate::ui;

/// Where systemd looks for what an administrator has written.
const FOLDER: &str = "/etc/systemd/system";

/// Whatever it is at by then, it is ended in good order, and can be resumed.
const AT_MOST: &str = "2h";

/// A cleanup that comes while somebody works on the host waits for them, and no longer.
const WAITS: &str = "30m";

/// Everything that the units say.
#[derive(Debug)]
pub struct Schedule {
    program: PathBuf,
    inventory: PathBuf,
    host: String,
    until_free: Percent,
    /// Whose ssh keys and runs they are.
    user: Option<String>,
    state: Option<PathBuf>,
}

impl Schedule {
    /// # Errors
    /// When the host is not named and there are several, and when this program does not know where it is.
    pub fn of(workplace: &Workplace, host: Option<&str>) -> Result<Schedule> {
        let inventory = &workplace.site.inventory;
        let Some(host) = machine::named(inventory, host)? else {
            let hosts = || inventory.standing().map(|(name, _)| name.as_str());
            let error =
                Error::usage(format!("a schedule is for one host, and there are {}", listed(hosts())));
            return Err(hosts().fold(error, |error, host| {
                error.hint(format!("opsctl cleanup disk --schedule --host {}", quoted(host)))
            }));
        };
        let program = env::current_exe()
            .map_err(|error| Error::internal("cannot tell where this program is").caused_by(&error))?;
        let state = env::var_os("OPSCTL_STATE_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
        Ok(Schedule {
            program,
            inventory: workplace.site.path.clone(),
            host,
            until_free: inventory.cleanup.until_free,
            user: named_by_the_system(),
            state,
        })
    }

    /// Gives the two units as data, and says how they are installed.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn give(&self, is_json: bool) -> Result<ExitCode> {
        let units = [("service", self.service()), ("timer", self.timer())]
            .map(|(kind, text)| (format!("{FOLDER}/{}.{kind}", self.name()), text));
        let install = self.install();
        if is_json {
            let files = units.map(|(path, text)| json!({ "path": path, "text": text }));
            let document = json!({ "kind": "schedule", "files": files, "install": install });
            ui::look::give(&format!("{document}\n"))?;
            return Ok(ExitCode::SUCCESS);
        }
        let [service, timer] = units.map(|(path, text)| format!("# {path}\n{text}"));
        ui::look::give(&format!("{service}\n{timer}"))?;
        ui::look::say(&ui::clutter::install(&install));
        Ok(ExitCode::SUCCESS)
    }

    fn name(&self) -> String {
        format!("opsctl-cleanup-{}", self.host)
    }

    fn service(&self) -> String {
        let user = self.user.as_ref().map(|user| format!("User={}\n", literal(user))).unwrap_or_default();
        let state = self.state.as_ref().map(|path| format!("OPSCTL_STATE_DIR={}", path.display()));
        let environment: Vec<String> =
            ["OPSCTL_OPERATOR=timer".to_owned()].into_iter().chain(state).map(|one| word(&one)).collect();
        let until_free = self.until_free.to_string();
        let [program, inventory] = [&self.program, &self.inventory].map(|path: &PathBuf| of_path(path));
        let line = [
            &program,
            "cleanup",
            "disk",
            "--inventory",
            &inventory,
            "--host",
            &self.host,
            "--until-free",
            &until_free,
            "--yes",
            "--lock-wait",
            WAITS,
        ];
        let line: Vec<String> = line.into_iter().map(word).collect();
        format!(
            "[Unit]\n\
             Description=Room on the disks of {host}: {free} free\n\
             Wants=network-online.target\n\
             After=network-online.target\n\
             \n\
             [Service]\n\
             Type=oneshot\n\
             {user}\
             Environment={environment}\n\
             ExecStart={line}\n\
             # Ends it in good order; `opsctl resume latest` goes on with it.\n\
             TimeoutStartSec={AT_MOST}\n\
             KillMode=mixed\n\
             Nice=19\n\
             IOSchedulingClass=idle\n",
            host = literal(&self.host),
            free = literal(&until_free),
            environment = environment.join(" "),
            line = line.join(" "),
        )
    }

    fn timer(&self) -> String {
        format!(
            "[Unit]\n\
             Description=Room on the disks of {host}, every day\n\
             \n\
             [Timer]\n\
             OnCalendar=daily\n\
             RandomizedDelaySec=1h\n\
             Persistent=true\n\
             \n\
             [Install]\n\
             WantedBy=timers.target\n",
            host = literal(&self.host),
        )
    }

    /// What is typed to write the units where they belong, and to begin with them.
    fn install(&self) -> [String; 2] {
        let (inventory, until_free) = (of_path(&self.inventory), self.until_free.to_string());
        let itself = words(&[
            "opsctl",
            "cleanup",
            "disk",
            "--inventory",
            &inventory,
            "--host",
            &self.host,
            "--until-free",
            &until_free,
            "--schedule",
        ]);
        // Each part begins with the name of its file.
        let write = format!("{itself} | sudo awk '/^# \\/etc\\// {{ file = $2 }} {{ print > file }}'");
        let start =
            format!("sudo systemctl daemon-reload && sudo systemctl enable --now {}.timer", self.name());
        [write, start]
    }
}

fn of_path(path: &Path) -> String {
    path.display().to_string()
}

/// Text as it is, where systemd would take `%` for more.
fn literal(text: &str) -> String {
    text.replace('%', "%%")
}

/// One word of a line, where systemd would also take `$`, quotes and backslashes for more.
fn word(text: &str) -> String {
    let text = literal(text).replace('$', "$$");
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:=@%+,$".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text,
        false => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_word_means_anything_to_systemd() {
        for (text, written) in [
            ("/usr/bin/opsctl", "/usr/bin/opsctl"),
            ("20%", "20%%"),
            ("/home/a b/x", "\"/home/a b/x\""),
            ("$HOME", "$$HOME"),
            (r#"a"b\c"#, r#""a\"b\\c""#),
            ("", "\"\""),
        ] {
            assert_eq!(word(text), written);
        }
    }
}
