//! The answers to what `decide` wants to know about a step before it begins or settles it.

use super::await_check::{Asking, Verdict};
use super::deferred::{self, Outputs};
use super::world::{Request, World};
use crate::host::failure::Failure;
use crate::model::operation::{Command, Operation, Program};
use crate::model::plan::{Plan, PlannedStep};
use crate::run::known::{Answer, At};
use crate::run::signal::Signal;

pub async fn look(
    plan: &Plan,
    world: &dyn World,
    step: &PlannedStep,
    at: At,
    outputs: &Outputs,
    tell: &(dyn Fn(Signal) + Send + Sync),
) -> Answer {
    let asking = Asking { plan, world, step: &step.key, outputs, tell };
    match at {
        At::When => when(step, outputs),
        At::DoneWhen => match &step.done_when {
            Some(check) => answer_of(asking.until_it_holds(check).await),
            None => Answer::Broken { message: "the step has no `done_when`".to_owned() },
        },
        At::Expect => {
            for check in &step.expect {
                match asking.until_it_holds(check).await {
                    Verdict::Holds => {}
                    other => return answer_of(other),
                }
            }
            Answer::Holds
        }
        // These are not found out by looking at a step.
        At::Host | At::Pause | At::Person => Answer::Holds,
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
    let nothing = Operation::Command(Command {
        program: Program::Argv(vec!["true".to_owned()]),
        directory: None,
        env: Default::default(),
        stdin: None,
        success_codes: Vec::new(),
    });
    let request = Request { host, operation: &nothing, timeout: None, output: &mut |_, _| {} };
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
