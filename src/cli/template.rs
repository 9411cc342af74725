//! `opsctl template`.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};

use super::Global;
use super::open::site_folder;
use crate::base::Result;
use crate::engine::templates::Templates;
use crate::ui;
use crate::ui::paint::Ink;
use crate::ui::table::{Cell, Table};

/// List and show the templates of messages
///
/// A file in the folder `templates` beside the inventory, or in opsctl's config folder, takes the place of the built-in
/// template of that name.
#[derive(Debug, clap::Args)]
pub struct Template {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List all templates, and where each comes from
    List,
    /// Show a template as it was written, and which one is in force
    Show {
        /// The template; `opsctl template list` has them
        name: String,
    },
}

impl Template {
    pub fn run(&self, global: &Global) -> Result<ExitCode> {
        let templates = Templates::open(site_folder(global)?.as_deref())?;
        match &self.command {
            Command::List => list(&templates, global),
            Command::Show { name } => show(&templates, name, global),
        }?;
        Ok(ExitCode::SUCCESS)
    }
}

fn list(templates: &Templates, global: &Global) -> Result<()> {
    if global.json {
        let rows = templates.origins().map(|(name, origin)| {
            let is_override = templates.is_override(name);
            json!({ "template": name, "origin": origin.to_string(), "is_override": is_override })
        });
        return ui::look::give(&format!("{}\n", Value::Array(rows.collect())));
    }
    let mut table = Table::new(&["TEMPLATE", "FROM"]);
    for (name, origin) in templates.origins() {
        let origin = match templates.is_override(name) {
            true => format!("{origin} (in place of the built-in one)"),
            false => origin.to_string(),
        };
        table.row([Cell::new(Ink::Bold, name), origin.into()]);
    }
    ui::look::give(&table.text())
}

fn show(templates: &Templates, name: &str, global: &Global) -> Result<()> {
    let found = templates.get(name)?;
    if global.json {
        let shown = json!({ "template": name, "origin": found.origin.to_string(), "text": found.text });
        return ui::look::give(&format!("{shown}\n"));
    }
    ui::look::say(&format!("{name}: {}\n", found.origin));
    ui::look::give(&found.text)
}
