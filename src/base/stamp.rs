//! A moment as it stands in a name: `20260301T031400Z`. In the order of the alphabet is in the order of time.

use jiff::fmt::strtime;

use super::clock::Timestamp;

const FORM: &str = "%Y%m%dT%H%M%SZ";

/// In UTC, to the second.
pub fn stamp(at: Timestamp) -> String {
    at.strftime(FORM).to_string()
}

/// The moment of a stamp; small letters do as well, since SQL makes them of names that are not quoted.
pub fn read(text: &str) -> Option<Timestamp> {
    let parsed = strtime::parse(FORM, text.to_ascii_uppercase()).ok()?;
    parsed.to_datetime().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|at| at.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_back_as_the_moment_that_it_is_of() {
        let at: Timestamp = "2026-03-01T03:14:00Z".parse().unwrap();
        assert_eq!(stamp(at), "20260301T031400Z");
        assert_eq!(read("20260301T031400Z"), Some(at));
        assert_eq!(read("20260301t031400z"), Some(at));
        for text in ["", "20260301", "20261301T031400Z", "20260301T031400Z2"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
