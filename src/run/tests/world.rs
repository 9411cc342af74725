//! A world of one bit a step: whether what the step does stands. And the tape that says what goes wrong in it.

use std::collections::HashMap;

use crate::base::id::StepKey;
use crate::run::event::{Phase, Record};

/// What goes wrong, and when. Once it has run out nothing does any more: zero is always the good case.
#[derive(Debug)]
pub struct Tape<'a> {
    left: std::slice::Iter<'a, u8>,
}

impl<'a> Tape<'a> {
    pub fn new(bytes: &'a [u8]) -> Tape<'a> {
        Tape { left: bytes.iter() }
    }

    /// One of so many cases.
    pub fn one_of(&mut self, cases: u8) -> u8 {
        self.left.next().map_or(0, |byte| byte % cases)
    }

    /// True once in so many times.
    pub fn rarely(&mut self, times: u8) -> bool {
        self.one_of(times) == times - 1
    }
}

/// Everything that was recorded, and everything that really happened, in one order.
#[derive(Debug, Default)]
pub struct Trace {
    pub moments: Vec<Moment>,
    stands: HashMap<StepKey, bool>,
}

#[derive(Debug, Clone)]
pub enum Moment {
    Recorded(Record),
    /// The first byte went to the host while these were under way.
    Dispatched {
        step: StepKey,
        phase: Phase,
        beside: Vec<StepKey>,
    },
    /// The world changed.
    Effect {
        step: StepKey,
        phase: Phase,
    },
    /// A person did it by hand.
    ByHand {
        step: StepKey,
        phase: Phase,
    },
    /// The step's condition was worked out, as far as it could be.
    Condition {
        step: StepKey,
        holds: bool,
    },
    /// The step's host did not answer.
    CutOff {
        step: StepKey,
    },
}

impl Trace {
    pub fn note(&mut self, moment: Moment) {
        match &moment {
            Moment::Effect { step, phase } | Moment::ByHand { step, phase } => {
                self.stands.insert(step.clone(), *phase == Phase::Do);
            }
            _ => {}
        }
        self.moments.push(moment);
    }

    pub fn stands(&self, step: &StepKey) -> bool {
        self.stands.get(step).copied().unwrap_or(false)
    }

    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.moments.iter().filter_map(|moment| match moment {
            Moment::Recorded(record) => Some(record),
            _ => None,
        })
    }
}
