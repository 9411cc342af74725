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
    pub patience: Patience,
}

/// How long a check is waited for, and how often it must hold.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Patience {
    /// How long to go on trying. Zero: once.
    pub within: Span,
    /// The pause between two tries.
    pub every: Span,
    /// How many tries in a row must hold.
    pub successes: u32,
    /// For how long it must go on holding after that.
    pub stays_good_for: Span,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience {
            within: Span::default(),
            every: Span::secs(1),
            successes: 1,
            stays_good_for: Span::default(),
        }
    }
}

mod form {
    //! The YAML forms.

    use serde::de::{Deserialize, Deserializer, Error};
    use serde_json::{Map, Value};

    use super::{Call, Check};

    impl<'de> Deserialize<'de> for Call {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Call, D::Error> {
            let map = Map::<String, Value>::deserialize(deserializer)?;
            call(map).map_err(D::Error::custom)
        }
    }

    fn call(map: Map<String, Value>) -> Result<Call, String> {
        let mut entries = map.into_iter();
        match (entries.next(), entries.next()) {
            (Some((action, Value::Object(args))), None) => Ok(Call { action, args }),
            (Some((action, Value::Null)), None) => Ok(Call { action, args: Map::new() }),
            (Some((action, _)), None) => Err(format!("`{action}` takes a map of arguments")),
            _ => Err("exactly one action is expected here".to_owned()),
        }
    }

    impl<'de> Deserialize<'de> for Check {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Check, D::Error> {
            let mut map = Map::<String, Value>::deserialize(deserializer)?;
            fn take<T: serde::de::DeserializeOwned, E: Error>(
                map: &mut Map<String, Value>,
                key: &str,
            ) -> Result<Option<T>, E> {
                let Some(value) = map.remove(key) else { return Ok(None) };
                serde_json::from_value(value)
                    .map(Some)
                    .map_err(|error| E::custom(format!("`{key}`: {error}")))
            }
            let mut check = Check {
                on: take(&mut map, "on")?,
                that: take(&mut map, "that")?,
                call: Call { action: String::new(), args: Map::new() },
                patience: super::Patience::default(),
            };
            let patience = &mut check.patience;
            patience.within = take(&mut map, "within")?.unwrap_or(patience.within);
            patience.every = take(&mut map, "every")?.unwrap_or(patience.every);
            patience.successes = take(&mut map, "successes")?.unwrap_or(patience.successes);
            patience.stays_good_for = take(&mut map, "stays_good_for")?.unwrap_or(patience.stays_good_for);
            check.call = call(map).map_err(D::Error::custom)?;
            Ok(check)
        }
    }
}

impl schemars::JsonSchema for Call {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Call".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "object", "minProperties": 1, "maxProperties": 1 })
    }
}

impl schemars::JsonSchema for Check {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Check".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let span = generator.subschema_for::<Span>();
        schemars::json_schema!({
            "type": "object",
            "properties": {
                "on": { "type": "string" },
                "that": { "type": "string" },
                "within": span,
                "every": span,
                "successes": { "type": "integer", "minimum": 1 },
                "stays_good_for": span,
            },
        })
    }
}
