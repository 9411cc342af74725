//! All actions by name.

use serde_json::{Map, Value};

use super::Action;
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;

/// An action whose type is forgotten.
pub struct Entry {
    pub name: &'static str,
    pub effect: fn(&Map<String, Value>) -> Effect,
    pub schema: fn() -> schemars::Schema,
    pub build: fn(&Map<String, Value>, Site<'_>) -> Result<Built, String>,
    pub judge: fn(&Value) -> Result<(), String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Built {
    pub host: Option<String>,
    pub operation: Operation,
}

impl Entry {
    #[allow(dead_code)]
    const fn of<A: Action>() -> Entry {
        Entry {
            name: A::NAME,
            effect: A::effect,
            schema: || schemars::schema_for!(A),
            build: |args, site| {
                let action: A =
                    serde_json::from_value(Value::Object(args.clone())).map_err(|error| error.to_string())?;
                Ok(Built { host: action.host(site)?, operation: action.build(site)? })
            },
            judge: A::judge,
        }
    }
}

static ENTRIES: &[Entry] = &[];

pub fn all() -> &'static [Entry] {
    ENTRIES
}

pub fn find(name: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.name == name)
}
