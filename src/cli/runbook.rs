//! `opsctl runbook`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};

use super::Global;
use super::open::site_folder;
use crate::base::{Error, Result};
use crate::engine::catalog::Catalog;
use crate::engine::lint::{self, Spec};
use crate::engine::schema;
use crate::ui;
use crate::ui::paint::Ink;
use crate::ui::table::{Cell, Table};

/// List, show and check runbooks, and the actions that they can call
///
/// A file in the folder `runbooks` beside the inventory, or in opsctl's config folder, takes the place of the built-in runbook of
/// that name.
#[derive(Debug, clap::Args)]
pub struct Runbook {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List all runbooks, and where each comes from
    List,
    /// Show a runbook as it was written, and which one is in force
    Show {
        /// The runbook; `opsctl runbook list` has them
        name: String,
    },
    /// Check runbooks for mistakes; asks no host
    Check {
        /// The runbooks; without names, all of them
        names: Vec<String>,
    },
    /// Compare alert rules of Prometheus with the runbooks that name their alerts
    ///
    /// Tells which alerts have no runbook, which rules can never fire, such as `count(up == 1) == 0`, and which alerts a runbook waits
    /// for in vain. Asks no host. Exits with 5 when an alert has no runbook or can never fire.
    Coverage {
        /// The files of rules, as Prometheus reads them
        #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
        rules: Vec<PathBuf>,
    },
    /// List the actions that steps can call, or show one with its arguments and its result
    Actions {
        /// The action, such as `http.get`; without it, all are listed
        name: Option<String>,
    },
    /// Print the JSON Schema of runbooks, for an editor
    Schema,
}

impl Runbook {
    pub fn run(&self, global: &Global) -> Result<ExitCode> {
        match &self.command {
            Command::List => list(&catalog(global)?, global),
            Command::Show { name } => show(&catalog(global)?, name, global),
            Command::Check { names } => check(&catalog(global)?, names, global),
            Command::Coverage { rules } => return super::coverage::run(&catalog(global)?, rules, global),
            Command::Actions { name } => super::actions::run(name.as_deref(), global),
            Command::Schema => ui::look::give(&format!("{:#}\n", schema::runbook_schema())),
        }?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The runbooks in force here.
fn catalog(global: &Global) -> Result<Catalog> {
    Catalog::open(site_folder(global)?.as_deref())
}

fn list(catalog: &Catalog, global: &Global) -> Result<()> {
    let listing = catalog.list();
    if global.json {
        let rows = listing.iter().map(|entry| {
            let runbook = entry.runbook.as_ref().ok();
            json!({
                "runbook": entry.name,
                "title": runbook.map(|runbook| &runbook.title),
                "risk": runbook.map(|runbook| runbook.risk),
                "origin": entry.origin.to_string(),
                "is_override": entry.is_override,
                "error": entry.runbook.as_ref().err().map(Error::to_string),
            })
        });
        return ui::look::give(&format!("{}\n", Value::Array(rows.collect())));
    }
    let mut table = Table::new(&["RUNBOOK", "RISK", "TITLE", "FROM"]);
    for entry in listing {
        let origin = match entry.is_override {
            true => format!("{} (in place of the built-in one)", entry.origin),
            false => entry.origin.to_string(),
        };
        let name = Cell::new(Ink::Bold, entry.name);
        table.row(match entry.runbook {
            Ok(runbook) => [name, runbook.risk.word().into(), runbook.title.into(), origin.into()],
            Err(error) => [name, "?".into(), Cell::new(Ink::Bad, error.message), origin.into()],
        });
    }
    ui::look::give(&table.text())
}

fn show(catalog: &Catalog, name: &str, global: &Global) -> Result<()> {
    let entry = catalog.get(name)?;
    let (origin, text) = (entry.origin.to_string(), entry.source.text());
    if global.json {
        let shown = json!({ "runbook": name, "origin": origin, "text": text });
        return ui::look::give(&format!("{shown}\n"));
    }
    ui::look::say(&format!("{name}: {origin}\n"));
    ui::look::give(text)
}

fn check(catalog: &Catalog, names: &[String], global: &Global) -> Result<()> {
    let names: Vec<String> =
        if names.is_empty() { catalog.names().map(str::to_owned).collect() } else { names.to_vec() };
    let specs = Spec::all();
    let mut wrong: Option<Error> = None;
    for name in &names {
        let checked = catalog.get(name).and_then(|entry| lint::refuse(&entry, &specs, catalog));
        if let Err(error) = checked {
            // Every runbook is looked at: the first error leads, the others follow in its detail.
            wrong = Some(match wrong {
                None => error,
                Some(first) => first.followed_by(&error),
            });
        }
    }
    match wrong {
        Some(error) => Err(error),
        None if global.json => ui::look::give(&format!("{}\n", json!({ "checked": names }))),
        None => {
            ui::look::say(&format!("no mistakes in {} runbooks: {}\n", names.len(), names.join(", ")));
            Ok(())
        }
    }
}
