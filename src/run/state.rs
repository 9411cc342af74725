//! Where a run stands: what its journal folds into.
//!
//! [`RunState`] is only ever changed by [`RunState::apply`] (in [`transition`](super::transition)), so that the same
//! records always give the same state: in a test, in `show`, and in `resume`.
//!
//! A step is [`Unknown`](StepStatus::Unknown) when it was started and nobody can tell whether it took effect. It is never
//! treated as failed: undo covers it, and only evidence or a person settles it. `may_have_changed` is what undo goes by: it
//! stays true through later attempts, whatever those did, until the step is undone.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value;

use super::event::{Phase, Rest, Skip};
use crate::base::clock::Timestamp;
use crate::base::id::{RunId, StepKey};
use crate::model::plan::{Digest, Plan, PlannedStep, PlannedUndo};

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunState {
    /// Absent before the first record.
    pub run: Option<RunId>,
    pub plan: Option<Digest>,
    pub runbook: Option<String>,
    pub operator: Option<String>,
    pub status: Status,
    pub course: Course,
    /// Why it rests, while it rests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rest: Option<Rest>,
    pub epoch: u64,
    /// How many records there are: the `seq` of the last.
    pub records: u64,
    pub created_at: Option<Timestamp>,
    /// When the last record was made.
    pub changed_at: Option<Timestamp>,
    /// Who approved the plan as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// Who asked for the undo: a person, or the step whose `on_failure` says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo_requested_by: Option<String>,
    /// Who abandoned the run. It ends as its next record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abandoned_by: Option<String>,
    /// The fence of each lease that is held.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub leases: BTreeMap<String, u64>,
    /// In the plan's order.
    pub steps: IndexMap<StepKey, StepState>,
    #[serde(skip)]
    pub(super) starts: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// There is no record yet.
    Blank,
    /// No process has had a turn yet.
    Created,
    Running,
    Undoing,
    /// For a person or for a host.
    Waiting,
    /// A step failed, or somebody pressed Ctrl-C.
    Halted,
    /// An undo failed.
    Stuck,
    Succeeded,
    Undone,
    Abandoned,
}

impl Status {
    /// A process is at it, or died at it: when nobody holds the run's lock, it is interrupted.
    pub fn is_moving(self) -> bool {
        matches!(self, Status::Created | Status::Running | Status::Undoing)
    }

    /// It stands still until a person resumes it.
    pub fn is_resting(self) -> bool {
        matches!(self, Status::Waiting | Status::Halted | Status::Stuck)
    }

    /// Nothing more happens to it, except that a succeeded run may still be undone.
    pub fn is_final(self) -> bool {
        matches!(self, Status::Succeeded | Status::Undone | Status::Abandoned)
    }

    pub fn word(self) -> &'static str {
        match self {
            Status::Blank => "blank",
            Status::Created => "created",
            Status::Running => "running",
            Status::Undoing => "undoing",
            Status::Waiting => "waiting",
            Status::Halted => "halted",
            Status::Stuck => "stuck",
            Status::Succeeded => "succeeded",
            Status::Undone => "undone",
            Status::Abandoned => "abandoned",
        }
    }
}

/// Which way the run goes when it moves. It turns back once, and never forward again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Course {
    Forward,
    Back,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepState {
    pub status: StepStatus,
    /// What the status is about: for `Unknown`, which of the two nobody knows the end of.
    pub phase: Phase,
    #[serde(rename = "do")]
    pub done: Tries,
    pub undo: Tries,
    /// Whether there may be something in the world to take back.
    pub may_have_changed: bool,
    /// Whether the last attempt certainly took effect, although nobody saw its expectations hold.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub took_effect: bool,
    /// The host that the last attempt could not reach, where that is why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, Value>,
    /// What the last attempt that did not succeed said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The output of the last attempt that ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skip: Option<Skip>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declined_by: Option<String>,
    /// Who said that undo may go past it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undo_past_by: Option<String>,
    /// The place of its last start among all starts of the run: undo goes from the highest to the lowest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<u64>,
    /// When it was first started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it last came to an end: succeeded, failed, unknown, skipped, undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    #[serde(skip)]
    pub(super) rules: Rules,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    Pending,
    Running,
    Succeeded,
    Failed,
    Unknown,
    Skipped,
    Undoing,
    Undone,
    UndoFailed,
}

impl StepStatus {
    pub fn word(self) -> &'static str {
        match self {
            StepStatus::Pending => "pending",
            StepStatus::Running => "running",
            StepStatus::Succeeded => "succeeded",
            StepStatus::Failed => "failed",
            StepStatus::Unknown => "unknown",
            StepStatus::Skipped => "skipped",
            StepStatus::Undoing => "undoing",
            StepStatus::Undone => "undone",
            StepStatus::UndoFailed => "undo_failed",
        }
    }
}

