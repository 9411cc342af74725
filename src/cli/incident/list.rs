//! `opsctl incident list`.

use std::process::ExitCode;

use crate::base::clock::Timestamp;
use crate::base::{Kind, Result};
use crate::cli::Global;
use crate::incident::desk::{Desk, Incident};
use crate::ui;
use crate::ui::paint::Ink;

/// List incidents, the newest first: how each stands, who has it, when the next update is due
#[derive(Debug, clap::Args)]
pub struct List {
    /// Only those that are not resolved yet
    #[arg(long)]
    open: bool,
    /// Only those of this service
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
}

impl List {
    pub fn run(&self, global: &Global) -> Result<ExitCode> {
        let (incidents, is_whole) = readable(&Desk::open()?)?;
        let is_meant = |incident: &&Incident| {
            let services = &incident.state.opening.services;
            (!self.open || !incident.state.is_resolved())
                && self.service.as_ref().is_none_or(|service| services.contains(service))
        };
        let states: Vec<_> =
            incidents.iter().rev().filter(is_meant).map(|incident| &incident.state).collect();
        let now = Timestamp::now();
        if global.json {
            ui::look::give(&ui::incident::list::json(&states, now))?;
        } else if states.is_empty() {
            ui::look::say(if self.open { "no incident is open\n" } else { "there are no incidents yet\n" });
        } else {
            ui::look::give(&ui::incident::list::text(&states, now))?;
        }
        Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::from(Kind::Corrupt.exit_code()) })
    }
}

/// The incidents that can be read, the oldest first, and whether that is all of them. Of every other one it is said why it is missing.
///
/// # Errors
/// When the folder cannot be read.
pub fn readable(desk: &Desk) -> Result<(Vec<Incident>, bool)> {
    let mut incidents = Vec::new();
    let mut is_whole = true;
    for id in desk.ids()? {
        match desk.read(id) {
            Ok(incident) => incidents.push(incident),
            Err(error) => {
                is_whole = false;
                ui::look::say(&format!(
                    "{} {error}\n",
                    Ink::Bad.on(format!("✘ incident {} cannot be read:", id.short()))
                ));
            }
        }
    }
    Ok((incidents, is_whole))
}
