//! The way back: every step that may have had an effect is undone, the last started first, one at a time.
//!
//! A step with nothing to take back keeps its status and is passed. One that may still run is quiet first: it is followed to its
//! end, and where it never began there is nothing to take back. That goes for steps without an undo too, because what
//! was done before them is taken back under them. An undo may be repeated by contract, so one that nobody knows the end of and
//! that cannot be followed is started again; one that failed makes the run stuck. Nothing is undone past a host that cannot be
//! reached, nor past a step that is irreversible, unless a person says so.

use super::decide::{Decision, Question, Stand, View, first_open, observe, start, unreachable};
use super::event::{End, Evidence, Finding, Phase, Rest};
use super::settle::lost_too_often;
use super::state::{StepState, StepStatus};
use super::trail::Trail;
use crate::model::plan::{PlannedStep, PlannedUndo, Task};

impl View<'_> {
    pub(super) fn back(self) -> Decision {
        let steps = self.state.way_back().filter_map(|(key, state)| Some((self.plan.step(key)?, state)));
        let whole = first_open(steps.map(|(step, state)| match self.quiet(step, state) {
            Stand::Done if state.is_left_to_undo() => match self.siblings_are_quiet(step) {
                Stand::Done => self.undo(step, state),
                stand => stand,
            },
            stand => stand,
        }));
        self.conclude(whole, End::Undone)
    }

    /// Whether nothing runs any more of the items that went side by side with this one: which of them really began last, their records
    /// do not say.
    fn siblings_are_quiet(self, step: &PlannedStep) -> Stand {
        let Some(group) = &step.group else { return Stand::Done };
        let items = self.plan.steps.iter();
        let items = items.filter(|other| other.group.as_ref().is_some_and(|theirs| theirs.of == group.of));
        first_open(items.filter_map(|other| Some(self.quiet(other, self.state.step(&other.key)?))))
    }

    /// Whether nothing of the step itself runs any more, as far as anybody can tell.
    pub(super) fn quiet(self, step: &PlannedStep, state: &StepState) -> Stand {
        match state.status {
            StepStatus::Running => Stand::Busy,
            StepStatus::Unknown if state.phase == Phase::Do && !state.took_effect => {
                match self.trail(step, state) {
                    Ok(Trail::Lost { .. }) => Stand::Done,
                    Ok(Trail::Unbegun) => {
                        let attempt = state.done.attempts;
                        observe(step, attempt, Phase::Do, Finding::MayRun, Evidence::Receipt)
                    }
                    Err(stand) => stand,
                }
            }
            _ => Stand::Done,
        }
    }

    pub(super) fn undo(self, step: &PlannedStep, state: &StepState) -> Stand {
        let PlannedUndo::Task(undo) = &step.undo else {
            let question =
                format!("`{}` cannot be taken back: undo what was done before it all the same?", step.key);
            return self.ask(Question::UndoPast { step: step.key.clone(), question });
        };
        match state.status {
            StepStatus::Undoing => Stand::Busy,
            StepStatus::UndoFailed if state.undo.failures > 0 => {
                let message = state.message.clone().unwrap_or_default();
                match state.unreachable.clone() {
                    Some(host) => unreachable(host, message),
                    None => Stand::Stop(Decision::Rest(Rest::Stuck { step: step.key.clone(), message })),
                }
            }
            StepStatus::Unknown if state.phase == Phase::Undo => match self.trail(step, state) {
                Ok(Trail::Lost { .. } | Trail::Unbegun) => self.undo_again(step, undo, state),
                Err(stand) => stand,
            },
            _ => self.start_undo(step, undo, state),
        }
    }

    fn undo_again(self, step: &PlannedStep, undo: &Task, state: &StepState) -> Stand {
        let attempt = state.undo.attempts;
        match lost_too_often(step, state.undo) {
            Some(message) => {
                observe(step, attempt, Phase::Undo, Finding::Failed { message }, Evidence::Repeatable)
            }
            None => self.start_undo(step, undo, state),
        }
    }

    fn start_undo(self, step: &PlannedStep, undo: &Task, state: &StepState) -> Stand {
        match self.reach(step, undo) {
            Ok(()) => start(step, state, Phase::Undo),
            Err(stand) => stand,
        }
    }
}
