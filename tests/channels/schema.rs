//! Holds a document against what a service has published about it: no field that it does not know, none missing, no text beyond its limit.

use serde_json::{Map, Value};

pub type Checked<T> = Result<T, String>;

pub fn object<'a>(value: &'a Value, required: &[&str], optional: &[&str]) -> Checked<&'a Map<String, Value>> {
    let object = value.as_object().ok_or_else(|| format!("not an object: {value}"))?;
    for name in required {
        if !object.contains_key(*name) {
            return Err(format!("`{name}` is missing"));
        }
    }
    match object.keys().find(|name| !required.contains(&name.as_str()) && !optional.contains(&name.as_str()))
    {
        Some(unknown) => Err(format!("`{unknown}` is not known")),
        None => Ok(object),
    }
}

/// A text with at least one character, and so many at most as those count that store it as UTF-16.
pub fn text(value: &Value, most: usize) -> Checked<&str> {
    let text = value.as_str().ok_or_else(|| format!("not a text: {value}"))?;
    match text.encode_utf16().count() {
        0 => Err("an empty text".to_owned()),
        size if size > most => Err(format!("{size} characters, and {most} are the most")),
        _ => Ok(text),
    }
}

pub fn one_of(value: &Value, known: &[&str]) -> Checked<()> {
    match value.as_str() {
        Some(text) if known.contains(&text) => Ok(()),
        _ => Err(format!("{value} is none of {known:?}")),
    }
}

pub fn is(holds: bool, what: &str) -> Checked<()> {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}

pub fn list(value: &Value) -> Checked<&Vec<Value>> {
    value
        .as_array()
        .filter(|list| !list.is_empty())
        .ok_or_else(|| format!("no list with something in it: {value}"))
}

pub fn moment(value: &Value) -> Checked<jiff::Timestamp> {
    value.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| format!("not a time: {value}"))
}
