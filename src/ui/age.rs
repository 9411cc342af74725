//! How long something lasts or is ago, in words that a person need not reckon with: `38 minutes`, `3 days 4 hours`.

use std::time::Duration;

/// The two largest units of it, rounded down.
pub fn words(length: Duration) -> String {
    let seconds = length.as_secs();
    let units = [("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)];
    let Some(first) = units.iter().position(|(_, size)| seconds >= *size) else {
        return "less than a second".to_owned();
    };
    let of = |unit: &(&str, u64), seconds: u64| {
        let count = seconds / unit.1;
        let plural = if count == 1 { "" } else { "s" };
        (count > 0).then(|| format!("{count} {}{plural}", unit.0))
    };
    let rest = seconds % units[first].1;
    // Seconds matter where there is nothing larger.
    let second = units.get(first + 1).filter(|(_, size)| *size > 1).and_then(|unit| of(unit, rest));
    of(&units[first], seconds).into_iter().chain(second).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_its_two_largest_units() {
        for (seconds, shown) in [
            (0, "less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (119, "1 minute"),
            (2_280, "38 minutes"),
            (7_500, "2 hours 5 minutes"),
            (86_400, "1 day"),
            (86_400 * 3 + 3_600 * 4 + 59, "3 days 4 hours"),
        ] {
            assert_eq!(words(Duration::from_secs(seconds)), shown);
        }
    }
}
