//! Filling in the arguments of an action, each in the way that the action asks for.

use serde_json::{Map, Value};

use crate::action::Field;
use crate::action::registry::Entry;
use crate::model::template::{self, Scope};

/// The name under which templates see what earlier steps gave.
pub(super) const OUTPUTS: &str = "outputs";

/// # Errors
/// In words, with the name of the argument.
pub(super) fn all(
    entry: &Entry,
    args: &Map<String, Value>,
    scope: &Scope,
) -> Result<Map<String, Value>, String> {
    let filled = args.iter().map(|(name, value)| {
        let value = one((entry.field)(name), value, scope).map_err(|why| format!("`{name}`: {why}"))?;
        Ok((name.clone(), value))
    });
    filled.collect()
}

/// The arguments that are known before any output is: where the thing is that a step is about can be told from them.
pub(super) fn known(
    entry: &Entry,
    args: &Map<String, Value>,
    scope: &Scope,
) -> Result<Map<String, Value>, String> {
    let known = args.iter().filter(|(name, value)| {
        (entry.field)(name) == Field::Template && !template::value_uses(value, OUTPUTS)
    });
    all(entry, &known.map(|(name, value)| (name.clone(), value.clone())).collect(), scope)
}

fn one(field: Field, value: &Value, scope: &Scope) -> Result<Value, String> {
    match (field, value) {
        (Field::Untouched, _) => Ok(value.clone()),
        (Field::Shell, Value::String(line)) => template::render_shell(line, scope).map(Value::String),
        (Field::Condition, Value::String(condition)) => template::holds(condition, scope).map(Value::Bool),
        _ => template::render_value(value, scope),
    }
}

/// The part of `scope` that is used: a plan that keeps it should not hold the whole inventory in every step.
pub(super) fn narrowed(scope: &Scope, uses: impl Fn(&str) -> bool) -> Scope {
    scope.iter().filter(|(name, _)| uses(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Whether an argument that is filled in uses the name `root`.
pub(super) fn uses(entry: &Entry, args: &Map<String, Value>, root: &str) -> bool {
    args.iter().any(|(name, value)| match ((entry.field)(name), value) {
        (Field::Untouched, _) => false,
        (Field::Condition, Value::String(condition)) => template::condition_uses(condition, root),
        _ => template::value_uses(value, root),
    })
}
