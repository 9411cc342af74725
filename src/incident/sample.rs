//! An incident that never happened: what templates are tried on while there is no real one, at a time when nobody waits for it.

use super::event::{Event, Record};
use super::state::IncidentState;

/// A record, a line each. The digests in it are none.
const RECORDS: &str = include_str!("sample.jsonl");

/// From its beginning to its resolution: a service is down, is mended by a run, and works again.
pub fn resolved() -> Vec<Record> {
    RECORDS.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// As [`resolved`], before anybody said that it was.
pub fn records() -> Vec<Record> {
    resolved().into_iter().take_while(|record| !matches!(record.event, Event::Resolved { .. })).collect()
}

/// What records say; nothing where they cannot follow each other.
pub fn fold(records: &[Record]) -> Option<IncidentState> {
    let (first, rest) = records.split_first()?;
    let mut state = IncidentState::begin(first).ok()?;
    rest.iter().try_for_each(|record| state.apply(record)).ok()?;
    Some(state)
}

/// As it stands while it is watched.
#[cfg(test)]
pub fn state() -> IncidentState {
    fold(&records()).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_it_can_be_read_and_follows_the_one_before() {
        assert_eq!(resolved().len(), RECORDS.lines().count());
        assert!(fold(&resolved()).is_some());
    }
}
