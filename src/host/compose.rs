//! What Compose makes of a project's files: which image each service has, and which others it needs.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::Host;
use super::failure::{Failure, FailureKind};
use crate::base::size::Size;
use crate::model::operation::{Command, Program};

/// A project's configuration. It holds passwords: only what is named here is kept of it.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct Config {
    #[serde(default)]
    pub services: BTreeMap<String, Service>,
    #[serde(default)]
    volumes: BTreeMap<String, Option<Shared>>,
    #[serde(default)]
    networks: BTreeMap<String, Option<Shared>>,
}

/// A volume or a network, whose whole name the newer Compose writes out.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
struct Shared {
    name: Option<String>,
    /// Whether it is another one's; the older Compose wrote its name in here.
    #[serde(default)]
    external: Value,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct Service {
    pub image: Option<String>,
    /// A list of names, or a map by name.
    #[serde(default)]
    depends_on: Value,
}

impl Config {
    /// The images of all services of the project of that name; one that is built and has no name has one of Compose's own.
    pub fn images(&self, project: &str) -> Vec<String> {
        let of = |(name, service): (&String, &Service)| match &service.image {
            Some(image) => vec![image.clone()],
            None => vec![format!("{project}-{name}"), format!("{project}_{name}")],
        };
        self.services.iter().flat_map(of).collect()
    }

    /// The whole names of the volumes of the project of that name.
    pub fn volumes(&self, project: &str) -> Vec<String> {
        whole_names(&self.volumes, project)
    }

    /// The whole names of the networks of the project of that name.
    pub fn networks(&self, project: &str) -> Vec<String> {
        let mut names = whole_names(&self.networks, project);
        names.push(format!("{project}_default"));
        names.dedup();
        names
    }
}

fn whole_names(all: &BTreeMap<String, Option<Shared>>, project: &str) -> Vec<String> {
    let whole = |(key, one): (&String, &Option<Shared>)| {
        let one = one.clone().unwrap_or_default();
        let of_another = one.external["name"].as_str().map(str::to_owned);
        let is_external = one.external == Value::Bool(true);
        let own = || if is_external { key.clone() } else { format!("{project}_{key}") };
        one.name.or(of_another).unwrap_or_else(own)
    };
    all.iter().map(whole).collect()
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

const LONGEST: Size = Size(32 << 20);

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
        let keep = Some(LONGEST);
        let command = Command { directory, env, keep, ..Command::new(Program::Argv(argv)) };
        let asked = self.run(&command, Some(PATIENCE), &mut |_, _| {}).await?;
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

    #[test]
    fn volumes_and_networks_have_their_whole_names_with_the_older_compose_and_the_newer() {
        let newer = "name: shop\nservices:\n  a: { image: \"r/a:v1\" }\n  b: { build: { context: /srv } }\nnetworks:\n  default: { name: shop_default, ipam: {} }\n\
            volumes:\n  data: { name: shop_data }\n  other: { name: theirs, external: true }\n";
        let config: Config = serde_yaml::from_str(newer).unwrap();
        assert_eq!(config.images("shop"), ["r/a:v1", "shop-b", "shop_b"]);
        assert_eq!(config.volumes("shop"), ["shop_data", "theirs"]);
        assert_eq!(config.networks("shop"), ["shop_default"]);
        let older = "services: {}\nnetworks:\n  front: {}\nversion: '3.7'\nvolumes:\n  data: {}\n  mine: { external: true }\n  other:\n    \
            external: { name: theirs }\n  named: { name: exactly }\n  none:\n";
        let config: Config = serde_yaml::from_str(older).unwrap();
        assert_eq!(config.volumes("shop"), ["shop_data", "mine", "exactly", "shop_none", "theirs"]);
        assert_eq!(config.networks("shop"), ["shop_front", "shop_default"]);
    }
}
