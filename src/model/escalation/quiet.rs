//! Hours in which nobody is called for what can wait: `22:00-07:00`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::clock::Timestamp;

/// Hours of every day. Those that end before they begin last over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quiet {
    from: Time,
    /// The first minute that is not quiet any more.
    to: Time,
}

impl Quiet {
    /// Whether it is quiet at a moment, by the clocks of a zone.
    pub fn holds(self, at: Timestamp, zone: &TimeZone) -> bool {
        let now = at.to_zoned(zone.clone()).time();
        match self.from < self.to {
            true => (self.from..self.to).contains(&now),
            false => now >= self.from || now < self.to,
        }
    }
}

impl fmt::Display for Quiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Quiet { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from.hour(), from.minute(), to.hour(), to.minute())
    }
}

impl FromStr for Quiet {
    type Err = String;

    fn from_str(text: &str) -> Result<Quiet, String> {
        let refused = || format!("`{text}` are no hours of the day: write them as `22:00-07:00`");
        let (from, to) = text.split_once('-').ok_or_else(refused)?;
        let time = |text: &str| {
            let (hour, minute) = text.trim().split_once(':')?;
            Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
        };
        let (from, to) = time(from).zip(time(to)).ok_or_else(refused)?;
        match from == to {
            true => Err(format!("`{text}` is the whole day, or none of it: write hours as `22:00-07:00`")),
            false => Ok(Quiet { from, to }),
        }
    }
}

impl Serialize for Quiet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Quiet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Quiet, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Quiet {
    fn schema_name() -> Cow<'static, str> {
        "Quiet".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "Hours of the day, over midnight where they end before they begin: 22:00-07:00.",
            "examples": ["22:00-07:00"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet(hours: &str, at: &str) -> bool {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        hours.parse::<Quiet>().unwrap().holds(at.parse().unwrap(), &zone)
    }

    #[test]
    fn hours_may_last_over_midnight_and_are_those_of_the_zone() {
        for (at, is_quiet) in [
            ("2026-03-01T20:59:59Z", false),
            ("2026-03-01T21:00:00Z", true),
            ("2026-03-02T05:59:59Z", true),
            ("2026-03-02T06:00:00Z", false),
            // An hour earlier in summer.
            ("2026-07-01T20:00:00Z", true),
        ] {
            assert_eq!(quiet("22:00-07:00", at), is_quiet, "{at}");
        }
        assert!(quiet("12:00-13:00", "2026-03-01T11:30:00Z"));
        assert!(!quiet("12:00-13:00", "2026-03-01T12:00:00Z"));
    }

    #[test]
    fn what_is_shown_can_be_read_back_and_what_makes_no_sense_is_refused() {
        assert_eq!("22:00 - 7:05".parse::<Quiet>().unwrap().to_string(), "22:00-07:05");
        for text in ["", "22", "22:00", "22:00-", "22:00-24:30", "7:00-7:00", "ten-eleven"] {
            assert!(text.parse::<Quiet>().is_err(), "{text}");
        }
    }
}
