//! The answers to what `decide` wants to know about a step before it begins or settles it.

use super::await_check::{Asking, Verdict};
use super::deferred::{self, Outputs};
use super::drift::Approved;
use super::insist::insist;
use super::task::prepare;
use super::world::{Request, World};
use crate::base::id::StepKey;
use crate::host::failure::{Failure, FailureKind};
use crate::model::operation::{Command, Operation, Program};
use crate::model::plan::{Plan, PlannedStep, PlannedUndo, Task};
use crate::model::snapshot::Snapshot;
use crate::model::touched::Touched;
use crate::run::event::Phase;
use crate::run::known::{Answer, At};
use crate::run::receipt::{Receipt, ReceiptKey};
use crate::run::signal::Signal;
use crate::run::state::Course;

/// What a look is made with.
pub struct Look<'a> {
    pub plan: &'a Plan,
    pub world: &'a dyn World,
    pub step: &'a PlannedStep,
    /// The step's last attempt.
    pub key: &'a ReceiptKey,
    /// Whether its receipt is where the host keeps those of this turn.
    pub is_kept: bool,
    pub course: Course,
    pub outputs: &'a Outputs,
    /// The containers that the step was approved on by itself.
    pub approved_on: Option<&'a Snapshot>,
    pub tell: &'a (dyn Fn(Signal) + Send + Sync),
}

impl Look<'_> {
    /// # Errors
    /// When the host refuses us, because somebody else has taken it over.
    pub async fn answer(&self, at: At) -> Result<Answer, Failure> {
        let Look { plan, world, step, outputs, tell, .. } = *self;
        let asking = Asking { plan, world, step: &step.key, outputs, tell };
        Ok(match at {
            At::Receipt => return self.receipt().await,
            At::Host => reach(world, self.next_task().host.as_deref()).await,
            At::When => when(step, outputs),
            At::DoneWhen => match &step.done_when {
                Some(check) => answer_of(asking.until_it_holds(check).await),
                None => Answer::Broken { message: "the step has no `done_when`".to_owned() },
            },
            At::Expect => {
                for check in &step.expect {
                    match asking.until_it_holds(check).await {
                        Verdict::Holds => {}
                        other => return Ok(answer_of(other)),
                    }
                }
                Answer::Holds
            }
            At::Approval => match self.approved_on {
                Some(then) => self.approved(Some(&step.key), then, &step.touches).await,
                None => Answer::Holds,
            },
            At::Basis => self.approved(None, &plan.basis.facts.containers, &plan.touches()).await,
            // These are not found out by looking at a step.
            At::Pause | At::Person => Answer::Holds,
        })
    }

    async fn approved(&self, step: Option<&StepKey>, then: &Snapshot, touched: &[Touched]) -> Answer {
        let approved = Approved { step, then, touched };
        approved.still_holds(self.world, self.plan.basis.site(), self.tell).await
    }

    /// What is to be done next about the step: the step itself, or on the way back its undo.
    fn next_task(&self) -> &Task {
        match (self.course, &self.step.undo) {
            (Course::Back, PlannedUndo::Task(undo)) => undo,
            _ => &self.step.task,
        }
    }

    async fn receipt(&self) -> Result<Answer, Failure> {
        let unkept = |why| Ok(Answer::Receipt(Receipt::Unkept { why }));
        let task = match (self.key.phase, &self.step.undo) {
            (Phase::Undo, PlannedUndo::Task(undo)) => undo,
            _ => &self.step.task,
        };
        let Some(host) = task.host.as_deref() else {
            return unkept("no host takes part in it".to_owned());
        };
        if !self.is_kept {
            return unkept(format!("host `{host}` has lost the receipts, or was never given any"));
        }
        match prepare(task, self.plan, self.outputs) {
            Ok(ready) if matches!(ready.operation, Operation::Command(_)) => {}
            Ok(_) => return unkept("it is no command".to_owned()),
            Err(why) => return unkept(why),
        }
        let what = format!("host `{host}` to say what became of `{}`", self.step.key);
        match insist(&what, self.tell, || self.world.receipt(host, self.key)).await {
            Ok(receipt) => Ok(Answer::Receipt(receipt)),
            Err(failure) if failure.kind == FailureKind::Fenced => Err(failure),
            Err(failure) => Ok(unreachable(failure)),
        }
    }
}

fn when(step: &PlannedStep, outputs: &Outputs) -> Answer {
    let Some(when) = &step.when else { return Answer::Holds };
    match deferred::holds(when, outputs) {
        Ok(true) => Answer::Holds,
        Ok(false) => Answer::Fails { saw: String::new() },
        Err(message) => Answer::Broken { message },
    }
}

/// Whether a host does what it is asked at all.
pub async fn reach(world: &dyn World, host: Option<&str>) -> Answer {
    let nothing = Operation::Command(Command::new(Program::Argv(vec!["true".to_owned()])));
    let request = Request { host, operation: &nothing, timeout: None, output: &mut |_, _| {}, key: None };
    match world.perform(request).await {
        Ok(_) => Answer::Holds,
        Err(failure) if failure.is_out_of_reach() => unreachable(failure),
        Err(failure) => Answer::Broken { message: failure.to_string() },
    }
}

fn answer_of(verdict: Verdict) -> Answer {
    match verdict {
        Verdict::Holds => Answer::Holds,
        Verdict::Fails { saw } => Answer::Fails { saw },
        Verdict::Unasked(failure) if failure.is_out_of_reach() => unreachable(failure),
        Verdict::Unasked(failure) => Answer::Broken { message: failure.to_string() },
    }
}

fn unreachable(failure: Failure) -> Answer {
    Answer::Unreachable { host: failure.host, message: failure.message }
}
