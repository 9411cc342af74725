//! A step that was started and that nobody knows the end of: how it is settled before the run goes on.
//!
//! Nothing is guessed. One that was seen to take effect only has its expectations looked at again. A step that may be repeated is repeated, once its host can be reached; `done_when` decides where
//! there is one; else a person does. None of it is a retry, but there is an end to it: a step whose end was lost in front of a
//! watching process as often as it may be tried, at least twice, has failed.

use super::decide::{Question, Stand, View, observe, unreachable};
use super::event::{Evidence, Finding, Phase};
use super::known::{Answer, At};
use super::state::{StepState, Tries};
use crate::model::plan::PlannedStep;
use crate::model::runbook::OnInterrupted;

impl View<'_> {
    pub(super) fn settle(self, step: &PlannedStep, state: &StepState) -> Stand {
        if state.took_effect {
            return self.confirm(step, state, Evidence::Expect);
        }
        match step.on_interrupted {
            OnInterrupted::Rerun => match self.reach(step) {
                Ok(()) => again(step, state, Evidence::Repeatable),
                Err(stand) => stand,
            },
            OnInterrupted::Probe if step.done_when.is_some() => self.probe(step, state),
            OnInterrupted::Probe | OnInterrupted::Ask => self.ask_whether_it_happened(step, state),
        }
    }

    fn probe(self, step: &PlannedStep, state: &StepState) -> Stand {
        match self.look(step, At::DoneWhen) {
            Ok(Answer::Holds) => self.confirm(step, state, Evidence::DoneWhen),
            Ok(Answer::Fails { .. }) => again(step, state, Evidence::DoneWhen),
            Ok(Answer::Unreachable { host, message }) => unreachable(host, message),
            Ok(Answer::Broken { .. }) => self.ask_whether_it_happened(step, state),
            Err(stand) => stand,
        }
    }

    /// It took effect, as `by` shows. Success means that it was checked as well.
    fn confirm(self, step: &PlannedStep, state: &StepState, by: Evidence) -> Stand {
        let found = |finding| observe(step, state.done.attempts, Phase::Do, finding, by);
        match self.look_at_expectations(step) {
            Ok(Answer::Holds) => found(Finding::Happened),
            Ok(Answer::Fails { saw: why } | Answer::Broken { message: why }) => found(Finding::Failed {
                message: format!("it took effect, but what is expected does not hold: {why}"),
            }),
            Ok(Answer::Unreachable { host, message }) => unreachable(host, message),
            Err(stand) => stand,
        }
    }

    /// Whether the step's host can be reached; a step without one needs none.
    pub(super) fn reach(self, step: &PlannedStep) -> Result<(), Stand> {
        if step.task.host.is_none() {
            return Ok(());
        }
        match self.look(step, At::Host)? {
            Answer::Unreachable { host, message } => Err(unreachable(host, message)),
            Answer::Holds | Answer::Fails { .. } | Answer::Broken { .. } => Ok(()),
        }
    }

    fn ask_whether_it_happened(self, step: &PlannedStep, state: &StepState) -> Stand {
        let why = state.message.as_deref().unwrap_or("its end was lost");
        let question = format!("did attempt {} of `{}` take effect? {why}", state.done.attempts, step.key);
        self.ask(Question::Settle { step: step.key.clone(), attempt: state.done.attempts, question })
    }
}

fn again(step: &PlannedStep, state: &StepState, by: Evidence) -> Stand {
    let finding = match lost_too_often(step, state.done) {
        Some(message) => Finding::Failed { message },
        None => Finding::MayRun,
    };
    observe(step, state.done.attempts, Phase::Do, finding, by)
}

pub(super) fn lost_too_often(step: &PlannedStep, tries: Tries) -> Option<String> {
    let most = step.retry.as_ref().map_or(0, |retry| retry.attempts).max(2);
    (tries.losses >= most).then(|| format!("nobody saw the end of any of {} attempts", tries.losses))
}
