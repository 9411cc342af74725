//! The databases that restores have set aside, as the server names them.
//!
//! The one that was live until a restore is `NAME_until_STAMP`; what a restore had brought, and was taken back, is
//! `NAME_taken_back_STAMP`. Both stay until a person releases them.

use crate::base::clock::Timestamp;
use crate::base::stamp;

const UNTIL: &str = "_until_";
const TAKEN_BACK: &str = "_taken_back_";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// Its name in the engine.
    pub name: String,
    pub bytes: u64,
    /// None where the name does not say.
    pub since: Option<Timestamp>,
}

/// What the database of that name becomes when a restore at `stamp` takes its place.
pub fn kept_as(database: &str, stamp: &str) -> String {
    format!("{database}{UNTIL}{stamp}")
}

/// The query for those of a database: name and size of each.
pub fn query(database: &str) -> String {
    let is_one = [UNTIL, TAKEN_BACK].map(|word| {
        let start = format!("{database}{word}").replace('\'', "''");
        format!("starts_with(datname, '{start}')")
    });
    let is_one = is_one.join(" or ");
    format!("select datname, pg_database_size(datname) from pg_database where {is_one} order by datname")
}

/// What [`query`] gives, a row a line.
pub fn read(database: &str, text: &str) -> Vec<Aside> {
    let row = |line: &str| {
        let (name, bytes) = line.rsplit_once('|')?;
        let rest = name.strip_prefix(database)?;
        let stamp = [UNTIL, TAKEN_BACK].iter().find_map(|word| rest.strip_prefix(word))?;
        Some(Aside { name: name.to_owned(), bytes: bytes.trim().parse().ok()?, since: stamp::read(stamp) })
    };
    text.lines().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_aside_is_read_with_its_size_and_since_when() {
        let text = "argus_taken_back_20260301T031400Z|2048\nargus_until_20260301T031400Z|1024\nargus_until_then|7\nargus|9\n";
        let at = "2026-03-01T03:14:00Z".parse().ok();
        let aside = |name: &str, bytes, since| Aside { name: name.to_owned(), bytes, since };
        assert_eq!(
            read("argus", text),
            [
                aside("argus_taken_back_20260301T031400Z", 2048, at),
                aside("argus_until_20260301T031400Z", 1024, at),
                aside("argus_until_then", 7, None),
            ]
        );
        assert_eq!(kept_as("argus", "20260301T031400Z"), "argus_until_20260301T031400Z");
    }

    #[test]
    fn a_name_with_a_quote_stays_one_word_of_the_query() {
        assert!(query("o'brien").contains("starts_with(datname, 'o''brien_until_')"));
    }
}
