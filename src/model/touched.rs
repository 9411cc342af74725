//! Which containers a task is about, as far as its arguments tell.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Containers of one Compose project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touched {
    /// By its name in the inventory.
    pub project: String,
    /// By their names in Compose. Empty: every service of the project.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub services: BTreeSet<String>,
}

impl Touched {
    /// The same containers, each project once, in the order of the names.
    pub fn merged<'a>(all: impl IntoIterator<Item = &'a Touched>) -> Vec<Touched> {
        let mut merged: BTreeMap<&str, Touched> = BTreeMap::new();
        for touched in all {
            match merged.entry(&touched.project) {
                Entry::Vacant(place) => drop(place.insert(touched.clone())),
                Entry::Occupied(mut known) => known.get_mut().add(touched),
            }
        }
        merged.into_values().collect()
    }

    pub fn covers(&self, service: &str) -> bool {
        self.services.is_empty() || self.services.contains(service)
    }

    fn add(&mut self, other: &Touched) {
        if self.services.is_empty() || other.services.is_empty() {
            self.services.clear();
        } else {
            self.services.extend(other.services.iter().cloned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touched(project: &str, services: &[&str]) -> Touched {
        let services = services.iter().map(|&service| service.to_owned()).collect();
        Touched { project: project.to_owned(), services }
    }

    #[test]
    fn services_of_one_project_come_together_and_a_whole_project_outweighs_them() {
        let all = [touched("b", &["x"]), touched("a", &["y"]), touched("b", &["z"])];
        assert_eq!(Touched::merged(&all), [touched("a", &["y"]), touched("b", &["x", "z"])]);
        for whole in [[touched("a", &[]), touched("a", &["y"])], [touched("a", &["y"]), touched("a", &[])]] {
            let merged = Touched::merged(&whole);
            assert_eq!(merged, [touched("a", &[])]);
            assert!(merged[0].covers("anything"));
        }
        assert!(!touched("a", &["y"]).covers("x"));
    }
}
