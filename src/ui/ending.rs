//! What an end report is made of: the state that the records fold into, and what the state forgets: how long each step took
//! in all, and what it failed with.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::clock::elapsed;
use crate::base::id::StepKey;
use crate::model::plan::{Effect, Plan, PlannedStep, PlannedUndo, Task};
use crate::run::event::{Event, Finding, Outcome, Phase, Record};
use crate::run::state::{RunState, StepState};

#[derive(Debug, Clone, PartialEq)]
pub struct Ending<'a> {
    pub plan: &'a Plan,
    pub state: RunState,
    /// From the creation of the run to its last record: what the RTO is held against.
    pub took: Duration,
    past: BTreeMap<StepKey, Past>,
}

/// What came before a step's last status.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Past {
    /// All attempts together, without the pauses between them.
    pub took: Duration,
    /// What the last attempt said, if it failed.
    pub failure: Option<String>,
}

/// One step: what the plan says of it, and what became of it.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    pub step: &'a PlannedStep,
    pub state: &'a StepState,
    pub past: &'a Past,
}

const NOTHING: &Past = &Past { took: Duration::ZERO, failure: None };

impl<'a> Ending<'a> {
    /// Of the records of a journal that was checked when it was read: what follows one that cannot be is passed over.
    pub fn of(plan: &'a Plan, records: &[Record]) -> Ending<'a> {
        let took = match (records.first(), records.last()) {
            (Some(first), Some(last)) => elapsed(first.at, last.at),
            _ => Duration::ZERO,
        };
        let mut ending = Ending { plan, state: RunState::new(plan), took, past: BTreeMap::new() };
        for record in records {
            if ending.state.apply(record).is_err() {
                break;
            }
            ending.remember(&record.event);
        }
        ending
    }

    fn remember(&mut self, event: &Event) {
        match event {
            Event::StepFinished { step, phase: Phase::Do, outcome, .. } => {
                let past = self.past.entry(step.clone()).or_default();
                let (ms, failure) = match outcome {
                    Outcome::Succeeded { ms, .. } => (ms, None),
                    Outcome::Failed { message, ms, .. } | Outcome::Unknown { message, ms, .. } => {
                        (ms, Some(message))
                    }
                };
                past.took += Duration::from_millis(*ms);
                past.failure = failure.cloned();
            }
            Event::StepObserved { step, phase: Phase::Do, finding, .. } => {
                let failure = match finding {
                    Finding::Failed { message } => Some(message.clone()),
                    Finding::Happened | Finding::MayRun | Finding::Followed => None,
                };
                self.past.entry(step.clone()).or_default().failure = failure;
            }
            _ => {}
        }
    }

    /// In the order of the plan.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.plan.steps.iter().filter_map(|step| self.entry(&step.key))
    }

    fn entry(&self, key: &StepKey) -> Option<Entry<'_>> {
        let (step, state) = (self.plan.step(key)?, self.state.step(key)?);
        Some(Entry { step, state, past: self.past.get(key).unwrap_or(NOTHING) })
    }

    /// What could still be taken back, in the order in which undo would do it.
    pub fn to_undo(&self) -> impl Iterator<Item = (&StepKey, &Task)> {
        let task = |key| match &self.plan.step(key)?.undo {
            PlannedUndo::Task(task) => Some((key, task.as_ref())),
            PlannedUndo::None | PlannedUndo::Irreversible => None,
        };
        self.state.left_to_undo().into_iter().filter_map(task)
    }
}

impl Entry<'_> {
    /// Whether the step changed something that has not been taken back, or may have.
    pub fn is_in_effect(self) -> bool {
        let is_in_flight = self.state.is_in_flight();
        self.step.task.effect != Effect::Reads && (self.state.may_have_changed || is_in_flight)
    }
}
