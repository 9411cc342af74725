//! A systemd service and its timer, as a command prints them for whoever installs them.

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;

use super::operator::named_by_the_system;
use crate::base::{Error, Result};
use crate::ui;

/// Where systemd looks for what an administrator has written.
const FOLDER: &str = "/etc/systemd/system";

pub struct Units {
    pub name: String,
    pub service: String,
    pub timer: String,
    /// The command that prints them.
    pub itself: String,
}

impl Units {
    /// Gives the two units as data, and says how they are installed.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn give(&self, is_json: bool) -> Result<ExitCode> {
        let units = [("service", &self.service), ("timer", &self.timer)]
            .map(|(kind, text)| (format!("{FOLDER}/{}.{kind}", self.name), text));
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

    /// What is typed to write the units where they belong, and to begin with them.
    fn install(&self) -> [String; 2] {
        // Each part begins with the name of its file.
        let write = format!("{} | sudo awk '/^# \\/etc\\// {{ file = $2 }} {{ print > file }}'", self.itself);
        let start =
            format!("sudo systemctl daemon-reload && sudo systemctl enable --now {}.timer", self.name);
        [write, start]
    }
}

/// Where a unit finds this program and what it works on, as whoever asks for the units has it.
#[derive(Debug)]
pub struct Surroundings {
    pub program: PathBuf,
    /// Whose ssh keys and runs they are.
    user: Option<String>,
    state: Option<PathBuf>,
}

impl Surroundings {
    /// # Errors
    /// When this program does not know where it is.
    pub fn here() -> Result<Surroundings> {
        let program = env::current_exe()
            .map_err(|error| Error::internal("cannot tell where this program is").caused_by(&error))?;
        let state = env::var_os("OPSCTL_STATE_DIR").map(PathBuf::from).filter(|path| path.is_absolute());
        Ok(Surroundings { program, user: named_by_the_system(), state })
    }

    /// The lines of a service that say them.
    pub fn lines(&self) -> String {
        let user = self.user.as_ref().map(|user| format!("User={}\n", literal(user))).unwrap_or_default();
        let state = self.state.as_ref().map(|path| format!("OPSCTL_STATE_DIR={}", path.display()));
        let environment: Vec<String> =
            ["OPSCTL_OPERATOR=timer".to_owned()].into_iter().chain(state).map(|one| word(&one)).collect();
        format!("{user}Environment={}\n", environment.join(" "))
    }
}

pub fn of_path(path: &Path) -> String {
    path.display().to_string()
}

/// Text as it is, where systemd would take `%` for more.
pub fn literal(text: &str) -> String {
    text.replace('%', "%%")
}

/// A command line.
pub fn line(line: &[&str]) -> String {
    line.iter().map(|text| word(text)).collect::<Vec<_>>().join(" ")
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
