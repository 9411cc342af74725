//! Which event may follow which state, and what it makes of it.
//!
//! [`next`] is the whole transition table; [`refusal`] are the conditions on top of it that need more than a status. Every
//! other pair is a typed error: such a journal was edited or written by two processes, and resuming it would be a guess. An
//! event that is refused leaves the state as it was.

use std::fmt;

use super::event::{Choice, End, Event, Evidence, Finding, Outcome, Phase, Record, Rest};
use super::state::{Course, RunState, Status, StepState, StepStatus, UndoRule};

/// An event that cannot follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Illegal {
    pub seq: u64,
    pub event: &'static str,
    /// What the event meets, such as "the run is halted, step `restart` is failed".
    pub state: String,
    pub why: &'static str,
}

impl fmt::Display for Illegal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Illegal { seq, event, state, why } = self;
        write!(f, "record {seq}, `{event}`, cannot follow: {why} ({state})")
    }
}

impl std::error::Error for Illegal {}

impl RunState {
    /// Folds one more record.
    ///
    /// # Errors
    /// When the record cannot follow. The state is unchanged then.
    pub fn apply(&mut self, record: &Record) -> Result<(), Illegal> {
        let event = &record.event;
        let step = event.step().and_then(|key| self.steps.get(key));
        let refused = |why| Illegal {
            seq: record.seq,
            event: event.name(),
            state: match (event.step(), step) {
                (Some(key), Some(step)) => {
                    format!("the run is {}, step `{key}` is {}", self.status.word(), step.status.word())
                }
                (Some(key), None) => format!("the plan has no step `{key}`"),
                (None, _) => format!("the run is {}", self.status.word()),
            },
            why,
        };
        let epoch = self.epoch + u64::from(matches!(event, Event::EpochStarted { .. }));
        if record.seq != self.records + 1 {
            return Err(refused("its number is not the next one"));
        }
        if record.epoch != epoch {
            return Err(refused("it does not belong to the newest turn at the run"));
        }
        if event.step().is_some() && step.is_none() {
            return Err(refused("there is no such step"));
        }
        let (status, step_status) = next(self.status, self.course, step.map(|step| step.status), event)
            .ok_or_else(|| refused("the table of transitions has no such pair"))?;
        if let Some(why) = refusal(self, step, event) {
            return Err(refused(why));
        }
        self.status = status;
        self.records = record.seq;
        self.epoch = record.epoch;
        self.changed_at = Some(record.at);
        if let (Some(key), Some(to)) = (event.step(), step_status)
            && let Some(step) = self.steps.get_mut(key)
        {
            step.status = to;
        }
        self.take_in(event, record.at);
        Ok(())
    }
}

