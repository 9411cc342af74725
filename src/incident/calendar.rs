//! The meeting about a post-mortem as a calendar takes it: one event of iCalendar (RFC 5545).

use std::time::Duration;

use jiff::tz::TimeZone;

use super::review::working_day;
use super::state::IncidentState;
use super::word;
use crate::base::clock::Timestamp;
use crate::base::stamp::stamp;
use crate::base::{Error, Result};

/// People have slept, and still remember.
const AFTER_DAYS: u32 = 3;
const HOUR: i8 = 10;

const LASTS: Duration = Duration::from_secs(3_600);

/// A line has no more octets than that, without its end (section 3.1).
const OCTETS: usize = 75;

/// When it is, where nobody says: the third working day after it was over, at ten in the readers' zone.
///
/// # Errors
/// When there is no such moment.
pub fn usual(state: &IncidentState, zone: &TimeZone, now: Timestamp) -> Result<Timestamp> {
    let over = state.milestones.resolved_at.unwrap_or(now);
    let day = working_day(over.to_zoned(zone.clone()).date(), AFTER_DAYS);
    let at = day.at(HOUR, 0, 0, 0).to_zoned(zone.clone());
    let at = at.map_err(|error| Error::internal("cannot tell the time of the meeting").caused_by(&error))?;
    Ok(at.timestamp())
}

/// Given twice, it is the same event of a calendar: its name is the incident's.
pub fn meeting(state: &IncidentState, at: Timestamp, now: Timestamp) -> String {
    let opening = &state.opening;
    let about = format!(
        "{}, {}, affected: {}\nopsctl incident postmortem {}",
        opening.site,
        word::severity(state.severity),
        opening.services.join(", "),
        opening.incident.short(),
    );
    let lines = [
        "BEGIN:VCALENDAR".to_owned(),
        "VERSION:2.0".to_owned(),
        "PRODID:-//opsctl//incident//EN".to_owned(),
        "METHOD:PUBLISH".to_owned(),
        "BEGIN:VEVENT".to_owned(),
        format!("UID:{}@opsctl", opening.incident),
        format!("DTSTAMP:{}", stamp(now)),
        format!("DTSTART:{}", stamp(at)),
        format!("DTEND:{}", stamp(at + LASTS)),
        format!("SUMMARY:{}", escaped(&format!("Post-mortem: {}", word::line(&opening.title)))),
        format!("DESCRIPTION:{}", escaped(&word::plain(&about))),
        "END:VEVENT".to_owned(),
        "END:VCALENDAR".to_owned(),
    ];
    lines.iter().map(|line| folded(line)).collect()
}

/// Section 3.3.11.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,").replace('\n', "\\n")
}

/// A long line goes on in lines that begin with a space; none is cut within a character.
fn folded(line: &str) -> String {
    let mut folded = String::new();
    let mut octets = 0;
    for c in line.chars() {
        if octets + c.len_utf8() > OCTETS {
            folded.push_str("\r\n ");
            octets = 1;
        }
        folded.push(c);
        octets += c.len_utf8();
    }
    folded + "\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::sample;

    #[test]
    fn a_meeting_is_on_the_third_working_day_at_ten_where_the_readers_are() {
        let state = sample::fold(&sample::resolved()).unwrap();
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        // It was over on a Sunday.
        assert_eq!(usual(&state, &berlin, state.opened_at).unwrap().to_string(), "2026-03-04T09:00:00Z");
    }

    #[test]
    fn a_calendar_takes_the_meeting_whatever_its_title() {
        let mut state = sample::fold(&sample::resolved()).unwrap();
        state.opening.title = "argus, hermes; \"both\"\nBEGIN:VALARM 🔥 \\ ".repeat(20);
        let at = "2026-03-04T09:00:00Z".parse().unwrap();
        let text = meeting(&state, at, state.opened_at);
        assert!(text.ends_with("END:VCALENDAR\r\n"));
        assert!(text.lines().all(|line| line.len() <= OCTETS), "{text}");
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
        assert!(!text.contains("\nBEGIN:VALARM"));
        let whole = text.replace("\r\n ", "");
        let summary = whole.lines().find(|line| line.starts_with("SUMMARY:")).unwrap();
        assert!(
            summary.starts_with("SUMMARY:Post-mortem: argus\\, hermes\\; \"both\" BEGIN:VALARM 🔥 \\\\ ")
        );
        state.opening.title = "argus does not answer".to_owned();
        insta::assert_snapshot!(meeting(&state, at, state.opened_at).replace("\r\n", "\n"));
    }
}
