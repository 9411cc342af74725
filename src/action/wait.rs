//! Waiting: for a length of time, or until a check holds.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Action, Field};
use crate::base::amount::Span;
use crate::model::check::Check;
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Waits for a length of time, or until a check holds.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wait {
    /// How long.
    #[serde(rename = "for")]
    length: Option<Span>,
    /// The check, with `within` for how long it is waited for at most.
    until: Option<Check>,
}

impl Action for Wait {
    const NAME: &'static str = "wait";
    const GIVES: ResultKind = ResultKind::Nothing;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn needs_host(_: &Map<String, Value>) -> bool {
        false
    }

    fn field(name: &str) -> Field {
        if name == "until" { Field::Untouched } else { Field::Template }
    }

    /// The planner makes the check of `until` an expectation of the step: nothing is left to do before it.
    fn build(&self, _: Site<'_>) -> Result<Operation, String> {
        match (self.length, &self.until) {
            (Some(length), None) => Ok(Operation::Sleep(length)),
            (None, Some(check)) if check.patience.within.is_zero() => {
                Err("`until` needs `within`: how long it is waited for at most".to_owned())
            }
            (None, Some(_)) => Ok(Operation::Sleep(Span::default())),
            _ => Err("exactly one of `for` and `until` is expected".to_owned()),
        }
    }

    fn judge(_: &Operation, _: &Value) -> Result<(), String> {
        Ok(())
    }
}
