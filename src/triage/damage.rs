//! What a cache that cannot read its data says of it in its log. No restart mends that.

use serde_json::Value;

use crate::model::operation::{DockerQuery, Operation, Selection};

/// Once it has come this far it has read everything; what it said before is over.
const READY: &str = "Ready to accept connections";

/// Redis's own words (`rdb.c`, `aof.c`, `server.c`).
const WORDS: [&str; 9] = [
    "Bad file format reading the append only file",
    "FATAL AOF MANIFEST FILE ERROR",
    "Fatal error loading the DB",
    "Internal error in RDB reading",
    "Unable to obtain the AOF file",
    "Unexpected EOF reading RDB file",
    "Unrecoverable error reading the append only file",
    "Wrong RDB checksum",
    "Wrong signature trying to load DB",
];

pub fn question(of: Selection) -> Operation {
    Operation::Docker(DockerQuery::Logs { of, tail: 100, since: None })
}

/// The words that tell of damage, since it was last ready.
pub fn told(answer: &Value) -> Option<&'static str> {
    let log = answer["stdout"].as_str()?;
    let since = log.rsplit(READY).next()?;
    WORDS.into_iter().find(|words| since.contains(words))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn damage_is_told_of_until_it_is_ready_again() {
        let told = |lines: &[&str]| told(&json!({ "stdout": lines.join("\n") }));
        let damage = "redis | # Wrong RDB checksum expected: (a7) but got (70). Aborting now.";
        let ready = "redis | * Ready to accept connections tcp";
        assert_eq!(told(&[ready, damage, "redis | * Server initialized"]), Some("Wrong RDB checksum"));
        assert_eq!(told(&[damage, ready]), None);
        assert_eq!(told(&[ready, "redis | * Increased maximum number of open files"]), None);
        assert_eq!(told(&[]), None);
    }
}
