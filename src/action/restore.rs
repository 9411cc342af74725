//! PostgreSQL from a backup: found, loaded beside what is there, and swapped with it by name.
//!
//! Nothing that is there is dropped. A backup is loaded into a database of its own, and that takes the name of the live one, which
//! goes on under another. A backup is what `pg_dump` writes: plain SQL, with gzip or without, or its custom format. The server is PostgreSQL 13 or
//! newer.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Action, place, verdict};
use crate::model::facts::Site;
use crate::model::inventory::Database;
use crate::model::operation::{Operation, words};
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Finds the newest backup that is whole: read to its end, with the end mark that `pg_dump` writes.
///
/// The first line that it prints is the file, the second says of when it is and how large, the third when that was found out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Backup {
    /// The database, by its name in the inventory.
    database: String,
}

const BACKUP: &str = r#"
find "$directory" -maxdepth 1 -type f -name "$pattern" -exec ls -1t {} + | {
    while IFS= read -r file; do
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

/// How the server is asked.
const SQL: &str = r#"
sql() { db psql -X -q -A -t -v ON_ERROR_STOP=1 -U "$user" "$@"; }"#;

/// What kind of file a backup is, and whether it is all there.
const WHOLE: &str = r#"
is_custom() { [ "$(head -c 5 "$1" | tr -d '\0')" = PGDMP ]; }
is_ended() { tail -n 20 | grep -q 'PostgreSQL database dump complete'; }
whole() {
    case $1 in
    *.gz) gzip -t "$1" 2>/dev/null && gzip -dc "$1" | is_ended ;;
    *) if is_custom "$1"; then db pg_restore -f /dev/null <"$1"; else is_ended <"$1"; fi ;;
    esac
}"#;

impl Action for Backup {
    const NAME: &'static str = "postgres.backup";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let database = place::database(site, &self.database)?;
        let backups = database.backups.as_ref();
        let backups = backups
            .ok_or_else(|| format!("database `{}` has no `backups` in the inventory", self.database))?;
        let given = [("directory", backups.directory.as_str()), ("pattern", &backups.pattern)];
        script(site, Self::NAME, database, &given, &[WHOLE, BACKUP])
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

/// Loads a backup into a database of its own beside the live one, in one transaction.
///
/// Wholly, or not at all. What an earlier call has loaded there is replaced.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Restore {
    /// The database, by its name in the inventory.
    database: String,
    /// The backup, a file on the host.
    file: String,
}

// A stream that breaks off must not end in a commit: what stands in for its rest is no SQL.
const RESTORE: &str = r#"
[ -f "$file" ] || { echo "there is no file $file" >&2; exit 1; }
whole "$file" || { echo "$file is not whole: nothing was loaded" >&2; exit 1; }
plain() { case $file in *.gz) gzip -dc "$file" ;; *) cat "$file" ;; esac; }
if ! is_custom "$file" && plain | head -n 500 | grep -q '^\\connect'; then
    echo "$file says itself which database it goes to, as with \`pg_dump --create\`: nothing was loaded" >&2
    exit 1
fi
sql -d postgres -c "DROP DATABASE IF EXISTS $new_id WITH (FORCE)" -c "CREATE DATABASE $new_id" </dev/null
load() { db psql -X -q -o /dev/null -v ON_ERROR_STOP=1 --single-transaction -U "$user" -d "$new"; }
if is_custom "$file"; then
    db pg_restore --exit-on-error --single-transaction -U "$user" -d "$new" <"$file"
else
    { plain || echo 'the backup broke off;'; } | load
fi
tables=$(echo 'select count(*) from pg_stat_user_tables' | sql -d "$new")
[ "$tables" -gt 0 ] || { echo "$file holds no table" >&2; exit 1; }
echo "$tables tables from $file are in $new""#;

impl Action for Restore {
    const NAME: &'static str = "postgres.restore";
    const GIVES: ResultKind = ResultKind::Command;

    /// Nothing but what another call has loaded is replaced, and the same file gives the same.
    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        if !self.file.starts_with('/') {
            return Err(format!("`{}` is not an absolute path", self.file));
        }
        let database = place::database(site, &self.database)?;
        script(site, Self::NAME, database, &[("file", &self.file)], &[SQL, WHOLE, RESTORE])
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
}

