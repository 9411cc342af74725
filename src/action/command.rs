//! Any command on a host.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::word::{self, Word};
use super::{Action, Field, verdict};
use crate::model::facts::Site;
use crate::model::operation::{Command, Operation, Program};
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Runs a command on a host, as `argv` or as a line for the shell.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Run {
    /// The program and its arguments. Preferred: nothing in it needs quoting.
    argv: Option<Vec<Word>>,
    /// A line for `sh -c`. What templates put into it is quoted as one word, unless marked `| raw`.
    shell: Option<String>,
    /// The folder to run it in.
    directory: Option<String>,
    /// Environment variables, by name.
    #[serde(default)]
    env: BTreeMap<String, Word>,
    /// What the command reads.
    stdin: Option<String>,
    /// Whether it changes nothing, and may be repeated at will.
    #[serde(default)]
    #[allow(dead_code, reason = "part of the form; read by `effect` before the arguments are complete")]
    reads: bool,
    /// Whether it states a desired condition: doing it twice is the same as doing it once.
    #[serde(default)]
    #[allow(dead_code, reason = "part of the form; read by `effect` before the arguments are complete")]
    ensures: bool,
    /// Exit codes that mean success. Without it: only 0.
    #[serde(default)]
    success_codes: Vec<u8>,
}

impl Action for Run {
    const NAME: &'static str = "command";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(args: &Map<String, Value>) -> Effect {
        let is = |key: &str| args.get(key) == Some(&Value::Bool(true));
        match (is("reads"), is("ensures")) {
            (true, _) => Effect::Reads,
            (false, true) => Effect::Ensures,
            (false, false) => Effect::Changes,
        }
    }

    fn field(name: &str) -> Field {
        if name == "shell" { Field::Shell } else { Field::Template }
    }

    fn build(&self, _: Site<'_>) -> Result<Operation, String> {
        let program = match (&self.argv, &self.shell) {
            (Some(words), None) => Program::Argv(word::argv(words)?),
            (None, Some(line)) if !line.trim().is_empty() => Program::Shell(line.clone()),
            _ => return Err("exactly one of `argv` and `shell` is expected".to_owned()),
        };
        if let Some(name) = self.env.keys().find(|name| !is_variable(name)) {
            return Err(format!("`{name}` is not the name of an environment variable"));
        }
        Ok(Operation::Command(Command {
            program,
            directory: self.directory.clone(),
            env: self.env.iter().map(|(name, value)| (name.clone(), value.0.clone())).collect(),
            stdin: self.stdin.clone(),
            success_codes: self.success_codes.iter().map(|code| i32::from(*code)).collect(),
            keep: None,
        }))
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

fn is_variable(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_exit_codes_that_the_author_calls_a_success_are_one() {
        let command = |success_codes: &[i32]| {
            let success_codes = success_codes.to_vec();
            Operation::Command(Command {
                success_codes,
                ..Command::new(Program::Shell("diff a b".to_owned()))
            })
        };
        let ended = |code: i32| json!({ "status": code, "stdout": "", "stderr": "a\nno such file\n\n" });
        assert_eq!(Run::judge(&command(&[]), &ended(0)), Ok(()));
        assert_eq!(Run::judge(&command(&[0, 1]), &ended(1)), Ok(()));
        assert_eq!(Run::judge(&command(&[1]), &ended(0)), Err("exit code 0: no such file".to_owned()));
        assert_eq!(Run::judge(&command(&[]), &ended(2)), Err("exit code 2: no such file".to_owned()));
    }
}
