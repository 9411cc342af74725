//! How fast an incident was noticed, answered, mended and over.

use std::time::Duration;

use serde::Serialize;

use super::state::IncidentState;
use crate::base::clock::{Timestamp, elapsed};

/// One of the four times that are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// From its beginning until it was noticed.
    Detect,
    /// From then until somebody had it.
    Acknowledge,
    /// From its beginning until it worked again.
    Mitigate,
    /// From its beginning until it was over.
    Resolve,
}

impl Measure {
    pub const ALL: [Measure; 4] =
        [Measure::Detect, Measure::Acknowledge, Measure::Mitigate, Measure::Resolve];

    /// As it is known: the mean time to it, of many incidents.
    pub fn abbreviation(self) -> &'static str {
        match self {
            Measure::Detect => "MTTD",
            Measure::Acknowledge => "MTTA",
            Measure::Mitigate => "MTTM",
            Measure::Resolve => "MTTR",
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Measure::Detect => "detected",
            Measure::Acknowledge => "acknowledged",
            Measure::Mitigate => "mitigated",
            Measure::Resolve => "resolved",
        }
    }

    /// When it was reached, and from when on that is measured.
    fn reached(self, state: &IncidentState) -> Option<(Timestamp, Timestamp)> {
        let (opening, reached) = (&state.opening, &state.milestones);
        Some(match self {
            Measure::Detect => (opening.started_at, opening.detected_at),
            Measure::Acknowledge => (opening.detected_at, reached.acknowledged_at?),
            // What is over works, whether or not anybody said so before.
            Measure::Mitigate => (opening.started_at, reached.mitigated_at.or(reached.resolved_at)?),
            Measure::Resolve => (opening.started_at, reached.resolved_at?),
        })
    }

    pub fn at(self, state: &IncidentState) -> Option<Timestamp> {
        self.reached(state).map(|(_, at)| at)
    }

    pub fn of(self, state: &IncidentState) -> Option<Duration> {
        self.reached(state).map(|(from, at)| elapsed(from, at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::sample;

    fn seconds(state: &IncidentState) -> [Option<u64>; 4] {
        Measure::ALL.map(|measure| measure.of(state).map(|length| length.as_secs()))
    }

    #[test]
    fn each_time_is_measured_from_where_it_can_be_changed() {
        let state = sample::fold(&sample::resolved()).unwrap();
        assert_eq!(seconds(&state), [Some(60), Some(60), Some(240), Some(1_500)]);
        assert_eq!(seconds(&sample::state()), [Some(60), Some(60), Some(240), None]);
    }

    #[test]
    fn what_was_never_called_mended_was_so_when_it_was_over() {
        let mut state = sample::fold(&sample::resolved()).unwrap();
        state.milestones.mitigated_at = None;
        state.milestones.acknowledged_at = None;
        assert_eq!(seconds(&state), [Some(60), None, Some(1_500), Some(1_500)]);
    }
}
