//! The typed parameters of a runbook.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::inventory::Inventory;
use super::view;
use crate::base::amount::Span;
use crate::base::nearest::{listed, nearest};
use crate::base::size::Size;
use crate::base::{Error, Result};

/// A parameter of a runbook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Param {
    /// Its type. A wrong value is refused before anything is touched.
    #[serde(rename = "type")]
    pub kind: ParamType,
    /// What it is for, shown by `runbook show`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The value when none is given. Without it the parameter is required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// The values of a `choice`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ParamType {
    String,
    Integer,
    Boolean,
    Duration,
    Size,
    Timestamp,
    Choice,
    Service,
    Instance,
    Instances,
    Host,
    Database,
    Cache,
    Certificate,
    Project,
    Version,
    Backup,
}

impl Param {
    /// Whether it may be left out.
    pub fn is_optional(&self) -> bool {
        self.default.is_some()
    }

    /// The value that templates see: typed, in one form, and for an inventory type the whole object.
    ///
    /// # Errors
    /// When it is not of the type, with the valid ones.
    pub fn value(&self, name: &str, given: &Value, inventory: &Inventory) -> Result<Value> {
        if self.kind == ParamType::Instances {
            let one = Param { kind: ParamType::Instance, ..self.clone() };
            return several(given).iter().map(|given| one.value(name, given, inventory)).collect();
        }
        let Some(known) = view::names(inventory, self.kind) else {
            return self.plain(given).map_err(|why| {
                let error = Error::usage(format!("`{name}`: {why}"));
                match given {
                    Value::String(text) if self.kind == ParamType::Choice => self.with_choices(error, text),
                    _ => error,
                }
            });
        };
        // An object is what a template such as `{{ service }}` gives.
        let given = given.get("name").unwrap_or(given);
        let text = given.as_str().unwrap_or_default();
        if text.is_empty() && !given.is_object() {
            let error =
                Error::usage(format!("`{name}`: expected the name of a {}, found nothing", self.kind.word()));
            return Err(suggest(error, text, known));
        }
        view::object(inventory, self.kind, text).ok_or_else(|| {
            let kind = self.kind.word();
            let shown = given.as_str().map(str::to_owned).unwrap_or_else(|| given.to_string());
            let error = Error::usage(format!("`{name}`: there is no {kind} `{shown}` in the inventory"));
            suggest(error, text, known)
        })
    }

    fn with_choices(&self, error: Error, given: &str) -> Error {
        suggest(error, given, self.choices.iter().map(String::as_str).collect())
    }

    /// The value of a type that does not need the inventory; a name stays a name.
    ///
    /// # Errors
    /// In words, why it is none.
    pub fn plain(&self, given: &Value) -> Result<Value, String> {
        if let (ParamType::Instances, Value::Array(_)) = (self.kind, given) {
            return Ok(given.clone());
        }
        let text = match given {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(_) | Value::Bool(_) => given.to_string(),
            _ => return Err(format!("expected {}, found {given}", self.kind.article())),
        };
        let refused = || format!("`{text}` is not {}", self.kind.article());
        match self.kind {
            ParamType::String => match given {
                Value::String(text) => Ok(Value::from(text.clone())),
                _ => Ok(Value::from(text)),
            },
            ParamType::Integer => text.parse::<i64>().map(Value::from).map_err(|_| refused()),
            ParamType::Boolean => text.parse::<bool>().map(Value::from).map_err(|_| refused()),
            ParamType::Duration => text.parse::<Span>().map(|span| Value::from(span.to_string())),
            ParamType::Size => text.parse::<Size>().map(|Size(bytes)| Value::from(bytes)),
            ParamType::Timestamp => text
                .parse::<jiff::Timestamp>()
                .map(|time| Value::from(time.to_string()))
                .map_err(|_| refused()),
            ParamType::Choice if self.choices.contains(&text) => Ok(Value::from(text)),
            ParamType::Choice => Err(format!("`{text}` is none of the choices")),
            _ if text.is_empty() => Err(format!("expected {}, found nothing", self.kind.article())),
            _ => Ok(Value::from(text)),
        }
    }
}

impl ParamType {
    pub fn word(self) -> &'static str {
        match self {
            ParamType::String => "string",
            ParamType::Integer => "integer",
            ParamType::Boolean => "boolean",
            ParamType::Duration => "duration",
            ParamType::Size => "size",
            ParamType::Timestamp => "timestamp",
            ParamType::Choice => "choice",
            ParamType::Service => "service",
            ParamType::Instance => "instance",
            ParamType::Instances => "instances",
            ParamType::Host => "host",
            ParamType::Database => "database",
            ParamType::Cache => "cache",
            ParamType::Certificate => "certificate",
            ParamType::Project => "project",
            ParamType::Version => "version",
            ParamType::Backup => "backup",
        }
    }

    fn article(self) -> &'static str {
        match self {
            ParamType::String => "text",
            ParamType::Integer => "a whole number",
            ParamType::Boolean => "`true` or `false`",
            ParamType::Duration => "a duration such as `60s`",
            ParamType::Size => "a size such as `10GB`",
            ParamType::Timestamp => "a timestamp such as `2026-01-31T03:14:00Z`",
            ParamType::Choice => "one of the choices",
            _ => "a name",
        }
    }
}

