//! The names of runs and of steps.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One execution of a plan. A UUID of version 7, so that names sort by the time of creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(uuid::Uuid);

/// What people are told about, from its beginning to its end. A UUID of version 7, as a run's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentId(uuid::Uuid);

macro_rules! names_in_time {
    ($($id:ident)*) => {
        $(
            impl $id {
                pub fn generate() -> $id {
                    $id(uuid::Uuid::now_v7())
                }

                pub fn parse(text: &str) -> Option<$id> {
                    uuid::Uuid::parse_str(text).ok().map($id)
                }

                /// Whether a person may mean this one: by the start of its id, or by at least four characters of its end.
                pub fn is_meant_by(&self, name: &str) -> bool {
                    let bare = |id: &str| id.chars().filter(|c| *c != '-').collect::<String>().to_ascii_lowercase();
                    let (wanted, id) = (bare(name), bare(&self.to_string()));
                    !wanted.is_empty() && (id.starts_with(&wanted) || (wanted.len() >= 4 && id.ends_with(&wanted)))
                }

                /// What a person calls it, and every command accepts: the end of its id, which is its random part.
                pub fn short(&self) -> String {
                    let id = self.0.simple().to_string();
                    id[id.len() - 8..].to_owned()
                }
            }

            impl fmt::Display for $id {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.0.hyphenated().fmt(f)
                }
            }
        )*
    };
}

names_in_time! { RunId IncidentId }

/// The name of a step within its plan: `restart`, `restart[argus-2]` for one item of a `for_each`, `database/restart` for
/// a step of an included runbook. Unique in the plan, and stable from plan to resume to undo.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct StepKey(String);

impl StepKey {
    pub fn new(id: &str) -> StepKey {
        StepKey(id.to_owned())
    }

    /// The step for one item of a `for_each`, or one host of a fan-out.
    pub fn item(&self, item: &str) -> StepKey {
        StepKey(format!("{}[{item}]", self.0))
    }

    /// A step of the runbook that this step includes.
    pub fn child(&self, id: &StepKey) -> StepKey {
        StepKey(format!("{}/{}", self.0, id.0))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StepKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_key_names_item_and_included_runbook() {
        let restart = StepKey::new("restart");
        assert_eq!(restart.item("argus-2").as_str(), "restart[argus-2]");
        assert_eq!(StepKey::new("database").child(&restart).as_str(), "database/restart");
    }

    #[test]
    fn later_runs_sort_after_earlier_ones() {
        let first = RunId::generate();
        let second = RunId::generate();
        assert!(first < second);
        assert!(first.to_string() < second.to_string());
    }
}
