//! Amounts of bytes as people write them: `512MB`, `10GiB`, `4096`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number of bytes. `kB`, `MB`, `GB`, `TB` are powers of 1000; `K` or `KiB` and so on are powers of 1024, as `df -h` and
/// Docker's limits have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(pub u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Size, String> {
        let refused =
            || format!("`{text}` is not a size: write a number and its unit, such as `512MB` or `10GiB`");
        let text = text.trim();
        let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        let number: f64 = number.parse().map_err(|_| refused())?;
        let unit = unit.trim().to_ascii_lowercase();
        let power = match unit.chars().next() {
            None | Some('b') => 0,
            Some('k') => 1,
            Some('m') => 2,
            Some('g') => 3,
            Some('t') => 4,
            Some(_) => return Err(refused()),
        };
        let base: f64 = match unit.get(1..).unwrap_or_default() {
            "" | "ib" => 1024.0,
            "b" => 1000.0,
            _ => return Err(refused()),
        };
        let bytes = (number * base.powi(power)).round();
        if bytes > u64::MAX as f64 || (power == 0 && unit.len() > 1) {
            return Err(refused());
        }
        Ok(Size(bytes as u64))
    }
}

/// Rounded down to three figures at most, in powers of 1024: `1.4GiB`.
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut value = self.0 as f64;
        let mut unit = "B";
        for next in ["KiB", "MiB", "GiB", "TiB"] {
            if value < 1024.0 {
                break;
            }
            value /= 1024.0;
            unit = next;
        }
        let is_short = value >= 10.0 || value.fract() == 0.0;
        if is_short {
            write!(f, "{}{unit}", value.floor())
        } else {
            write!(f, "{:.1}{unit}", (value * 10.0).floor() / 10.0)
        }
    }
}

/// In bytes, so that nothing of it is lost.
impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{}B", self.0))
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Size, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Size {
    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A number of bytes with its unit: 512MB, 10GiB.",
            "examples": ["512MB", "10GiB"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_shown_short_and_kept_whole() {
        for (bytes, shown) in [
            (0, "0B"),
            (1023, "1023B"),
            (1024, "1KiB"),
            (1536, "1.5KiB"),
            (104_857_600, "100MiB"),
            (1_503_238_553, "1.3GiB"),
        ] {
            assert_eq!(Size(bytes).to_string(), shown);
            let kept = serde_json::to_string(&Size(bytes)).unwrap();
            assert_eq!(serde_json::from_str::<Size>(&kept).unwrap(), Size(bytes));
        }
    }

    #[test]
    fn a_unit_says_whether_a_thousand_is_1000_or_1024() {
        for (text, bytes) in [
            ("4096", 4096),
            ("4096B", 4096),
            ("1kB", 1000),
            ("1K", 1024),
            ("1.5 GiB", 1_610_612_736),
            ("2TB", 2_000_000_000_000),
        ] {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_of_bytes_is_refused() {
        for text in ["", "GB", "-1GB", "10 parsecs", "1.2.3MB", "10bib", "99999999999TB"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}