/// The values of all parameters, by name: those that were given, and the defaults of the others.
///
/// # Errors
/// Of the kind usage: an unknown parameter, one given twice, a missing one, or a wrong value, with the valid ones.
pub fn bind(
    params: &IndexMap<String, Param>,
    given: impl IntoIterator<Item = (String, Value)>,
    inventory: &Inventory,
) -> Result<Map<String, Value>> {
    let mut values = Map::new();
    for (name, value) in given {
        let Some(param) = params.get(&name) else {
            let error = Error::usage(format!("there is no parameter `{name}`"));
            return Err(suggest(error, &name, params.keys().map(String::as_str).collect()));
        };
        let value = param.value(&name, &value, inventory)?;
        if values.insert(name.clone(), value).is_some() {
            return Err(Error::usage(format!("the parameter `{name}` is given twice")));
        }
    }
    let mut missing = Vec::new();
    for (name, param) in params.iter().filter(|(name, _)| !values.contains_key(*name)).collect::<Vec<_>>() {
        match &param.default {
            Some(default) => {
                values.insert(name.clone(), param.value(name, default, inventory)?);
            }
            None => missing.push((name.as_str(), param)),
        }
    }
    if !missing.is_empty() {
        let names = listed(missing.iter().map(|(name, _)| *name));
        let error = Error::usage(format!("missing: {names}"));
        return Err(missing.into_iter().fold(error, |error, (name, param)| {
            let example = match view::names(inventory, param.kind) {
                Some(known) => known.first().copied().unwrap_or("...").to_owned(),
                None if param.kind == ParamType::Choice => param.choices.first().cloned().unwrap_or_default(),
                None => "...".to_owned(),
            };
            error.hint(format!("{name}={example}"))
        }));
    }
    Ok(values)
}

/// A value as a person writes it after `NAME=`.
pub fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(written).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// The items of a list, which may be written with commas between them.
fn several(given: &Value) -> Vec<Value> {
    match given {
        Value::Array(items) => items.clone(),
        Value::String(text) => {
            text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(Value::from).collect()
        }
        other => vec![other.clone()],
    }
}

fn suggest(error: Error, given: &str, known: Vec<&str>) -> Error {
    let error = match nearest(given, known.iter().copied()) {
        Some(name) => error.hint(format!("did you mean `{name}`?")),
        None => error,
    };
    error.hint(format!("known here: {}", listed(known)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::source::Source;

    fn inventory() -> Inventory {
        let text = "name: o\nhosts: { app: { address: local } }\nprojects: { p: { host: app, directory: /p } }\n\
            services:\n  argus: { project: p, instances: { argus-1: { health: \"http://localhost/\" } } }\n";
        Inventory::read(&Source::new("opsctl.yaml", text)).unwrap()
    }

    fn params(yaml: &str) -> IndexMap<String, Param> {
        Source::new("f", yaml).parse().unwrap()
    }

    fn bound(yaml: &str, given: &[(&str, &str)]) -> Result<Map<String, Value>> {
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
        bind(&params(yaml), given, &inventory())
    }

    #[test]
    fn every_type_has_one_form_whatever_it_was_written_as() {
        for (kind, given, seen) in [
            ("string", " a b", Value::from(" a b")),
            ("integer", "-3", Value::from(-3)),
            ("boolean", "true", Value::from(true)),
            ("duration", "90s", Value::from("1m30s")),
            ("size", "1.5GB", Value::from(1_500_000_000_u64)),
            ("timestamp", "2026-01-31T04:14:00+01:00", Value::from("2026-01-31T03:14:00Z")),
            ("version", "v1.0.0", Value::from("v1.0.0")),
        ] {
            let values = bound(&format!("x: {{ type: {kind} }}"), &[("x", given)]).unwrap();
            assert_eq!(values["x"], seen, "{kind}");
        }
    }

    #[test]
    fn an_inventory_type_is_seen_as_its_object_by_name_or_by_object() {
        let params = params("x: { type: service }");
        let by_name = bind(&params, [("x".into(), Value::from("argus"))], &inventory()).unwrap();
        assert_eq!(by_name["x"]["instances"][0]["name"], "argus-1");
        let by_object = bind(&params, [("x".into(), by_name["x"].clone())], &inventory()).unwrap();
        assert_eq!(by_object, by_name);
    }

    #[test]
    fn several_instances_are_a_list_of_their_objects() {
        let params = params("x: { type: instances }\ny: { type: instances, default: [] }");
        let given = |value: Value| bind(&params, [("x".into(), value)], &inventory());
        let by_text = given(Value::from("argus-1, argus-1")).unwrap();
        assert_eq!(by_text["x"][1]["service"], "argus");
        assert_eq!(by_text["y"], Value::Array(vec![]));
        assert_eq!(given(by_text["x"].clone()).unwrap(), by_text);
        assert!(given(Value::from("argus-1,argus-9")).is_err());
    }

    #[test]
    fn what_is_left_out_has_its_default_in_the_same_form() {
        let values = bound("x: { type: service, default: argus }\ny: { type: duration, default: 60s }", &[]);
        let values = values.unwrap();
        assert_eq!((values["x"]["name"].as_str(), values["y"].as_str()), (Some("argus"), Some("1m")));
    }

    #[test]
    fn a_wrong_value_is_refused_with_the_valid_ones() {
        let yaml = "s: { type: service, about: what is down }\nn: { type: integer }\n\
            c: { type: choice, choices: [fast, safe] }";
        let cases: [&[(&str, &str)]; 8] = [
            &[("s", "argsu")],
            &[("s", "")],
            &[("n", "many")],
            &[("c", "fats")],
            &[("svc", "argus")],
            &[("n", "1"), ("n", "2")],
            &[("n", "1")],
            &[],
        ];
        let all = cases.map(|given| {
            let error = bound(yaml, given).unwrap_err();
            assert_eq!(error.kind.exit_code(), 2);
            format!("{given:?}\n  {error}\n  {}\n", error.hints.join("\n  "))
        });
        insta::assert_snapshot!(all.concat());
    }
}
