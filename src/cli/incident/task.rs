//! `opsctl incident done`, `opsctl incident waive`, `opsctl incident assign`, `opsctl incident close`.

use std::process::ExitCode;

use clap::ArgGroup;
use jiff::civil::Date;

use super::office::Room;
use crate::base::{Error, Kind, Result};
use crate::cli::Global;
use crate::incident::desk::Hand;
use crate::incident::event::Event;
use crate::incident::state::{Task, TaskState};
use crate::incident::{comms, review};
use crate::ui;
use crate::ui::paint::Ink;

/// Say that a task of the review is done
#[derive(Debug, clap::Args)]
pub struct Done {
    /// Its number, as `opsctl incident show` has it
    task: u32,
    /// What was done, such as the number of a ticket
    text: String,
    /// The incident: `latest`, the start of its id, or its last characters
    #[arg(long, value_name = "INCIDENT", default_value = "latest")]
    incident: String,
}

/// Say that a task of the review will not be done, and why
#[derive(Debug, clap::Args)]
pub struct Waive {
    /// Its number, as `opsctl incident show` has it
    task: u32,
    /// Why not, for whoever reads the record
    #[arg(long, value_name = "TEXT")]
    why: String,
    /// The incident: `latest`, the start of its id, or its last characters
    #[arg(long, value_name = "INCIDENT", default_value = "latest")]
    incident: String,
}

/// Give a task of the review to somebody, or another day
#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("what").required(true).multiple(true))]
pub struct Assign {
    /// Its number, as `opsctl incident show` has it
    task: u32,
    /// Who does it
    #[arg(long, value_name = "NAME", group = "what")]
    to: Option<String>,
    /// Until when, such as 2026-03-06
    #[arg(long, value_name = "DAY", group = "what")]
    due: Option<Date>,
    /// The incident: `latest`, the start of its id, or its last characters
    #[arg(long, value_name = "INCIDENT", default_value = "latest")]
    incident: String,
}

/// Close an incident; refused as long as a task of its review is neither done nor waived
#[derive(Debug, clap::Args)]
pub struct Close {
    /// The incident: `latest`, the start of its id, or its last characters
    #[arg(default_value = "latest")]
    incident: String,
}

impl Done {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let room = Room::open(global)?;
        let text = comms::fit("what was done", &self.text, &room.site.inventory)?;
        let mut hand = room.take(&self.incident)?;
        settle(&mut hand, self.task, Event::TaskDone { task: self.task, text }, global)?;
        room.deliver(&mut hand, global).await
    }
}

impl Waive {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let room = Room::open(global)?;
        let why = comms::fit("the reason", &self.why, &room.site.inventory)?;
        let mut hand = room.take(&self.incident)?;
        settle(&mut hand, self.task, Event::TaskWaived { task: self.task, why }, global)?;
        room.deliver(&mut hand, global).await
    }
}

impl Assign {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let room = Room::open(global)?;
        let to = self.to.as_ref().map(|to| comms::fit("the name", to, &room.site.inventory)).transpose()?;
        let mut hand = room.take(&self.incident)?;
        let task = task(&hand, self.task)?.clone();
        if task.state != TaskState::Open {
            let message = format!("task {} is settled already", self.task);
            return Err(Error::new(Kind::Refused, message)
                .hint(format!("opsctl incident show {}", hand.id().short())));
        }
        hand.append(Event::TaskSet {
            task: self.task,
            text: task.text,
            owner: to.or(task.owner),
            due: self.due.or(task.due),
        })?;
        room.deliver(&mut hand, global).await
    }
}

impl Close {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let room = Room::open(global)?;
        let mut hand = room.take(&self.incident)?;
        review::close(&mut hand)?;
        if !global.quiet {
            ui::look::say(&format!("{} {} is closed\n", Ink::Good.on("✔"), hand.id().short()));
        }
        room.deliver(&mut hand, global).await
    }
}

/// Writes it down, and says what is left.
fn settle(hand: &mut Hand, number: u32, event: Event, global: &Global) -> Result<()> {
    task(hand, number)?;
    hand.append(event)?;
    if !global.quiet {
        let next = match review::open(hand.state()).count() {
            0 => {
                let close = format!("opsctl incident close {}", hand.id().short());
                format!("nothing is left: {}", Ink::Command.on(close))
            }
            1 => "1 task is left".to_owned(),
            left => format!("{left} tasks are left"),
        };
        ui::look::say(&format!("{next}\n"));
    }
    Ok(())
}

/// The task of that number.
fn task(hand: &Hand, number: u32) -> Result<&Task> {
    let (short, tasks) = (hand.id().short(), &hand.state().tasks);
    let found = (number as usize).checked_sub(1).and_then(|place| tasks.get(place));
    found.ok_or_else(|| {
        let message = match tasks.len() {
            0 => format!("incident {short} has no tasks: they are set when it is resolved"),
            count => format!("there is no task {number} in incident {short}: they go from 1 to {count}"),
        };
        Error::new(Kind::Usage, message).hint(format!("opsctl incident show {short}"))
    })
}
