//! All actions by name.

use serde_json::{Map, Value};

use super::{
    Action, Field, approve, assert, backups, cleanup, command, compose, container, disk, dns, dump, env,
    http, image, network, pin, postgres, proxy, redis, redis_backup, redis_restore, release, restore,
    runbook, sound, swap, tables, tcp, tls, untouched, volume, wait,
};
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// An action whose type is forgotten.
pub struct Entry {
    pub name: &'static str,
    pub gives: ResultKind,
    pub effect: fn(&Map<String, Value>) -> Effect,
    /// Whether it is about containers.
    pub touches: bool,
    pub schema: fn() -> schemars::Schema,
    /// How the argument of that name is filled in.
    pub field: fn(&str) -> Field,
    pub needs_host: fn(&Map<String, Value>) -> bool,
    pub build: fn(&Map<String, Value>, Site<'_>) -> Result<Built, String>,
    pub judge: fn(&Operation, &Value) -> Result<(), String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Built {
    pub host: Option<String>,
    pub operation: Operation,
}

impl Entry {
    const fn of<A: Action>() -> Entry {
        Entry {
            name: A::NAME,
            gives: A::GIVES,
            effect: A::effect,
            touches: A::TOUCHES,
            schema: || schemars::schema_for!(A),
            field: A::field,
            needs_host: A::needs_host,
            build: |args, site| {
                let action: A =
                    serde_json::from_value(Value::Object(args.clone())).map_err(|error| error.to_string())?;
                Ok(Built { host: super::host(args, site)?, operation: action.build(site)? })
            },
            judge: A::judge,
        }
    }
}

static ENTRIES: &[Entry] = &[
    Entry::of::<approve::Approve>(),
    Entry::of::<assert::Assert>(),
    Entry::of::<backups::Prune>(),
    Entry::of::<backups::Verified>(),
    Entry::of::<cleanup::builds::Builds>(),
    Entry::of::<cleanup::containers::Containers>(),
    Entry::of::<cleanup::files::Files>(),
    Entry::of::<cleanup::images::Images>(),
    Entry::of::<cleanup::journal::Journal>(),
    Entry::of::<cleanup::logs::Logs>(),
    Entry::of::<cleanup::networks::Networks>(),
    Entry::of::<command::Run>(),
    Entry::of::<untouched::Others>(),
    Entry::of::<pin::Pin>(),
    Entry::of::<compose::Ps>(),
    Entry::of::<compose::Restart>(),
    Entry::of::<compose::Run>(),
    Entry::of::<pin::Runs>(),
    Entry::of::<compose::Start>(),
    Entry::of::<compose::Stop>(),
    Entry::of::<untouched::Untouched>(),
    Entry::of::<compose::Up>(),
    Entry::of::<container::Exec>(),
    Entry::of::<container::Health>(),
    Entry::of::<container::Inspect>(),
    Entry::of::<container::Logs>(),
    Entry::of::<container::Stats>(),
    Entry::of::<disk::Usage>(),
    Entry::of::<dns::Look>(),
    Entry::of::<dns::Set>(),
    Entry::of::<env::Set>(),
    Entry::of::<http::Get>(),
    Entry::of::<http::Request>(),
    Entry::of::<image::Kept>(),
    Entry::of::<image::Pull>(),
    Entry::of::<network::Connect>(),
    Entry::of::<swap::Aside>(),
    Entry::of::<sound::Backup>(),
    Entry::of::<sound::Compare>(),
    Entry::of::<restore::Discard>(),
    Entry::of::<swap::Drop>(),
    Entry::of::<dump::Dump>(),
    Entry::of::<postgres::Promote>(),
    Entry::of::<postgres::Query>(),
    Entry::of::<postgres::Ready>(),
    Entry::of::<restore::Restore>(),
    Entry::of::<sound::Room>(),
    Entry::of::<swap::Swap>(),
    Entry::of::<tables::Tables>(),
    Entry::of::<tables::Untable>(),
    Entry::of::<sound::Verify>(),
    Entry::of::<proxy::In>(),
    Entry::of::<proxy::Out>(),
    Entry::of::<redis_restore::Compare>(),
    Entry::of::<redis_restore::Discard>(),
    Entry::of::<redis_backup::Dump>(),
    Entry::of::<redis_restore::Fit>(),
    Entry::of::<redis::Ping>(),
    Entry::of::<redis_restore::Prepare>(),
    Entry::of::<redis_backup::Save>(),
    Entry::of::<redis_restore::Swap>(),
    Entry::of::<redis_backup::Verify>(),
    Entry::of::<release::Record>(),
    Entry::of::<runbook::Include>(),
    Entry::of::<tcp::Connect>(),
    Entry::of::<tls::Certificate>(),
    Entry::of::<volume::Remove>(),
    Entry::of::<wait::Wait>(),
];

pub fn all() -> &'static [Entry] {
    ENTRIES
}

pub fn find(name: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_and_every_argument_says_what_it_is_for() {
        for entry in all() {
            let schema = (entry.schema)();
            assert!(schema.get("description").is_some(), "{}", entry.name);
            let properties = schema.get("properties").and_then(Value::as_object);
            for (name, property) in properties.into_iter().flatten() {
                assert!(property.get("description").is_some(), "{}: {name}", entry.name);
            }
        }
    }

    #[test]
    fn an_unknown_argument_is_refused_by_every_action() {
        for entry in all() {
            let schema = (entry.schema)();
            assert_eq!(schema.get("additionalProperties"), Some(&Value::Bool(false)), "{}", entry.name);
        }
    }

    #[test]
    fn names_are_in_order_and_none_is_twice() {
        assert!(all().is_sorted_by(|a, b| a.name < b.name));
    }
}
