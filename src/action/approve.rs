//! A question to a person, in the middle of a run.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Action;
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Asks a person, and goes on when the answer is yes. Who said so, and when, is in the journal.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Approve {
    /// What the person is asked.
    question: String,
}

impl Action for Approve {
    const NAME: &'static str = "approve";
    const GIVES: ResultKind = ResultKind::Nothing;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn needs_host(_: &Map<String, Value>) -> bool {
        false
    }

    fn build(&self, _: Site<'_>) -> Result<Operation, String> {
        if self.question.trim().is_empty() {
            return Err("`question` is empty".to_owned());
        }
        Ok(Operation::Approve { question: self.question.clone() })
    }

    fn judge(_: &Operation, _: &Value) -> Result<(), String> {
        Ok(())
    }
}
