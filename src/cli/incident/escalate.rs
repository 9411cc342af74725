//! `opsctl incident escalate`.

use std::process::ExitCode;

use super::office::Room;
use crate::base::{Error, Kind, Result};
use crate::cli::Global;
use crate::incident::comms;
use crate::incident::event::Event;
use crate::model::escalation::Level;

/// Call the next level now, whoever has it
///
/// All levels up to it are called that were not called yet.
#[derive(Debug, clap::Args)]
pub struct Escalate {
    /// The incident: `latest`, the start of its id, or its last characters
    #[arg(default_value = "latest")]
    incident: String,
    /// The level, in place of the next one
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    to: Option<Level>,
    /// Why they are needed, for those who are called
    #[arg(long, value_name = "TEXT")]
    why: String,
}

fn level(text: &str) -> Result<Level, String> {
    let named = Level::ALL.into_iter().find(|level| level.to_string().eq_ignore_ascii_case(text));
    named.ok_or_else(|| "the levels are L1, L2, L3 and L4".to_owned())
}

impl Escalate {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let room = Room::open(global)?;
        let why = comms::fit("the reason", &self.why, &room.site.inventory)?;
        let mut hand = room.take(&self.incident)?;
        let reached = hand.state().level;
        let short = hand.id().short();
        let highest = || {
            let message = format!("{reached} was called already, and there is no level above it");
            Error::new(Kind::Refused, message).hint(format!("opsctl incident ack {short}"))
        };
        let level = self.to.or(reached.next()).ok_or_else(highest)?;
        hand.append(Event::Escalated { level, why }).map_err(|error| match (error.kind, reached.next()) {
            (Kind::Refused, Some(next)) => {
                error.hint(format!("opsctl incident escalate {short} --to {next} --why '...'"))
            }
            _ => error,
        })?;
        room.deliver(&mut hand, global).await
    }
}
