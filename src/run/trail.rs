//! What the host's receipt says of an attempt that nobody saw the end of.
//!
//! | receipt | what is done |
//! |---|---|
//! | it ended | followed: the same key gives what came of it |
//! | it runs | followed to its end |
//! | it never began | it had no effect: another attempt on the way forward, nothing to take back on the way back |
//! | it was cut off | as if there were no receipts: the step's `on_interrupted`; an undo is started again |
//! | none is kept | the same |
//! | the host does not say | the run rests; nothing is guessed |
//!
//! To follow is to look again, and can be done any number of times. There is an end to it all the same: a connection that is
//! lost again and again in one turn is a host to wait for.

use super::decide::{Decision, Stand, View, unreachable};
use super::event::Phase;
use super::known::{Answer, At};
use super::receipt::Receipt;
use super::state::StepState;
use crate::model::plan::PlannedStep;

/// How often an attempt is followed in one turn.
const FOLLOWS: u32 = 10;

/// What is left of an attempt that cannot be followed.
pub(super) enum Trail {
    /// Nobody can tell. Why, where the host says it.
    Lost { why: Option<String> },
    /// It certainly had no effect.
    Unbegun,
}

impl View<'_> {
    /// Asks for the receipt of the step's last attempt, where one is kept, and follows it where it can be followed.
    pub(super) fn trail(self, step: &PlannedStep, state: &StepState) -> Result<Trail, Stand> {
        let Some(host) = keeper(step, state.phase) else { return Ok(Trail::Lost { why: None }) };
        let attempt = state.tries(state.phase).attempts;
        let wait = |why: String| Err(unreachable(host.to_owned(), why));
        match self.look(step, At::Receipt)? {
            Answer::Receipt(Receipt::Unclaimed) => Ok(Trail::Unbegun),
            Answer::Receipt(Receipt::Unkept { .. }) => Ok(Trail::Lost { why: None }),
            Answer::Receipt(Receipt::Cut { why }) => Ok(Trail::Lost { why: Some(why) }),
            Answer::Receipt(Receipt::Ended { status }) if state.latest.ended_in.is_some() => {
                // Its exit code is that of a command that was told to end.
                Ok(Trail::Lost {
                    why: Some(format!("it was ended before its time, with exit code {status}")),
                })
            }
            Answer::Receipt(Receipt::Running) if state.latest.ended_in == Some(self.state.epoch) => {
                wait(format!("attempt {attempt} of `{}` still runs there, and could not be ended", step.key))
            }
            Answer::Receipt(Receipt::Ended { .. } | Receipt::Running) if state.latest.follows >= FOLLOWS => {
                wait(format!(
                    "the connection was lost {FOLLOWS} times while `{}` was followed there",
                    step.key
                ))
            }
            Answer::Receipt(Receipt::Ended { .. } | Receipt::Running) => {
                Err(Stand::Act(Decision::Follow { step: step.key.clone(), attempt, phase: state.phase }))
            }
            Answer::Unreachable { host, message } => Err(unreachable(host, message)),
            // It answers, but not to this: what runs there may be anything.
            other => wait(other.why()),
        }
    }
}

/// The host that keeps a receipt of that phase of a step: of what changes something, and of nothing else.
fn keeper(step: &PlannedStep, phase: Phase) -> Option<&str> {
    match phase {
        Phase::Do => step.task.changed_host(),
        Phase::Undo => step.undo.task()?.changed_host(),
    }
}
