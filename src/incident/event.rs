//! What can be said about an incident: the events that its record is made of.
//!
//! Everything that is known about an incident is a fold of these (see [`state`](super::state)).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::base::clock::Timestamp;
use crate::base::id::{IncidentId, RunId};
use crate::model::channel::MessageKind;
use crate::model::escalation::Level;
use crate::model::plan::Digest;
use crate::model::thresholds::Severity;

/// One line of an incident's record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The version of this format.
    pub v: u32,
    /// The number of its line, from 1.
    pub seq: u64,
    /// The sha256 of the previous line without its newline; of the incident's id for the first.
    pub prev: Digest,
    pub at: Timestamp,
    /// Who said or did it: a person's login, or `opsctl` where nobody asked for it.
    pub by: String,
    #[serde(flatten)]
    pub event: Event,
}

impl Record {
    pub const VERSION: u32 = 1;

    /// The `by` of what nobody asked for.
    pub const ITSELF: &str = "opsctl";
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    Opened(Opening),
    /// Alerts of one group, as they stand: the newest of a group takes the place of the one before.
    Alerted {
        group: String,
        alerts: Vec<Alert>,
    },
    /// What was found by looking at everything.
    Triaged {
        findings: Vec<String>,
        level: Option<Level>,
        runbook: Option<String>,
    },
    /// A run is about this incident.
    Linked {
        run: RunId,
        runbook: String,
        title: String,
    },
    /// Something that happened in a linked run. `record` is the number of its line in that run's journal, so that it is told once.
    Ran {
        run: RunId,
        record: u64,
        happened_at: Timestamp,
        text: String,
        is_end: bool,
    },
    Noted {
        text: String,
    },
    /// What is known changed. A message tells of it.
    StatusChanged {
        status: Status,
        text: String,
    },
    SeverityChanged {
        severity: Severity,
        text: String,
    },
    /// Whoever was paged has it. No page climbs from here on.
    Acknowledged {
        who: String,
    },
    /// Nobody has it any more: pages climb again from the level that was reached.
    Unacknowledged {
        why: String,
    },
    /// From here on this level is paged, too.
    Escalated {
        level: Level,
        why: String,
    },
    /// Level and round were decided on; the message `message` pages them. It is written once for each level and round.
    Paged {
        level: Level,
        round: u32,
        who: String,
        message: u32,
    },
    HandedOff {
        from: String,
        to: String,
        text: String,
    },
    /// A message is to go out over these channels. `message` counts from 1.
    Told {
        message: u32,
        kind: MessageKind,
        subject: String,
        text: String,
        next_update_at: Option<Timestamp>,
        channels: Vec<String>,
    },
    /// A message is about to be given to a channel. Without a `Delivered` after it nobody knows whether it arrived.
    Sending {
        message: u32,
        channel: String,
    },
    Delivered {
        message: u32,
        channel: String,
        outcome: Outcome,
    },
    /// The service is well again, though the cause may not be known.
    Mitigated {
        text: String,
    },
    /// `forced` is why it was said to be resolved while something was not well.
    Resolved {
        cause: String,
        resolution: String,
        follow_up: Vec<String>,
        forced: Option<String>,
    },
    /// Something that has to be done after it; `task` counts from 1. The first five are those of the review.
    TaskSet {
        task: u32,
        text: String,
        owner: Option<String>,
        due: Option<jiff::civil::Date>,
    },
    TaskDone {
        task: u32,
        text: String,
    },
    /// It will not be done, and why.
    TaskWaived {
        task: u32,
        why: String,
    },
    Closed,
    /// It was not over after all.
    Reopened {
        why: String,
    },
}

/// How an incident begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opening {
    pub incident: IncidentId,
    /// The name of the site.
    pub site: String,
    pub title: String,
    pub severity: Severity,
    pub services: Vec<String>,
    /// When it began to be wrong, as far as is known.
    pub started_at: Timestamp,
    /// When somebody or something noticed.
    pub detected_at: Timestamp,
    /// The level to enter at.
    pub level: Level,
    /// The group of alerts that it was opened for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The inventory's file, for what is asked later.
    pub inventory: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Alertmanager's name of it.
    pub fingerprint: String,
    pub name: String,
    pub labels: BTreeMap<String, String>,
    /// In the words of its rule.
    pub about: String,
    pub started_at: Timestamp,
    /// Without one it still fires.
    pub ended_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Investigating,
    Identified,
    Monitoring,
    Resolved,
}

/// What became of giving a message to a channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Outcome {
    /// It was taken. What the channel gave to refer to it later, such as the message that an update is put under.
    Sent { memory: Map<String, Value> },
    /// It will never be taken as it is: the key is wrong, the message is.
    Refused { why: String },
    /// It was not taken, and may be later; not before `retry_at`.
    Later { why: String, retry_at: Timestamp },
    /// Nobody knows whether it was taken.
    Unknown { why: String },
}
