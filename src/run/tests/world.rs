//! A world of one bit a step: whether what the step does stands. Its hosts keep receipts of what they are given. And the tape
//! that says what goes wrong in it.

use std::collections::HashMap;

use crate::base::id::StepKey;
use crate::run::event::{Phase, Record};
use crate::run::known::At;
use crate::run::receipt::Receipt;

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

/// Under which a host is given a command.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    pub step: StepKey,
    pub attempt: u32,
    pub phase: Phase,
}

/// Everything that was recorded, and everything that really happened, in one order.
#[derive(Debug, Default)]
pub struct Trace {
    pub moments: Vec<Moment>,
    stands: HashMap<StepKey, bool>,
    receipts: HashMap<Key, Receipt>,
}

#[derive(Debug, Clone)]
pub enum Moment {
    Recorded(Record),
    /// It was given to its host, or given again, while these were under way.
    Dispatched {
        key: Key,
        is_followed: bool,
        beside: Vec<StepKey>,
    },
    /// It began on its host.
    Began(Key),
    /// Nothing of it runs any more.
    Over(Key),
    /// It did not come to its end: the host went down, or somebody ended it.
    Cut(Key),
    /// The world changed.
    Effect(Key),
    /// A person did it by hand.
    ByHand {
        step: StepKey,
        phase: Phase,
    },
    /// A person is asked whether it took effect.
    Asked {
        step: StepKey,
    },
    /// The step's condition was worked out, as far as it could be.
    Condition {
        step: StepKey,
        holds: bool,
    },
    /// What the approval of the step, or of the plan before that step, stands on was looked at.
    Stands {
        step: StepKey,
        at: At,
        holds: bool,
    },
    /// The step's host did not answer.
    CutOff {
        step: StepKey,
    },
}

impl Trace {
    pub fn note(&mut self, moment: Moment) {
        let mut keep = |key: &Key, receipt| drop(self.receipts.insert(key.clone(), receipt));
        match &moment {
            Moment::Effect(Key { step, phase, .. }) | Moment::ByHand { step, phase } => {
                self.stands.insert(step.clone(), *phase == Phase::Do);
            }
            Moment::Began(key) => keep(key, Receipt::Running),
            Moment::Cut(key) => keep(key, Receipt::Cut { why: "the host was started anew".to_owned() }),
            _ => {}
        }
        self.moments.push(moment);
    }

    pub fn stands(&self, step: &StepKey) -> bool {
        self.stands.get(step).copied().unwrap_or(false)
    }

    pub fn receipt(&self, key: &Key) -> Receipt {
        self.receipts.get(key).cloned().unwrap_or(Receipt::Unclaimed)
    }

    pub fn running(&self) -> Vec<Key> {
        let mut running: Vec<_> = self
            .receipts
            .iter()
            .filter(|(_, receipt)| **receipt == Receipt::Running)
            .map(|(key, _)| key.clone())
            .collect();
        running.sort_by_key(|key| (key.step.clone(), key.attempt));
        running
    }

    /// It begins, unless it has begun before.
    pub fn begin(&mut self, key: &Key) {
        if self.receipt(key) == Receipt::Unclaimed {
            self.note(Moment::Began(key.clone()));
        }
    }

    /// It comes to its end, with or without its effect, and leaves an exit code.
    pub fn end(&mut self, key: &Key, has_effect: bool, status: i32) {
        self.begin(key);
        if has_effect {
            self.note(Moment::Effect(key.clone()));
        }
        self.note(Moment::Over(key.clone()));
        self.receipts.insert(key.clone(), Receipt::Ended { status });
    }

    /// It ends in the middle, and leaves none.
    pub fn cut(&mut self, key: &Key, has_effect: bool) {
        self.begin(key);
        if has_effect {
            self.note(Moment::Effect(key.clone()));
        }
        self.note(Moment::Over(key.clone()));
        self.note(Moment::Cut(key.clone()));
    }

    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.moments.iter().filter_map(|moment| match moment {
            Moment::Recorded(record) => Some(record),
            _ => None,
        })
    }
}
