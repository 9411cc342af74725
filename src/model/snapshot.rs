//! Which containers there were at one moment: what an approval stands on.
//!
//! It holds what somebody has to do something for: which containers, and made from which images. Not whether they run, nor
//! their health or restarts: in an outage those change by themselves all the time, and an approval that lapsed for it would
//! never come to anything.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::touched::Touched;

/// The containers of projects, by the project's name in the inventory. One that is not in it was not looked at, or could not be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Snapshot {
    projects: BTreeMap<String, Vec<ContainerFacts>>,
}

/// A container, as every look at the same one has it. Its fields are those of a containers query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerFacts {
    pub name: String,
    /// The Compose service.
    pub service: String,
    /// Docker's own, in full.
    pub id: String,
    /// The digest of the image that it was made from, whatever its tag points at by now.
    pub image_id: String,
}

impl Snapshot {
    pub fn is_empty(&self) -> bool {
        self.projects.is_empty()
    }

    pub fn add(&mut self, project: &str, containers: Vec<ContainerFacts>) {
        self.projects.insert(project.to_owned(), containers);
    }

    /// Nothing when the project was not looked at; an empty list when it had no such container.
    pub fn of(&self, project: &str) -> Option<&[ContainerFacts]> {
        self.projects.get(project).map(Vec::as_slice)
    }

    pub fn projects(&self) -> impl Iterator<Item = (&str, &[ContainerFacts])> {
        self.projects.iter().map(|(project, containers)| (project.as_str(), containers.as_slice()))
    }

    /// Of `touched`, what is in it.
    pub fn seen_of(&self, touched: &[Touched]) -> Vec<Touched> {
        touched.iter().filter(|touched| self.projects.contains_key(&touched.project)).cloned().collect()
    }
}
