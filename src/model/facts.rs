//! What the hosts said about themselves when the plan was made: the names that exist only at run time, and the containers that
//! there were.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::inventory::{Inventory, Project, is_default};
use super::snapshot::Snapshot;

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Facts {
    pub hosts: BTreeMap<String, HostFacts>,
    pub projects: BTreeMap<String, ProjectFacts>,
    /// The containers that the plan's changing steps are about: the approval of the plan stands on these. A project whose
    /// Docker did not answer is not in it.
    #[serde(default, skip_serializing_if = "Snapshot::is_empty")]
    pub containers: Snapshot,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HostFacts {
    /// How Compose is called there: `docker compose`, or the older `docker-compose`.
    pub compose: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ProjectFacts {
    /// The project's name as Compose knows it.
    pub name: String,
    /// The files that Compose finds by itself, where the inventory names none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<String>,
    /// Whether [`PINS`] is there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub has_pins: bool,
}

/// The Compose file in the project's folder in which opsctl pins the images of instances, where no variable of `.env` does.
pub const PINS: &str = "docker-compose.opsctl.yml";

/// The inventory together with the facts: all that an action may look at when it builds its operation.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    pub inventory: &'a Inventory,
    pub facts: &'a Facts,
}

impl Site<'_> {
    /// The start of a Compose command line for a project, such as `docker compose -f docker-compose.prod.yml`. It is run in
    /// the project's folder.
    ///
    /// # Errors
    /// In words, when there is no such project or its host was not asked.
    pub fn compose(&self, project: &str) -> Result<Vec<String>, String> {
        let has_pins = self.facts.projects.get(project).is_some_and(|facts| facts.has_pins);
        self.compose_with(project, has_pins)
    }

    /// As [`compose`](Site::compose), with opsctl's own file after the others, whether it is there yet or not.
    ///
    /// # Errors
    /// As [`compose`](Site::compose).
    pub fn compose_pinned(&self, project: &str) -> Result<Vec<String>, String> {
        self.compose_with(project, true)
    }

    fn compose_with(&self, project: &str, pins: bool) -> Result<Vec<String>, String> {
        let Project { host, files, .. } = self.project(project)?;
        let facts = self
            .facts
            .hosts
            .get(host)
            .ok_or_else(|| format!("host `{host}` was not asked for its Compose"))?;
        let mut argv = facts.compose.clone();
        let found = self.facts.projects.get(project).map(|facts| facts.found.as_slice()).unwrap_or_default();
        let all = if files.is_empty() { found } else { files.as_slice() };
        let is_named = all.iter().any(|file| file.trim_start_matches("./") == PINS);
        if pins && all.is_empty() {
            return Err(format!(
                "nobody knows which Compose files project `{project}` has: name them with `files`"
            ));
        }
        // Whoever names one has to name all.
        let (files, pins) = match pins && !is_named {
            true => (all, Some(PINS.to_owned())),
            false => (files.as_slice(), None),
        };
        argv.extend(files.iter().cloned().chain(pins).flat_map(|file| ["-f".to_owned(), file]));
        Ok(argv)
    }

    /// # Errors
    /// In words, with the projects that there are.
    pub fn project(&self, name: &str) -> Result<&Project, String> {
        self.inventory.projects.get(name).ok_or_else(|| {
            let known: Vec<_> = self.inventory.projects.keys().map(|name| format!("`{name}`")).collect();
            format!("there is no project `{name}`: the inventory has {}", known.join(", "))
        })
    }
}
