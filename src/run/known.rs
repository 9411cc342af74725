//! What is known of the world at this moment: the answers that `decide` asked for.
//!
//! None of it is journalled, because none of it outlives the process: after a crash it is asked again. Whatever an event
//! makes stale is forgotten with that event.

use std::collections::HashMap;

use super::event::Event;
use crate::base::id::StepKey;

/// What is asked about a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum At {
    /// Whether its host can be reached, before a guess would be needed. On the way back: the host of its undo.
    Host,
    /// Its `when`.
    When,
    /// Its `done_when`.
    DoneWhen,
    /// Its `expect`, without doing it.
    Expect,
    /// Whether the pause before its next attempt is over.
    Pause,
    /// What a person says. The answer is an event, never an [`Answer`].
    Person,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Yes. A pause that is over, and a host that was reached, are this.
    Holds,
    /// No, and what was seen instead.
    Fails { saw: String },
    /// The host does not answer.
    Unreachable { host: String, message: String },
    /// The question itself makes no sense, such as a condition on an output that does not exist.
    Broken { message: String },
}

#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Whether there is a person at a terminal to ask.
    pub is_attended: bool,
    /// Who pressed Ctrl-C.
    pub cancelled_by: Option<String>,
    /// `None`: asked, not answered yet.
    answers: HashMap<(StepKey, At), Option<Answer>>,
}

impl Known {
    pub fn new(is_attended: bool) -> Known {
        Known { is_attended, ..Known::default() }
    }

    /// Notes that somebody is looking: until the answer comes, `decide` leaves that step alone and turns to others. Without
    /// need where the answer is had before `decide` is called again.
    pub fn ask(&mut self, step: &StepKey, at: At) {
        self.answers.insert((step.clone(), at), None);
    }

    pub fn answer(&mut self, step: &StepKey, at: At, answer: Answer) {
        self.answers.insert((step.clone(), at), Some(answer));
    }

    /// Forgets what `event`, now durable, makes stale.
    pub fn note(&mut self, event: &Event) {
        match (event, event.step()) {
            (_, Some(about)) => self.answers.retain(|(step, _), _| step != about),
            (Event::LeaseTaken { .. } | Event::LeaseReleased { .. }, None) => {}
            (_, None) => self.answers.clear(),
        }
    }

    pub(super) fn about(&self, step: &StepKey, at: At) -> Option<&Option<Answer>> {
        self.answers.get(&(step.clone(), at))
    }

    /// Whether anything was asked about the step, answered or not.
    pub(super) fn concerns(&self, step: &StepKey) -> bool {
        self.answers.keys().any(|(about, _)| about == step)
    }
}
