//! Secrets: where they come from, and how they are kept off every screen, journal and process list.

use std::fmt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, RwLock};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Error, Result};

/// Where a secret is to be found. Only this ever stands in an inventory, a plan or a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SecretRef {
    /// The name of an environment variable of opsctl.
    Env(String),
    /// A file whose content, without the last newline, is the secret.
    File(PathBuf),
    /// A command whose standard output, without the last newline, is the secret.
    Command(Vec<String>),
}

/// A secret's value. Cannot be printed or serialised by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The value itself, for the one place that has to send it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl SecretRef {
    /// Looks the value up, and tells `redactor` to keep it off everything that is written from now on.
    ///
    /// # Errors
    /// When the variable is not set, the file cannot be read, the command fails, or the value is empty.
    pub fn resolve(&self, redactor: &Redactor) -> Result<Secret> {
        let value = match self {
            SecretRef::Env(name) => std::env::var(name).map_err(|_| {
                Error::invalid(format!("the secret `{name}` is not in the environment"))
                    .hint(format!("export {name}=..."))
            })?,
            SecretRef::File(path) => std::fs::read_to_string(path).map_err(|error| {
                Error::invalid(format!("cannot read the secret `{}`", path.display())).caused_by(&error)
            })?,
            SecretRef::Command(argv) => output_of(argv)?,
        };
        let value = value.strip_suffix('\n').unwrap_or(&value).to_owned();
        if value.is_empty() {
            return Err(Error::invalid(format!("the secret from {self:?} is empty")));
        }
        redactor.add(&value);
        Ok(Secret(value))
    }
}

fn output_of(argv: &[String]) -> Result<String> {
    let refused =
        |why: String| Error::invalid(format!("the secret command `{}` failed", argv.join(" "))).cause(why);
    let (program, rest) = argv.split_first().ok_or_else(|| refused("it is empty".into()))?;
    let output = Command::new(program).args(rest).output().map_err(|error| refused(error.to_string()))?;
    if !output.status.success() {
        return Err(refused(output.status.to_string()));
    }
    String::from_utf8(output.stdout).map_err(|_| refused("its output is not UTF-8".into()))
}

/// Replaces every secret that was resolved with `***`. Shared by all that writes text.
#[derive(Debug, Clone, Default)]
pub struct Redactor(Arc<RwLock<Vec<String>>>);

impl Redactor {
    fn add(&self, value: &str) {
        let mut known = self.0.write().unwrap();
        if !known.iter().any(|other| other == value) {
            known.push(value.to_owned());
            // The longest first: one secret may be a part of another.
            known.sort_by_key(|value| std::cmp::Reverse(value.len()));
        }
    }

    pub fn clean(&self, text: &str) -> String {
        let known = self.0.read().unwrap();
        known.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "***"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(script: &str) -> SecretRef {
        SecretRef::Command(["sh", "-c", script].map(String::from).to_vec())
    }

    #[test]
    fn a_resolved_secret_is_cleaned_from_text_even_within_a_longer_one() {
        let redactor = Redactor::default();
        command("echo hunter2").resolve(&redactor).unwrap();
        let secret = command("echo hunter2-long").resolve(&redactor).unwrap();
        assert_eq!(secret.reveal(), "hunter2-long");
        assert_eq!(redactor.clean("a hunter2-long b hunter2"), "a *** b ***");
        assert_eq!(format!("{secret:?}"), "Secret(***)");
    }

    #[test]
    fn a_secret_that_cannot_be_had_is_an_error() {
        let redactor = Redactor::default();
        for reference in [
            SecretRef::Env("OPSCTL_NO_SUCH_VARIABLE".into()),
            SecretRef::File("/nonexistent/secret".into()),
            command("exit 3"),
            command("true"),
        ] {
            assert!(reference.resolve(&redactor).is_err(), "{reference:?}");
        }
    }
}
