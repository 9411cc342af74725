//! What is to be done next. One pure function drives a fresh run, a resumed one and an undo alike.
//!
//! The engine calls [`decide`], performs what it says, appends what came of it and folds that; then it calls again. It keeps
//! nothing in mind besides the state and what is [`Known`], so that it does not matter whether it was the same process all
//! along.
//!
//! Steps follow the plan's order, one block after the other (see [`Layout`]). Of a group up to `parallel` items are under
//! way at once. When more than `max_failures` of them have failed for good, the items not begun are skipped, those begun come
//! to their end, and the group's failure leads to what the first of the failed says whose `on_failure` is not `continue`. Up to
//! `max_failures`, and where all say `continue`, the run goes on and may still succeed: the failed steps stay failed, and are
//! shown as such.

use super::event::{End, Evidence, Finding, Phase, Rest, Skip};
use super::known::{Answer, At, Known};
use super::layout::{Block, Layout};
use super::state::{Course, RunState, Status, StepState, StepStatus, Tries};
use crate::base::amount::Span;
use crate::base::id::StepKey;
use crate::model::plan::{Plan, PlannedFailure, PlannedStep};
use crate::model::runbook::Risk;

#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Append `step_started`, then do it (or its undo), then append `step_finished`. Others may be under way meanwhile.
    Start { step: StepKey, attempt: u32, phase: Phase },
    /// Append `step_observed` that it is followed, then perform it under the same key, which attaches to what runs or gives
    /// what came of it; then append `step_finished`.
    Follow { step: StepKey, attempt: u32, phase: Phase },
    /// Find this out, and put the answer into [`Known`].
    Look { step: StepKey, at: At },
    /// Let this time pass, then answer [`At::Pause`] with [`Answer::Holds`].
    Pause { step: StepKey, time: Span },
    /// Append `step_skipped`.
    Skip { step: StepKey, why: Skip },
    /// Append `step_observed`.
    Observe { step: StepKey, attempt: u32, phase: Phase, finding: Finding, by: Evidence },
    /// Ask the person at the terminal, and append what is said. Only when [`Known::is_attended`].
    Ask { about: Question },
    /// What the approval of the plan stands on is otherwise by now, and nothing was changed yet: append `abandon`, and let the
    /// person approve another plan.
    Lapse { why: String },
    /// A step failed whose `on_failure` is `undo`: append `undo_requested` by it.
    TurnBack { because: StepKey },
    /// Append `run_rested`. Nothing is in flight, and what was looked for is of no interest any more.
    Rest(Rest),
    /// Append `run_ended`.
    End(End),
    /// Steps are under way, or answers are awaited: go on when one of them comes.
    Wait,
    /// The run rests or has ended, or nobody has taken a turn at it yet. A person moves it on: by `resume`, or by asking for
    /// the undo.
    Nothing,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Whether the plan as a whole is to be done. Answered by `approve_plan` or `abandon`.
    ApprovePlan,
    /// Answered by `approve_step` or `decline_step`.
    ApproveStep { step: StepKey, question: String },
    /// Whether it took effect. Answered by `step_observed`.
    Settle { step: StepKey, attempt: u32, question: String },
    /// Answered by `undo_past`, or by resting with that question.
    UndoPast { step: StepKey, question: String },
}

pub fn decide(plan: &Plan, state: &RunState, known: &Known) -> Decision {
    let view = View { plan, state, known };
    match state.status {
        Status::Blank | Status::Succeeded | Status::Undone | Status::Abandoned => Decision::Nothing,
        _ if state.abandoned_by.is_some() => Decision::End(End::Abandoned),
        Status::Created | Status::Waiting | Status::Halted | Status::Stuck => Decision::Nothing,
        Status::Running | Status::Undoing => view.heed_cancel(match state.course {
            Course::Forward => view.forward(),
            Course::Back => view.back(),
        }),
    }
}

