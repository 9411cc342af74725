//! How long people may be without a word.
//!
//! The first two hours of a critical incident are those in which everybody waits; after them people are told less often, so that whoever
//! works on it is left to work.

use std::time::Duration;

use super::event::Status;
use super::state::IncidentState;
use crate::base::clock::{Timestamp, elapsed};
use crate::model::telling::Telling;
use crate::model::thresholds::Severity;

/// How long a critical incident is told of most often.
const FIRST: Duration = Duration::from_secs(2 * 3_600);

const CRITICAL: Duration = Duration::from_secs(20 * 60);
const WARNING: Duration = Duration::from_secs(3_600);

/// By when the next message is due, of one that is written now.
pub fn next_update(state: &IncidentState, telling: &Telling, now: Timestamp) -> Timestamp {
    let cadence = &telling.update_every;
    let critical = cadence.critical.map_or(CRITICAL, |span| span.0);
    let after = match state.severity {
        Severity::Notice | Severity::Warning => cadence.warning.map_or(WARNING, |span| span.0),
        Severity::Critical | Severity::Emergency => match elapsed(state.opened_at, now) < FIRST {
            true => critical,
            false => critical * 3,
        },
    };
    now + after
}

/// For how long an update is overdue. One that is over owes nobody a word.
pub fn overdue(state: &IncidentState, now: Timestamp) -> Option<Duration> {
    if state.is_closed || state.status == Status::Resolved {
        return None;
    }
    let due = state.next_update_at?;
    (due < now).then(|| elapsed(due, now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::sample;
    use crate::model::telling::Cadence;

    fn minutes(state: &IncidentState, telling: &Telling, after: u64) -> u64 {
        let now = state.opened_at + Duration::from_secs(after * 60);
        elapsed(now, next_update(state, telling, now)).as_secs() / 60
    }

    #[test]
    fn people_are_told_most_often_in_the_first_two_hours_of_a_critical_incident() {
        let mut state = sample::state();
        let telling = Telling::default();
        assert_eq!([0, 119, 120, 600].map(|after| minutes(&state, &telling, after)), [20, 20, 60, 60]);
        state.severity = Severity::Warning;
        assert_eq!([0, 600].map(|after| minutes(&state, &telling, after)), [60, 60]);
    }

    #[test]
    fn the_inventory_says_how_often() {
        let mut state = sample::state();
        let often = |text: &str| Some(text.parse().unwrap());
        let update_every = Cadence { critical: often("5m"), warning: often("2h") };
        let telling = Telling { update_every, ..Telling::default() };
        assert_eq!([0, 120].map(|after| minutes(&state, &telling, after)), [5, 15]);
        state.severity = Severity::Warning;
        assert_eq!(minutes(&state, &telling, 0), 120);
    }

    #[test]
    fn an_update_is_overdue_from_its_time_on_until_it_is_resolved() {
        let mut state = sample::state();
        let due = state.opened_at + CRITICAL;
        state.next_update_at = Some(due);
        assert_eq!(overdue(&state, due), None);
        assert_eq!(overdue(&state, due + Duration::from_secs(90)), Some(Duration::from_secs(90)));
        state.status = Status::Resolved;
        assert_eq!(overdue(&state, due + Duration::from_secs(90)), None);
    }
}
