//! Including another runbook.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Action, Field};
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Does the steps of another runbook, as `STEP/ITS-STEP`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Include {
    /// The runbook.
    pub name: String,
    /// Its parameters.
    #[serde(default)]
    pub with: Map<String, Value>,
}

impl Action for Include {
    const NAME: &'static str = "runbook";
    const GIVES: ResultKind = ResultKind::Nothing;

    /// Of its own it has none: the steps that it stands for have theirs.
    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn needs_host(_: &Map<String, Value>) -> bool {
        false
    }

    fn field(_: &str) -> Field {
        Field::Untouched
    }

    /// The planner puts the steps in its place; what is left to be built stands where no steps can.
    fn build(&self, _: Site<'_>) -> Result<Operation, String> {
        Err("a runbook can only be included as the `do` of a step".to_owned())
    }

    fn judge(_: &Operation, _: &Value) -> Result<(), String> {
        Ok(())
    }
}