/// How a part of the plan stands.
#[derive(Debug)]
pub(super) enum Stand {
    /// Settled: what follows may begin.
    Done,
    /// Failed for good. Its `on_failure` says what that means.
    Failed(StepKey),
    /// There is something to do.
    Act(Decision),
    /// Under way.
    Busy,
    /// Nothing more may begin; the run rests or turns back as soon as nothing is in flight.
    Stop(Decision),
}

/// What `decide` looks at.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub plan: &'a Plan,
    pub state: &'a RunState,
    pub known: &'a Known,
}

impl<'a> View<'a> {
    /// After Ctrl-C nothing begins any more. What is in flight is waited for, and what it leads to is said.
    fn heed_cancel(self, decision: Decision) -> Decision {
        let Some(by) = &self.known.cancelled_by else { return decision };
        match decision {
            Decision::Rest(_) | Decision::End(_) => decision,
            Decision::Follow { .. } | Decision::Look { at: At::Receipt, .. } | Decision::Wait
                if self.known.ends_what_was_left =>
            {
                decision
            }
            _ if self.state.in_flight().next().is_some() => Decision::Wait,
            _ => Decision::Rest(Rest::Cancelled { by: by.clone() }),
        }
    }

    fn forward(self) -> Decision {
        if self.plan.risk != Risk::ReadOnly && self.state.approved_by.is_none() {
            return self.conclude(self.ask(Question::ApprovePlan), End::Succeeded);
        }
        let layout = Layout::of(self.plan);
        let stand = self.sequence(&layout.blocks);
        let stand = match stand {
            Stand::Done => first_open(layout.orphans.iter().map(|lane| self.pass_over(lane))),
            open => open,
        };
        self.conclude(stand, End::Succeeded)
    }

    /// What is to be done when the whole stands so.
    pub(super) fn conclude(self, whole: Stand, end: End) -> Decision {
        match whole {
            Stand::Done | Stand::Failed(_) => Decision::End(end),
            Stand::Act(decision) => decision,
            Stand::Busy => Decision::Wait,
            Stand::Stop(_) if self.state.in_flight().next().is_some() => Decision::Wait,
            Stand::Stop(decision) => decision,
        }
    }

