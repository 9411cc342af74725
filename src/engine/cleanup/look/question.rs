//! A script that only asks.

use std::time::Duration;

use crate::base::size::Size;
use crate::host::failure::Failure;
use crate::host::{Host, Output};
use crate::model::operation::{Command, Program, Script};

/// A line for each of very many files or runs.
const LONGEST: Size = Size(64 << 20);

/// Asks a host by a script that is given variables, and paths to read, a line each.
///
/// # Errors
/// As for any command.
pub(super) async fn ask(
    machine: &Host,
    given: &[(&str, &str)],
    script: &str,
    paths: Option<&[String]>,
    patience: Duration,
) -> Result<Output, Failure> {
    let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let script = Script { name: "look".to_owned(), given, body: script.to_owned() };
    let stdin = paths.map(|paths| paths.iter().map(|path| format!("{path}\n")).collect());
    let program = Program::Script(Box::new(script));
    let command = Command { stdin, keep: Some(LONGEST), ..Command::new(program) };
    machine.run(&command, Some(patience), &mut |_, _| {}).await
}

/// Paths, for a variable that has one a line: one that has two lines is none.
pub(super) fn lines<S: AsRef<str>>(paths: impl IntoIterator<Item = S>) -> String {
    let paths: Vec<String> = paths.into_iter().map(|path| path.as_ref().to_owned()).collect();
    paths.iter().filter(|path| !path.contains('\n')).map(String::as_str).collect::<Vec<_>>().join("\n")
}
