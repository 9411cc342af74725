//! Durations as people write them: `500ms`, `60s`, `1m 30s`, `2h`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A length of time that is never negative, written with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(pub Duration);

impl Span {
    pub const fn secs(seconds: u64) -> Span {
        Span(Duration::from_secs(seconds))
    }

    pub const fn millis(milliseconds: u64) -> Span {
        Span(Duration::from_millis(milliseconds))
    }

    /// For showing how long something took: tenths below ten seconds, whole seconds above.
    pub fn rounded(duration: Duration) -> Span {
        let step = if duration < Duration::from_secs(1) {
            1
        } else if duration < Duration::from_secs(10) {
            100
        } else {
            1_000
        };
        let milliseconds = duration.as_millis() as u64;
        Span::millis((milliseconds + step / 2) / step * step)
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Duration {
        span.0
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.0.as_millis();
        let (hours, minutes) = (total / 3_600_000, total / 60_000 % 60);
        let (seconds, millis) = (total / 1_000 % 60, total % 1_000);
        let mut text = String::new();
        if hours > 0 {
            text.push_str(&format!("{hours}h"));
        }
        if minutes > 0 {
            text.push_str(&format!("{minutes}m"));
        }
        if seconds > 0 && millis > 0 {
            let fraction = format!("{millis:03}");
            text.push_str(&format!("{seconds}.{}s", fraction.trim_end_matches('0')));
        } else if seconds > 0 {
            text.push_str(&format!("{seconds}s"));
        } else if millis > 0 {
            text.push_str(&format!("{millis}ms"));
        }
        if text.is_empty() {
            text.push_str("0s");
        }
        f.pad(&text)
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Span, String> {
        let refused = || {
            format!(
                "`{text}` is not a duration: write a number and its unit, such as `500ms`, `60s`, `5m` or `1h 30m`"
            )
        };
        // A day has 24 hours here, whatever the clocks do.
        let in_days =
            |text: &str| text.parse::<jiff::Span>()?.to_duration(jiff::SpanRelativeTo::days_are_24_hours());
        let parsed: jiff::SignedDuration = text.parse().or_else(|_| in_days(text)).map_err(|_| refused())?;
        Duration::try_from(parsed).map(Span).map_err(|_| refused())
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A duration with its unit: 500ms, 60s, 5m, 1h 30m.",
            "examples": ["500ms", "60s", "5m", "1h 30m"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_read_back() {
        for text in ["500ms", "60s", "1m", "1m30s", "2h", "1.5s", "0s"] {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.to_string().parse::<Span>().unwrap(), span, "{text}");
        }
    }

    #[test]
    fn a_day_has_24_hours() {
        for (text, same) in [("30d", "720h"), ("2 days", "48h"), ("1w 1d 1h", "193h")] {
            assert_eq!(text.parse::<Span>(), same.parse(), "{text}");
        }
    }

    #[test]
    fn a_number_without_a_unit_is_refused() {
        for text in ["60", "", "fast", "-5s", "-1d", "1mo", "5 parsecs"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_measured_time_is_shown_without_false_precision() {
        let shown = |ms| Span::rounded(Duration::from_millis(ms)).to_string();
        assert_eq!(shown(734), "734ms");
        assert_eq!(shown(4_267), "4.3s");
        assert_eq!(shown(72_400), "1m12s");
    }
}
