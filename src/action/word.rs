//! Arguments that end up as words of a command line.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value;

use crate::base::image::Reference;

/// A word, for which a number or a boolean will do: `argv: [sleep, 5]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word(pub String);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Word, D::Error> {
        let word = match Value::deserialize(deserializer)? {
            Value::String(word) => word,
            Value::Number(number) => number.to_string(),
            Value::Bool(is) => is.to_string(),
            other => return Err(D::Error::custom(format!("`{other}` is not a word"))),
        };
        if word.contains('\0') {
            return Err(D::Error::custom("a word cannot hold a NUL"));
        }
        Ok(Word(word))
    }
}

impl JsonSchema for Word {
    fn schema_name() -> Cow<'static, str> {
        "Word".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "boolean"] })
    }
}

/// One Compose service, or several.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Services {
    One(String),
    Several(Vec<String>),
}

impl Services {
    /// # Errors
    /// In words, when there is none, or one that Compose could take for an option.
    pub(super) fn names(&self) -> Result<Vec<String>, String> {
        let names = match self {
            Services::One(name) => std::slice::from_ref(name),
            Services::Several(names) => names,
        };
        if names.is_empty() {
            // Compose would take an empty list for all of them.
            return Err("the list of services is empty".to_owned());
        }
        names.iter().map(|name| service_name(name)).collect()
    }
}

/// # Errors
/// In words, when it is not the name of a service as the Compose specification has it.
pub(super) fn service_name(name: &str) -> Result<String, String> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if name.is_empty() || name.starts_with('-') || !name.chars().all(is_allowed) {
        return Err(format!("`{name}` is not the name of a Compose service"));
    }
    Ok(name.to_owned())
}

/// # Errors
/// In words, when it is not the name of an image.
pub(super) fn image(name: &str) -> Result<Reference, String> {
    Reference::parse(name)
}

/// # Errors
/// In words, when it cannot be the name of a variable.
pub(super) fn variable(name: &str) -> Result<&str, String> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(is_allowed) {
        return Err(format!("`{name}` is not the name of a variable"));
    }
    Ok(name)
}

/// # Errors
/// In words, when there is no program.
pub(super) fn argv(words: &[Word]) -> Result<Vec<String>, String> {
    match words.first() {
        Some(Word(program)) if !program.is_empty() => Ok(words.iter().map(|word| word.0.clone()).collect()),
        _ => Err("`argv` names no program".to_owned()),
    }
}
