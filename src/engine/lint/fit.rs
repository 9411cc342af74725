//! Whether a literal argument fits the schema of its action.
//!
//! As much of JSON Schema as the schemas of our own types use. A text with a template in it can become anything, and fits.

use serde_json::{Map, Value};

use super::template::is_template;
use crate::base::amount::Span;
use crate::base::nearest::listed;
use crate::model::source::join;

/// What does not fit, at its path.
pub(in crate::engine) struct Misfit {
    pub path: String,
    pub message: String,
    /// The names or values that would.
    pub known: Vec<String>,
    /// What the schema says of it.
    pub about: Option<String>,
    pub given: String,
    pub is_at_key: bool,
}

pub(in crate::engine) struct Fit<'a> {
    /// The whole schema, for its definitions.
    pub root: &'a Value,
    pub misfits: Vec<Misfit>,
}

impl<'a> Fit<'a> {
    /// The arguments of an action, or a map within them.
    pub(super) fn map(&mut self, path: &str, schema: &'a Value, map: &Map<String, Value>, what: &str) {
        let properties = schema.get("properties").and_then(Value::as_object);
        for (key, value) in map {
            match (properties.and_then(|properties| properties.get(key)), schema.get("additionalProperties"))
            {
                (Some(schema), _) => self.value(&join(path, key), schema, value),
                (None, Some(Value::Bool(false))) => self.misfits.push(Misfit {
                    path: join(path, key),
                    message: format!("{what} has no `{key}`"),
                    known: properties.into_iter().flat_map(Map::keys).cloned().collect(),
                    about: None,
                    given: key.clone(),
                    is_at_key: true,
                }),
                (None, Some(schema @ Value::Object(_))) => self.value(&join(path, key), schema, value),
                (None, _) => {}
            }
        }
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        for key in required.filter_map(Value::as_str).filter(|key| !map.contains_key(*key)) {
            self.misfits.push(Misfit {
                path: path.to_owned(),
                message: format!("{what} needs `{key}`"),
                known: vec![],
                about: None,
                given: key.to_owned(),
                is_at_key: true,
            });
        }
    }

    pub(in crate::engine) fn value(&mut self, path: &str, schema: &'a Value, value: &Value) {
        let about = schema.get("description").and_then(Value::as_str);
        let schema = self.resolved(schema);
        let about = about.or_else(|| schema.get("description").and_then(Value::as_str));
        if value.as_str().is_some_and(is_template) {
            return;
        }
        if let Some(options) = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(key)?.as_array()) {
            self.any(path, options, value);
        }
        let allowed: Vec<&Value> = match (schema.get("enum"), schema.get("const")) {
            (Some(Value::Array(all)), _) => all.iter().collect(),
            (_, Some(only)) => vec![only],
            _ => vec![],
        };
        if !allowed.is_empty() && !allowed.contains(&value) {
            let known: Vec<_> = allowed.into_iter().filter_map(Value::as_str).map(str::to_owned).collect();
            return self.refuse(path, format!("unknown value {}", shown(value)), value, known, about);
        }
        let types: Vec<_> = match schema.get("type") {
            Some(Value::String(one)) => vec![one.as_str()],
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            _ => vec![],
        };
        if !types.is_empty() && !types.iter().any(|name| is_of(name, value)) {
            let wanted = types.iter().find(|name| **name != "null").copied().unwrap_or("null");
            let message = match value {
                Value::Number(number) if is_duration(schema) => {
                    return self.duration(path, &number.to_string(), value);
                }
                Value::Number(_) | Value::Bool(_) if wanted == "string" => {
                    format!("expected text, found `{value}`: write `\"{value}\"`")
                }
                _ => format!("expected {}, found {}", kind(wanted), shown(value)),
            };
            return self.refuse(path, message, value, vec![], about);
        }
        if let (Some(minimum), Some(number)) = (schema.get("minimum").and_then(Value::as_f64), value.as_f64())
            && number < minimum
        {
            return self.refuse(path, format!("`{number}` is less than {minimum}"), value, vec![], about);
        }
        match value {
            Value::String(text) if is_duration(schema) => self.duration(path, text, value),
            Value::Object(map) => {
                let what = path.rsplit('/').next().map(|key| format!("`{key}`")).unwrap_or_default();
                self.map(path, schema, map, &what);
            }
            Value::Array(items) => {
                for (number, item) in items.iter().enumerate() {
                    let Some(schema) = schema.get("items") else { break };
                    self.value(&format!("{path}/{number}"), schema, item);
                }
            }
            _ => {}
        }
    }

    fn duration(&mut self, path: &str, text: &str, value: &Value) {
        if let Err(why) = text.parse::<Span>() {
            self.refuse(path, why, value, vec![], None);
        }
    }

    /// One of the options has to fit. What none of them takes is told by the one that comes nearest.
    fn any(&mut self, path: &str, options: &'a [Value], value: &Value) {
        let tried = options.iter().map(|option| {
            let mut fit = Fit { root: self.root, misfits: Vec::new() };
            fit.value(path, option, value);
            fit.misfits
        });
        let tried: Vec<Vec<Misfit>> = tried.collect();
        let is_word = |misfits: &Vec<Misfit>| matches!(&misfits[..], [only] if only.path == path && !only.known.is_empty());
        if !tried.iter().any(Vec::is_empty) && tried.iter().any(is_word) && value.is_string() {
            let known = tried.into_iter().filter(is_word).flatten().flat_map(|misfit| misfit.known).collect();
            return self.refuse(path, format!("unknown value {}", shown(value)), value, known, None);
        }
        let nearest = tried.into_iter().min_by_key(|misfits| {
            (misfits.len(), misfits.first().map_or(0, |misfit| usize::from(misfit.path == path)))
        });
        self.misfits.extend(nearest.unwrap_or_default());
    }

    fn refuse(
        &mut self,
        path: &str,
        message: String,
        value: &Value,
        known: Vec<String>,
        about: Option<&str>,
    ) {
        let given = value.as_str().unwrap_or_default().to_owned();
        self.misfits.push(Misfit {
            path: path.to_owned(),
            message,
            known,
            about: about.map(str::to_owned),
            given,
            is_at_key: false,
        });
    }

    fn resolved(&self, schema: &'a Value) -> &'a Value {
        let target = schema.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix('#'));
        target.and_then(|pointer| self.root.pointer(pointer)).unwrap_or(schema)
    }
}

/// Durations are texts; their description in the schema tells them from other texts.
fn is_duration(schema: &Value) -> bool {
    let described = <Span as schemars::JsonSchema>::json_schema(&mut schemars::SchemaGenerator::default());
    schema.get("examples").is_some() && schema.get("examples") == described.get("examples")
}

fn is_of(name: &str, value: &Value) -> bool {
    match name {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => true,
    }
}

fn kind(name: &str) -> &str {
    match name {
        "string" => "text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "`true` or `false`",
        "array" => "a list",
        "object" => "a map",
        _ => "nothing",
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a map".to_owned(),
        Value::String(text) => listed([text.as_str()]),
        other => format!("`{other}`"),
    }
}
