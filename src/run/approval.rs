//! Whether what somebody approved may still be done: an approval stands on the containers that it was given for.
//!
//! The approval of the plan stands on those that the plan was made with. They are looked at before the first step begins and
//! again before the first that changes something. From there on the run itself changes them, and nobody could tell whose doing a
//! difference is. If they are otherwise, the plan was not approved for what is there now, and the run is abandoned.
//!
//! The approval of a step stands on the containers as they were when it was given, because earlier steps change them on purpose.
//! It holds until the step may have changed them itself. If they are otherwise, the step is asked about again.

use super::decide::{Decision, Question, Stand, View, unreachable};
use super::known::{Answer, At};
use super::state::{StepState, StepStatus};
use crate::model::plan::{Effect, PlannedStep};

impl View<'_> {
    /// What is in the way of a step that is about to begin; nothing when it is approved on what is there now, or needs no
    /// approval.
    pub(super) fn unapproved(self, step: &PlannedStep, state: &StepState) -> Option<Stand> {
        self.plan_lapsed(step).or_else(|| self.step_unapproved(step, state))
    }

    fn step_unapproved(self, step: &PlannedStep, state: &StepState) -> Option<Stand> {
        let question = step.approve.as_ref()?;
        let ask = |question: String| {
            if let Some(Some(blind @ Answer::Unreachable { .. })) = self.known.about(&step.key, At::Approval)
            {
                return Some(out_of_sight(step, blind.clone()));
            }
            Some(self.ask(Question::ApproveStep { step: step.key.clone(), question }))
        };
        let Some(by) = &state.approved_by else { return ask(question.clone()) };
        if state.approved_on.is_none() || state.may_have_changed {
            return None;
        }
        match self.look(step, At::Approval) {
            Ok(Answer::Holds) => None,
            Ok(Answer::Fails { saw }) => ask(format!("{question} (what {by} approved has lapsed: {saw})")),
            Ok(other) => Some(out_of_sight(step, other)),
            Err(stand) => Some(stand),
        }
    }

    fn plan_lapsed(self, step: &PlannedStep) -> Option<Stand> {
        let is_first = !self.state.steps.values().any(StepState::was_started);
        let is_due = step.task.effect > Effect::Reads || is_first;
        if !is_due || self.plan.basis.facts.containers.is_empty() || self.has_changed_something() {
            return None;
        }
        match self.look(step, At::Basis) {
            Ok(Answer::Holds) => None,
            Ok(Answer::Fails { saw }) => Some(Stand::Stop(Decision::Lapse { why: saw })),
            Ok(other) => Some(out_of_sight(step, other)),
            Err(stand) => Some(stand),
        }
    }

    /// Whether a changing step is under way, or may have had an effect.
    fn has_changed_something(self) -> bool {
        let changing = self.plan.steps.iter().filter(|step| step.task.effect > Effect::Reads);
        changing.filter_map(|step| self.state.step(&step.key)).any(|state| {
            state.may_have_changed || state.is_in_flight() || state.status == StepStatus::Unknown
        })
    }
}

/// Nothing is begun, and nobody is asked, as long as nobody can look.
fn out_of_sight(step: &PlannedStep, answer: Answer) -> Stand {
    match answer {
        Answer::Unreachable { host, message } => unreachable(host, message),
        other => unreachable(step.task.host.clone().unwrap_or_default(), other.why()),
    }
}
