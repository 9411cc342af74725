//! Secrets by reference: where one is kept, never what it is.
//!
//! A reference may be written anywhere, a plan and a journal included. What it leads to is read each time that it is used, and
//! goes nowhere else.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::process::Command;

/// Where a secret is kept. Line ends after it are no part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Secret {
    /// In an environment variable of opsctl.
    Env(String),
    /// In a file, relative to the inventory.
    File(PathBuf),
    /// A program and its arguments, which prints it: `[pass, show, dns]`.
    Command(Vec<String>),
}

/// How long a command may take that gives a secret: somebody may have to unlock it.
const PATIENCE: Duration = Duration::from_secs(60);

/// What stands where a secret stood.
const MASK: &str = "***";

/// A secret itself. It is shown by nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Revealed(String);

impl Secret {
    /// As it is meant in a file of that folder.
    pub fn anchor(&mut self, folder: &Path) {
        if let Secret::File(path) = self {
            *path = folder.join(&path);
        }
    }

    /// # Errors
    /// In words, which never hold the secret.
    pub async fn reveal(&self) -> Result<Revealed, String> {
        let text = match self {
            Secret::Env(name) => std::env::var(name)
                .map_err(|_| format!("the environment variable `{name}` is not set, or is no text"))?,
            Secret::File(path) => tokio::fs::read_to_string(path)
                .await
                .map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?,
            Secret::Command(argv) => printed(argv).await?,
        };
        match text.trim_end_matches(['\r', '\n']) {
            "" => Err(format!("{self} is empty")),
            text => Ok(Revealed(text.to_owned())),
        }
    }
}

async fn printed(argv: &[String]) -> Result<String, String> {
    let Some((program, arguments)) = argv.split_first() else {
        return Err("the command that gives it has no program".to_owned());
    };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stderr(Stdio::inherit()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = output.map_err(|_| format!("`{program}` did not end within {} s", PATIENCE.as_secs()))?;
    let output = output.map_err(|error| format!("`{program}` cannot be run: {error}"))?;
    match output.status.success() {
        true => String::from_utf8(output.stdout).map_err(|_| format!("what `{program}` printed is no text")),
        false => Err(format!("`{program}` failed: {}", output.status)),
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Secret::Env(name) => write!(f, "the environment variable `{name}`"),
            Secret::File(path) => write!(f, "`{}`", path.display()),
            Secret::Command(argv) => write!(f, "what `{}` prints", argv.join(" ")),
        }
    }
}

impl Revealed {
    /// For the one place that needs it.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// A text without the secret.
    pub fn masked(&self, text: &str) -> String {
        text.replace(&self.0, MASK)
    }
}

impl fmt::Debug for Revealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_secret_comes_from_where_it_is_kept_without_its_line_end() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key"), "s3cret \n").unwrap();
        let mut file = Secret::File("key".into());
        file.anchor(folder.path());
        assert_eq!(file.reveal().await.unwrap().text(), "s3cret ");
        let command = Secret::Command(["printf", "%s\\n", "s3cret"].map(str::to_owned).to_vec());
        assert_eq!(command.reveal().await.unwrap().text(), "s3cret");
    }

    #[tokio::test]
    async fn what_cannot_be_had_is_said_by_its_place() {
        let missing = Secret::Env("OPSCTL_NO_SUCH_VARIABLE".to_owned());
        assert!(missing.reveal().await.unwrap_err().contains("`OPSCTL_NO_SUCH_VARIABLE` is not set"));
        let failing = Secret::Command(vec!["false".to_owned()]);
        assert!(failing.reveal().await.unwrap_err().starts_with("`false` failed"));
        let nothing = Secret::Command(vec!["true".to_owned()]);
        assert_eq!(nothing.reveal().await.unwrap_err(), "what `true` prints is empty");
    }

    #[tokio::test]
    async fn a_secret_is_shown_by_nothing() {
        let revealed =
            Secret::Command(["echo", "s3cret"].map(str::to_owned).to_vec()).reveal().await.unwrap();
        assert_eq!(format!("{revealed:?}"), "***");
        assert_eq!(revealed.masked("key s3cret is wrong"), "key *** is wrong");
    }
}
