//! Times and lengths of time as a message gives them: readers are in several places, and none should have to reckon.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::base::clock::Timestamp;

/// In UTC, and in `zone` where that differs: `2026-03-01 03:14 UTC (04:14 CET)`.
pub fn text(at: Timestamp, zone: &TimeZone) -> String {
    let utc = at.to_zoned(TimeZone::UTC);
    let local = at.to_zoned(zone.clone());
    let text = utc.strftime("%Y-%m-%d %H:%M UTC").to_string();
    if local.offset().is_zero() {
        return text;
    }
    let format = if local.date() == utc.date() { "%H:%M %Z" } else { "%Y-%m-%d %H:%M %Z" };
    format!("{text} ({})", local.strftime(format))
}

/// Seconds below two minutes, then whole minutes: `41 seconds`, `12 minutes`.
pub fn length(duration: Duration) -> String {
    let seconds = (duration.as_millis() + 500) / 1_000;
    let (number, unit) = if seconds < 120 { (seconds, "second") } else { ((seconds + 30) / 60, "minute") };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use jiff::tz::Offset;

    use super::*;

    fn shown(zone: &TimeZone) -> String {
        text("2026-03-01T03:14:59Z".parse().unwrap(), zone)
    }

    #[test]
    fn a_time_is_in_utc_and_in_the_local_zone_where_that_differs() {
        assert_eq!(shown(&TimeZone::UTC), "2026-03-01 03:14 UTC");
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        assert_eq!(shown(&berlin), "2026-03-01 03:14 UTC (04:14 CET)");
        let new_york = TimeZone::posix("EST5EDT,M3.2.0,M11.1.0").unwrap();
        assert_eq!(shown(&new_york), "2026-03-01 03:14 UTC (2026-02-28 22:14 EST)");
        assert_eq!(shown(&TimeZone::fixed(Offset::constant(2))), "2026-03-01 03:14 UTC (05:14 +02)");
    }

    #[test]
    fn a_length_of_time_is_one_number_and_its_unit() {
        let shown = |seconds| length(Duration::from_secs(seconds));
        assert_eq!(shown(0), "0 seconds");
        assert_eq!(shown(1), "1 second");
        assert_eq!(shown(119), "119 seconds");
        assert_eq!(shown(120), "2 minutes");
        assert_eq!(shown(3_629), "60 minutes");
    }
}
