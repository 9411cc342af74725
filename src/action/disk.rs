//! Disks of a host.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Action;
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Looks at how full the disks of a host are, in bytes and in inodes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Usage {}

impl Action for Usage {
    const NAME: &'static str = "disk.usage";
    const GIVES: ResultKind = ResultKind::Disks;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn build(&self, _: Site<'_>) -> Result<Operation, String> {
        Ok(Operation::Disks)
    }

    fn judge(_: &Operation, result: &Value) -> Result<(), String> {
        result["error"].as_str().map_or(Ok(()), |why| Err(why.to_owned()))
    }
}
