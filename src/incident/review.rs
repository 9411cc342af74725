//! What has to be done once it is over: the five points of the review, and what was promised to follow.
//!
//! They are tasks of the incident from the moment it is resolved, each with somebody and a day, so that none is forgotten when everybody is glad
//! that it is over: an incident is closed when each of them is done, or when somebody has said why it will not be.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use super::desk::Hand;
use super::event::Event;
use super::state::{IncidentState, Task, TaskState};
use super::word;
use crate::base::clock::Timestamp;
use crate::base::{Error, Kind, Result};
use crate::model::thresholds::Severity;

/// What the document wants after any incident, in its order.
const POINTS: [&str; 5] = [
    "Document what happened in the incident log",
    "Review alert effectiveness",
    "Update runbooks if needed",
    "Schedule a post-mortem for major incidents",
    "Create follow-up tickets for improvements",
];

/// The review is held while people remember, what follows from it may take longer.
const REVIEW_DAYS: u32 = 5;
const FOLLOW_UP_DAYS: u32 = 10;

/// Sets the points of the review, and each follow-up that was named. Where tasks are set already, only what is missing: an incident that was
/// opened again keeps what was done.
///
/// # Errors
/// When the record cannot be written.
pub fn begin(hand: &mut Hand, zone: &TimeZone) -> Result<()> {
    let missing = missing(hand.state(), hand.by(), hand.clock().now(), zone);
    missing.into_iter().try_for_each(|event| hand.append(event))
}

fn missing(state: &IncidentState, by: &str, now: Timestamp, zone: &TimeZone) -> Vec<Event> {
    let owner = state.held.as_ref().map_or(by, |held| held.who.as_str());
    let today = now.to_zoned(zone.clone()).date();
    let follow_up = state.resolution.iter().flat_map(|resolution| &resolution.follow_up);
    let points = POINTS.into_iter().map(|point| (point.to_owned(), REVIEW_DAYS));
    let all = points.chain(follow_up.map(|text| (word::line(text), FOLLOW_UP_DAYS)));
    let is_set = |text: &str| state.tasks.iter().any(|task| task.text == text);
    let missing = all.filter(|(text, _)| !text.is_empty() && !is_set(text));
    let first = state.tasks.len() as u32 + 1;
    let set = |((text, days), task)| Event::TaskSet {
        task,
        text,
        owner: Some(owner.to_owned()),
        due: Some(working_day(today, days)),
    };
    missing.zip(first..).map(set).collect()
}

/// The day that many working days later.
pub fn working_day(from: Date, days: u32) -> Date {
    let is_working = |day: &Date| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
    let later = from.series(jiff::Span::new().days(1)).skip(1).filter(is_working);
    later.take(days as usize).last().unwrap_or(from)
}

/// Whether everybody should sit together about it.
pub fn is_major(severity: Severity) -> bool {
    severity >= Severity::Critical
}

/// The tasks that are neither done nor waived, by their numbers.
pub fn open(state: &IncidentState) -> impl Iterator<Item = (u32, &Task)> {
    (1..).zip(&state.tasks).filter(|(_, task)| task.state == TaskState::Open)
}

/// Closes an incident whose tasks are all settled.
///
/// # Errors
/// [`Kind::Refused`] as long as it is not resolved, or a task is open, with what to type for each; when the record cannot be written.
pub fn close(hand: &mut Hand) -> Result<()> {
    let state = hand.state();
    let short = state.opening.incident.short();
    let refused = |message: String| Error::new(Kind::Refused, message);
    if state.is_closed {
        return Err(refused(format!("incident {short} is closed already"))
            .hint(format!("opsctl incident show {short}")));
    }
    if !state.is_resolved() {
        return Err(refused(format!("incident {short} is not resolved")).hint(format!(
            "opsctl incident resolve {short} --cause '...' --resolution '...' --follow-up '...'"
        )));
    }
    let open: Vec<_> = open(state).collect();
    if !open.is_empty() {
        let lines = open.iter().map(|(number, task)| format!("{number}. {}", word::line(&task.text)));
        let numbers = match open.len() {
            1 => "1 task is open".to_owned(),
            several => format!("{several} tasks are open"),
        };
        let error = refused(format!("incident {short} cannot be closed: {numbers}"))
            .detail(lines.collect::<Vec<_>>().join("\n"));
        let number = open[0].0;
        return Err(error
            .hint(format!("opsctl incident done {number} 'what was done' --incident {short}"))
            .hint(format!("opsctl incident waive {number} --why 'why it will not be' --incident {short}")));
    }
    hand.append(Event::Closed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::sample;

    fn set(state: &IncidentState) -> Vec<(u32, String, String, Date)> {
        let now = sample::records()[0].at;
        let events = missing(state, "ada", now, &TimeZone::UTC);
        let of = |event| match event {
            Event::TaskSet { task, text, owner: Some(owner), due: Some(due) } => (task, text, owner, due),
            other => panic!("{other:?}"),
        };
        events.into_iter().map(of).collect()
    }

    #[test]
    fn the_five_points_of_the_document_come_first_and_then_what_was_promised() {
        let mut state = sample::fold(&sample::resolved()).unwrap();
        state.tasks.clear();
        let tasks = set(&state);
        assert_eq!(tasks.iter().map(|task| task.0).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
        assert!(tasks.iter().zip(POINTS).all(|(task, point)| task.1 == point));
        // The first of March is a Sunday.
        let day = |text: &str| text.parse::<Date>().unwrap();
        assert_eq!(tasks[0].3, day("2026-03-06"));
        assert_eq!(
            tasks[5],
            (6, "an alert on memory (OPS-41)".to_owned(), "ada".to_owned(), day("2026-03-13"))
        );
    }

    #[test]
    fn what_is_set_already_is_not_set_again() {
        let mut state = sample::fold(&sample::resolved()).unwrap();
        state.tasks.truncate(5);
        for (task, point) in state.tasks.iter_mut().zip(POINTS) {
            task.text = point.to_owned();
        }
        assert_eq!(set(&state).iter().map(|task| task.0).collect::<Vec<_>>(), [6]);
    }
}
