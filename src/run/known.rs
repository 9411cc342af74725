//! What is known of the world at this moment: the answers that `decide` asked for.
//!
//! None of it is journalled, because none of it outlives the process: after a crash it is asked again. Whatever an event
//! makes stale is forgotten with that event.

use std::collections::HashMap;

use super::event::Event;
use super::receipt::Receipt;
use crate::base::id::StepKey;

/// What is asked about a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum At {
    /// Whether its host can be reached, before a guess would be needed. On the way back: the host of its undo.
    Host,
    /// What its host keeps of the attempt that nobody knows the end of.
    Receipt,
    /// Its `when`.
    When,
    /// Its `done_when`.
    DoneWhen,
    /// Its `expect`, without doing it.
    Expect,
    /// Whether the containers that its approval stands on are still the same. Before it is asked about: whether they can be
    /// looked at.
    Approval,
    /// Whether those are that the approval of the plan stands on.
    Basis,
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
    /// To [`At::Receipt`].
    Receipt(Receipt),
    /// The host does not answer.
    Unreachable { host: String, message: String },
    /// The question itself makes no sense, such as a condition on an output that does not exist.
    Broken { message: String },
}

impl Answer {
    /// Why it is not what was asked for.
    pub(super) fn why(self) -> String {
        match self {
            Answer::Fails { saw: why }
            | Answer::Broken { message: why }
            | Answer::Unreachable { message: why, .. } => why,
            Answer::Holds | Answer::Receipt(_) => "nobody knows why".to_owned(),
        }
    }
}

#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Whether there is a person at a terminal to ask.
    pub is_attended: bool,
    /// Who pressed Ctrl-C.
    pub cancelled_by: Option<String>,
    /// Whether what a turn before may have left running is to be found all the same, so that it can be ended.
    pub ends_what_was_left: bool,
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
            (Event::LeaseTaken { .. } | Event::LeaseReleased { .. } | Event::LeaseKept { .. }, None) => {}
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
