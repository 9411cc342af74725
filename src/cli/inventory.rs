//! `opsctl inventory`.

use std::process::ExitCode;

use clap::Subcommand;

use super::Global;
use super::open::Workplace;
use crate::base::Result;
use crate::engine::schema;
use crate::ui;

/// Check the inventory, or print its JSON Schema
///
/// The inventory is the file `opsctl.yaml`: what runs where, and how its health is seen.
#[derive(Debug, clap::Args)]
pub struct Inventory {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check the inventory; asks no host
    Check,
    /// Print the JSON Schema of inventories, for an editor
    Schema,
}

impl Inventory {
    pub fn run(&self, global: &Global) -> Result<ExitCode> {
        match self.command {
            Command::Check => {
                let Workplace { site, .. } = Workplace::open(global)?;
                let inventory = &site.inventory;
                let (hosts, services) = (inventory.hosts.len(), inventory.services.len());
                if global.json {
                    let found =
                        serde_json::json!({ "inventory": site.path, "hosts": hosts, "services": services });
                    ui::look::give(&format!("{found}\n"))?;
                } else {
                    let path = site.path.display();
                    ui::look::say(&format!("{path}: no mistakes; hosts: {hosts}, services: {services}\n"));
                }
            }
            Command::Schema => ui::look::give(&format!("{:#}\n", schema::inventory_schema()))?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
