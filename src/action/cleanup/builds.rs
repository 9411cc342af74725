//! The steps of image builds.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::{Action, verdict};
use super::Goal;
use crate::base::percent::Percent;
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Removes the steps of image builds that nothing refers to, unless there is room.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Builds {
    /// A path on the filesystem that is to get room.
    at: String,
    /// How much of that is to be free, in bytes and in inodes: then it stops.
    until_free: Percent,
}

impl Action for Builds {
    const NAME: &'static str = "cleanup.builds";
    const GIVES: ResultKind = ResultKind::Command;
    const TOUCHES: bool = false;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, _: Site<'_>) -> Result<Operation, String> {
        let goal = Goal { at: &self.at, until_free: self.until_free };
        goal.script(Self::NAME, [], &[include_str!("builds.sh")])
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}
