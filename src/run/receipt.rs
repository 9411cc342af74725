//! What a host knows of a command that it was given: the proof of what a dispatch did.
//!
//! The host keeps a receipt under a key: a claim before the command begins, its output while it runs, its exit code at the end.
//! The same key never begins a second command.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::event::Phase;
use crate::base::id::{RunId, StepKey};

/// Under which a host is given a command, once.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReceiptKey {
    pub run: RunId,
    pub step: StepKey,
    pub attempt: u32,
    pub phase: Phase,
}

impl fmt::Display for ReceiptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ReceiptKey { run, step, attempt, phase } = self;
        write!(f, "{run}/{step}/{attempt}")?;
        if *phase == Phase::Undo { f.write_str("/undo") } else { Ok(()) }
    }
}

/// What was found under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt {
    /// The host keeps no receipt for such a thing, or has lost those that it kept: nothing follows from there being none.
    Unkept { why: String },
    /// The command never began, and never will: it was given by nobody, or under a fence that is older by now.
    Unclaimed,
    /// It began, and ended with this exit code.
    Ended { status: i32 },
    /// It began and still runs: its process group is alive.
    Running,
    /// It began, nothing of it runs any more, and it left no exit code: it was killed, or the host went down.
    Cut { why: String },
}

/// What is known of the processes of a command that was ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Processes {
    /// Nobody tried to end them.
    #[default]
    Untouched,
    /// The process group was ended, and is proved to be gone.
    Ended,
    /// It could not be proved that the process group is gone.
    Unproved,
}

impl Processes {
    pub(super) fn are_untouched(&self) -> bool {
        *self == Processes::Untouched
    }
}
