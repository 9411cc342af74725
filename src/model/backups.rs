//! Where the backups of a database or a cache are kept, as the inventory says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::inventory::is_default;
use crate::base::amount::Span;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Backups {
    /// The folder on the host.
    pub directory: String,
    /// The file names, as a shell pattern. Its end says in which form a backup is written: `.sql.gz` and `.sql` are plain SQL, anything
    /// else is the custom format of `pg_dump`. Without it: the name, `_*.dump` or for a cache `_*.rdb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// How many are kept.
    pub keep: u32,
    /// For how long each is kept, however many there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_for: Option<Span>,
    /// How much may be lost: the newest verified backup must not be older than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rpo: Option<Span>,
    /// A query that is true of every good copy of a database, and is asked before one takes the place of the live one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// The command on the host that takes a backup to a second place, as a list of arguments in which `{file}` stands for it. It may be
    /// run at any time.
    #[serde(default, skip_serializing_if = "is_default")]
    pub copy: Vec<String>,
}

/// What a backup is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Postgres,
    Redis,
}

impl Kind {
    /// As a manifest has it.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Postgres => "postgres",
            Kind::Redis => "redis",
        }
    }

    fn ending(self) -> &'static str {
        match self {
            Kind::Postgres => ".dump",
            Kind::Redis => ".rdb",
        }
    }
}

impl Backups {
    /// The pattern of the file names of `name`.
    pub fn pattern(&self, name: &str, kind: Kind) -> String {
        self.pattern.clone().unwrap_or_else(|| format!("{name}_*{}", kind.ending()))
    }

    /// The whole path of a backup that is made at a time, written as in `20260301T031400Z`. A pattern that can be filled in in one way
    /// is; with any other the default one is.
    pub fn file(&self, name: &str, kind: Kind, at: &str) -> String {
        let pattern = self.pattern(name, kind);
        let is_plain = pattern.matches('*').count() == 1 && !pattern.contains(['?', '[', '\\']);
        let pattern = if is_plain { pattern } else { format!("{name}_*{}", kind.ending()) };
        format!("{}/{}", self.directory.trim_end_matches('/'), pattern.replace('*', at))
    }

    /// What templates see, with nulls for what is not there.
    pub fn filled(&self, name: &str, kind: Kind) -> Value {
        json!({
            "directory": self.directory,
            "pattern": self.pattern(name, kind),
            "keep": self.keep,
            "keep_for": self.keep_for,
            "rpo": self.rpo,
            "check": self.check,
            "copy": self.copy,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backups(pattern: Option<&str>) -> Backups {
        let pattern = pattern.map(str::to_owned);
        Backups {
            directory: "/srv/".into(),
            pattern,
            keep: 7,
            keep_for: None,
            rpo: None,
            check: None,
            copy: vec![],
        }
    }

    #[test]
    fn a_file_has_the_name_that_the_pattern_looks_for() {
        let file = |pattern| backups(pattern).file("argus", Kind::Postgres, "20260301T031400Z");
        assert_eq!(file(None), "/srv/argus_20260301T031400Z.dump");
        assert_eq!(file(Some("nightly-*.sql.gz")), "/srv/nightly-20260301T031400Z.sql.gz");
        assert_eq!(file(Some("argus-[0-9]*")), "/srv/argus_20260301T031400Z.dump");
        assert_eq!(backups(None).file("redis", Kind::Redis, "x"), "/srv/redis_x.rdb");
    }
}
