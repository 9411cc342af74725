//! What an author has to know about each action, worked out from the types that read its arguments.
//!
//! The same data is what `opsctl runbook actions` shows and what `docs/actions.md` is generated from, so that neither can
//! say anything else than the code.

use serde_json::{Map, Value, json};

use super::Action;
use super::registry::Entry;
use super::runbook::Include;
use crate::model::param::written;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    pub name: &'static str,
    /// One line.
    pub purpose: String,
    /// In a word, what it does to the world when its arguments do not say otherwise.
    pub effect: &'static str,
    /// As `effect`, with the arguments that change it: `changes; reads with `reads``.
    pub effects: String,
    /// The required ones first.
    pub arguments: Vec<Argument>,
    pub gives: ResultKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    pub name: String,
    /// What may be written: `text`, `duration`, `list of text`.
    pub kind: String,
    pub is_required: bool,
    /// As it would be written.
    pub default: Option<String>,
    pub about: String,
}

impl Reference {
    pub fn of(entry: &Entry) -> Reference {
        let schema = (entry.schema)().to_value();
        let effect = match entry.name {
            // It has no effect of its own.
            Include::NAME => "as its steps",
            _ => word((entry.effect)(&Map::new())),
        };
        Reference {
            name: entry.name,
            purpose: first_line(&schema),
            effect,
            effects: effects(entry, effect, &schema),
            arguments: arguments(&schema),
            gives: entry.gives,
        }
    }
}

fn word(effect: Effect) -> &'static str {
    match effect {
        Effect::Reads => "reads",
        Effect::Ensures => "ensures",
        Effect::Changes => "changes",
        Effect::Destroys => "destroys",
    }
}

/// An argument that is true or false, or one of a few words, may say what the action does: each is tried.
fn effects(entry: &Entry, otherwise: &str, schema: &Value) -> String {
    let mut effects = otherwise.to_owned();
    for (name, property) in properties(schema) {
        for value in choices(property, schema) {
            let effect = word((entry.effect)(&Map::from_iter([(name.clone(), value.clone())])));
            if effect != otherwise {
                effects.push_str(&format!("; {effect} with `{name}: {}`", written(&value)));
            }
        }
    }
    effects
}

/// Every value that may be written, where they can be counted.
fn choices(schema: &Value, root: &Value) -> Vec<Value> {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        return root.pointer(target.trim_start_matches('#')).map_or_else(Vec::new, |own| choices(own, root));
    }
    if let Some(several) = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(*key)?.as_array()) {
        return several.iter().flat_map(|choice| choices(choice, root)).collect();
    }
    match (schema.get("enum").and_then(Value::as_array), schema.get("const"), &schema["type"]) {
        (Some(values), ..) => values.clone(),
        (_, Some(value), _) => vec![value.clone()],
        (.., Value::String(name)) if name == "boolean" => vec![json!(true)],
        (.., Value::Array(names)) if names.contains(&json!("boolean")) => vec![json!(true)],
        _ => Vec::new(),
    }
}

