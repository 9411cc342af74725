//! The exact words that start a command on a host.
//!
//! A command is always a script for `sh -c`, alike on this machine and over SSH, so that the login shell (bash, dash, BusyBox
//! ash) only ever sees quoted words. The script enters the folder, says a marker on both streams, and runs the program:
//!
//! - Everything before the marker is start-up noise of the login shell and is dropped.
//! - No marker means that the command certainly did not start: `sudo` refused, the folder is not there, there is no shell.
//! - The marker carries the process group, so that a command whose time is up can be ended.
//!
//! The program runs under `env`, never as a builtin of the shell, and the shell stays to report its end: a program that
//! is killed gives 128 plus the signal, as in any shell, instead of a session that ends without an exit code.

use crate::model::inventory::Become;
use crate::model::operation::{Command, Program, quoted, words};

/// How the script ends when the folder cannot be entered. It counts only where the marker is missing.
pub(super) const NO_FOLDER: i32 = 97;

/// A word that nothing else prints: one per command.
#[derive(Debug, Clone)]
pub(super) struct Marker(String);

impl Marker {
    pub(super) fn generate() -> Marker {
        Marker(format!("opsctl-{}", uuid::Uuid::now_v7().simple()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The command as an argument vector for this machine; [`words`] makes it a line for a login shell.
pub(super) fn of(command: &Command, escalation: Option<Become>, marker: &Marker) -> Vec<String> {
    let mut script = String::new();
    if let Some(directory) = &command.directory {
        script += &format!("cd -- {} >/dev/null || exit {NO_FOLDER}; ", quoted(directory));
    }
    script += &announcement(marker);
    script += "env";
    for (name, value) in &command.env {
        script += &format!(" {}", quoted(&format!("{name}={value}")));
    }
    match &command.program {
        Program::Argv(argv) => script += &format!(" {}", words(argv)),
        Program::Shell(_) | Program::Script(_) => {
            script += &format!(" sh -c {}", quoted(&command.program.line().unwrap_or_default()));
        }
    }
    script += "; exit $?";
    escalated(script, escalation)
}

/// A program that takes over the streams once the marker is through: the other end of a pipe.
pub(super) fn pipe_to(argv: &[&str], escalation: Option<Become>, marker: &Marker) -> Vec<String> {
    escalated(format!("{}exec {}", announcement(marker), words(argv)), escalation)
}

/// Ends a process group: first asks, then, after two seconds, insists.
pub(super) fn end_group(group: u32, escalation: Option<Become>) -> Vec<String> {
    let script = format!(
        "kill -TERM -{group} 2>/dev/null || exit 0; \
         for pause in 0.2 0.8 1; do sleep $pause; kill -0 -{group} 2>/dev/null || exit 0; done; \
         kill -KILL -{group}"
    );
    escalated(script, escalation)
}

/// The sixth word of `/proc/PID/stat`, after a name that may hold anything, is the third after the last parenthesis. Where
/// there is no `/proc` the shell's own number has to do: it leads the group when a login shell has made way for it.
fn announcement(marker: &Marker) -> String {
    let marker = marker.as_str();
    format!(
        "read -r stat </proc/$$/stat && set -- ${{stat##*) }}; echo {marker} ${{3:-$$}}; echo {marker} >&2; "
    )
}

fn escalated(script: String, escalation: Option<Become>) -> Vec<String> {
    let shell = ["sh".to_owned(), "-c".to_owned(), script];
    match escalation {
        None => shell.into(),
        Some(Become::Sudo) => ["sudo", "-n", "--"].map(String::from).into_iter().chain(shell).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(words: &[&str]) -> Program {
        Program::Argv(words.iter().map(|word| word.to_string()).collect())
    }

    #[test]
    fn the_line_is_exactly_this() {
        let mut restart = Command::new(argv(&["docker", "compose", "restart", "it's"]));
        restart.directory = Some("/opt/two words".into());
        restart.env.insert("TAG".into(), "v1 $x".into());
        let marker = Marker("MARK".into());
        let line = of(&restart, Some(Become::Sudo), &marker);
        assert_eq!(line[..5], ["sudo", "-n", "--", "sh", "-c"]);
        assert_eq!(
            line[5],
            "cd -- '/opt/two words' >/dev/null || exit 97; \
             read -r stat </proc/$$/stat && set -- ${stat##*) }; echo MARK ${3:-$$}; echo MARK >&2; \
             env 'TAG=v1 $x' docker compose restart 'it'\\''s'; exit $?"
        );
    }

    #[test]
    fn the_line_means_the_same_to_every_login_shell() {
        let mut odd =
            Command::new(argv(&["printf", "%s|", "a b", "it's", "$HOME `id`", "new\nline", "\\n", ""]));
        odd.directory = Some("/tmp".into());
        let line = words(&of(&odd, None, &Marker("MARK".into())));
        let shells: [&[&str]; 3] = [&["bash", "-c"], &["dash", "-c"], &["busybox", "ash", "-c"]];
        for shell in shells {
            let output = std::process::Command::new(shell[0])
                .args(&shell[1..])
                .arg(&line)
                .output()
                .unwrap_or_else(|error| panic!("{} has to be installed: {error}", shell[0]));
            let text = String::from_utf8(output.stdout).unwrap();
            let (opening, rest) = text.split_once('\n').unwrap();
            assert!(
                opening.starts_with("MARK ") && opening[5..].parse::<u32>().is_ok(),
                "{shell:?}: {opening}"
            );
            assert_eq!(rest, "a b|it's|$HOME `id`|new\nline|\\n||", "{shell:?}");
            assert_eq!(String::from_utf8(output.stderr).unwrap(), "MARK\n", "{shell:?}");
        }
    }

    #[test]
    fn a_program_is_never_taken_for_a_builtin_of_the_shell() {
        let line = words(&of(&Command::new(argv(&["exit", "3"])), None, &Marker("MARK".into())));
        let status = std::process::Command::new("sh").args(["-c", &line]).output().unwrap().status;
        assert_eq!(status.code(), Some(127));
    }
}
