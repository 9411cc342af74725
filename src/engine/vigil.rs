//! Whether this process was away: stopped, or on a machine that slept.
//!
//! Who was away has missed what the others did meanwhile, somebody taking over a host among it, and must not write down what it
//! still thinks to be so. A beat comes every tenth of a second; a gap between two of them says that it was away. A disk or a person
//! at the terminal that kept the process waiting looks the same, and costs a question to the hosts.
//!
//! Two clocks are asked. The monotonic one stands still while the machine sleeps; the other one may be set.

use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const BEAT: Duration = Duration::from_millis(100);

/// A longer gap than this is an absence.
const GAP: Duration = Duration::from_secs(1);

/// The time by each of the clocks, since some moment of its own.
pub type Clocks = [Duration; 2];

pub struct Vigil {
    now: Box<dyn Fn() -> Clocks + Send + Sync>,
    seen: Mutex<Seen>,
}

struct Seen {
    last: Clocks,
    was_away: bool,
}

impl Default for Vigil {
    fn default() -> Vigil {
        let began = Instant::now();
        Vigil::by(move || [began.elapsed(), SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()])
    }
}

impl Vigil {
    pub fn by(now: impl Fn() -> Clocks + Send + Sync + 'static) -> Vigil {
        let seen = Seen { last: now(), was_away: false };
        Vigil { now: Box::new(now), seen: Mutex::new(seen) }
    }

    /// Beats for as long as it is polled.
    pub async fn keep(&self) -> Infallible {
        loop {
            tokio::time::sleep(BEAT).await;
            self.beat();
        }
    }

    /// Whether the process was away since this was last asked.
    pub fn was_away(&self) -> bool {
        self.beat();
        std::mem::take(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner).was_away)
    }

    fn beat(&self) {
        let now = (self.now)();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.was_away |= now.iter().zip(seen.last).any(|(now, last)| now.saturating_sub(last) > GAP);
        seen.last = now;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_gap_by_either_clock_is_an_absence_and_is_told_once() {
        for clock in [0, 1] {
            let time = Arc::new(Mutex::new(Clocks::default()));
            let shared = time.clone();
            let vigil = Vigil::by(move || *shared.lock().unwrap());
            let pass = |seconds| time.lock().unwrap()[clock] += Duration::from_secs_f64(seconds);
            pass(0.9);
            assert!(!vigil.was_away());
            pass(1.1);
            vigil.beat();
            pass(0.1);
            assert!(vigil.was_away(), "also when it has beaten since");
            assert!(!vigil.was_away());
        }
    }

    #[test]
    fn a_clock_that_is_set_back_is_no_absence() {
        let time = Arc::new(Mutex::new([Duration::from_secs(1000); 2]));
        let shared = time.clone();
        let vigil = Vigil::by(move || *shared.lock().unwrap());
        time.lock().unwrap()[1] = Duration::from_secs(10);
        assert!(!vigil.was_away());
    }
}
