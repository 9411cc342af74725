//! How many incidents there were, and how fast they were noticed, answered, mended and over: in all, by severity, by service.
//!
//! The median says what is usual, the ninetieth percentile what a bad night looks like. A mean would say neither: one incident that lasted a
//! weekend would be all that it shows.

use std::collections::BTreeMap;
use std::time::Duration;

use super::measure::Measure;
use super::state::IncidentState;
use super::word;

/// Incidents that are looked at together.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub of: Of,
    pub count: usize,
    /// One for each of the four times, in the order of [`Measure::ALL`]; without one where no incident of the group got so far.
    pub spread: Vec<(Measure, Option<Spread>)>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Of {
    All,
    Severity(String),
    Service(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread {
    /// Of how many incidents it is.
    pub count: usize,
    pub median: Duration,
    pub p90: Duration,
}

/// All incidents first, then each severity, then each service. An incident of several services counts for each of them.
pub fn stats(incidents: &[&IncidentState]) -> Vec<Group> {
    let mut groups: BTreeMap<Of, Vec<&IncidentState>> = BTreeMap::new();
    for state in incidents {
        groups.entry(Of::All).or_default().push(state);
        groups.entry(Of::Severity(word::severity(state.severity).to_lowercase())).or_default().push(state);
        for service in &state.opening.services {
            groups.entry(Of::Service(service.clone())).or_default().push(state);
        }
    }
    groups.into_iter().map(|(of, incidents)| group(of, &incidents)).collect()
}

fn group(of: Of, incidents: &[&IncidentState]) -> Group {
    let spread = |measure: Measure| {
        let lengths = incidents.iter().filter_map(|state| measure.of(state)).collect();
        (measure, Spread::of(lengths))
    };
    Group { of, count: incidents.len(), spread: Measure::ALL.into_iter().map(spread).collect() }
}

impl Spread {
    /// By the nearest rank: each is a time that was measured.
    fn of(mut lengths: Vec<Duration>) -> Option<Spread> {
        lengths.sort();
        let count = lengths.len();
        let rank = |percent: usize| lengths.get((count * percent).div_ceil(100).checked_sub(1)?).copied();
        Some(Spread { count, median: rank(50)?, p90: rank(90)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::sample;
    use crate::model::thresholds::Severity;

    fn spread(seconds: &[u64]) -> Option<[u64; 2]> {
        let spread = Spread::of(seconds.iter().copied().map(Duration::from_secs).collect())?;
        assert_eq!(spread.count, seconds.len());
        Some([spread.median.as_secs(), spread.p90.as_secs()])
    }

    #[test]
    fn what_is_usual_and_what_is_bad_are_times_that_were_measured() {
        assert_eq!(spread(&[]), None);
        assert_eq!(spread(&[7]), Some([7, 7]));
        assert_eq!(spread(&[30, 10]), Some([10, 30]));
        assert_eq!(spread(&[5, 1, 4, 2, 3, 10, 6, 9, 7, 8]), Some([5, 9]));
        assert_eq!(spread(&[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 900]), Some([1, 1]));
    }

    #[test]
    fn an_incident_counts_for_its_severity_and_for_each_of_its_services() {
        let one = sample::fold(&sample::resolved()).unwrap();
        let mut two = sample::state();
        two.severity = Severity::Warning;
        two.opening.services = vec!["argus".to_owned(), "hermes".to_owned()];
        let groups = stats(&[&one, &two]);
        let counts: Vec<_> = groups.iter().map(|group| (group.of.clone(), group.count)).collect();
        let severity = |word: &str| Of::Severity(word.to_owned());
        let service = |name: &str| Of::Service(name.to_owned());
        assert_eq!(
            counts,
            [
                (Of::All, 2),
                (severity("critical"), 1),
                (severity("warning"), 1),
                (service("argus"), 2),
                (service("hermes"), 1)
            ]
        );
        let resolved = |place: usize| groups[place].spread[3].1.map(|spread| spread.count);
        assert_eq!([0, 1, 2].map(resolved), [Some(1), Some(1), None]);
    }
}
