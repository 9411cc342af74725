//! What a status says about trying again.

use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;

use super::{Answer, Trouble, text};
use crate::base::clock::{Timestamp, elapsed};

/// Longer is not waited, whatever is asked for.
const LONGEST: Duration = Duration::from_secs(3600);

/// The answer, where it says that the message was taken. Only too many requests and a fault of the server are reasons to try again.
///
/// # Errors
/// When it was not taken.
pub fn judge(answer: Answer, now: Timestamp) -> Result<Answer, Trouble> {
    let Answer { status, retry_after, body, .. } = &answer;
    let said = || format!("{status}: {}", text::said(body));
    match status {
        200..=299 => Ok(answer),
        300..=399 => Err(Trouble::Refused(format!("{status}: it leads elsewhere, and that is not followed"))),
        429 | 500..=599 => {
            let after = retry_after.as_deref().and_then(|text| wait(text, now));
            Err(Trouble::Later { why: said(), after })
        }
        _ => Err(Trouble::Refused(said())),
    }
}

/// `Retry-After`: seconds, or a date (RFC 9110, 10.2.3).
fn wait(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let asked = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => elapsed(now, DateTimeParser::new().parse_timestamp(text).ok()?),
    };
    Some(asked.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, retry_after: Option<&str>) -> Result<Answer, Trouble> {
        let now = "2026-03-01T03:14:00Z".parse().unwrap();
        let retry_after = retry_after.map(str::to_owned);
        judge(Answer { status, retry_after, body: "so it is".to_owned(), is_whole: true }, now)
    }

    fn later(status: u16, retry_after: &str) -> Option<Duration> {
        match judged(status, Some(retry_after)) {
            Err(Trouble::Later { after, .. }) => after,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_too_many_requests_and_a_fault_of_the_server_are_tried_again() {
        for status in [429, 500, 502, 503, 504, 599] {
            assert!(matches!(judged(status, None), Err(Trouble::Later { after: None, .. })), "{status}");
        }
        for status in [301, 307, 400, 401, 403, 404, 408, 410, 413, 422] {
            assert!(matches!(judged(status, None), Err(Trouble::Refused(_))), "{status}");
        }
        for status in [200, 202, 204] {
            assert!(judged(status, None).is_ok(), "{status}");
        }
        assert_eq!(judged(404, None), Err(Trouble::Refused("404: so it is".to_owned())));
    }

    #[test]
    fn a_wait_is_asked_for_in_seconds_or_by_a_date_and_has_a_bound() {
        assert_eq!(later(429, "30"), Some(Duration::from_secs(30)));
        assert_eq!(later(503, "Sun, 01 Mar 2026 03:15:30 GMT"), Some(Duration::from_secs(90)));
        assert_eq!(later(429, "Sun, 01 Mar 2026 03:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(later(429, "864000"), Some(LONGEST));
        assert_eq!(later(429, "Fri, 01 Jan 2100 00:00:00 GMT"), Some(LONGEST));
        assert_eq!(later(429, "soon"), None);
        assert_eq!(later(429, "-1"), None);
    }
}
