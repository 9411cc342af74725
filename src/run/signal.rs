//! What the engine tells the screen while a run moves: every record as it becomes durable, and what passes in between.

use super::event::{Phase, Record};
use super::outlook::Open;
use crate::base::amount::Span;
use crate::base::id::{RunId, StepKey};
use crate::model::drift::Drift;

#[derive(Debug, Clone, PartialEq)]
pub enum Signal {
    /// Before the first record: which run this is.
    Opened { run: RunId },
    /// A record is durable.
    Recorded(Record),
    /// What the turn before left open, and what will be done about it. Before anything is.
    Outlook(Vec<Open>),
    /// A line that a command wrote.
    Output { step: StepKey, phase: Phase, stream: Stream, line: String },
    /// A check was tried: what it saw, and how far it is.
    Checked { step: StepKey, check: String, holds: bool, saw: String, streak: u32, needed: u32 },
    /// What was approved is not what is there now: the approval of the step, or of the plan, has lapsed.
    Lapsed { step: Option<StepKey>, drift: Drift },
    /// The run waits for something that is not a step: a connection, a lock, the pause before another attempt.
    Waiting { what: String, at_most: Option<Span> },
    /// Something went wrong that a person should know of, and that changes nothing about the run.
    Warned { what: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    Out,
    Err,
}
