//! Values as templates see them: an object with a `name` prints as its name, and text is never guessed for what has none.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::Error;
use minijinja::value::{Enumerator, Object, ObjectExt, Value as Shown, ValueKind};
use serde_json::{Map, Value};

use super::refused;

#[derive(Debug)]
struct Thing {
    fields: BTreeMap<String, Shown>,
}

impl Object for Thing {
    fn get_value(self: &Arc<Self>, key: &Shown) -> Option<Shown> {
        self.fields.get(key.as_str()?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        self.mapped_enumerator(|this| Box::new(this.fields.keys().map(|key| Shown::from(key.as_str()))))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fields.get("name").and_then(Shown::as_str) {
            Some(name) => f.write_str(name),
            None => f.write_str(&serde_json::to_string(&self.fields).map_err(|_| fmt::Error)?),
        }
    }
}

pub(super) fn shown(scope: &Map<String, Value>) -> Shown {
    let fields = scope.iter().map(|(key, value)| (key.clone(), shown_value(value))).collect();
    Shown::from_object(Thing { fields })
}

pub(super) fn shown_value(value: &Value) -> Shown {
    match value {
        Value::Object(map) => shown(map),
        Value::Array(items) => items.iter().map(shown_value).collect(),
        Value::Null => Shown::from(()),
        Value::Bool(is) => Shown::from(*is),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Shown::from(number),
            (None, Some(number)) => Shown::from(number),
            (None, None) => Shown::from(number.as_f64()),
        },
        Value::String(text) => Shown::from(text.as_str()),
    }
}

/// What a printed value reads like.
///
/// # Errors
/// Where a person would read nonsense: nothing at all, or an object without a name.
pub(super) fn printed(value: &Shown) -> Result<String, Error> {
    match value.kind() {
        // The missing `else` of an inline `if`: the engine has refused every other undefined value before.
        ValueKind::Undefined => Ok(String::new()),
        ValueKind::None => Err(refused("is null here: there is nothing to print")),
        ValueKind::Bool => Ok(value.is_true().to_string()),
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter()?.map(|item| printed(&item));
            Ok(items.collect::<Result<Vec<_>, _>>()?.join(", "))
        }
        ValueKind::Map if name(value).is_none() => {
            Err(refused("is an object without a name: print one of its fields"))
        }
        _ => Ok(value.to_string()),
    }
}

fn name(value: &Shown) -> Option<Shown> {
    value.get_attr("name").ok().filter(|name| name.as_str().is_some())
}

/// Puts its name in the place of every object that has one.
pub fn named(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(named).collect()),
        Value::Object(mut map) => match map.remove("name") {
            Some(Value::String(name)) => Value::String(name),
            Some(other) => {
                map.insert("name".to_owned(), other);
                Value::Object(map)
            }
            None => Value::Object(map),
        },
        plain => plain,
    }
}

/// Whether a value counts as true: nothing, zero and what is empty do not.
pub(super) fn holds(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(holds) => *holds,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}