/// The table: the statuses of the run and of the step that the event is about, before and after.
fn next(
    run: Status,
    course: Course,
    step: Option<StepStatus>,
    event: &Event,
) -> Option<(Status, Option<StepStatus>)> {
    use Course::{Back, Forward};
    use Status::{Abandoned, Blank, Created, Halted, Running, Stuck, Succeeded, Undoing, Undone, Waiting};
    use StepStatus as Step;

    let same = Some((run, step));
    let run_to = |to| Some((to, step));
    let step_to = |to| Some((run, Some(to)));
    match event {
        Event::RunCreated { .. } => match run {
            Blank => run_to(Created),
            _ => None,
        },
        // A succeeded run may still be undone, which is another turn. Steps in flight become unknown.
        Event::EpochStarted { .. } => match run {
            Created => run_to(Running),
            Running | Undoing | Waiting | Halted | Stuck | Succeeded => same,
            Blank | Undone | Abandoned => None,
        },
        Event::LeaseTaken { .. } => match run {
            Created | Running | Undoing | Waiting | Halted | Stuck | Succeeded => same,
            Blank | Undone | Abandoned => None,
        },
        Event::LeaseReleased { .. } | Event::LeaseKept { .. } => match run {
            Blank => None,
            _ => same,
        },
        Event::StepStarted { phase: Phase::Do, .. } => match (run, step?) {
            (Running, Step::Pending | Step::Failed) => step_to(Step::Running),
            _ => None,
        },
        // An undo may be repeated by contract: one that nobody knows the end of is simply started again.
        Event::StepStarted { phase: Phase::Undo, .. } => match (run, step?) {
            (
                Undoing,
                Step::Pending
                | Step::Succeeded
                | Step::Failed
                | Step::Unknown
                | Step::Skipped
                | Step::UndoFailed,
            ) => step_to(Step::Undoing),
            _ => None,
        },
        // On the way back: one that is followed to its end before it is undone.
        Event::StepFinished { phase: Phase::Do, outcome, .. } => match (run, step?, outcome) {
            (Running | Undoing, Step::Running, Outcome::Succeeded { .. }) => step_to(Step::Succeeded),
            (Running | Undoing, Step::Running, Outcome::Failed { .. }) => step_to(Step::Failed),
            (Running | Undoing, Step::Running, Outcome::Unknown { .. }) => step_to(Step::Unknown),
            _ => None,
        },
        Event::StepFinished { phase: Phase::Undo, outcome, .. } => match (run, step?, outcome) {
            (Undoing, Step::Undoing, Outcome::Succeeded { .. }) => step_to(Step::Undone),
            (Undoing, Step::Undoing, Outcome::Failed { .. }) => step_to(Step::UndoFailed),
            (Undoing, Step::Undoing, Outcome::Unknown { .. }) => step_to(Step::Unknown),
            _ => None,
        },
        // A person may settle a step of a run that rests.
        Event::StepObserved { phase: Phase::Do, finding, by, .. } => match (run, course, by) {
            (Running, _, _) | (Waiting | Halted, Forward, Evidence::Person { .. }) => {
                match (step?, finding, by) {
                    (
                        Step::Unknown | Step::Failed,
                        Finding::Happened,
                        Evidence::DoneWhen | Evidence::Person { .. },
                    )
                    | (Step::Unknown, Finding::Happened, Evidence::Expect) => step_to(Step::Succeeded),
                    (
                        Step::Unknown,
                        Finding::MayRun,
                        Evidence::DoneWhen
                        | Evidence::Repeatable
                        | Evidence::Receipt
                        | Evidence::Person { .. },
                    ) => step_to(Step::Pending),
                    (Step::Unknown, Finding::Followed, Evidence::Receipt) => step_to(Step::Running),
                    (
                        Step::Unknown,
                        Finding::Failed { .. },
                        Evidence::DoneWhen | Evidence::Expect | Evidence::Repeatable | Evidence::Receipt,
                    )
                    // As long as it was not started.
                    | (
                        Step::Pending | Step::Failed,
                        Finding::Failed { .. },
                        Evidence::When | Evidence::DoneWhen,
                    ) => step_to(Step::Failed),
                    _ => None,
                }
            }
            // Before it is undone: whether there is anything to undo, or still to wait for.
            (Undoing, _, Evidence::Receipt) => match (step?, finding) {
                (Step::Unknown, Finding::MayRun) => step_to(Step::Pending),
                (Step::Unknown, Finding::Followed) => step_to(Step::Running),
                _ => None,
            },
            _ => None,
        },
        Event::StepObserved { phase: Phase::Undo, finding, by, .. } => match (run, course, by) {
            (Undoing, _, _) | (Waiting | Halted | Stuck, Back, Evidence::Person { .. }) => {
                match (step?, finding, by) {
                    (Step::Unknown | Step::UndoFailed, Finding::Happened, Evidence::Person { .. }) => {
                        step_to(Step::Undone)
                    }
                    (Step::Unknown, Finding::Followed, Evidence::Receipt) => step_to(Step::Undoing),
                    (Step::Unknown, Finding::Failed { .. }, Evidence::Repeatable) => {
                        step_to(Step::UndoFailed)
                    }
                    _ => None,
                }
            }
            _ => None,
        },
        Event::StepSkipped { .. } => match (run, step?) {
            // Failed: as long as it was not started.
            (Running, Step::Pending | Step::Failed) => step_to(Step::Skipped),
            _ => None,
        },
        Event::Decision { choice, .. } => match (choice, run, course) {
            (Choice::ApprovePlan { .. }, Created | Running, _)
            | (Choice::ApprovePlan { .. }, Waiting | Halted, Forward) => same,
            (Choice::ApproveStep { .. } | Choice::DeclineStep { .. }, Created | Running, _)
            | (Choice::ApproveStep { .. } | Choice::DeclineStep { .. }, Waiting | Halted, Forward) => {
                match step? {
                    Step::Pending | Step::Failed => same,
                    _ => None,
                }
            }
            (Choice::UndoPast { .. }, Running | Undoing | Waiting | Halted | Stuck | Succeeded, _) => same,
            (Choice::Resume, Waiting | Halted, Forward) => run_to(Running),
            (Choice::Resume, Waiting | Halted | Stuck, Back) => run_to(Undoing),
            (Choice::Abandon, Created | Running | Undoing | Waiting | Halted | Stuck, _) => same,
            _ => None,
        },
        // A run that went back already is resumed instead.
        Event::UndoRequested { .. } => match (run, course) {
            (Created | Running | Waiting | Halted | Succeeded, Forward) => run_to(Undoing),
            _ => None,
        },
        Event::RunRested { rest } => match (rest, run) {
            (Rest::WaitingForApproval, Running) => run_to(Waiting),
            (Rest::WaitingForPerson { .. } | Rest::WaitingForHost { .. }, Running | Undoing) => {
                run_to(Waiting)
            }
            (Rest::Failed { .. }, Running) | (Rest::Cancelled { .. }, Running | Undoing) => run_to(Halted),
            (Rest::Stuck { .. }, Undoing) => run_to(Stuck),
            _ => None,
        },
        Event::RunEnded { end } => match (end, run) {
            (End::Succeeded, Running) => run_to(Succeeded),
            (End::Undone, Undoing) => run_to(Undone),
            (End::Abandoned, Created | Running | Undoing | Waiting | Halted | Stuck) => run_to(Abandoned),
            _ => None,
        },
    }
}

