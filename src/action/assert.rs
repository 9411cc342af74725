//! A condition that must hold for the run to go on.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Action, Field};
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Ends in failure unless a condition over the parameters, the inventory and earlier outputs holds.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Assert {
    /// The condition, such as `outputs.disk.free > 5`.
    #[schemars(with = "String")]
    that: bool,
    /// What it means when it holds: `the disk has room`.
    message: String,
}

impl Action for Assert {
    const NAME: &'static str = "assert";
    const GIVES: ResultKind = ResultKind::Assertion;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn needs_host(_: &Map<String, Value>) -> bool {
        false
    }

    fn field(name: &str) -> Field {
        if name == "that" { Field::Condition } else { Field::Template }
    }

    fn build(&self, _: Site<'_>) -> Result<Operation, String> {
        Ok(Operation::Assert { holds: self.that, message: self.message.clone() })
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        match (&result["holds"], operation) {
            (Value::Bool(true), _) => Ok(()),
            (_, Operation::Assert { message, .. }) => Err(format!("it is not so that {message}")),
            _ => Err("the condition does not hold".to_owned()),
        }
    }
}
