//! Shares of a whole as people write them: `85%`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A share, from 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Percent(pub f64);

impl Percent {
    /// `part` of `whole`. Of nothing, everything is used.
    pub fn of(part: u64, whole: u64) -> Percent {
        Percent(if whole == 0 { 100.0 } else { part as f64 / whole as f64 * 100.0 })
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is not whole is told by its first decimal, downwards: 99.97 % is not yet full.
        let tenths = (self.0 * 10.0).floor();
        if tenths % 10.0 == 0.0 {
            write!(f, "{}%", tenths / 10.0)
        } else {
            write!(f, "{:.1}%", tenths / 10.0)
        }
    }
}

impl FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Percent, String> {
        let refused =
            || format!("`{text}` is not a share: write a number from 0 to 100 and a `%`, such as `85%`");
        let number = text.trim().strip_suffix('%').ok_or_else(refused)?;
        let number: f64 = number.trim().parse().map_err(|_| refused())?;
        if (0.0..=100.0).contains(&number) { Ok(Percent(number)) } else { Err(refused()) }
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Percent, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Percent {
    fn schema_name() -> Cow<'static, str> {
        "Percent".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A share of a whole: 85%, 0.5%.",
            "pattern": r"^\s*[0-9.]+\s*%\s*$",
            "examples": ["85%", "0.5%"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_written_with_its_sign() {
        for (text, number, shown) in [("85%", 85.0, "85%"), ("0.5 %", 0.5, "0.5%"), (" 100%", 100.0, "100%")]
        {
            let percent: Percent = text.parse().unwrap();
            assert_eq!((percent.0, percent.to_string().as_str()), (number, shown));
        }
        for text in ["85", "", "%", "101%", "-1%", "many%", "NaN%"] {
            assert!(text.parse::<Percent>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_almost_full_is_not_called_full() {
        assert_eq!(Percent::of(99_999, 100_000).to_string(), "99.9%");
        assert_eq!(Percent::of(0, 0).to_string(), "100%");
    }
}
