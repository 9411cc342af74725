//! Who is called for how much of an outage, and how fast they are to answer.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::amount::Span;

mod quiet;

pub use quiet::Quiet;

/// How far an outage reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Level {
    /// One instance is down.
    L1,
    /// A service is completely down.
    L2,
    /// Several services are down.
    L3,
    /// Everything is down.
    L4,
}

impl Level {
    pub const ALL: [Level; 4] = [Level::L1, Level::L2, Level::L3, Level::L4];

    /// The level above; none above the highest.
    pub fn next(self) -> Option<Level> {
        Level::ALL.into_iter().find(|level| *level > self)
    }

    /// Whether a warning may wait for the morning there.
    pub fn may_be_quiet(self) -> bool {
        self <= Level::L2
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::L1 => "L1",
            Level::L2 => "L2",
            Level::L3 => "L3",
            Level::L4 => "L4",
        })
    }
}

/// Who is called at each level. What is not given is as it is by default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// One instance is down. By default the on-call engineer, within 5m.
    #[serde(default, rename = "L1", skip_serializing_if = "Option::is_none")]
    l1: Option<Responder>,
    /// A service is completely down. By default the senior engineer, within 10m.
    #[serde(default, rename = "L2", skip_serializing_if = "Option::is_none")]
    l2: Option<Responder>,
    /// Several services are down. By default the tech lead, within 15m.
    #[serde(default, rename = "L3", skip_serializing_if = "Option::is_none")]
    l3: Option<Responder>,
    /// Everything is down. By default the engineering manager, at once.
    #[serde(default, rename = "L4", skip_serializing_if = "Option::is_none")]
    l4: Option<Responder>,
}

/// Who answers, and within what time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Responder {
    /// The person or the role.
    pub who: String,
    /// The time in which they are to answer; `0s` is at once.
    pub within: Span,
    /// Hours of the day in which they are not paged for a warning, such as `22:00-07:00`, in the zone of `incidents`. The page waits until they
    /// end. Only for L1 and L2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<Quiet>,
}

impl Responder {
    /// `on-call engineer, within 5m`.
    pub fn describe(&self) -> String {
        let Responder { who, within, quiet: _ } = self;
        if within.0.is_zero() { format!("{who}, immediately") } else { format!("{who}, within {within}") }
    }
}

impl Escalation {
    pub fn responder(&self, level: Level) -> Responder {
        let (given, who, seconds) = match level {
            Level::L1 => (&self.l1, "on-call engineer", 5 * 60),
            Level::L2 => (&self.l2, "senior engineer", 10 * 60),
            Level::L3 => (&self.l3, "tech lead", 15 * 60),
            Level::L4 => (&self.l4, "engineering manager", 0),
        };
        let usual = || Responder { who: who.to_owned(), within: Span::secs(seconds), quiet: None };
        given.clone().unwrap_or_else(usual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matrix_of_the_document_is_the_default() {
        let escalation = Escalation::default();
        let described =
            Level::ALL.map(|level| format!("{level}: {}", escalation.responder(level).describe()));
        assert_eq!(
            described,
            [
                "L1: on-call engineer, within 5m",
                "L2: senior engineer, within 10m",
                "L3: tech lead, within 15m",
                "L4: engineering manager, immediately",
            ]
        );
    }

    #[test]
    fn one_level_can_be_given_by_itself() {
        let escalation: Escalation =
            serde_json::from_str(r#"{ "L2": { "who": "ada", "within": "3m" } }"#).unwrap();
        assert_eq!(escalation.responder(Level::L2).describe(), "ada, within 3m");
        assert_eq!(escalation.responder(Level::L1).who, "on-call engineer");
    }
}
