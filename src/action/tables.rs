//! Tables of a backup, beside the live ones, for a person to copy from.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::server::{SERVER, beside, script};
use super::{Action, place, verdict};
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Takes tables out of what `postgres.restore` has loaded into a schema of their own in the live database.
///
/// With their rows, defaults and checks, and without indexes, keys and triggers. The live tables are not touched. Of a partitioned table,
/// the partitions are named.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Tables {
    /// The database, by its name in the inventory.
    database: String,
    /// The tables as SQL names them, with commas between.
    tables: String,
    /// The schema, which must not be there.
    schema: String,
    /// As in `postgres.restore`.
    into: String,
}

const TABLES: &str = include_str!("tables.sh");

impl Action for Tables {
    const NAME: &'static str = "postgres.tables";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let database = place::database(site, &self.database)?;
        let new = beside(database, &self.into)?;
        if self.tables.split(',').any(|name| name.trim().is_empty()) {
            return Err(format!("`{}` is not a list of tables", self.tables));
        }
        let given = [("new", new.as_str()), ("tables", &self.tables), ("schema", schema(&self.schema)?)];
        script(site, Self::NAME, database, &given, &[SERVER, TABLES])
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

/// Drops the schema that `postgres.tables` has made in the same run, with all that is in it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Untable {
    /// The database, by its name in the inventory.
    database: String,
    /// The schema.
    schema: String,
}

const UNTABLE: &str = r#"ready
mine="opsctl ${OPSCTL_RUN:-}"
sql -d "$live" -v schema="$schema" -v mine="$mine" <<'SQL'
SELECT format('DROP SCHEMA %I CASCADE', nspname) FROM pg_namespace
    WHERE nspname = :'schema' AND obj_description(oid, 'pg_namespace') = :'mine'
\gexec
SQL"#;

impl Action for Untable {
    const NAME: &'static str = "postgres.untable";
    const GIVES: ResultKind = ResultKind::Command;

    /// What it drops is a copy of a backup, which is still there.
    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let database = place::database(site, &self.database)?;
        script(site, Self::NAME, database, &[("schema", schema(&self.schema)?)], &[SERVER, UNTABLE])
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

fn schema(name: &str) -> Result<&str, String> {
    let is_name =
        !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !is_name || name.len() > 63 || name.starts_with("pg_") || name == "public" {
        return Err(format!(
            "`{name}` cannot be the name of a schema beside the live ones: write one such as `restored`"
        ));
    }
    Ok(name)
}
