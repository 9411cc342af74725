//! A step that was started and that nobody knows the end of: how it is settled before the run goes on.
//!
//! Nothing is guessed. One that was seen to take effect only has its expectations looked at again. One that its host has a
//! receipt of is followed, or was never begun (see [`trail`](super::trail)). Where that trail is lost, a step that may be repeated is
//! repeated, once its host can be reached; `done_when` decides where there is one; else a person does. None of it is a retry, but
//! there is an end to it: a step whose end was lost in front of a watching process as often as it may be tried, at least twice,
//! has failed.

use super::decide::{Question, Stand, View, observe, unreachable};
use super::event::{Evidence, Finding, Phase};
use super::known::{Answer, At};
use super::state::{StepState, Tries};
use super::trail::Trail;
use crate::model::plan::{PlannedStep, Task};
use crate::model::runbook::OnInterrupted;

impl View<'_> {
    pub(super) fn settle(self, step: &PlannedStep, state: &StepState) -> Stand {
        if state.took_effect {
            return self.confirm(step, state, Evidence::Expect);
        }
        let why = match self.trail(step, state) {
            Ok(Trail::Lost { why }) => why,
            Ok(Trail::Unbegun) => return again(step, state, Evidence::Receipt),
            Err(stand) => return stand,
        };
        match step.on_interrupted {
            OnInterrupted::Rerun => match self.reach(step, &step.task) {
                Ok(()) => again(step, state, Evidence::Repeatable),
                Err(stand) => stand,
            },
            OnInterrupted::Probe if step.done_when.is_some() => self.probe(step, state, why),
            OnInterrupted::Probe | OnInterrupted::Ask => self.ask_whether_it_happened(step, state, why),
        }
    }

    fn probe(self, step: &PlannedStep, state: &StepState, why: Option<String>) -> Stand {
        match self.look(step, At::DoneWhen) {
            Ok(Answer::Holds) => self.confirm(step, state, Evidence::DoneWhen),
            Ok(Answer::Fails { .. }) => again(step, state, Evidence::DoneWhen),
            Ok(Answer::Unreachable { host, message }) => unreachable(host, message),
            Ok(_) => self.ask_whether_it_happened(step, state, why),
            Err(stand) => stand,
        }
    }

    /// It took effect, as `by` shows. Success means that it was checked as well.
    fn confirm(self, step: &PlannedStep, state: &StepState, by: Evidence) -> Stand {
        let found = |finding| observe(step, state.done.attempts, Phase::Do, finding, by);
        match self.look_at_expectations(step) {
            Ok(Answer::Holds) => found(Finding::Happened),
            Ok(Answer::Unreachable { host, message }) => unreachable(host, message),
            Ok(other) => {
                let why = other.why();
                let message = format!("it took effect, but what is expected does not hold: {why}");
                found(Finding::Failed { message })
            }
            Err(stand) => stand,
        }
    }

    /// Whether the host of a step's task, or of its undo, can be reached; one without a host needs none.
    pub(super) fn reach(self, step: &PlannedStep, task: &Task) -> Result<(), Stand> {
        if task.host.is_none() {
            return Ok(());
        }
        match self.look(step, At::Host)? {
            Answer::Unreachable { host, message } => Err(unreachable(host, message)),
            _ => Ok(()),
        }
    }

    /// `why`: what the host says about its end.
    fn ask_whether_it_happened(self, step: &PlannedStep, state: &StepState, why: Option<String>) -> Stand {
        let lost = state.message.as_deref().unwrap_or("its end was lost");
        let why = why.map_or_else(|| lost.to_owned(), |why| format!("{lost}; {why}"));
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