fn arguments(schema: &Value) -> Vec<Argument> {
    let required: Vec<_> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let argument = |(name, property): (&String, &Value)| Argument {
        name: name.clone(),
        kind: kind(property, schema),
        is_required: required.contains(&name.as_str()),
        default: property.get("default").filter(|value| **value != json!("")).map(|value| match value {
            Value::Array(_) => value.to_string(),
            value => written(value),
        }),
        about: first_line(property),
    };
    let mut arguments: Vec<_> = properties(schema).map(argument).collect();
    // In the order of the type, which is the order of `required`; the others keep that of the alphabet.
    let place = |argument: &Argument| required.iter().position(|name| *name == argument.name);
    arguments.sort_by_key(|argument| place(argument).unwrap_or(usize::MAX));
    arguments
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

fn first_line(schema: &Value) -> String {
    let text = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}

/// What may be written for a value of this schema, in words.
fn kind(schema: &Value, root: &Value) -> String {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let name = target.rsplit('/').next().unwrap_or_default();
        return match name {
            "Word" => "text".to_owned(),
            "Duration" | "Check" => name.to_lowercase(),
            _ => root.pointer(target.trim_start_matches('#')).map_or_else(String::new, |own| kind(own, root)),
        };
    }
    let one_of = ["anyOf", "oneOf", "enum", "const"].iter().find_map(|key| Some((*key, schema.get(*key)?)));
    match one_of {
        Some(("enum", Value::Array(values))) => return either(values.iter().map(quoted)),
        Some(("const", value)) => return quoted(value),
        Some((_, Value::Array(choices))) => return either(choices.iter().map(|choice| kind(choice, root))),
        _ => {}
    }
    match &schema["type"] {
        Value::Array(types) => either(types.iter().map(|name| {
            let mut single = schema.clone();
            single["type"] = name.clone();
            kind(&single, root)
        })),
        Value::String(name) => match (name.as_str(), schema.get("items"), schema.get("additionalProperties"))
        {
            ("null", ..) => String::new(),
            ("string", ..) => "text".to_owned(),
            ("array", Some(items), _) => format!("list of {}", kind(items, root)),
            ("object", _, Some(Value::Object(values))) => {
                format!("map of {}", kind(&Value::Object(values.clone()), root))
            }
            ("object", ..) => "map".to_owned(),
            (other, ..) => other.to_owned(),
        },
        _ => "anything".to_owned(),
    }
}

fn quoted(value: &Value) -> String {
    format!("`{}`", written(value))
}

fn either(kinds: impl Iterator<Item = String>) -> String {
    let mut kinds: Vec<_> = kinds.filter(|kind| !kind.is_empty()).collect();
    kinds.dedup();
    kinds.join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::registry;

    fn reference(name: &str) -> Reference {
        Reference::of(registry::find(name).unwrap())
    }

    fn argument(action: &str, name: &str) -> (String, bool, Option<String>) {
        let found = reference(action).arguments.into_iter().find(|argument| argument.name == name).unwrap();
        (found.kind, found.is_required, found.default)
    }

    #[test]
    fn what_may_be_written_is_said_in_plain_words() {
        assert_eq!(argument("compose.restart", "project"), ("text".into(), true, None));
        assert_eq!(argument("compose.restart", "service"), ("text or list of text".into(), true, None));
        assert_eq!(argument("compose.restart", "timeout"), ("duration".into(), false, None));
        assert_eq!(argument("container.logs", "tail"), ("integer".into(), false, Some("100".into())));
        assert_eq!(argument("http.get", "via"), ("`host` or `here`".into(), false, Some("host".into())));
        assert_eq!(argument("http.get", "headers"), ("map of text".into(), false, None));
        assert_eq!(argument("http.request", "body"), ("anything".into(), false, None));
        assert_eq!(argument("wait", "until"), ("check".into(), false, None));
    }

    #[test]
    fn an_action_whose_arguments_say_what_it_does_is_shown_with_each() {
        assert_eq!(reference("container.logs").effects, "reads");
        assert_eq!(
            reference("command").effects,
            "changes; ensures with `ensures: true`; reads with `reads: true`"
        );
    }

    #[test]
    fn nothing_about_any_action_is_left_open() {
        for entry in registry::all() {
            let reference = Reference::of(entry);
            assert!(reference.purpose.ends_with('.'), "{}", entry.name);
            for argument in &reference.arguments {
                let is_whole = !argument.kind.is_empty() && argument.about.ends_with('.');
                assert!(is_whole, "{}: {argument:?}", entry.name);
            }
            let is_sorted = reference.arguments.is_sorted_by_key(|argument| !argument.is_required);
            assert!(is_sorted, "{}: the required arguments come first", entry.name);
        }
    }
}
