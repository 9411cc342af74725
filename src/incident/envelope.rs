//! A message as a channel gets it: addressed, and with all that its form may want.

use serde_json::{Map, Value};

use super::event::Status;
use crate::base::clock::Timestamp;
use crate::base::id::IncidentId;
use crate::model::channel::MessageKind;
use crate::model::escalation::Level;
use crate::model::thresholds::Severity;

#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    pub incident: IncidentId,
    /// Its number in the incident, from 1. With the incident and the channel it names one delivery for ever: what is sent again has the
    /// same name, so that a receiver that knows it takes it once.
    pub message: u32,
    pub kind: MessageKind,
    pub site: String,
    pub title: String,
    pub severity: Severity,
    /// How the incident stands at the moment of sending.
    pub status: Status,
    pub services: Vec<String>,
    /// One line.
    pub subject: String,
    /// Plain text, of any length, written by anybody: markup in it is text.
    pub text: String,
    pub started_at: Timestamp,
    /// When the message was written.
    pub at: Timestamp,
    pub next_update_at: Option<Timestamp>,
    /// Whom a page calls.
    pub page: Option<Page>,
    /// Whether somebody has acknowledged.
    pub is_acknowledged: bool,
    /// The labels of what fires, one set an alert.
    pub alerts: Vec<std::collections::BTreeMap<String, String>>,
    /// What the channel gave for an earlier message of this incident.
    pub memory: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub level: Level,
    pub round: u32,
    pub who: String,
}

impl Envelope {
    /// The name of the delivery over a channel, for receivers that take a thing once.
    pub fn delivery(&self, channel: &str) -> String {
        format!("{}-{}-{channel}", self.incident, self.message)
    }
}
