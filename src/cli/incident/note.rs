//! `opsctl incident note`.

use std::process::ExitCode;

use super::office::Room;
use crate::base::Result;
use crate::cli::Global;
use crate::incident::comms;
use crate::incident::event::Event;
use crate::ui;
use crate::ui::paint::Ink;

/// Write a line into an incident's timeline; nobody is told
#[derive(Debug, clap::Args)]
pub struct Note {
    /// What you saw, did or found out
    text: String,
    /// The incident: `latest`, the start of its id, or its last characters
    #[arg(long, value_name = "INCIDENT", default_value = "latest")]
    incident: String,
}

impl Note {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let room = Room::open(global)?;
        let text = comms::fit("the note", &self.text, &room.site.inventory)?;
        let mut hand = room.take(&self.incident)?;
        hand.append(Event::Noted { text })?;
        if !global.quiet {
            ui::look::say(&format!("{} written into incident {}\n", Ink::Good.on("✔"), hand.id().short()));
        }
        room.deliver(&mut hand, global).await
    }
}
