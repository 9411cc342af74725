//! Where a run stands: what its journal folds into.
//!
//! [`RunState`] is only ever changed by [`RunState::apply`] (in [`transition`](super::transition)), so that the same
//! records always give the same state: in a test, in `show`, and in `resume`.
//!
//! A step is [`Unknown`](StepStatus::Unknown) when it was started and nobody can tell whether it took effect. It is never
//! treated as failed: undo covers it, and only evidence or a person settles it. `may_have_changed` is what undo goes by: it
//! stays true through later attempts, whatever those did, until the step is undone.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value;

use super::event::{Phase, Rest, Skip};
use super::latest::Latest;
use super::lease::Folder;
use crate::base::clock::Timestamp;
use crate::base::id::{RunId, StepKey};
use crate::model::plan::{Digest, Plan, PlannedStep, PlannedUndo};
use crate::model::snapshot::Snapshot;

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
    /// The leases that were taken and not given back, by host.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub leases: BTreeMap<String, Held>,
    /// The hosts that did not take their lease back.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub kept: BTreeSet<String>,
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
    /// The containers that it was approved on, where it was not approved with the plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_on: Option<Snapshot>,
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
    pub(super) latest: Latest,
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

/// A lease, as the journal has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Held {
    pub fence: u64,
    /// The turn that took it. Of an earlier turn than the present one it is no more than a number that its host still keeps.
    pub epoch: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<Folder>,
}

/// The attempts at one phase of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Tries {
    /// All of them, ever: the number of the last one.
    pub attempts: u32,
    /// How many failed since the step last got a fresh set of attempts.
    pub failures: u32,
    /// How many ended in a way that nobody knows, in front of a process that was watching, since then. An attempt that died
    /// with its process does not count: that says nothing about the step. Nor does one that is followed.
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
    /// Of the step itself, and of its undo.
    pub hosts: [Option<String>; 2],
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
            kept: BTreeSet::new(),
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

    /// The hosts that are locked for this run, or may be.
    pub fn locked(&self) -> impl Iterator<Item = &String> {
        self.leases.keys().chain(&self.kept)
    }

    /// The hosts that were taken in this turn.
    pub fn held(&self) -> impl Iterator<Item = &str> {
        let is_ours = |held: &Held| held.epoch == self.epoch;
        self.leases.iter().filter(move |(_, held)| is_ours(held)).map(|(host, _)| host.as_str())
    }

    /// Where the host of a step keeps the receipts of this turn.
    pub(super) fn folder_of(&self, step: &StepKey, phase: Phase) -> Option<&Folder> {
        let [host, undo_host] = &self.steps.get(step)?.rules.hosts;
        let host = if phase == Phase::Do { host } else { undo_host };
        self.leases.get(host.as_deref()?)?.folder.as_ref()
    }

    /// Whether the receipt of the step's last attempt, if there is one, is where the host keeps those of this turn. An attempt
    /// without a lease left none.
    pub fn keeps_receipt_of(&self, step: &StepKey) -> bool {
        let Some(state) = self.steps.get(step) else { return false };
        let folder = self.folder_of(step, state.phase).map(|folder| folder.id.as_str());
        folder.is_some() && state.latest.folder.as_deref() == folder
    }

    /// The steps that undo has still to take back or to go past, the last started first. Those with nothing to take back
    /// are not among them: they keep their status.
    pub fn left_to_undo(&self) -> Vec<&StepKey> {
        self.way_back().filter(|(_, step)| step.is_left_to_undo()).map(|(key, _)| key).collect()
    }

    /// The steps that may have had an effect, the last started first: those that undo goes past are among them.
    pub(super) fn way_back(&self) -> impl Iterator<Item = (&StepKey, &StepState)> {
        let mut touched: Vec<_> = self.steps.iter().filter(|(_, step)| step.may_have_changed).collect();
        touched.sort_by_key(|(_, step)| std::cmp::Reverse(step.order));
        touched.into_iter()
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
            approved_on: None,
            declined_by: None,
            undo_past_by: None,
            order: None,
            started_at: None,
            ended_at: None,
            latest: Latest::default(),
            rules: Rules {
                needs_approval: step.approve.is_some(),
                undo: match step.undo {
                    PlannedUndo::None => UndoRule::Nothing,
                    PlannedUndo::Task(_) => UndoRule::Task,
                    PlannedUndo::Irreversible => UndoRule::Irreversible,
                },
                group: step.group.as_ref().map(|group| group.of.clone()),
                rescues: step.rescues.clone(),
                hosts: [step.task.host.clone(), step.undo.task().and_then(|undo| undo.host.clone())],
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

    /// Its number and what it was for; 0 before the first.
    pub fn last_attempt(&self) -> (u32, Phase) {
        (self.tries(self.phase).attempts, self.phase)
    }

    /// The first of the attempts up to the last one that followed each other without anybody seeing how they ended. To who is
    /// asked for the effect, all of them are one request.
    pub fn first_of_a_kind(&self) -> u32 {
        self.latest.first
    }

    /// Whether there may be something to take back, and it can be, or nobody has said that it may stay.
    pub(super) fn is_left_to_undo(&self) -> bool {
        self.may_have_changed
            && match self.rules.undo {
                UndoRule::Nothing => false,
                UndoRule::Task => true,
                UndoRule::Irreversible => self.undo_past_by.is_none(),
            }
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