const DISCARD: &str = r#"
echo "DROP DATABASE IF EXISTS $new_id WITH (FORCE)" | sql -d postgres"#;

impl Action for Discard {
    const NAME: &'static str = "postgres.discard";
    const GIVES: ResultKind = ResultKind::Command;

    /// What it drops is a copy of a backup, which is still there.
    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        script(site, Self::NAME, place::database(site, &self.database)?, &[], &[SQL, DISCARD])
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

/// Lets the database that `postgres.restore` has loaded take the name of the live one.
///
/// The live one goes on under another name. Whoever is connected to either is disconnected.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Swap {
    /// The database, by its name in the inventory.
    database: String,
    /// What the live one is called from then on. A name that nothing else ever has.
    aside: String,
    /// Takes an earlier swap back.
    #[serde(default)]
    back: bool,
}

// Two renames in one transaction: at no time is there no database of that name for anybody who looks. Nobody may connect before them,
// since a database that somebody uses cannot be renamed.
const SWAP: &str = r#"
has() { [ "$(echo "select count(*) from pg_database where datname = :'name'" | sql -d postgres -v name="$1")" = 1 ]; }
if has "$from" && has "$live" && ! has "$to"; then
    sql -d postgres -v live="$live" -v from="$from" >/dev/null <<SQL
ALTER DATABASE $live_id ALLOW_CONNECTIONS false;
ALTER DATABASE $from_id ALLOW_CONNECTIONS false;
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname IN (:'live', :'from');
BEGIN;
ALTER DATABASE $live_id RENAME TO $to_id;
ALTER DATABASE $from_id RENAME TO $live_id;
COMMIT;
ALTER DATABASE $to_id ALLOW_CONNECTIONS true;
ALTER DATABASE $live_id ALLOW_CONNECTIONS true;
SQL
elif ! has "$from" && has "$live" && has "$to"; then
    sql -d postgres -c "ALTER DATABASE $to_id ALLOW_CONNECTIONS true" -c "ALTER DATABASE $live_id ALLOW_CONNECTIONS true" </dev/null
    echo "it was swapped before"
elif [ "$back" = true ] && has "$live" && ! has "$from" && ! has "$to"; then
    echo "there is nothing to swap back"
else
    echo "there are not the databases that a swap needs: $live and $from, and no $to" >&2
    exit 1
fi"#;

impl Action for Swap {
    const NAME: &'static str = "postgres.swap";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Changes
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let database = place::database(site, &self.database)?;
        let new = restored(&database.name);
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if self.aside.is_empty() || self.aside.len() > 63 || !self.aside.chars().all(is_name) {
            return Err(format!("`{}` cannot be the name of a database that is set aside", self.aside));
        }
        if self.aside == database.name || self.aside == new {
            return Err(format!("`{}` is the name of another", self.aside));
        }
        let (from, to) = if self.back { (&self.aside, &new) } else { (&new, &self.aside) };
        let (from_id, to_id) = (identifier(from), identifier(to));
        let given = [
            ("from", from.as_str()),
            ("from_id", &from_id),
            ("to", to),
            ("to_id", &to_id),
            ("back", if self.back { "true" } else { "false" }),
        ];
        script(site, Self::NAME, database, &given, &[SQL, SWAP])
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

/// What a backup is loaded into.
fn restored(name: &str) -> String {
    format!("{name}_restored")
}

/// A name as SQL writes it.
fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A script for the host: what it is given as variables, and then its parts.
fn script(
    site: Site<'_>,
    name: &str,
    database: &Database,
    given: &[(&str, &str)],
    parts: &[&str],
) -> Result<Operation, String> {
    let mut compose = site.compose(&database.project)?;
    compose.extend(["exec", "-T", &database.service].map(str::to_owned));
    let new = restored(&database.name);
    let (live_id, new_id) = (identifier(&database.name), identifier(&new));
    let always = [
        ("user", database.user.as_str()),
        ("live", &database.name),
        ("live_id", &live_id),
        ("new", &new),
        ("new_id", &new_id),
    ];
    let body = parts.concat();
    let given = always.iter().chain(given).filter(|(name, _)| body.contains(&format!("${name}")));
    let given = given.map(|(name, value)| (*name, (*value).to_owned()));
    place::script(
        site,
        &database.project,
        name,
        given,
        format!("db() {{ {} \"$@\"; }}{body}", words(&compose)),
    )
}