/// Why a pair of the table is refused all the same.
fn refusal(run: &RunState, step: Option<&StepState>, event: &Event) -> Option<&'static str> {
    let moves_on = !matches!(
        event,
        Event::EpochStarted { .. }
            | Event::LeaseTaken { .. }
            | Event::LeaseReleased { .. }
            | Event::LeaseKept { .. }
            | Event::RunEnded { end: End::Abandoned }
    );
    if run.abandoned_by.is_some() && moves_on {
        return Some("the run is abandoned");
    }
    let is_quiet = run.in_flight().next().is_none();
    let on = |wrong: bool, why| wrong.then_some(why);
    match (event, step) {
        (Event::StepStarted { attempt, phase, .. }, Some(step)) => {
            let lacks_approval = step.rules.needs_approval && step.approved_by.is_none();
            let is_barred = lacks_approval || step.declined_by.is_some();
            on(*attempt != step.tries(*phase).attempts + 1, "it is not the step's next attempt")
                .or(on(*phase == Phase::Do && is_barred, "the step is not approved"))
                .or(on(*phase == Phase::Undo && !step.can_be_undone(), "there is nothing to undo"))
        }
        (Event::StepFinished { attempt, phase, .. }, Some(step)) => {
            on(*attempt != step.tries(*phase).attempts, "it is not the step's last attempt")
        }
        (Event::StepObserved { attempt, phase, finding, by, .. }, Some(step)) => {
            let denies_it = *finding == Finding::MayRun && !matches!(by, Evidence::Person { .. });
            let is_denied = step.took_effect && (denies_it || *by == Evidence::Receipt);
            // A step that cannot be begun has failed at the attempt that it would have been.
            let cannot_begin = matches!(step.status, StepStatus::Pending | StepStatus::Failed)
                && matches!(finding, Finding::Failed { .. });
            let expected = step.tries(*phase).attempts + u32::from(cannot_begin);
            on(*attempt != expected, "it is not the attempt that it could be about")
                .or(on(*phase != step.phase, "it is about the other phase of the step"))
                .or(on(*by == Evidence::Expect && !step.took_effect, "nobody saw it take effect"))
                .or(on(is_denied, "it was seen to take effect"))
                .or(on(cannot_begin && step.was_started(), "the step was started"))
        }
        (Event::StepSkipped { .. }, Some(step)) => {
            let was_tried = step.status == StepStatus::Failed && step.was_started();
            on(was_tried, "the step was started")
        }
        (Event::LeaseReleased { host }, _) => {
            on(run.locked().all(|locked| locked != host), "no such lease was taken")
        }
        (Event::LeaseKept { host }, _) => on(run.leases.contains_key(host), "the lease was not given back"),
        (Event::Decision { choice, .. }, step) => match (choice, step) {
            (Choice::ApprovePlan { plan }, _) => {
                on(run.plan.as_ref() != Some(plan), "another plan was approved")
            }
            (Choice::ApproveStep { .. } | Choice::DeclineStep { .. }, Some(step)) => {
                on(!step.rules.needs_approval, "the step needs no approval")
            }
            (Choice::UndoPast { .. }, Some(step)) => {
                on(step.rules.undo != UndoRule::Irreversible, "the step can be undone")
            }
            (Choice::Abandon, _) => on(!is_quiet, "a step is in flight"),
            _ => None,
        },
        (Event::UndoRequested { .. }, _) => on(!is_quiet, "a step is in flight"),
        (Event::RunRested { rest }, _) => on(!is_quiet, "a step is in flight").or(match rest {
            Rest::Failed { step, .. } => {
                let is_why =
                    |step: &StepState| step.status == StepStatus::Failed || step.declined_by.is_some();
                on(!run.steps.get(step).is_some_and(is_why), "that step did not fail")
            }
            Rest::Stuck { step, .. } => {
                let is_why = |step: &StepState| step.status == StepStatus::UndoFailed;
                on(!run.steps.get(step).is_some_and(is_why), "that step's undo did not fail")
            }
            Rest::WaitingForPerson { step, .. } => {
                on(!run.steps.contains_key(step), "the plan has no such step")
            }
            Rest::WaitingForHost { step: Some(step), .. } => {
                let is_why =
                    |step: &StepState| step.status == StepStatus::Failed && step.unreachable.is_some();
                on(!run.steps.get(step).is_some_and(is_why), "that step did not fail for its host")
            }
            Rest::WaitingForApproval | Rest::WaitingForHost { step: None, .. } | Rest::Cancelled { .. } => {
                None
            }
        }),
        (Event::RunEnded { end }, _) => match end {
            End::Succeeded => {
                let is_settled = |step: &StepState| {
                    matches!(step.status, StepStatus::Succeeded | StepStatus::Failed | StepStatus::Skipped)
                };
                on(!run.steps.values().all(is_settled), "a step is not settled")
            }
            End::Undone => on(!run.left_to_undo().is_empty(), "a step is not undone"),
            End::Abandoned => on(run.abandoned_by.is_none(), "nobody abandoned the run"),
        },
        _ => None,
    }
}

impl StepState {
    fn can_be_undone(&self) -> bool {
        self.may_have_changed && self.rules.undo == UndoRule::Task
    }
}
