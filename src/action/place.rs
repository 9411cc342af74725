//! Where the things are that arguments name.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::word::{self, Services};
use crate::base::amount::Span;
use crate::base::size::Size;
use crate::model::facts::Site;
use crate::model::inventory::{Cache, Database};
use crate::model::operation::{Command, Operation, Program, Script, Selection};
use crate::model::touched::Touched;

/// What a database's or cache's own client may take to start, beside the time that is given for the answer: on a host that is busy, much.
pub(super) const CLIENT_STARTS: Span = Span::secs(5);

/// Half a million of names.
const NAMES: Size = Size(64 << 20);

/// The host that an action is done on when its step names none: where the project, database or cache of its arguments is.
/// The arguments may be incomplete: those that are not known yet are left out.
///
/// # Errors
/// In words, when they name something that the inventory does not have.
pub fn host(args: &Map<String, Value>, site: Site<'_>) -> Result<Option<String>, String> {
    let Some(project) = project(args, site)? else { return Ok(None) };
    Ok(Some(site.project(&project)?.host.clone()))
}

/// The project that the arguments name, or that the database or cache is in that they name.
///
/// # Errors
/// As [`host`].
pub fn project(args: &Map<String, Value>, site: Site<'_>) -> Result<Option<String>, String> {
    let named = |key: &str| args.get(key).and_then(Value::as_str);
    let project = match (named("project"), named("database"), named("cache")) {
        (Some(project), _, _) => project,
        (None, Some(name), _) => &database(site, name)?.project,
        (None, None, Some(name)) => &cache(site, name)?.project,
        (None, None, None) => return Ok(None),
    };
    Ok(Some(project.to_owned()))
}

/// The containers that an action with the arguments `given` is about; `known` are those of them whose values are known. What is
/// not known yet may turn out to be any service of the project, or any project of the host `on`.
///
/// # Errors
/// As [`host`], and when a service has an impossible name.
pub fn touches(
    known: &Map<String, Value>,
    given: &Map<String, Value>,
    on: Option<&str>,
    site: Site<'_>,
) -> Result<Vec<Touched>, String> {
    let Some(project) = project(known, site)? else {
        let is_about_one = ["project", "database", "cache"].into_iter().any(|key| given.contains_key(key));
        let on_host = site.inventory.projects.iter().filter(|(_, project)| Some(project.host.as_str()) == on);
        let all = on_host.map(|(name, _)| Touched { project: name.clone(), services: BTreeSet::new() });
        return Ok(if is_about_one { all.collect() } else { Vec::new() });
    };
    let named = |key: &str| known.get(key).and_then(Value::as_str);
    let is_open = |key: &str| given.contains_key(key) && !known.contains_key(key);
    let services = match (named("project"), named("database"), named("cache")) {
        (None, Some(name), _) => BTreeSet::from([database(site, name)?.service.clone()]),
        (None, None, Some(name)) => BTreeSet::from([cache(site, name)?.service.clone()]),
        // It reaches for the services as well that the named ones depend on.
        _ if is_open("no_deps") || known.get("no_deps") == Some(&Value::Bool(false)) => BTreeSet::new(),
        _ => match known.get("service").or(known.get("proxy")).filter(|service| !service.is_null()) {
            Some(service) => {
                let services: Services =
                    serde_json::from_value(service.clone()).map_err(|error| format!("`service`: {error}"))?;
                services.names()?.into_iter().collect()
            }
            None => BTreeSet::new(),
        },
    };
    Ok(vec![Touched { project, services }])
}

pub(super) fn database<'a>(site: Site<'a>, name: &str) -> Result<&'a Database, String> {
    named(&site.inventory.databases, "database", name)
}

pub(super) fn cache<'a>(site: Site<'a>, name: &str) -> Result<&'a Cache, String> {
    named(&site.inventory.caches, "cache", name)
}

pub(super) fn named<'a, T>(all: &'a IndexMap<String, T>, kind: &str, name: &str) -> Result<&'a T, String> {
    all.get(name).ok_or_else(|| {
        let known: Vec<_> = all.keys().map(|name| format!("`{name}`")).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        format!("there is no {kind} `{name}`: the inventory has {known}")
    })
}

/// The containers of a project, or of one of its services.
pub(super) fn selection(site: Site<'_>, project: &str, service: Option<&str>) -> Result<Selection, String> {
    site.project(project)?;
    let facts = site.facts.projects.get(project);
    let facts = facts.ok_or_else(|| format!("project `{project}` was not asked for its name"))?;
    Ok(Selection {
        project: facts.name.clone(),
        compose: site.compose(project)?,
        service: service.map(word::service_name).transpose()?,
    })
}

/// A script of opsctl's own, run in the project's folder.
pub(super) fn script(
    site: Site<'_>,
    project: &str,
    name: &str,
    given: impl IntoIterator<Item = (impl Into<String>, String)>,
    body: String,
) -> Result<Operation, String> {
    let directory = Some(site.project(project)?.directory.clone());
    Ok(Operation::Command(Command { directory, ..Command::new(scripted(name, given, body)) }))
}

/// A script of opsctl's own that is about a host, and of which every line is wanted later: it names all that it removes.
pub(super) fn naming_script(
    name: &str,
    given: impl IntoIterator<Item = (impl Into<String>, String)>,
    body: String,
) -> Operation {
    Operation::Command(Command { keep: Some(NAMES), ..Command::new(scripted(name, given, body)) })
}

fn scripted(
    name: &str,
    given: impl IntoIterator<Item = (impl Into<String>, String)>,
    body: String,
) -> Program {
    let given = given.into_iter().map(|(name, value)| (name.into(), value)).collect();
    Program::Script(Box::new(Script { name: name.to_owned(), given, body }))
}

/// A Compose command line, run in the project's folder.
pub(super) fn compose(site: Site<'_>, project: &str, rest: Vec<String>) -> Result<Command, String> {
    let mut argv = site.compose(project)?;
    argv.extend(rest);
    let directory = Some(site.project(project)?.directory.clone());
    Ok(Command { directory, ..Command::new(Program::Argv(argv)) })
}
