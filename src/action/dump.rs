//! `pg_dump` of a database into a file on its host.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::server::{self, SERVER, in_json, script};
use super::{Action, backups, place, verdict};
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Dumps a database into a file on its host, with a manifest beside it that has its checksum and the rows of every table in the same snapshot.
///
/// The file has its name only once it is whole. It is in the custom format of `pg_dump`, or plain SQL where its name ends with `.sql` or
/// `.sql.gz`. The first line that is printed is the file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Dump {
    /// The database, by its name in the inventory.
    database: String,
    /// The file, as a whole path. When it is there with its manifest, there is nothing to do.
    file: String,
    /// The database that is dumped, by its name in the engine. Without it, the live one.
    #[serde(default)]
    name: String,
    /// Who wanted it.
    #[serde(default)]
    by: String,
    /// Why it is made, where that is not plain.
    #[serde(default)]
    reason: String,
}

const DUMP: &str = include_str!("dump.sh");

impl Action for Dump {
    const NAME: &'static str = "postgres.dump";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let database = place::database(site, &self.database)?;
        let name = if self.name.is_empty() { &database.name } else { &self.name };
        let texts = [&self.database, &self.by, &self.reason].map(|text| in_json(text));
        let given = [
            ("file", server::path(&self.file)?),
            ("kind", "postgres"),
            ("of", &texts[0]),
            ("by", &texts[1]),
            ("reason", &texts[2]),
            ("name", name),
        ];
        script(site, Self::NAME, database, &given, &[backups::TELL, backups::KEEP, SERVER, DUMP])
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}
