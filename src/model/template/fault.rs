//! What is wrong with a template, in plain words.

use minijinja::{Error, ErrorKind};
use serde_json::Value;

use super::Scope;

/// The template cannot be read at all.
pub(super) fn syntax(error: &Error, text: &str) -> String {
    let line = error.line().filter(|_| text.trim_end().contains('\n'));
    match line.and_then(|line| Some((line, text.lines().nth(line.checked_sub(1)?)?))) {
        Some((number, line)) => format!("`{line}` in line {number} cannot be read: {}", reason(error)),
        None => format!("`{text}` cannot be read: {}", reason(error)),
    }
}

/// The template could not be filled in.
pub(super) fn told(error: &Error, text: &str, scope: &Scope) -> String {
    let part = error.range().and_then(|range| text.get(range)).map_or(text, str::trim);
    match error.kind() {
        ErrorKind::UndefinedError => {
            // The engine says which expression it was, in backticks.
            let name = error.detail().and_then(|detail| detail.split('`').nth(1));
            undefined(name.unwrap_or(part), scope)
        }
        ErrorKind::InvalidOperation if error.detail().is_some_and(|detail| detail.starts_with("is ")) => {
            format!("`{part}` {}", reason(error))
        }
        _ => format!("`{part}`: {}", reason(error)),
    }
}

/// `path` has no value in `scope`.
pub(super) fn undefined(path: &str, scope: &Scope) -> String {
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    if path.is_empty() || !path.chars().all(is_path) {
        return format!("`{path}` gives nothing");
    }
    let mut fields = scope;
    let mut seen: Vec<&str> = Vec::new();
    for field in path.split('.') {
        let Some(value) = fields.get(field) else { return missing(field, &seen, fields) };
        seen.push(field);
        match value {
            Value::Object(map) => fields = map,
            Value::Null => return format!("`{}` is null, so there is no `{path}`", seen.join(".")),
            _ => return format!("`{}` has no fields, so there is no `{path}`", seen.join(".")),
        }
    }
    format!("`{path}` gives nothing")
}

fn missing(field: &str, seen: &[&str], fields: &Scope) -> String {
    let known = fields.keys().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    let known = if known.is_empty() { String::new() } else { format!(", only {known}") };
    match seen {
        [] => format!("there is no `{field}` here{known}"),
        _ => format!("`{}` has no `{field}`{known}", seen.join(".")),
    }
}

fn reason(error: &Error) -> String {
    error.detail().map_or_else(|| error.kind().to_string(), str::to_owned)
}
