//! What can be said about a run: the events that its journal is made of.
//!
//! Everything that is known about a run is a fold of these. They are the interface between the engine, which appends them,
//! and the screen, which shows them; what is only of passing interest (progress, lines of output) is not an event.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lease::Folder;
use super::receipt::Processes;
use crate::base::clock::Timestamp;
use crate::base::id::{RunId, StepKey};
use crate::model::plan::Digest;
use crate::model::snapshot::Snapshot;

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The version of this format.
    pub v: u32,
    /// The number of its line, from 1.
    pub seq: u64,
    /// The sha256 of the previous line without its newline; of the plan for the first.
    pub prev: Digest,
    pub at: Timestamp,
    /// One process's turn at the run, one more than the turn before. Zero before the first turn.
    pub epoch: u64,
    #[serde(flatten)]
    pub event: Event,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    RunCreated {
        run: RunId,
        plan: Digest,
        runbook: String,
        operator: String,
    },
    /// A process takes its turn. What it writes from here on carries its epoch.
    EpochStarted {
        operator: String,
        pid: u32,
    },
    LeaseTaken {
        host: String,
        fence: u64,
        /// Where the host keeps the receipts of this turn.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        folder: Option<Folder>,
    },
    LeaseReleased {
        host: String,
    },
    /// The host did not say that it took the lease back: it may still be locked for this run.
    LeaseKept {
        host: String,
    },
    /// Durable before the first byte goes to a host.
    StepStarted {
        step: StepKey,
        attempt: u32,
        phase: Phase,
    },
    StepFinished {
        step: StepKey,
        attempt: u32,
        phase: Phase,
        outcome: Outcome,
    },
    /// What was found out about a step without doing it: how one ended that nobody knew the end of, that a failed one is
    /// mended, or that one cannot be begun.
    StepObserved {
        step: StepKey,
        attempt: u32,
        phase: Phase,
        finding: Finding,
        by: Evidence,
    },
    /// The step was not needed: its condition is false, it had already happened, or nothing failed that it would mend.
    StepSkipped {
        step: StepKey,
        why: Skip,
    },
    /// What a person decided.
    Decision {
        by: String,
        choice: Choice,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// From here on the run goes back. `by` is a person, or the step whose `on_failure` says so.
    UndoRequested {
        by: String,
    },
    /// The run stops moving, and can be resumed.
    RunRested {
        rest: Rest,
    },
    RunEnded {
        end: End,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Do,
    Undo,
}

/// How one attempt ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Outcome {
    Succeeded {
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        outputs: BTreeMap<String, Value>,
        /// The sha256 of the output, kept as a blob beside the journal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        log: Option<Digest>,
        ms: u64,
    },
    Failed {
        message: String,
        /// Whether the world may have changed all the same. When in doubt: true.
        may_have_changed: bool,
        /// The host that could not be reached, where that is why. Then nothing came of the attempt.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unreachable: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        log: Option<Digest>,
        ms: u64,
    },
    /// Nobody knows how it ended: the connection was lost, the time ran out, or somebody pressed Ctrl-C.
    Unknown {
        message: String,
        /// It certainly took effect: only what is expected of it was not seen to hold.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        took_effect: bool,
        /// What became of its processes, where somebody ended them.
        #[serde(default, skip_serializing_if = "Processes::are_untouched")]
        processes: Processes,
        /// Of one that took effect.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        outputs: BTreeMap<String, Value>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        log: Option<Digest>,
        ms: u64,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Finding {
    /// It took effect, and what is expected of it holds: as good as succeeded.
    Happened,
    /// It certainly had no effect, or doing it again is the same as doing it once: it may be started again.
    MayRun,
    /// Its host has it, running or at its end: the same attempt is in flight again, and is followed to its end.
    Followed,
    /// It is as good as failed: it took effect but what is expected of it does not hold, it cannot be begun, or it was
    /// started again and again and nobody ever saw it end.
    Failed { message: String },
}

/// On what a finding stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Evidence {
    /// The step's `when`, which cannot be worked out.
    When,
    /// The step's `done_when`, and where that holds its `expect`.
    DoneWhen,
    /// The step's `expect`: it was seen to take effect before.
    Expect,
    /// The step may be repeated at will: it only reads, states a desired condition, or says `on_interrupted: rerun`.
    Repeatable,
    /// What the host keeps of the command: whether it ever began, and how it stands.
    Receipt,
    Person {
        by: String,
        reason: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Skip {
    /// Its `when` is false.
    Condition { text: String },
    /// Its `done_when` holds.
    AlreadyDone,
    /// The step that it would have mended did not fail.
    NotNeeded,
    /// Too many items of its group failed.
    TooManyFailures,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "choice", rename_all = "snake_case")]
pub enum Choice {
    /// The plan as a whole, before the first step.
    ApprovePlan { plan: Digest },
    ApproveStep {
        step: StepKey,
        /// The containers that the step is about, as they were when it was approved. Absent where it was approved with the
        /// plan, and then on what that stands on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        containers: Option<Snapshot>,
    },
    /// The step is not to be done: the run halts before it.
    DeclineStep { step: StepKey },
    /// Undo goes on to what lies before this irreversible step, which itself stays.
    UndoPast { step: StepKey },
    /// A run that rests goes on: the step that it halted at, or whose undo it is stuck at, is tried again.
    Resume,
    /// The run is left as it is, for good.
    Abandon,
}

/// Why a run rests, and what it waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "as", rename_all = "snake_case")]
pub enum Rest {
    /// A person has to approve the plan.
    WaitingForApproval,
    /// A person has to approve a step, to say whether one took effect, or whether to undo past it.
    WaitingForPerson { step: StepKey, question: String },
    /// A host does not answer. With the step that failed for it, if one did: a resumed run tries that one again.
    WaitingForHost {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<StepKey>,
        host: String,
        message: String,
    },
    /// A step failed, or was declined.
    Failed { step: StepKey, message: String },
    /// Ctrl-C.
    Cancelled { by: String },
    /// An undo failed.
    Stuck { step: StepKey, message: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    Succeeded,
    Undone,
    Abandoned,
}

impl Event {
    /// As the journal calls it.
    pub fn name(&self) -> &'static str {
        match self {
            Event::RunCreated { .. } => "run_created",
            Event::EpochStarted { .. } => "epoch_started",
            Event::LeaseTaken { .. } => "lease_taken",
            Event::LeaseReleased { .. } => "lease_released",
            Event::LeaseKept { .. } => "lease_kept",
            Event::StepStarted { .. } => "step_started",
            Event::StepFinished { .. } => "step_finished",
            Event::StepObserved { .. } => "step_observed",
            Event::StepSkipped { .. } => "step_skipped",
            Event::Decision { .. } => "decision",
            Event::UndoRequested { .. } => "undo_requested",
            Event::RunRested { .. } => "run_rested",
            Event::RunEnded { .. } => "run_ended",
        }
    }

    /// The step that it is about.
    pub fn step(&self) -> Option<&StepKey> {
        match self {
            Event::StepStarted { step, .. }
            | Event::StepFinished { step, .. }
            | Event::StepObserved { step, .. }
            | Event::StepSkipped { step, .. } => Some(step),
            Event::Decision { choice, .. } => match choice {
                Choice::ApproveStep { step, .. }
                | Choice::DeclineStep { step }
                | Choice::UndoPast { step } => Some(step),
                Choice::ApprovePlan { .. } | Choice::Resume | Choice::Abandon => None,
            },
            Event::RunCreated { .. }
            | Event::EpochStarted { .. }
            | Event::LeaseTaken { .. }
            | Event::LeaseReleased { .. }
            | Event::LeaseKept { .. }
            | Event::UndoRequested { .. }
            | Event::RunRested { .. }
            | Event::RunEnded { .. } => None,
        }
    }
}

impl Record {
    /// The version of the format that this opsctl writes, and the newest that it reads.
    pub const VERSION: u32 = 1;
}
