//! A script that asks a Redis on its host, or runs another beside it, as every action on a cache and its backups is one.

use super::place;
use super::server::{in_json, shipped};
use crate::model::facts::Site;
use crate::model::operation::{Operation, quoted, words};

/// How the server is asked, and how something is run beside it.
const SERVER: &str = include_str!("redis_server.sh");

/// Whether a file is a dump, and what is in it.
pub(super) const FILE: &str = include_str!("redis_file.sh");

const LOAD: &str = include_str!("redis_load.sh");
const TRIAL: &str = include_str!("redis_trial.sh");
const SAMPLE: &str = include_str!("redis_sample.lua");

/// A script for the host of a cache: what it is given as variables, and then its parts.
///
/// # Errors
/// In words, when there is no such cache, or its project is not known.
pub(super) fn script(
    site: Site<'_>,
    name: &str,
    cache: &str,
    given: &[(&str, &str)],
    parts: &[String],
) -> Result<Operation, String> {
    let found = place::cache(site, cache)?;
    let selection = place::selection(site, &found.project, Some(&found.service))?;
    let of = in_json(cache);
    let always =
        [("cache", cache), ("of", &of), ("project", &selection.project), ("service", found.service.as_str())];
    let given = always.iter().chain(given).map(|(name, value)| (*name, (*value).to_owned()));
    let compose = format!("compose() {{ {} \"$@\"; }}", words(&selection.compose));
    let body = format!("{compose}\n{}\n{}", shipped(SERVER), parts.join("\n"));
    place::script(site, &found.project, name, given, body)
}

/// A variable with a script for a container, made of those parts.
pub(super) fn inner(name: &str, parts: &[&str]) -> String {
    let parts: Vec<_> = parts.iter().map(|part| shipped(part)).collect();
    format!("{name}={}", quoted(&format!("set -eu\n{}", parts.join("\n"))))
}

/// How a dump is loaded in a server that is thrown away.
pub(super) fn trial() -> String {
    inner("trial_script", &[LOAD, TRIAL])
}

/// How a data directory is made from a dump.
pub(super) fn prepare() -> String {
    let script = format!("{}\n{}\n{}", shipped(LOAD), sample(), shipped(include_str!("redis_prepared.sh")));
    format!("prepare_script={}", quoted(&format!("set -eu\n{script}")))
}

/// How some keys are looked at.
pub(super) fn sample() -> String {
    let is_sent = |line: &&str| !line.trim_start().starts_with("-- ");
    format!("sample={}", quoted(&SAMPLE.lines().filter(is_sent).collect::<Vec<_>>().join("\n")))
}

/// What sets the files of a restore apart from those of every other.
///
/// # Errors
/// In words, when it cannot be a part of a name.
pub(super) fn stamp(at: &str) -> Result<&str, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if at.is_empty() || at.len() > 60 || !at.chars().all(is_plain) {
        return Err(format!("`{at}` is not a stamp, such as `20260301T031400Z`"));
    }
    Ok(at)
}