    pub(super) fn sequence(self, blocks: &[Block<'a>]) -> Stand {
        first_open(blocks.iter().map(|block| self.block(block)))
    }

    fn block(self, block: &Block<'a>) -> Stand {
        let stands: Vec<_> = block.lanes.iter().map(|lane| self.lane(lane)).collect();
        let failed: Vec<_> = stands
            .iter()
            .filter_map(|stand| match stand {
                Stand::Failed(step) => Some(step.clone()),
                _ => None,
            })
            .collect();
        let has_failed = failed.len() > block.max_failures;
        let busy = stands.iter().filter(|stand| matches!(stand, Stand::Busy)).count();
        let mut free = block.parallel.saturating_sub(busy);

        // What has begun comes to its end before anything else begins.
        let lanes = block.lanes.iter().map(|lane| (lane, self.has_begun(lane.step))).zip(stands);
        let (begun, fresh): (Vec<_>, Vec<_>) = lanes.partition(|((_, has_begun), _)| *has_begun);
        let mut act = None;
        for ((lane, has_begun), stand) in begun.into_iter().chain(fresh) {
            match stand {
                Stand::Done | Stand::Failed(_) | Stand::Busy => {}
                Stand::Stop(_) if has_begun => return stand,
                Stand::Act(_) | Stand::Stop(_) if has_failed && !has_begun => {
                    let step = lane.step.key.clone();
                    act = act.or(Some(Decision::Skip { step, why: Skip::TooManyFailures }));
                }
                Stand::Act(_) | Stand::Stop(_) if free == 0 => {}
                Stand::Stop(_) => return stand,
                Stand::Act(decision) => {
                    free -= 1;
                    act = act.or(Some(decision));
                }
            }
        }
        match act {
            Some(decision) => Stand::Act(decision),
            None if busy > 0 => Stand::Busy,
            None if has_failed => first_open(failed.iter().map(|step| self.failure_of(step))),
            None => Stand::Done,
        }
    }

    /// What the failure of a step, or of the group that it is a failed item of, leads to.
    fn failure_of(self, key: &StepKey) -> Stand {
        let state = self.state.step(key);
        let message = || state.and_then(|step| step.message.clone()).unwrap_or_default();
        let unreachable = state.and_then(|step| step.unreachable.clone());
        match (self.plan.step(key).map(|step| step.on_failure), unreachable) {
            (Some(PlannedFailure::Continue), _) => Stand::Done,
            // Nothing failed there, and there is no way back past it either.
            (_, Some(host)) => {
                let message = message();
                Stand::Stop(Decision::Rest(Rest::WaitingForHost { step: Some(key.clone()), host, message }))
            }
            (Some(PlannedFailure::Undo), None) => Stand::Stop(Decision::TurnBack { because: key.clone() }),
            (Some(PlannedFailure::Halt | PlannedFailure::Rescue) | None, None) => {
                Stand::Stop(Decision::Rest(Rest::Failed { step: key.clone(), message: message() }))
            }
        }
    }

    fn has_begun(self, step: &PlannedStep) -> bool {
        let is_fresh = |state: &StepState| state.status == StepStatus::Pending && state.done.attempts == 0;
        !self.state.step(&step.key).is_some_and(is_fresh) || self.known.concerns(&step.key)
    }

    /// An answer, or how to come by it.
    pub(super) fn look(self, step: &PlannedStep, at: At) -> Result<Answer, Stand> {
        match self.known.about(&step.key, at) {
            Some(Some(answer)) => Ok(answer.clone()),
            Some(None) => Err(Stand::Busy),
            None => Err(Stand::Act(Decision::Look { step: step.key.clone(), at })),
        }
    }

    pub(super) fn look_at_expectations(self, step: &PlannedStep) -> Result<Answer, Stand> {
        if step.expect.is_empty() { Ok(Answer::Holds) } else { self.look(step, At::Expect) }
    }

    /// Asks the person at the terminal; without one the run rests with the question.
    pub(super) fn ask(self, about: Question) -> Stand {
        let of = match &about {
            Question::ApprovePlan => None,
            Question::ApproveStep { step, question }
            | Question::Settle { step, question, .. }
            | Question::UndoPast { step, question } => Some((step, question)),
        };
        match of {
            None if !self.known.is_attended => Stand::Stop(Decision::Rest(Rest::WaitingForApproval)),
            Some((step, question)) if !self.known.is_attended => {
                let (step, question) = (step.clone(), question.clone());
                Stand::Stop(Decision::Rest(Rest::WaitingForPerson { step, question }))
            }
            Some((step, _)) if self.known.about(step, At::Person).is_some() => Stand::Busy,
            _ => Stand::Act(Decision::Ask { about }),
        }
    }
}

impl Stand {
    fn is_settled(&self) -> bool {
        matches!(self, Stand::Done | Stand::Failed(_))
    }
}

/// The first that is not settled.
pub(super) fn first_open(mut stands: impl Iterator<Item = Stand>) -> Stand {
    stands.find(|stand| !stand.is_settled()).unwrap_or(Stand::Done)
}

pub(super) fn start(step: &PlannedStep, state: &StepState, phase: Phase) -> Stand {
    let Tries { attempts, .. } = state.tries(phase);
    Stand::Act(Decision::Start { step: step.key.clone(), attempt: attempts + 1, phase })
}

pub(super) fn observe(
    step: &PlannedStep,
    attempt: u32,
    phase: Phase,
    finding: Finding,
    by: Evidence,
) -> Stand {
    Stand::Act(Decision::Observe { step: step.key.clone(), attempt, phase, finding, by })
}

pub(super) fn unreachable(host: String, message: String) -> Stand {
    Stand::Stop(Decision::Rest(Rest::WaitingForHost { step: None, host, message }))
}
