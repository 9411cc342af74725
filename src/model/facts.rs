//! What the hosts said about themselves when the plan was made: the names that exist only at run time, and the containers that
//! there were.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::inventory::{Inventory, Project};
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

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProjectFacts {
    /// The project's name as Compose knows it.
    pub name: String,
}

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
        let Project { host, files, .. } = self.project(project)?;
        let facts = self
            .facts
            .hosts
            .get(host)
            .ok_or_else(|| format!("host `{host}` was not asked for its Compose"))?;
        let mut argv = facts.compose.clone();
        argv.extend(files.iter().flat_map(|file| ["-f".to_owned(), file.clone()]));
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
