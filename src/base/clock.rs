//! What time it is. Handed down, so that a test can say what time it is.

use std::sync::{Arc, Mutex};
use std::time::Duration;

pub use jiff::Timestamp;

#[derive(Debug, Clone, Default)]
pub enum Clock {
    #[default]
    System,
    /// Stands still until it is moved.
    Fixed(Arc<Mutex<Timestamp>>),
}

impl Clock {
    pub fn fixed(at: Timestamp) -> Clock {
        Clock::Fixed(Arc::new(Mutex::new(at)))
    }

    pub fn now(&self) -> Timestamp {
        match self {
            Clock::System => Timestamp::now(),
            Clock::Fixed(at) => *at.lock().unwrap(),
        }
    }
}

/// The time from `start` to `end`; zero when the clock was set back in between.
pub fn elapsed(start: Timestamp, end: Timestamp) -> Duration {
    Duration::try_from(end.duration_since(start)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_back_gives_no_negative_time() {
        let now = Timestamp::now();
        let earlier = now - Duration::from_secs(5);
        assert_eq!(elapsed(now, earlier), Duration::ZERO);
        assert_eq!(elapsed(earlier, now), Duration::from_secs(5));
    }
}
