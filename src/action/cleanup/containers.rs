//! Containers that do not run.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::{Action, verdict};
use super::{DOCKER, Goal};
use crate::base::amount::Span;
use crate::base::percent::Percent;
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Removes those of a list of containers that have been stopped for long, until there is room.
///
/// Their volumes stay.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Containers {
    /// A path on the filesystem that is to get room.
    at: String,
    /// How much of that is to be free, in bytes and in inodes: then it stops.
    until_free: Percent,
    /// The containers, in the order in which they go: of each its `id` and its `name`.
    containers: Vec<Container>,
    /// For how long each has to have been stopped.
    unused_for: Span,
}

/// A container.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Container {
    /// As Docker knows it, in full.
    id: String,
    /// What it is called.
    name: String,
}

impl Action for Containers {
    const NAME: &'static str = "cleanup.containers";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, _: Site<'_>) -> Result<Operation, String> {
        let containers = super::lines("containers", &self.containers, |container| {
            Ok(format!("{} {}", super::id(&container.id)?, super::name(&container.name)?))
        })?;
        let given = [("containers", containers), ("unused_for", self.unused_for.0.as_secs().to_string())];
        let goal = Goal { at: &self.at, until_free: self.until_free };
        goal.script(Self::NAME, given, &[DOCKER, include_str!("containers.sh")])
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}
