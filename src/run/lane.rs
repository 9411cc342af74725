//! One step on the way forward: what it needs next.
//!
//! A step that is not needed is skipped: its condition is false, or `done_when` and what is expected hold already. One that
//! failed is tried again as often as its `retry` says, with a pause; then what would mend it is run and it is tried once more;
//! then it has failed for good. After a person resumed, it has a fresh set of attempts, unless it turns out to be mended.

use std::time::Duration;

use super::decide::{Decision, Stand, View, first_open, observe, start, unreachable};
use super::event::{Evidence, Finding, Phase, Rest, Skip};
use super::known::{Answer, At};
use super::layout::Lane;
use super::state::{StepState, StepStatus};
use crate::base::amount::Span;
use crate::model::plan::{PlannedFailure, PlannedStep, When};
use crate::model::runbook::Retry;

impl<'a> View<'a> {
    pub(super) fn lane(self, lane: &Lane<'a>) -> Stand {
        let step = lane.step;
        let Some(state) = self.state.step(&step.key) else { return Stand::Done };
        match state.status {
            StepStatus::Running | StepStatus::Undoing => Stand::Busy,
            StepStatus::Succeeded | StepStatus::Skipped => self.not_needed(lane),
            StepStatus::Unknown => self.settle(step, state),
            StepStatus::Pending => self.begin(step, state),
            StepStatus::Failed => self.failed(lane, state),
            // Only an undo leaves these behind, and after an undo nothing goes forward.
            StepStatus::Undone | StepStatus::UndoFailed => Stand::Done,
        }
    }

    /// Passes over the steps that would have mended a step.
    fn not_needed(self, lane: &Lane<'a>) -> Stand {
        let mends = lane.rescue.iter().flat_map(|block| &block.lanes);
        first_open(mends.map(|lane| self.pass_over(lane)))
    }

    pub(super) fn pass_over(self, lane: &Lane<'a>) -> Stand {
        let step = lane.step;
        let Some(state) = self.state.step(&step.key) else { return Stand::Done };
        match state.status {
            StepStatus::Pending => {
                Stand::Act(Decision::Skip { step: step.key.clone(), why: Skip::NotNeeded })
            }
            StepStatus::Running | StepStatus::Undoing => Stand::Busy,
            StepStatus::Unknown => self.settle(step, state),
            _ => self.not_needed(lane),
        }
    }

    /// The next attempt, and what comes before it. A step that failed before it was ever started is looked at like a new one.
    fn begin(self, step: &PlannedStep, state: &StepState) -> Stand {
        if let Some(by) = &state.declined_by {
            let message = format!("declined by {by}");
            return Stand::Stop(Decision::Rest(Rest::Failed { step: step.key.clone(), message }));
        }
        if !state.was_started()
            && let Some(stand) = self.needless(step, state)
        {
            return stand;
        }
        self.unapproved(step, state).unwrap_or_else(|| start(step, state, Phase::Do))
    }

    /// Whether a step that was never tried need not be: its condition is false, or it has happened already.
    fn needless(self, step: &PlannedStep, state: &StepState) -> Option<Stand> {
        let skip = |why| Some(Stand::Act(Decision::Skip { step: step.key.clone(), why }));
        let fail = |message, by| {
            Some(observe(step, state.done.attempts + 1, Phase::Do, Finding::Failed { message }, by))
        };
        match &step.when {
            None | Some(When::Fixed { holds: true, .. }) => {}
            Some(When::Fixed { holds: false, text }) => {
                return skip(Skip::Condition { text: text.clone() });
            }
            Some(When::Deferred { text, .. }) => match self.look(step, At::When) {
                Ok(Answer::Holds) => {}
                Ok(Answer::Fails { .. }) => return skip(Skip::Condition { text: text.clone() }),
                Ok(Answer::Unreachable { host, message }) => return Some(unreachable(host, message)),
                Ok(other) => {
                    return fail(format!("`when` cannot be worked out: {}", other.why()), Evidence::When);
                }
                Err(stand) => return Some(stand),
            },
        }
        step.done_when.as_ref()?;
        match self.look(step, At::DoneWhen) {
            Ok(Answer::Holds) => {}
            Ok(Answer::Fails { .. }) => return None,
            Ok(Answer::Unreachable { host, message }) => return Some(unreachable(host, message)),
            Ok(other) => {
                let why = other.why();
                return fail(format!("`done_when` cannot be worked out: {why}"), Evidence::DoneWhen);
            }
            Err(stand) => return Some(stand),
        }
        // What has already happened is not done again, but success means that it was checked.
        match self.look_at_expectations(step) {
            Ok(Answer::Holds) => skip(Skip::AlreadyDone),
            Ok(Answer::Unreachable { host, message }) => Some(unreachable(host, message)),
            Ok(other) => {
                let why = other.why();
                fail(format!("`done_when` holds, but what is expected does not: {why}"), Evidence::DoneWhen)
            }
            Err(stand) => Some(stand),
        }
    }

    fn failed(self, lane: &Lane<'a>, state: &StepState) -> Stand {
        let step = lane.step;
        let attempts = step.retry.as_ref().map_or(1, |retry| retry.attempts.max(1));
        let failures = state.done.failures;
        if failures == 0 {
            // A person resumed. Perhaps it was mended by hand.
            return self.mended(step, state).unwrap_or_else(|| self.begin(step, state));
        }
        if failures < attempts {
            let time = step.retry.as_ref().map_or(Span::default(), |retry| pause(retry, failures));
            return match self.known.about(&step.key, At::Pause) {
                None if time == Span::default() => self.begin(step, state),
                None => Stand::Act(Decision::Pause { step: step.key.clone(), time }),
                Some(None) => Stand::Busy,
                Some(Some(_)) => self.begin(step, state),
            };
        }
        if step.on_failure == PlannedFailure::Rescue && failures == attempts {
            return match self.sequence(&lane.rescue) {
                Stand::Done | Stand::Failed(_) => self.begin(step, state),
                open => open,
            };
        }
        match self.not_needed(lane) {
            Stand::Done => Stand::Failed(step.key.clone()),
            open => open,
        }
    }

    fn mended(self, step: &PlannedStep, state: &StepState) -> Option<Stand> {
        step.done_when.as_ref().filter(|_| state.was_started())?;
        let answer = self.look(step, At::DoneWhen).and_then(|answer| match answer {
            Answer::Holds => self.look_at_expectations(step),
            other => Ok(other),
        });
        match answer {
            Ok(Answer::Holds) => {
                Some(observe(step, state.done.attempts, Phase::Do, Finding::Happened, Evidence::DoneWhen))
            }
            Ok(Answer::Unreachable { host, message }) => Some(unreachable(host, message)),
            Ok(_) => None,
            Err(stand) => Some(stand),
        }
    }
}

/// The wait after so many failures, the first of which is 1.
fn pause(retry: &Retry, failures: u32) -> Span {
    let factor = retry.backoff.powi(failures.saturating_sub(1).min(1_000) as i32);
    let seconds = retry.delay.0.as_secs_f64() * factor;
    let longest = retry.max_delay.0;
    // Too long for a duration, negative, or no number at all: the longest.
    Span(Duration::try_from_secs_f64(seconds).map_or(longest, |time| time.min(longest)))
}
