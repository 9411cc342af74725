//! `opsctl incident tick` and `opsctl incident watch`: looking after incidents, once and again and again.

use std::path::Path;
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use super::office::{self, Room};
use super::schedule;
use crate::base::amount::Span;
use crate::base::clock::Clock;
use crate::base::id::IncidentId;
use crate::base::{Error, Kind, Result};
use crate::cli::Global;
use crate::engine::locate::{self, Site};
use crate::incident::desk::Desk;
use crate::incident::event::{Opening, Record};
use crate::ui;

/// Call whoever is due in an incident and send what waits; for a timer
///
/// It may be called any number of times, by several at once: what was done is in the record of each incident, and is not done again. Each
/// incident is looked after with the inventory that it was opened with. Exits with 15 when a channel did not take what was to be sent.
#[derive(Debug, clap::Args)]
pub struct Tick {
    /// The incident: `latest`, the start of its id, or its last characters [default: all]
    incident: Option<String>,
    /// Print a systemd service and a timer that do this twice a minute; nothing else is done
    #[arg(long, conflicts_with = "incident")]
    schedule: bool,
}

/// Look after all incidents until Ctrl-C, as the timer does
#[derive(Debug, clap::Args)]
pub struct Watch {
    /// How often
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = pause)]
    every: Span,
}

fn pause(text: &str) -> Result<Span, String> {
    let pause: Span = text.parse()?;
    // Who is to answer at once is called again after a minute.
    match (Span::secs(1)..=Span::secs(60)).contains(&pause) {
        true => Ok(pause),
        false => Err("give between 1s and 1m".to_owned()),
    }
}

impl Tick {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        if self.schedule {
            let site = Site::load(&locate::inventory(global.inventory.as_deref())?)?;
            return schedule::give(&site.path, global.json);
        }
        let desk = Desk::open()?;
        let mut round = Round::default();
        match &self.incident {
            Some(name) => round.look_after(&desk, desk.find(name)?, global).await,
            None => round.all(&desk, global).await?,
        }
        match round.error {
            Some(error) => Err(error),
            None if round.is_short => Ok(ExitCode::from(Kind::Unnotified.exit_code())),
            None => Ok(ExitCode::SUCCESS),
        }
    }
}

impl Watch {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let desk = Desk::open()?;
        let listen = |kind| {
            signal(kind).map_err(|error| Error::internal("cannot listen for signals").caused_by(&error))
        };
        let (mut interrupt, mut terminate) =
            (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
        if !global.json && !global.quiet {
            ui::look::say(&format!("looking after incidents every {}; Ctrl-C ends it\n", self.every));
        }
        loop {
            let mut round = Round::default();
            let begun = round.all(&desk, global).await;
            if let Some(error) = begun.err().or(round.error) {
                ui::error::show(&error, global.json)?;
            }
            tokio::select! {
                () = tokio::time::sleep(self.every.0) => {}
                _ = interrupt.recv() => return Ok(ExitCode::SUCCESS),
                _ = terminate.recv() => return Ok(ExitCode::SUCCESS),
            }
        }
    }
}

/// What came of looking after incidents.
#[derive(Default)]
struct Round {
    /// Somebody was to be told and may not have been.
    is_short: bool,
    /// Why one of them could not be looked after. Further ones were shown.
    error: Option<Error>,
}

impl Round {
    /// Looks after all of them, and leaves word that somebody does.
    async fn all(&mut self, desk: &Desk, global: &Global) -> Result<()> {
        for id in desk.ids()? {
            self.look_after(desk, id, global).await;
        }
        desk.note_tick(Clock::System.now())
    }

    /// Looks after one of them. What is wrong with it holds up no other.
    async fn look_after(&mut self, desk: &Desk, id: IncidentId, global: &Global) {
        match look_after(desk, id, global).await {
            Ok(is_short) => self.is_short |= is_short,
            Err(error) => {
                if let Some(earlier) = self.error.replace(error.cause(format!("incident {}", id.short()))) {
                    // Standard output is gone; there is nobody to tell.
                    let _ = ui::error::show(&earlier, global.json);
                }
            }
        }
    }
}

/// Whether somebody was to be told and may not have been.
async fn look_after(desk: &Desk, id: IncidentId, global: &Global) -> Result<bool> {
    let found = desk.read(id)?.state;
    if found.is_closed && !found.owes() {
        return Ok(false);
    }
    let room = room(&found.opening, global)?;
    let mut hand = desk.take(id, Record::ITSELF, Clock::System)?;
    let ticked = room.look_after(&mut hand).await?;
    if !ticked.is_empty() {
        office::say(&hand, &ticked, global)?;
    }
    Ok(ticked.flushed.is_short())
}

/// With the inventory that the person names, where it is that of the incident's site; else with the one that it was opened with.
fn room(opening: &Opening, global: &Global) -> Result<Room> {
    if let Some(path) = &global.inventory {
        let site = Site::load(path)?;
        if site.inventory.name == opening.site {
            return Room::of(site);
        }
    }
    Room::of(Site::load(Path::new(&opening.inventory))?)
}
