//! What is no longer as it was when somebody approved it.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::snapshot::{ContainerFacts, Snapshot};

/// The differences between two snapshots of the same containers, in the order of the names. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Drift {
    pub differences: Vec<Difference>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// By its name in the inventory.
    pub project: String,
    /// The container's name.
    pub container: String,
    pub what: What,
    /// What it was when it was approved: an id or a digest, in full. Absent: there was no such container.
    pub then: Option<String>,
    /// What it is now. Absent: the container is gone.
    pub now: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Another container, none, or one that there was not: the ids are compared.
    Container,
    /// The container there now was made from another image: the digests are compared.
    Image,
}

impl Drift {
    /// What of `then` is otherwise now; nothing when all of it is the same. What `then` did not look at is no difference.
    pub fn between(then: &Snapshot, now: &Snapshot) -> Option<Drift> {
        let mut differences = Vec::new();
        for (project, then) in then.projects() {
            let now = now.of(project).unwrap_or_default();
            let names: BTreeSet<&str> = then.iter().chain(now).map(|known| known.name.as_str()).collect();
            for name in names {
                let named = |all: &[ContainerFacts]| all.iter().find(|known| known.name == name).cloned();
                differences.extend(changes(project, name, named(then), named(now)));
            }
        }
        (!differences.is_empty()).then_some(Drift { differences })
    }
}

fn changes(
    project: &str,
    container: &str,
    then: Option<ContainerFacts>,
    now: Option<ContainerFacts>,
) -> Vec<Difference> {
    let difference = |what, then, now| Difference {
        project: project.to_owned(),
        container: container.to_owned(),
        what,
        then,
        now,
    };
    let mut changes = Vec::new();
    if then.as_ref().map(|then| &then.id) != now.as_ref().map(|now| &now.id) {
        let id = |container: &Option<ContainerFacts>| container.as_ref().map(|known| known.id.clone());
        changes.push(difference(What::Container, id(&then), id(&now)));
    }
    // A container that came or went says it all.
    if let (Some(then), Some(now)) = (then, now)
        && then.image_id != now.image_id
    {
        changes.push(difference(What::Image, Some(then.image_id), Some(now.image_id)));
    }
    changes
}

impl Difference {
    /// As much of an id or a digest as people compare: what Docker itself shows.
    pub fn short(id: &str) -> &str {
        let id = id.strip_prefix("sha256:").unwrap_or(id);
        id.get(..12).unwrap_or(id)
    }
}

/// In a line, for the journal and for a question.
impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, difference) in self.differences.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            difference.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |id: &Option<String>| id.as_deref().map(Difference::short).unwrap_or_default().to_owned();
        let (name, then, now) = (&self.container, short(&self.then), short(&self.now));
        match (self.what, &self.then, &self.now) {
            (_, Some(_), None) => write!(f, "container `{name}` is gone, it was {then}"),
            (_, None, _) => write!(f, "container `{name}` is new, it is {now}"),
            (What::Container, ..) => write!(f, "container `{name}` was {then}, and is {now}"),
            (What::Image, ..) => write!(f, "the image of `{name}` was {then}, and is {now}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(name: &str, id: &str, image_id: &str) -> ContainerFacts {
        let [name, id, image_id] = [name, id, image_id].map(str::to_owned);
        ContainerFacts { service: name.clone(), name, id, image_id }
    }

    fn snapshot<const N: usize>(projects: [(&str, &[ContainerFacts]); N]) -> Snapshot {
        let mut snapshot = Snapshot::default();
        projects.iter().for_each(|(project, containers)| snapshot.add(project, containers.to_vec()));
        snapshot
    }

    fn told(then: &Snapshot, now: &Snapshot) -> Vec<String> {
        let drift = Drift::between(then, now);
        drift.iter().flat_map(|drift| &drift.differences).map(Difference::to_string).collect()
    }

    #[test]
    fn the_same_containers_are_no_drift_in_whatever_order_they_are_listed() {
        let then = snapshot([("p", &[container("a", "1", "x"), container("b", "2", "x")]), ("q", &[])]);
        let now = snapshot([("q", &[]), ("p", &[container("b", "2", "x"), container("a", "1", "x")])]);
        assert_eq!(Drift::between(&then, &now), None);
    }

    #[test]
    fn a_container_made_anew_gone_or_new_is_told_with_both_ids() {
        let then = snapshot([
            ("p", &[container("a", "0123456789abcdef", "x"), container("b", "2", "x")]),
            ("q", &[]),
        ]);
        let now =
            snapshot([("p", &[container("a", "fedcba9876543210", "x")]), ("q", &[container("c", "3", "x")])]);
        assert_eq!(
            told(&then, &now),
            [
                "container `a` was 0123456789ab, and is fedcba987654",
                "container `b` is gone, it was 2",
                "container `c` is new, it is 3",
            ]
        );
    }

    #[test]
    fn another_image_is_told_besides_the_container_that_was_made_from_it() {
        let then = snapshot([("p", &[container("a", "1", "sha256:0123456789abcdef")])]);
        let now = snapshot([("p", &[container("a", "2", "sha256:fedcba9876543210")])]);
        assert_eq!(
            told(&then, &now),
            ["container `a` was 1, and is 2", "the image of `a` was 0123456789ab, and is fedcba987654"]
        );
    }

    #[test]
    fn what_was_not_looked_at_is_no_difference_and_what_is_not_there_any_more_is_one() {
        let some = snapshot([("p", &[container("a", "1", "x")])]);
        assert_eq!(Drift::between(&Snapshot::default(), &some), None);
        assert_eq!(told(&some, &Snapshot::default()), ["container `a` is gone, it was 1"]);
    }
}
