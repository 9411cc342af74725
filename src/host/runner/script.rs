//! The words that make a shell on the host into a command, and the programs that opsctl brings along.

use crate::model::inventory::Become;
use crate::model::operation::{Command, Program, quoted, words};

const RUNNER: &str = concat!(
    include_str!("memory.sh"),
    include_str!("places.sh"),
    include_str!("leases.sh"),
    include_str!("runner.sh")
);
const STREAM: &str = concat!(include_str!("memory.sh"), include_str!("stream.sh"));

/// Starts the runner. `folder`: the one that the inventory names, if it names one.
pub(in crate::host) fn runner(
    greeting: &str,
    folder: Option<&str>,
    escalation: Option<Become>,
) -> Vec<String> {
    program(RUNNER, &[greeting, folder.unwrap_or_default()], escalation)
}

/// Starts the program that gives what commands have written.
pub(in crate::host) fn stream(greeting: &str, folder: &str, escalation: Option<Become>) -> Vec<String> {
    program(STREAM, &[greeting, folder], escalation)
}

fn program(text: &str, arguments: &[&str], escalation: Option<Become>) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#') && !line.is_empty());
    let text = lines.collect::<Vec<_>>().join("\n");
    let mut argv: Vec<String> = match escalation {
        None => Vec::new(),
        Some(Become::Sudo) => ["sudo", "-n", "--"].map(String::from).into(),
    };
    argv.extend(["sh", "-c", &text, "opsctl"].map(String::from));
    argv.extend(arguments.iter().map(|argument| (*argument).to_owned()));
    argv
}

/// What the runner evaluates: it enters the folder, and makes way for the program, at the head of a process group of its own. The
/// program can tell the run that it belongs to.
pub(in crate::host) fn command(command: &Command, run: &str) -> String {
    let mut script = format!("export OPSCTL_RUN={}\n", quoted(run));
    if let Some(directory) = &command.directory {
        script += &format!("cd -- {} >/dev/null 2>&1 || unstarted folder\n", quoted(directory));
    }
    script += "exec setsid";
    if !command.env.is_empty() {
        script += " env";
        for (name, value) in &command.env {
            script += &format!(" {}", quoted(&format!("{name}={value}")));
        }
    }
    match &command.program {
        Program::Argv(argv) => script += &format!(" {}", words(argv)),
        Program::Shell(_) | Program::Script(_) => {
            script += &format!(" sh -c {}", quoted(&command.program.line().unwrap_or_default()));
        }
    }
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_enters_its_folder_and_takes_the_place_of_the_shell() {
        let wanted = Command {
            directory: Some("/opt/two words".to_owned()),
            env: [("A".to_owned(), "it's".to_owned())].into(),
            ..Command::new(Program::Shell("echo $A; pwd".to_owned()))
        };
        assert_eq!(
            command(&wanted, "0198"),
            "export OPSCTL_RUN=0198\n\
             cd -- '/opt/two words' >/dev/null 2>&1 || unstarted folder\n\
             exec setsid env 'A=it'\\''s' sh -c 'echo $A; pwd'"
        );
    }
}
