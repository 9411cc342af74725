//! `opsctl incident ack`.

use std::process::ExitCode;

use super::office::Room;
use crate::base::clock::Timestamp;
use crate::base::{Kind, Result};
use crate::cli::Global;
use crate::cli::operator::operator;
use crate::incident::comms;
use crate::incident::compose::Words;
use crate::incident::event::Event;
use crate::incident::tell::tell;
use crate::model::channel::MessageKind;
use crate::ui;

/// Say that you have it: no page climbs any more, and everyone is told
///
/// Whoever has it and is not heard of for the time in `incidents: forget_after` has it no longer, and pages go on. Every word in the record
/// counts: an update, a note, a run.
#[derive(Debug, clap::Args)]
pub struct Ack {
    /// The incident: `latest`, the start of its id, or its last characters
    #[arg(default_value = "latest")]
    incident: String,
    /// Who has it, in place of you
    #[arg(long, value_name = "NAME", conflicts_with = "give_back")]
    who: Option<String>,
    /// You do not have it any more, and why: pages go on from the level that was reached
    #[arg(long, value_name = "WHY")]
    give_back: Option<String>,
}

impl Ack {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let room = Room::open(global)?;
        let inventory = &room.site.inventory;
        let mut hand = room.take(&self.incident)?;
        if let Some(why) = &self.give_back {
            let why = comms::fit("the reason", why, inventory)?;
            hand.append(Event::Unacknowledged { why }).map_err(|error| match error.kind {
                Kind::Refused => error.hint(format!("opsctl incident ack {}", hand.id().short())),
                _ => error,
            })?;
        } else {
            let who = comms::fit("the name", self.who.as_deref().unwrap_or(&operator()), inventory)?;
            let is_new = hand.state().held.as_ref().is_none_or(|held| held.who != who);
            hand.append(Event::Acknowledged { who: who.clone() })?;
            if is_new {
                // The machine is nothing for people outside.
                let name = who.split('@').next().unwrap_or(&who);
                let text = Some(format!("{name} has acknowledged and looks into it"));
                let words = Words { text, is_unattended: true, ..Words::default() };
                tell(&mut hand, &room.office(), MessageKind::Update, &words, None)?;
            }
        }
        let exit = room.deliver(&mut hand, global).await?;
        if !global.json && !global.quiet {
            ui::look::say(&ui::incident::sent::next(hand.state(), Timestamp::now()));
        }
        Ok(exit)
    }
}
