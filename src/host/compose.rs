//! What Compose makes of a project's files: which image each service has, and which others it needs.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::Host;
use super::failure::{Failure, FailureKind};
use crate::model::operation::{Command, Program};

/// A project's configuration. It holds passwords: only what is named here is kept of it.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct Config {
    #[serde(default)]
    pub services: BTreeMap<String, Service>,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct Service {
    pub image: Option<String>,
    /// A list of names, or a map by name.
    #[serde(default)]
    depends_on: Value,
}

impl Service {
    pub fn needs(&self) -> Vec<&str> {
        match &self.depends_on {
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            Value::Object(names) => names.keys().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(20);

const LONGEST: usize = 32 << 20;

impl Host {
    /// The configuration of the project that a Compose command line is about, run in `directory` with a variable set or not.
    ///
    /// # Errors
    /// [`FailureKind::Protocol`] when Compose refuses the files.
    pub async fn compose_config(
        &self,
        compose: &[String],
        directory: &str,
        set: Option<(&str, &str)>,
    ) -> Result<Config, Failure> {
        let mut argv = compose.to_vec();
        argv.push("config".to_owned());
        let env = set.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let directory = Some(directory.to_owned());
        let command = Command { directory, env, ..Command::new(Program::Argv(argv)) };
        let asked = self.run_keeping(&command, Some(PATIENCE), LONGEST, &mut |_, _| {}).await?;
        let refused = |why: &str| {
            let failure = self.failure(FailureKind::Protocol, format!("Compose refuses the project: {why}"));
            failure.hint(command.to_string())
        };
        if asked.status != 0 {
            return Err(refused(asked.stderr.trim()));
        }
        serde_yaml::from_str(&asked.stdout).map_err(|_| refused("what it makes of it cannot be read"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_needs_are_read_and_nothing_else_is_kept() {
        let text = "name: p\nservices:\n  a:\n    image: r/a:v1\n    environment: { PASSWORD: secret }\n    \
            depends_on: [b]\n  b:\n    depends_on:\n      c: { condition: service_started, required: true }\n  c: {}\n";
        let config: Config = serde_yaml::from_str(text).unwrap();
        assert_eq!(config.services["a"].image.as_deref(), Some("r/a:v1"));
        assert_eq!(config.services["a"].needs(), ["b"]);
        assert_eq!(config.services["b"].needs(), ["c"]);
        assert!(config.services["c"].needs().is_empty());
        assert!(!format!("{config:?}").contains("secret"));
    }
}
