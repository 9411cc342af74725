//! What is asked of a backup before it may take the place of anything.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::restore::restored;
use super::server::{self, SERVER, beside, in_json, script};
use super::{Action, backups, place, verdict};
use crate::model::backups::Kind;
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Finds the newest backup that is whole: read to its end, with the end mark that `pg_dump` writes. None that was made for a reason.
///
/// The first line that it prints is the file, the second says of when it is and how large, the third when that was found out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Backup {
    /// The database, by its name in the inventory.
    database: String,
}

const BACKUP: &str = r#"find "$directory" -maxdepth 1 -type f \( -name "$pattern" -o -name "$of"'_*.dump' \) ! -name '*.json' ! -name '*.part' -exec ls -1t {} + | {
    while IFS= read -r file; do
        ! grep -q '^  "reason": "."' "$file.json" 2>/dev/null || continue
        if whole "$file"; then
            printf '%s\nof %s, %s bytes\n' "$file" "$(date -u -r "$file" +%Y-%m-%dT%H:%M:%SZ)" "$(wc -c <"$file")"
            date -u '+looked at %Y%m%d%H%M%S'
            exit 0
        fi
        echo "$file is not whole, and is passed over" >&2
    done
    echo "no whole backup is in $directory" >&2
    exit 1
}"#;

impl Action for Backup {
    const NAME: &'static str = "postgres.backup";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let database = place::database(site, &self.database)?;
        let backups = server::backups(database, &self.database)?;
        let pattern = backups.pattern(&self.database, Kind::Postgres);
        let given =
            [("directory", backups.directory.as_str()), ("pattern", &pattern), ("of", &self.database)];
        script(site, Self::NAME, database, &given, &[SERVER, BACKUP])
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

/// Checks that a file is a whole backup of this database, and one that its server can read.
///
/// Against its manifest where it has one: then its checksum tells. The first line that it prints is the file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Verify {
    /// The database, by its name in the inventory.
    database: String,
    /// The backup, a file on the host.
    file: String,
}

const VERIFY: &str = include_str!("verify.sh");

impl Action for Verify {
    const NAME: &'static str = "postgres.verify";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let database = place::database(site, &self.database)?;
        let of = in_json(&self.database);
        let given = [("file", server::path(&self.file)?), ("of", &of)];
        script(site, Self::NAME, database, &given, &[SERVER, VERIFY])
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

/// Checks that there is space for a second copy of a database beside the live one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Room {
    /// The database, by its name in the inventory.
    database: String,
    /// The backup that is to be loaded, a file on the host.
    file: String,
    /// Whether the live one is dumped as well.
    #[serde(default)]
    safety: bool,
}

const ROOM: &str = include_str!("room.sh");

impl Action for Room {
    const NAME: &'static str = "postgres.room";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let database = place::database(site, &self.database)?;
        let folder = &server::backups(database, &self.database)?.directory;
        let safety = if self.safety { "true" } else { "false" };
        let given = [("file", server::path(&self.file)?), ("folder", folder), ("safety", safety)];
        script(site, Self::NAME, database, &given, &[backups::TELL, SERVER, ROOM])
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

/// Compares what `postgres.restore` has loaded with what it should be.
///
/// The rows of every table and the extensions with the manifest, the owners with the live database, and the `check` of the inventory. What
/// the live one has beyond it is said, and is no mistake: it may be newer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Compare {
    /// The database, by its name in the inventory.
    database: String,
    /// The backup that was loaded, a file on the host.
    file: String,
    /// As in `postgres.restore`.
    #[serde(default = "restored")]
    into: String,
}

const COMPARE: &str = include_str!("compare.sh");

impl Action for Compare {
    const NAME: &'static str = "postgres.compare";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let database = place::database(site, &self.database)?;
        let new = beside(database, &self.into)?;
        let check =
            database.backups.as_ref().and_then(|backups| backups.check.as_deref()).unwrap_or_default();
        let given = [("file", server::path(&self.file)?), ("new", &new), ("check", check)];
        script(site, Self::NAME, database, &given, &[SERVER, COMPARE])
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}
