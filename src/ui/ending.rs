//! What became of a run and of each of its steps, as far as an end report tells it: read off the plan and the records.

use std::time::Duration;

use crate::base::clock::elapsed;
use crate::base::id::{RunId, StepKey};
use crate::model::plan::{Effect, Plan, PlannedStep, PlannedUndo, Task};
use crate::run::event::{End, Event, Finding, Outcome, Phase, Record, Rest, Skip};

#[derive(Debug, Clone, PartialEq)]
pub struct Ending<'a> {
    pub plan: &'a Plan,
    pub run: Option<RunId>,
    pub state: State,
    /// From the creation of the run to its last record: what the RTO is held against.
    pub took: Duration,
    /// Whether the run goes back: what was not begun will not be.
    pub is_going_back: bool,
    /// In the order of the plan.
    pub steps: Vec<Entry<'a>>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum State {
    Ended(End),
    Rests(Rest),
    /// The records stop in the middle.
    Interrupted,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Entry<'a> {
    pub step: &'a PlannedStep,
    pub fate: Fate,
    /// All attempts together.
    pub took: Duration,
    /// Whether it may have had an effect that has not been taken back.
    pub is_in_effect: bool,
    /// The same, before the attempt that was last started.
    was_in_effect: bool,
    /// What the last attempt that failed said, whatever came after.
    pub failure: Option<String>,
    /// The same of its undo.
    pub undo_failure: Option<String>,
    /// When it was last started, as a place in the journal: undo goes backwards in this order.
    started: Option<u64>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    Pending,
    /// Started, and nobody has said how it ended.
    Running,
    Succeeded,
    Failed,
    Unknown,
    Skipped(Skip),
    Undone,
    UndoFailed,
    /// Its undo was started, and nobody knows how that ended.
    UndoUnknown,
}

impl<'a> Ending<'a> {
    /// Records of steps that the plan does not have are passed over.
    pub fn of(plan: &'a Plan, records: &[Record]) -> Ending<'a> {
        let steps = plan.steps.iter().map(Entry::new).collect();
        let took = match (records.first(), records.last()) {
            (Some(first), Some(last)) => elapsed(first.at, last.at),
            _ => Duration::ZERO,
        };
        let mut ending =
            Ending { plan, run: None, state: State::Interrupted, took, is_going_back: false, steps };
        for record in records {
            ending.event(record);
        }
        ending
    }

    fn event(&mut self, record: &Record) {
        match &record.event {
            Event::RunCreated { run, .. } => self.run = Some(*run),
            Event::EpochStarted { .. } => self.state = State::Interrupted,
            Event::StepStarted { step, phase, .. } => {
                self.change(step, |entry| entry.start(*phase, record.seq))
            }
            Event::StepFinished { step, phase, outcome, .. } => {
                self.change(step, |entry| entry.finish(*phase, outcome));
            }
            Event::StepObserved { step, phase, finding, .. } => {
                self.change(step, |entry| entry.observe(*phase, finding));
            }
            Event::StepSkipped { step, why } => {
                self.change(step, |entry| entry.fate = Fate::Skipped(why.clone()));
            }
            Event::RunRested { rest } => self.state = State::Rests(rest.clone()),
            Event::RunEnded { end } => self.state = State::Ended(*end),
            Event::UndoRequested { .. } => self.is_going_back = true,
            Event::LeaseTaken { .. } | Event::LeaseReleased { .. } | Event::Decision { .. } => {}
        }
    }

    fn change(&mut self, key: &StepKey, change: impl FnOnce(&mut Entry<'a>)) {
        if let Some(entry) = self.steps.iter_mut().find(|entry| entry.step.key == *key) {
            change(entry);
        }
    }

    /// What is in effect and could still be taken back, in the order in which undo would do it.
    pub fn to_undo(&self) -> Vec<(&Entry<'a>, &'a Task)> {
        let undo = |entry: &'a PlannedStep| match &entry.undo {
            PlannedUndo::Task(task) => Some(task),
            PlannedUndo::None | PlannedUndo::Irreversible => None,
        };
        let in_effect = self.steps.iter().filter(|entry| entry.is_in_effect);
        let mut steps: Vec<_> = in_effect.filter_map(|entry| Some((entry, undo(entry.step)?))).collect();
        steps.sort_by_key(|(entry, _)| std::cmp::Reverse(entry.started));
        steps
    }
}

impl<'a> Entry<'a> {
    fn new(step: &'a PlannedStep) -> Entry<'a> {
        Entry {
            step,
            fate: Fate::Pending,
            took: Duration::ZERO,
            is_in_effect: false,
            was_in_effect: false,
            failure: None,
            undo_failure: None,
            started: None,
        }
    }

    fn changes(&self) -> bool {
        self.step.task.effect != Effect::Reads
    }

    fn start(&mut self, phase: Phase, seq: u64) {
        match phase {
            Phase::Do => {
                self.fate = Fate::Running;
                self.started = Some(seq);
                self.was_in_effect = self.is_in_effect;
                // Until somebody says otherwise.
                self.is_in_effect |= self.changes();
            }
            Phase::Undo => self.fate = Fate::UndoUnknown,
        }
    }

    fn finish(&mut self, phase: Phase, outcome: &Outcome) {
        let (ms, failure) = match outcome {
            Outcome::Succeeded { ms, .. } => (ms, None),
            Outcome::Failed { message, ms, .. } | Outcome::Unknown { message, ms } => (ms, Some(message)),
        };
        if phase == Phase::Do {
            self.took += Duration::from_millis(*ms);
        }
        let last = match phase {
            Phase::Do => &mut self.failure,
            Phase::Undo => &mut self.undo_failure,
        };
        *last = failure.cloned().or(last.take());
        self.fate = match (phase, outcome) {
            (Phase::Do, Outcome::Succeeded { .. }) => Fate::Succeeded,
            (Phase::Do, Outcome::Failed { .. }) => Fate::Failed,
            (Phase::Do, Outcome::Unknown { .. }) => Fate::Unknown,
            (Phase::Undo, Outcome::Succeeded { .. }) => Fate::Undone,
            (Phase::Undo, Outcome::Failed { .. }) => Fate::UndoFailed,
            (Phase::Undo, Outcome::Unknown { .. }) => Fate::UndoUnknown,
        };
        match (phase, outcome) {
            (Phase::Do, Outcome::Failed { may_have_changed: false, .. }) => {
                self.is_in_effect = self.was_in_effect;
            }
            (Phase::Undo, Outcome::Succeeded { .. }) => self.is_in_effect = false,
            _ => {}
        }
    }

    fn observe(&mut self, phase: Phase, finding: &Finding) {
        self.fate = match (phase, finding) {
            (Phase::Do, Finding::Happened) => Fate::Succeeded,
            (Phase::Do, Finding::MayRun) => Fate::Pending,
            (Phase::Undo, Finding::Happened) => Fate::Undone,
            (Phase::Undo, Finding::MayRun) => Fate::UndoUnknown,
        };
        if self.fate == Fate::Undone {
            self.is_in_effect = false;
        }
    }
}
