//! What a resumed run finds before it does anything: for every step that the last turn left open, what the journal says, what
//! the host says, and what will be done.
//!
//! What will be done is asked of the same functions that [`decide`](super::decide::decide) is made of, so that the two cannot
//! differ.

use serde::Serialize;

use super::decide::{Decision, Stand, View};
use super::event::{Evidence, Finding, Phase, Rest};
use super::known::{Answer, At, Known};
use super::receipt::Receipt;
use super::state::{Course, RunState, StepState, StepStatus};
use crate::base::id::StepKey;
use crate::model::plan::{Plan, PlannedStep};

/// A step that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Open {
    pub step: StepKey,
    pub attempt: u32,
    pub phase: Phase,
    pub journal: Written,
    /// Absent where no host was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<Said>,
    pub next: Next,
}

/// What the journal says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Written {
    /// It was started, and nobody wrote down its end.
    Started,
    /// It was seen to take effect; what is expected of it was not.
    TookEffect,
    Failed,
}

/// What its host says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Said {
    Unbegun,
    Running,
    Ended {
        status: i32,
    },
    Cut {
        why: String,
    },
    /// The host keeps nothing of it.
    Nothing,
    /// The host does not answer.
    Silent {
        why: String,
    },
}

/// What will be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Next {
    /// What came of it is taken down; it is not done again.
    Record,
    /// It is followed to its end.
    Follow,
    /// Its processes are ended.
    End,
    /// It had no effect, and is begun.
    Begin,
    /// It had no effect, so there is nothing to take back.
    Pass,
    /// It may be repeated, and is.
    Repeat,
    /// Its `done_when` says whether it happened.
    Probe,
    /// What is expected of it is looked at again.
    Confirm,
    /// A person has to say whether it happened.
    Ask,
    /// It is tried again.
    Retry,
    /// It is taken back.
    Undo,
    /// Nothing: the host does not answer, or the run is to rest.
    Wait,
}

impl RunState {
    /// The steps whose end nobody saw: their hosts are to be asked for receipts.
    pub fn in_doubt(&self) -> impl Iterator<Item = &StepKey> {
        let is_open = |step: &StepState| step.status == StepStatus::Unknown && !step.took_effect;
        self.steps.iter().filter(move |(_, step)| is_open(step)).map(|(key, _)| key)
    }
}

/// Every open step, in the plan's order. `answers`: what came of asking for the receipts.
/// `ends_what_was_left`: as in [`Known`].
pub fn outlook(
    plan: &Plan,
    state: &RunState,
    answers: &[(StepKey, Answer)],
    ends_what_was_left: bool,
) -> Vec<Open> {
    let mut known = Known::default();
    known.ends_what_was_left = ends_what_was_left;
    for (step, answer) in answers {
        known.answer(step, At::Receipt, answer.clone());
    }
    let view = View { plan, state, known: &known };
    let of = |step: &PlannedStep| {
        let seen = state.step(&step.key)?;
        let (attempt, phase) = seen.last_attempt();
        let answer = answers.iter().find(|(key, _)| *key == step.key).map(|(_, answer)| answer);
        let (journal, next) = match seen.status {
            StepStatus::Unknown if seen.took_effect => (Written::TookEffect, view.next(step, seen)),
            StepStatus::Unknown => (Written::Started, view.next(step, seen)),
            StepStatus::Failed if is_why_it_rests(state, &step.key) => (Written::Failed, Next::Retry),
            StepStatus::UndoFailed => (Written::Failed, Next::Retry),
            _ => return None,
        };
        let host = answer.and_then(said);
        Some(Open { step: step.key.clone(), attempt, phase, journal, host, next })
    };
    plan.steps.iter().filter_map(of).collect()
}

fn is_why_it_rests(state: &RunState, key: &StepKey) -> bool {
    match &state.rest {
        Some(Rest::Failed { step, .. } | Rest::WaitingForHost { step: Some(step), .. }) => step == key,
        _ => false,
    }
}

fn said(answer: &Answer) -> Option<Said> {
    Some(match answer {
        Answer::Receipt(Receipt::Unclaimed) => Said::Unbegun,
        Answer::Receipt(Receipt::Running) => Said::Running,
        Answer::Receipt(Receipt::Ended { status }) => Said::Ended { status: *status },
        Answer::Receipt(Receipt::Cut { why }) => Said::Cut { why: why.clone() },
        Answer::Receipt(Receipt::Unkept { .. }) => Said::Nothing,
        other => Said::Silent { why: other.clone().why() },
    })
}

impl View<'_> {
    fn next(self, step: &PlannedStep, state: &StepState) -> Next {
        let stand = match self.state.course {
            Course::Forward => self.settle(step, state),
            Course::Back => match self.quiet(step, state) {
                Stand::Done if state.is_left_to_undo() => self.undo(step, state),
                stand => stand,
            },
        };
        let decision = match stand {
            Stand::Act(decision) | Stand::Stop(decision) => decision,
            Stand::Done | Stand::Failed(_) | Stand::Busy => return Next::Pass,
        };
        match decision {
            Decision::Follow { .. } => match self.known.about(&step.key, At::Receipt) {
                Some(Some(Answer::Receipt(Receipt::Ended { .. }))) => Next::Record,
                _ if self.known.ends_what_was_left => Next::End,
                _ => Next::Follow,
            },
            // Nothing begins any more.
            _ if self.known.ends_what_was_left => Next::Wait,
            Decision::Observe { finding: Finding::MayRun, by: Evidence::Receipt, .. } => {
                if self.state.course == Course::Back { Next::Pass } else { Next::Begin }
            }
            Decision::Look { at: At::DoneWhen, .. } => Next::Probe,
            Decision::Look { at: At::Expect, .. } => Next::Confirm,
            Decision::Ask { .. } | Decision::Rest(Rest::WaitingForPerson { .. }) => Next::Ask,
            Decision::Rest(Rest::WaitingForHost { .. }) => Next::Wait,
            _ if self.state.course == Course::Back => Next::Undo,
            _ => Next::Repeat,
        }
    }
}
