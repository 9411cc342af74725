//! `opsctl incident update`, `identify` and `monitor`: a word on how it stands.

use std::process::ExitCode;

use super::office::Room;
use crate::base::Result;
use crate::base::clock::Timestamp;
use crate::cli::Global;
use crate::incident::comms::{self, Gate};
use crate::incident::compose::Words;
use crate::incident::event::{Event, Status};
use crate::incident::follow::monitor;
use crate::incident::tell::{Subject, draft, tell};
use crate::model::channel::MessageKind;
use crate::ui;

/// Tell everyone how it stands, and begin the time until the next message anew
#[derive(Debug, clap::Args)]
pub struct Update {
    #[command(flatten)]
    word: Word,
}

/// Tell everyone that the cause is known
#[derive(Debug, clap::Args)]
pub struct Identify {
    #[command(flatten)]
    word: Word,
}

/// Tell everyone that it works again and is watched
#[derive(Debug, clap::Args)]
pub struct Monitor {
    #[command(flatten)]
    word: Word,
}

#[derive(Debug, clap::Args)]
struct Word {
    /// What people are told
    text: String,
    /// The incident: `latest`, the start of its id, or its last characters
    #[arg(long, value_name = "INCIDENT", default_value = "latest")]
    incident: String,
}

impl Update {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        self.word.say(None, global).await
    }
}

impl Identify {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        self.word.say(Some(Status::Identified), global).await
    }
}

impl Monitor {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        self.word.say(Some(Status::Monitoring), global).await
    }
}

impl Word {
    async fn say(&self, status: Option<Status>, global: &Global) -> Result<ExitCode> {
        let room = Room::open(global)?;
        let mut hand = room.take(&self.incident)?;
        let text = comms::fit("the message", &self.text, &room.site.inventory)?;
        let words = Words { text: Some(text.clone()), ..Words::default() };
        // Looked at before anything is on record: what is refused has not happened.
        let subject = Subject {
            kind: MessageKind::Update,
            state: hand.state(),
            words: &words,
            page: None,
            gate: Gate::of(hand.state()),
            now: Timestamp::now(),
        };
        let faults = draft(subject, room.office().parts())?.faults;
        if let Some(error) = comms::refused(&faults) {
            return Err(error);
        }
        ui::look::say(&ui::incident::sent::warnings(&faults));
        let is_mitigated = hand.state().milestones.mitigated_at.is_some();
        match status {
            Some(Status::Monitoring) if !is_mitigated => monitor(&mut hand, &text)?,
            // A word on what is over changes nothing.
            None if hand.state().is_resolved() => hand.append(Event::Noted { text })?,
            status => {
                let status = status.unwrap_or(hand.state().status);
                hand.append(Event::StatusChanged { status, text })?;
            }
        }
        tell(&mut hand, &room.office(), MessageKind::Update, &words, None)?;
        let exit = room.deliver(&mut hand, global).await?;
        if !global.json && !global.quiet {
            ui::look::say(&ui::incident::sent::next(hand.state(), Timestamp::now()));
        }
        Ok(exit)
    }
}
