//! Asks hosts for the backups that they have, and servers for what restores have set aside. Changes nothing.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::hosts::Hosts;
use super::plan::Needs;
use super::world::{Request, World as _};
use crate::action::registry;
use crate::host::failure::Failure;
use crate::model::aside::{self, Aside};
use crate::model::backed::Backed;
use crate::model::backups::Backups;
use crate::model::facts::Site;
use crate::model::inventory::Inventory;
use crate::model::manifest::{Backup, LIST, Listing};
use crate::model::operation::{Command, Program, quoted};

/// Looks at one file. Given: file. Prints as [`LIST`] does, without the name; or `W` and why it is none.
const ONE: &str = r#"[ -e "$file" ] || exit 0
[ -f "$file" ] || { printf 'W\tis not a file\n'; exit 0; }
[ -r "$file" ] || { printf 'W\tcannot be read by %s\n' "$(id -un)"; exit 0; }
printf 'F\t%s\t%s\t-\n' "$(wc -c <"$file")" "$(date -u -r "$file" +%s)"
[ ! -f "$file.json" ] || { printf 'M\t'; tr -d '\n\t' <"$file.json"; echo; }"#;

/// What there is at a path.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    Backup(Box<Backup>),
    /// In words, after its name: what it is instead.
    Other(String),
    Nothing,
}

/// Of a manifest, the rows of each table are left out: of a large schema they are more than is kept of a command's output.
const SHORT: &str = r#"sed -E '/^M/s/"tables": \{( *"([^"\\]|\\.)*": *[0-9]+,?)* *\}/"tables": {}/'"#;

/// The backups of a database or a cache.
///
/// # Errors
/// When the host does not answer.
pub async fn listing(hosts: &Hosts, of: &Backed<'_>, backups: &Backups) -> Result<Listing, Failure> {
    // Between quotes it is as the manifest has it.
    let name = Value::from(of.name).to_string();
    let given = [
        ("directory", backups.directory.as_str()),
        ("pattern", &backups.pattern(of.name, of.kind)),
        ("kind", of.kind.word()),
        ("of", name.trim_matches('"')),
    ];
    let text = ask(hosts, of.host, &given, LIST).await?;
    Ok(Listing::read(&backups.directory, &text))
}

/// What a path on the host of a database or a cache leads to.
///
/// # Errors
/// When the host does not answer.
pub async fn find(hosts: &Hosts, of: &Backed<'_>, path: &str) -> Result<Found, Failure> {
    let text = ask(hosts, of.host, &[("file", path)], ONE).await?;
    if let Some(why) = text.lines().find_map(|line| line.strip_prefix("W\t")) {
        return Ok(Found::Other(why.to_owned()));
    }
    let found = Listing::read("", &text).backups.pop();
    Ok(found
        .map_or(Found::Nothing, |found| Found::Backup(Box::new(Backup { file: path.to_owned(), ..found }))))
}

async fn ask(hosts: &Hosts, host: &str, given: &[(&str, &str)], script: &str) -> Result<String, Failure> {
    let given: String = given.iter().map(|(name, value)| format!("{name}={}\n", quoted(value))).collect();
    let script = format!("{given}{{ {script}\n}} | {SHORT}");
    let host = hosts.connection(host).await?;
    Ok(host.run(&Command::new(Program::Shell(script)), None, &mut |_, _| {}).await?.stdout)
}

/// The databases that restores of a database have set aside.
///
/// # Errors
/// In words, when the host or the server does not say.
pub async fn set_aside(hosts: &Hosts, inventory: &Inventory, of: &Backed<'_>) -> Result<Vec<Aside>, String> {
    let name = &inventory.databases[of.name].name;
    let machine = BTreeSet::from([of.host.to_owned()]);
    let needs = Needs {
        hosts: machine.clone(),
        compose: machine,
        projects: BTreeSet::from([of.project.to_owned()]),
        containers: Vec::new(),
    };
    let facts = hosts.facts_for(inventory, &needs).await.map_err(|failure| failure.to_string())?;
    let query = registry::find("postgres.query").ok_or("there is no action `postgres.query`")?;
    let args = [("database", of.name), ("sql", &aside::query(name))];
    let args: Map<String, Value> =
        args.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect();
    let built = (query.build)(&args, Site { inventory, facts: &facts })?;
    let request = Request {
        host: Some(of.host),
        operation: &built.operation,
        timeout: None,
        output: &mut |_, _| {},
        key: None,
    };
    let answer = hosts.perform(request).await.map_err(|failure| failure.to_string())?.value;
    (query.judge)(&built.operation, &answer)?;
    Ok(aside::read(name, answer["stdout"].as_str().unwrap_or_default()))
}
