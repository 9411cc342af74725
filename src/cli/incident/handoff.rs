//! `opsctl incident handoff`.

use std::process::ExitCode;

use super::office::Room;
use crate::base::{Error, Kind, Result};
use crate::cli::Global;
use crate::incident::comms;
use crate::incident::compose::Words;
use crate::incident::event::Event;
use crate::incident::tell::tell;
use crate::model::channel::MessageKind;

/// Give an incident to somebody else, with what they need to know
#[derive(Debug, clap::Args)]
pub struct Handoff {
    /// Who has it from now on
    to: String,
    /// What they need to know and the record does not say
    #[arg(long, value_name = "TEXT")]
    note: String,
    /// The incident: `latest`, the start of its id, or its last characters
    #[arg(long, value_name = "INCIDENT", default_value = "latest")]
    incident: String,
}

impl Handoff {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let room = Room::open(global)?;
        let inventory = &room.site.inventory;
        let to = comms::fit("the name", &self.to, inventory)?;
        let text = comms::fit("the note", &self.note, inventory)?;
        let mut hand = room.take(&self.incident)?;
        let nobody = || {
            Error::new(Kind::Refused, "nobody has the incident")
                .hint(format!("opsctl incident ack {} --who '...'", hand.id().short()))
        };
        let from = hand.state().held.as_ref().ok_or_else(nobody)?.who.clone();
        hand.append(Event::HandedOff { from: from.clone(), to: to.clone(), text: text.clone() })?;
        let words = Words {
            text: Some(text),
            from: Some(from),
            to: Some(to),
            is_unattended: true,
            ..Words::default()
        };
        tell(&mut hand, &room.office(), MessageKind::Handoff, &words, None)?;
        room.deliver(&mut hand, global).await
    }
}
