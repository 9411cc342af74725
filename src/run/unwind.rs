//! The way back: every step that may have had an effect is undone, the last started first, one at a time.
//!
//! A step with nothing to take back keeps its status and is passed. An undo may be repeated by contract, so one that nobody
//! knows the end of is started again; one that failed makes the run stuck. Nothing is undone past a host that cannot be reached,
//! nor past a step that is irreversible, unless a person says so.

use super::decide::{Decision, Question, Stand, View, observe, start, unreachable};
use super::event::{End, Evidence, Finding, Phase, Rest};
use super::settle::lost_too_often;
use super::state::{StepState, StepStatus};
use crate::base::id::StepKey;
use crate::model::plan::{PlannedStep, PlannedUndo};

impl View<'_> {
    pub(super) fn back(self) -> Decision {
        let next = self.state.left_to_undo().into_iter().next();
        let Some((step, state)) = next.and_then(|key| self.step(key)) else {
            return Decision::End(End::Undone);
        };
        self.conclude(self.undo(step, state), End::Undone)
    }

    fn step(&self, key: &StepKey) -> Option<(&PlannedStep, &StepState)> {
        Some((self.plan.step(key)?, self.state.step(key)?))
    }

    fn undo(self, step: &PlannedStep, state: &StepState) -> Stand {
        if step.undo == PlannedUndo::Irreversible {
            let question =
                format!("`{}` cannot be taken back: undo what was done before it all the same?", step.key);
            return self.ask(Question::UndoPast { step: step.key.clone(), question });
        }
        match state.status {
            StepStatus::Undoing => Stand::Busy,
            StepStatus::UndoFailed if state.undo.failures > 0 => {
                let message = state.message.clone().unwrap_or_default();
                match state.unreachable.clone() {
                    Some(host) => unreachable(host, message),
                    None => Stand::Stop(Decision::Rest(Rest::Stuck { step: step.key.clone(), message })),
                }
            }
            StepStatus::Unknown if state.phase == Phase::Undo => match lost_too_often(step, state.undo) {
                Some(message) => observe(
                    step,
                    state.undo.attempts,
                    Phase::Undo,
                    Finding::Failed { message },
                    Evidence::Repeatable,
                ),
                None => self.start_undo(step, state),
            },
            _ => self.start_undo(step, state),
        }
    }

    fn start_undo(self, step: &PlannedStep, state: &StepState) -> Stand {
        match self.reach(step) {
            Ok(()) => start(step, state, Phase::Undo),
            Err(stand) => stand,
        }
    }
}
