//! What is remembered of a step's last attempt, besides how it stands: what it takes to follow it, or to take its start back.

use super::event::Phase;

#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Latest {
    phase: Option<Phase>,
    /// Whether there may have been something to take back before it.
    pub had_changed: bool,
    /// See [`StepState::first_of_a_kind`](super::state::StepState::first_of_a_kind).
    pub first: u32,
    /// Whether it was seen to succeed or to fail.
    is_closed: bool,
    /// Whether it counts among the step's losses.
    is_loss: bool,
    /// How often it was put in flight again in this turn.
    pub follows: u32,
    /// The id of the folder in which its host keeps its receipt.
    pub folder: Option<String>,
    /// The turn in which somebody ended its processes before their time.
    pub ended_in: Option<u64>,
}

impl Latest {
    /// Another attempt begins.
    pub fn begin(&mut self, phase: Phase, attempt: u32, had_changed: bool, folder: Option<String>) {
        let is_the_same_request = self.phase == Some(phase) && !self.is_closed;
        let first = if is_the_same_request { self.first } else { attempt };
        *self = Latest { phase: Some(phase), had_changed, first, folder, ..Latest::default() };
    }

    /// It was seen to end, or is settled for good.
    pub fn close(&mut self) {
        self.is_closed = true;
    }

    /// It ended in front of this process, and nobody knows how.
    pub fn lose(&mut self, ended_in: Option<u64>) {
        self.is_loss = true;
        self.ended_in = ended_in;
    }

    /// It is in flight again. Whether it thereby is a loss no more.
    pub fn follow(&mut self) -> bool {
        self.follows += 1;
        self.ended_in = None;
        std::mem::take(&mut self.is_loss)
    }

    /// Losses are counted from here on.
    pub fn forgive(&mut self) {
        self.is_loss = false;
    }

    /// Another process takes its turn. What is in flight was lost with the last one, and that counts for nothing.
    pub fn turn(&mut self) {
        self.follows = 0;
    }
}
