//! From where on a measured value is worth a word, and from where on an hour of sleep.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::inventory::is_default;
use crate::base::amount::Span;
use crate::base::percent::Percent;

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing, and nothing to do.
    Notice,
    Warning,
    Critical,
    Emergency,
}

impl Severity {
    pub fn word(self) -> &'static str {
        match self {
            Severity::Notice => "notice",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
            Severity::Emergency => "emergency",
        }
    }
}

/// The limits of one kind of value. What is not given is as it is by default.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits<T> {
    /// Worth a look in the daytime.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<T>,
    /// Something has to be done now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical: Option<T>,
    /// It is about to stop working, or has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency: Option<T>,
}

impl<T: Copy + PartialOrd> Limits<T> {
    const fn new(warning: Option<T>, critical: Option<T>, emergency: Option<T>) -> Limits<T> {
        Limits { warning, critical, emergency }
    }

    fn or(self, default: Limits<T>) -> Limits<T> {
        Limits {
            warning: self.warning.or(default.warning),
            critical: self.critical.or(default.critical),
            emergency: self.emergency.or(default.emergency),
        }
    }

    /// How bad the value is, by the worst limit that it has reached.
    pub fn reached(&self, value: T) -> Option<Severity> {
        self.worst(|limit| value >= limit)
    }

    /// Where less is worse: by the worst limit that the value is below.
    pub fn undercut(&self, value: T) -> Option<Severity> {
        self.worst(|limit| value < limit)
    }

    fn worst(&self, is_beyond: impl Fn(T) -> bool) -> Option<Severity> {
        let levels = [
            (Severity::Emergency, self.emergency),
            (Severity::Critical, self.critical),
            (Severity::Warning, self.warning),
        ];
        levels.into_iter().find(|(_, limit)| limit.is_some_and(&is_beyond)).map(|(severity, _)| severity)
    }
}

/// The limits from which on triage speaks of a value.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// The requests to a service that fail. By default 1% and 5%.
    #[serde(default, skip_serializing_if = "is_default")]
    error_rate: Limits<Percent>,
    /// How long a cache takes to answer. By default 5ms and 20ms.
    #[serde(default, skip_serializing_if = "is_default")]
    cache_latency: Limits<Span>,
    /// The connections to a database that are taken, of those that it allows. By default 80% and 95%.
    #[serde(default, skip_serializing_if = "is_default")]
    connections: Limits<Percent>,
    /// How far a copy of a database is behind. By default 10s and 60s.
    #[serde(default, skip_serializing_if = "is_default")]
    replication_lag: Limits<Span>,
    /// The space of a disk, and its inodes. By default critical from 85% on, and an emergency from 95% on.
    #[serde(default, skip_serializing_if = "is_default")]
    disk: Limits<Percent>,
    /// The memory of a host, of a container by its limit, of a cache by its own. By default 70%, 85% and 95%.
    #[serde(default, skip_serializing_if = "is_default")]
    memory: Limits<Percent>,
    /// The days that a certificate has left: fewer are worse. By default 14, 7 and 1.
    #[serde(default, skip_serializing_if = "is_default")]
    certificate_days: Limits<f64>,
    /// The load of a host, in processes that want to run for each of its processors. By default without limits.
    #[serde(default, skip_serializing_if = "is_default")]
    load: Limits<f64>,
}

impl Thresholds {
    pub fn error_rate(&self) -> Limits<Percent> {
        self.error_rate.or(Limits::new(Some(Percent(1.0)), Some(Percent(5.0)), None))
    }

    pub fn cache_latency(&self) -> Limits<Span> {
        self.cache_latency.or(Limits::new(Some(Span::millis(5)), Some(Span::millis(20)), None))
    }

    pub fn connections(&self) -> Limits<Percent> {
        self.connections.or(Limits::new(Some(Percent(80.0)), Some(Percent(95.0)), None))
    }

    pub fn replication_lag(&self) -> Limits<Span> {
        self.replication_lag.or(Limits::new(Some(Span::secs(10)), Some(Span::secs(60)), None))
    }

    pub fn disk(&self) -> Limits<Percent> {
        self.disk.or(Limits::new(None, Some(Percent(85.0)), Some(Percent(95.0))))
    }

    pub fn memory(&self) -> Limits<Percent> {
        self.memory.or(Limits::new(Some(Percent(70.0)), Some(Percent(85.0)), Some(Percent(95.0))))
    }

    pub fn certificate_days(&self) -> Limits<f64> {
        self.certificate_days.or(Limits::new(Some(14.0), Some(7.0), Some(1.0)))
    }

    pub fn load(&self) -> Limits<f64> {
        self.load
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_limit_that_is_reached_counts() {
        let memory = Thresholds::default().memory();
        let severity = |percent| memory.reached(Percent(percent));
        assert_eq!(severity(69.9), None);
        assert_eq!(severity(70.0), Some(Severity::Warning));
        assert_eq!(severity(85.0), Some(Severity::Critical));
        assert_eq!(severity(99.0), Some(Severity::Emergency));
    }

    #[test]
    fn what_the_inventory_gives_takes_the_place_of_that_limit_only() {
        let thresholds: Thresholds = serde_json::from_str(r#"{ "memory": { "warning": "50%" } }"#).unwrap();
        let Limits { warning, critical, .. } = thresholds.memory();
        assert_eq!((warning, critical), (Some(Percent(50.0)), Some(Percent(85.0))));
        assert_eq!(thresholds.disk(), Thresholds::default().disk());
    }
}
