//! Amounts of bytes as people write them: `512MB`, `10GiB`, `4096`.

use std::str::FromStr;

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

#[cfg(test)]
mod tests {
    use super::*;

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
