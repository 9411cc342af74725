//! The logs that Docker keeps of containers.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::{Action, verdict};
use super::{DOCKER, FOLDER, Goal};
use crate::base::percent::Percent;
use crate::base::size::Size;
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Shortens those of a list of containers' logs that are long to their ends, until there is room.
///
/// The containers write on meanwhile. Where the filesystem cannot take the beginning out of a file, a line may be lost that is written in
/// the very moment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Logs {
    /// A path on the filesystem that is to get room.
    at: String,
    /// How much of that is to be free, in bytes and in inodes: then it stops.
    until_free: Percent,
    /// The logs, in the order in which they are shortened: of each the id of its `container`, the `name` of that, and its `path`.
    logs: Vec<Log>,
    /// How much of the end of each stays.
    keep: Size,
}

/// A file of JSON.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Log {
    /// The id of its container.
    container: String,
    /// What that is called.
    name: String,
    /// Where Docker writes it.
    path: String,
}

impl Log {
    fn line(&self) -> Result<String, String> {
        let name = super::name(&self.name)?;
        if name.contains(' ') {
            return Err(format!("`{name}` is not the name of a container"));
        }
        Ok(format!("{} {name} {}", super::id(&self.container)?, super::path(&self.path)?))
    }
}

impl Action for Logs {
    const NAME: &'static str = "cleanup.logs";
    const GIVES: ResultKind = ResultKind::Command;
    const TOUCHES: bool = false;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, _: Site<'_>) -> Result<Operation, String> {
        let logs = super::lines("logs", &self.logs, Log::line)?;
        let goal = Goal { at: &self.at, until_free: self.until_free };
        let given = [("logs", logs), ("keep", self.keep.0.to_string())];
        goal.script(Self::NAME, given, &[FOLDER, DOCKER, include_str!("logs.sh")])
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}
