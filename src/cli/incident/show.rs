//! `opsctl incident show`.

use std::process::ExitCode;

use jiff::tz::TimeZone;

use super::office::Room;
use crate::base::clock::Timestamp;
use crate::base::{Kind, Result};
use crate::cli::Global;
use crate::incident::cadence;
use crate::incident::desk::Desk;
use crate::ui;

/// Show an incident: how it stands, what happened, what did not arrive, what is left to do
#[derive(Debug, clap::Args)]
pub struct Show {
    /// The incident: `latest`, the start of its id, or its last characters
    #[arg(default_value = "latest")]
    incident: String,
    /// Exit with 5 when the next update is overdue
    #[arg(long)]
    check: bool,
}

impl Show {
    pub fn run(&self, global: &Global) -> Result<ExitCode> {
        let desk = Desk::open()?;
        let incident = desk.read(desk.find(&self.incident)?)?;
        let now = Timestamp::now();
        ui::look::give(&match global.json {
            true => ui::incident::show::json(&incident, now),
            false => ui::incident::show::text(&incident, &zone(global), now),
        })?;
        let is_overdue = cadence::overdue(&incident.state, now).is_some();
        Ok(if self.check && is_overdue {
            ExitCode::from(Kind::Unhealthy.exit_code())
        } else {
            ExitCode::SUCCESS
        })
    }
}

/// That of the readers, as far as there is an inventory that says so: an incident can be looked at without one.
fn zone(global: &Global) -> TimeZone {
    Room::open(global).map_or_else(|_| TimeZone::system(), |room| room.office().zone)
}
