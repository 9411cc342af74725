//! A script that asks a PostgreSQL server, as every action on a database and its backups is one.

use serde_json::Value;

use super::place;
use crate::model::backups::Backups;
use crate::model::facts::Site;
use crate::model::inventory::Database;
use crate::model::operation::{Operation, words};

/// How the server is asked, and how a backup is told from another file.
pub(super) const SERVER: &str = include_str!("server.sh");

// The password of an image that wants one from its own users as well. What a site sets so that its services do not hang, or do not write,
// is not for a dump or a restore.
const EXEC: &str = r#"sh -c 'export PGPASSWORD="${PGPASSWORD:-${POSTGRES_PASSWORD:-}}" \
    PGOPTIONS="-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0 -c default_transaction_read_only=off"; exec "$@"' sh"#;

/// A script for the host of a database: what it is given as variables, and then its parts.
///
/// # Errors
/// In words, when the database's project is not known.
pub(super) fn script(
    site: Site<'_>,
    name: &str,
    database: &Database,
    given: &[(&str, &str)],
    parts: &[&str],
) -> Result<Operation, String> {
    let mut compose = site.compose(&database.project)?;
    compose.extend(["exec", "-T", &database.service].map(str::to_owned));
    let always = [("user", database.user.as_str()), ("live", &database.name)];
    let body = parts.iter().map(|part| shipped(part)).collect::<Vec<_>>().join("\n");
    let given = always.iter().chain(given).map(|(name, value)| (*name, (*value).to_owned()));
    let body = format!("db() {{ {} {EXEC} \"$@\"; }}\n{body}", words(&compose));
    place::script(site, &database.project, name, given, body)
}

/// A script without what is there for its readers.
pub(super) fn shipped(script: &str) -> String {
    let is_sent = |line: &&str| !format!("{} ", line.trim_start()).starts_with("# ") && !line.is_empty();
    script.lines().filter(is_sent).collect::<Vec<_>>().join("\n")
}

/// Where the backups of a database are.
///
/// # Errors
/// In words, when the inventory does not say.
pub(super) fn backups<'a>(database: &'a Database, name: &str) -> Result<&'a Backups, String> {
    database.backups.as_ref().ok_or_else(|| format!("database `{name}` has no `backups` in the inventory"))
}

/// The path of a backup.
///
/// # Errors
/// In words, when it is none.
pub(super) fn path(file: &str) -> Result<&str, String> {
    if !file.starts_with('/') || file.ends_with('/') || file.contains(char::is_control) {
        return Err(format!("`{file}` is not the absolute path of a file"));
    }
    Ok(file)
}

/// Text as JSON has it between its quotes.
pub(super) fn in_json(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// A database beside the live one: what a backup is loaded into.
///
/// # Errors
/// In words, when that cannot be a name.
pub(super) fn beside(database: &Database, into: &str) -> Result<String, String> {
    let name = format!("{}_{into}", database.name);
    let is_word = !into.is_empty() && into.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_word || name.len() > 63 {
        return Err(format!("`{name}` cannot be the name of a database beside `{}`", database.name));
    }
    Ok(name)
}
