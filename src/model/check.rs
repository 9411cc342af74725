//! A call of an action, and a check: a call with a condition on what it gives.

use serde_json::{Map, Value};

use crate::base::amount::Span;

/// An action by name with its arguments, before templates are rendered. In YAML a map with one key.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub action: String,
    pub args: Map<String, Value>,
}

/// In YAML: `{ http.get: { url: ... }, that: "status == 200", within: 60s, every: 1s, successes: 3, stays_good_for: 10s }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    pub call: Call,
    /// The host. Without it: the host of what the action names, else the step's.
    pub on: Option<String>,
    /// A condition over the result's fields. Without it: what the action itself calls a success.
    pub that: Option<String>,
    pub patience: Patience<Time>,
}

/// How long a check is waited for, and how often it must hold.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Patience<T = Span> {
    /// How long to go on trying. Zero: once.
    pub within: T,
    /// The pause between two tries.
    pub every: Span,
    /// How many tries in a row must hold.
    pub successes: u32,
    /// For how long it must go on holding after that.
    pub stays_good_for: T,
}

impl<T: Default> Default for Patience<T> {
    fn default() -> Patience<T> {
        Patience { within: T::default(), every: Span::secs(1), successes: 1, stays_good_for: T::default() }
    }
}

/// A duration, or a template that gives one when the plan is made.
#[derive(Debug, Clone, PartialEq)]
pub enum Time {
    Fixed(Span),
    Template(String),
}

impl Default for Time {
    fn default() -> Time {
        Time::Fixed(Span::default())
    }
}

impl Time {
    /// Whether it is certainly no time at all.
    pub fn is_zero(&self) -> bool {
        matches!(self, Time::Fixed(span) if span.0.is_zero())
    }
}

impl<'de> serde::Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.contains("{{") {
            true => Ok(Time::Template(text)),
            false => text.parse().map(Time::Fixed).map_err(serde::de::Error::custom),
        }
    }
}

impl schemars::JsonSchema for Call {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Call".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "An action with its arguments.",
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
        })
    }
}

impl schemars::JsonSchema for Check {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Check".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let described = |schema: schemars::Schema, description: &str| {
            let mut schema = schema;
            schema.insert("description".to_owned(), Value::from(description));
            schema
        };
        let text = || schemars::json_schema!({ "type": "string" });
        let span = generator.subschema_for::<Span>();
        let time = schemars::json_schema!({ "anyOf": [span, { "type": "string", "pattern": "\\{\\{" }] });
        let count = schemars::json_schema!({ "type": "integer", "minimum": 1 });
        schemars::json_schema!({
            "type": "object",
            "properties": {
                "on": described(text(), "The host. Without it: the host of what the action names, else the step's."),
                "that": described(
                    text(),
                    "A condition over the result's fields. Without it: what the action itself calls a success.",
                ),
                "within": described(time.clone(), "How long to go on trying. Without it: once."),
                "every": described(span, "The pause between two tries."),
                "successes": described(count, "How many tries in a row must hold."),
                "stays_good_for": described(time, "For how long it must go on holding after that."),
            },
        })
    }
}
