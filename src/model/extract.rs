//! What a later step may take from a result, so that no pipes are needed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One value out of a result. Exactly one of `regex`, `pointer`, `count`, `first`, `last` and `value` is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Extract {
    /// The field of the result to look in. Without it: `stdout`, else `body`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The first group of the first match, or the whole match when there is no group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regex: Option<String>,
    /// A JSON pointer (RFC 6901) into the whole result, or into the JSON of the field `from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// How many lines match the regular expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<String>,
    /// The first lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<usize>,
    /// The last lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<usize>,
    /// An expression over the fields of the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl Extract {
    /// # Errors
    /// In words, when there is nothing of the kind in `result`.
    pub fn apply(&self, _result: &Value) -> Result<Value, String> {
        todo!("helper: model")
    }
}
