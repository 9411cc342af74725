//! A backup that is loaded into a database of its own, beside what is there.
//!
//! A backup is what `pg_dump` writes: plain SQL, with gzip or without, or its custom format. The server is PostgreSQL 14 or newer.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::server::{self, SERVER, beside, script};
use super::{Action, backups, place, verdict};
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Loads a backup into a database of its own beside the live one, in one transaction.
///
/// Wholly, or not at all. What an earlier call has loaded there is replaced. It has the owner, encoding, locale, settings and rights of the
/// live one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Restore {
    /// The database, by its name in the inventory.
    database: String,
    /// The backup, a file on the host.
    file: String,
    /// The end of the name of the database that it is loaded into, after that of the live one and `_`.
    #[serde(default = "restored")]
    into: String,
}

pub(super) fn restored() -> String {
    "restored".to_owned()
}

const RESTORE: &str = include_str!("restore.sh");

impl Action for Restore {
    const NAME: &'static str = "postgres.restore";
    const GIVES: ResultKind = ResultKind::Command;

    /// Nothing but what another call has loaded is replaced, and the same file gives the same.
    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let database = place::database(site, &self.database)?;
        let new = beside(database, &self.into)?;
        let given = [("file", server::path(&self.file)?), ("new", &new)];
        script(site, Self::NAME, database, &given, &[backups::TELL, SERVER, RESTORE])
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

/// Drops what `postgres.restore` has loaded beside the live database, if it is still there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Discard {
    /// The database, by its name in the inventory.
    database: String,
    /// As in `postgres.restore`.
    #[serde(default = "restored")]
    into: String,
}

const DISCARD: &str = r#"ready
echo 'DROP DATABASE IF EXISTS :"new" WITH (FORCE)' | sql -d postgres -v new="$new""#;

impl Action for Discard {
    const NAME: &'static str = "postgres.discard";
    const GIVES: ResultKind = ResultKind::Command;

    /// What it drops is a copy of a backup, which is still there.
    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let database = place::database(site, &self.database)?;
        let new = beside(database, &self.into)?;
        script(site, Self::NAME, database, &[("new", &new)], &[SERVER, DISCARD])
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}
