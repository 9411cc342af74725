//! When a silence has lasted so long that the reader should be told that nothing is wrong with it.

use std::time::Duration;

use crate::base::clock::{Timestamp, elapsed};

/// The first is DESIGN 10's "a few seconds"; a long wait must not fill the screen.
const PAUSES: [Duration; 2] = [Duration::from_secs(3), Duration::from_secs(10)];

/// The time since something was last shown.
#[derive(Debug, Clone)]
pub struct Beat {
    last: Timestamp,
    beats: usize,
}

impl Beat {
    pub fn new(now: Timestamp) -> Beat {
        Beat { last: now, beats: 0 }
    }

    /// Something was shown: the silence begins anew.
    pub fn broken(&mut self, now: Timestamp) {
        *self = Beat::new(now);
    }

    /// Whether it is time to say something; if so, the next pause is longer.
    pub fn is_due(&mut self, now: Timestamp) -> bool {
        let pause = PAUSES[self.beats.min(PAUSES.len() - 1)];
        if elapsed(self.last, now) < pause {
            return false;
        }
        self.last = now;
        self.beats += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_is_broken_after_three_and_then_every_ten_seconds() {
        let start = Timestamp::UNIX_EPOCH;
        let mut beat = Beat::new(start);
        let due: Vec<u64> =
            (0..40).filter(|second| beat.is_due(start + Duration::from_secs(*second))).collect();
        assert_eq!(due, [3, 13, 23, 33]);
    }

    #[test]
    fn after_a_line_the_pauses_are_short_again() {
        let at = |second| Timestamp::UNIX_EPOCH + Duration::from_secs(second);
        let mut beat = Beat::new(at(0));
        assert!(beat.is_due(at(3)));
        beat.broken(at(5));
        assert!(!beat.is_due(at(7)));
        assert!(beat.is_due(at(8)));
    }
}
