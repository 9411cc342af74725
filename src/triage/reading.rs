//! One value that was measured, whatever it may mean.

use std::fmt;

use super::alert::Alert;
use crate::base::amount::Span;
use crate::base::percent::Percent;
use crate::base::size::Size;
use crate::model::thresholds::{Severity, Thresholds};

#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    Disk {
        mount: String,
        used: Percent,
        free: Size,
    },
    Inodes {
        mount: String,
        used: Percent,
        free: u64,
    },
    HostMemory {
        used: Percent,
        left: Size,
    },
    Load {
        load: f64,
        processors: u32,
    },
    ContainerMemory {
        used: Size,
        limit: Size,
    },
    Connections {
        used: u64,
        most: u64,
    },
    /// It refused the question itself.
    NoConnectionLeft {
        said: String,
    },
    ReplicationLag {
        behind: Span,
    },
    CacheLatency {
        took: Span,
    },
    CacheMemory {
        used: Size,
        most: Size,
    },
    CacheLinkDown,
    ErrorRate {
        failing: Percent,
    },
    Certificate {
        days: f64,
        /// Whether it should be renewed by now.
        is_due: bool,
    },
    /// A certificate that is served too early, or by a clock that is late.
    NotYetValid {
        days: f64,
    },
    /// A certificate is for these, and not for the name that it has to be for.
    OtherNames {
        names: Vec<String>,
    },
    Alert(Alert),
}

impl Reading {
    /// How bad it is, by the limits of the site; nothing when it is as it should be.
    pub fn severity(&self, limits: &Thresholds) -> Option<Severity> {
        match self {
            Reading::Disk { used, .. } | Reading::Inodes { used, .. } => limits.disk().reached(*used),
            Reading::HostMemory { used, .. } => limits.memory().reached(*used),
            Reading::Load { load, processors } => limits.load().reached(load / f64::from(*processors)),
            Reading::ContainerMemory { used, limit } => limits.memory().reached(share(*used, *limit)?),
            Reading::Connections { used, most } => limits.connections().reached(Percent::of(*used, *most)),
            Reading::ReplicationLag { behind } => limits.replication_lag().reached(*behind),
            Reading::CacheLatency { took } => limits.cache_latency().reached(*took),
            Reading::CacheMemory { used, most } => limits.memory().reached(share(*used, *most)?),
            Reading::NoConnectionLeft { .. } => Some(Severity::Emergency),
            Reading::CacheLinkDown => Some(Severity::Critical),
            Reading::ErrorRate { failing } => limits.error_rate().reached(*failing),
            Reading::Certificate { days, is_due } => {
                limits.certificate_days().undercut(*days).or(is_due.then_some(Severity::Notice))
            }
            Reading::NotYetValid { .. } | Reading::OtherNames { .. } => Some(Severity::Critical),
            Reading::Alert(alert) => Some(if alert.is_silenced { Severity::Notice } else { alert.severity }),
        }
    }
}

/// Without a limit there is no share of it.
fn share(used: Size, limit: Size) -> Option<Percent> {
    (limit.0 > 0).then(|| Percent::of(used.0, limit.0))
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reading::Disk { mount, used, free } => write!(f, "`{mount}` is {used} full, {free} free"),
            Reading::Inodes { mount, used, free } => {
                write!(f, "`{mount}` has {used} of its inodes in use, {free} free")
            }
            Reading::HostMemory { used, left } => write!(f, "{used} of its memory is in use, {left} left"),
            Reading::Load { load, processors } => write!(f, "the load is {load} on {processors} processors"),
            Reading::ContainerMemory { used, limit } => {
                write!(f, "it uses {used} of {limit} memory, {}", Percent::of(used.0, limit.0))
            }
            Reading::Connections { used, most } => {
                write!(f, "{used} of {most} connections are taken, {}", Percent::of(*used, *most))
            }
            Reading::ReplicationLag { behind } => write!(f, "its copy is {behind} behind"),
            Reading::CacheLatency { took } => write!(f, "it takes {took} to answer"),
            Reading::CacheMemory { used, most } => {
                write!(f, "it holds {used} of at most {most}, {}", Percent::of(used.0, most.0))
            }
            Reading::NoConnectionLeft { said } => write!(f, "no connection is left: {said}"),
            Reading::CacheLinkDown => f.write_str("it is a copy, and has lost its master"),
            Reading::ErrorRate { failing } => write!(f, "{failing} of its requests fail"),
            Reading::Certificate { days, .. } if *days <= 0.0 => {
                write!(f, "it expired {:.1} days ago", -days)
            }
            Reading::Certificate { days, .. } => write!(f, "it expires in {days:.1} days"),
            Reading::NotYetValid { days } => write!(f, "it is not valid for another {days:.1} days"),
            Reading::OtherNames { names } => write!(f, "it is for other names: {}", names.join(", ")),
            Reading::Alert(Alert { name, about, is_silenced, .. }) => {
                let silenced = if *is_silenced { ", silenced" } else { "" };
                let about = if about.is_empty() { String::new() } else { format!(": {about}") };
                write!(f, "alert `{name}` fires{silenced}{about}")
            }
        }
    }
}