/// The attempts at one phase of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Tries {
    /// All of them, ever: the number of the last one.
    pub attempts: u32,
    /// How many failed since the step last got a fresh set of attempts.
    pub failures: u32,
    /// How many ended in a way that nobody knows, in front of a process that was watching, since then. An attempt that died
    /// with its process does not count: that says nothing about the step.
    pub losses: u32,
}

impl Tries {
    pub(super) fn refresh(&mut self) {
        self.failures = 0;
        self.losses = 0;
    }
}

/// What the plan says about a step that its transitions depend on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rules {
    pub needs_approval: bool,
    pub undo: UndoRule,
    pub group: Option<StepKey>,
    pub rescues: Option<StepKey>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UndoRule {
    Nothing,
    Task,
    Irreversible,
}

impl RunState {
    /// The state before the first record.
    pub fn new(plan: &Plan) -> RunState {
        RunState {
            run: None,
            plan: None,
            runbook: None,
            operator: None,
            status: Status::Blank,
            course: Course::Forward,
            rest: None,
            epoch: 0,
            records: 0,
            created_at: None,
            changed_at: None,
            approved_by: None,
            undo_requested_by: None,
            abandoned_by: None,
            leases: BTreeMap::new(),
            steps: plan.steps.iter().map(|step| (step.key.clone(), StepState::new(step))).collect(),
            starts: 0,
        }
    }

    pub fn step(&self, key: &StepKey) -> Option<&StepState> {
        self.steps.get(key)
    }

    /// The steps that were started and have not ended, in this process or in one that died.
    pub fn in_flight(&self) -> impl Iterator<Item = &StepKey> {
        self.steps.iter().filter(|(_, step)| step.is_in_flight()).map(|(key, _)| key)
    }

    /// The outputs of the steps that gave any, by step.
    pub fn outputs(&self) -> impl Iterator<Item = (&StepKey, &BTreeMap<String, Value>)> {
        self.steps.iter().filter(|(_, step)| !step.outputs.is_empty()).map(|(key, step)| (key, &step.outputs))
    }

    /// The steps that undo has still to take back or to go past, the last started first. Those with nothing to take back
    /// are not among them: they keep their status.
    pub fn left_to_undo(&self) -> Vec<&StepKey> {
        let mut left: Vec<_> = self
            .steps
            .iter()
            .filter(|(_, step)| step.may_have_changed)
            .filter(|(_, step)| match step.rules.undo {
                UndoRule::Nothing => false,
                UndoRule::Task => true,
                UndoRule::Irreversible => step.undo_past_by.is_none(),
            })
            .collect();
        left.sort_by_key(|(_, step)| std::cmp::Reverse(step.order));
        left.into_iter().map(|(key, _)| key).collect()
    }
}

impl StepState {
    fn new(step: &PlannedStep) -> StepState {
        StepState {
            status: StepStatus::Pending,
            phase: Phase::Do,
            done: Tries::default(),
            undo: Tries::default(),
            may_have_changed: false,
            took_effect: false,
            unreachable: None,
            outputs: BTreeMap::new(),
            message: None,
            log: None,
            skip: None,
            approved_by: None,
            declined_by: None,
            undo_past_by: None,
            order: None,
            started_at: None,
            ended_at: None,
            rules: Rules {
                needs_approval: step.approve.is_some(),
                undo: match step.undo {
                    PlannedUndo::None => UndoRule::Nothing,
                    PlannedUndo::Task(_) => UndoRule::Task,
                    PlannedUndo::Irreversible => UndoRule::Irreversible,
                },
                group: step.group.as_ref().map(|group| group.of.clone()),
                rescues: step.rescues.clone(),
            },
        }
    }

    /// Whether it was ever started. A step can fail without: when its condition cannot be worked out, for instance.
    pub fn was_started(&self) -> bool {
        self.order.is_some()
    }

    pub fn is_in_flight(&self) -> bool {
        matches!(self.status, StepStatus::Running | StepStatus::Undoing)
    }

    pub(super) fn tries(&self, phase: Phase) -> Tries {
        match phase {
            Phase::Do => self.done,
            Phase::Undo => self.undo,
        }
    }

    pub(super) fn tries_mut(&mut self, phase: Phase) -> &mut Tries {
        match phase {
            Phase::Do => &mut self.done,
            Phase::Undo => &mut self.undo,
        }
    }
}
