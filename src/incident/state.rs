//! What an incident's record says, folded: how it stands, who has it, what was told to whom and what is owed.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::envelope::Page;
use super::event::{Alert, Event, Opening, Record, Status};
use crate::base::clock::Timestamp;
use crate::base::id::RunId;
use crate::model::channel::MessageKind;
use crate::model::escalation::Level;
use crate::model::thresholds::Severity;

mod legal;
mod take;
#[cfg(test)]
mod tests;

/// An incident as its record has it.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidentState {
    pub opening: Opening,
    pub opened_at: Timestamp,
    pub opened_by: String,
    pub severity: Severity,
    pub status: Status,
    /// The newest words of a person on how it stands.
    pub text: Option<String>,
    pub is_closed: bool,
    /// The highest level that was asked for by a person or by time.
    pub level: Level,
    /// When that was asked for.
    pub level_at: Timestamp,
    pub milestones: Milestones,
    /// Who has it, since when, and when they last said a word.
    pub held: Option<Held>,
    /// When somebody last was taken not to have it any more.
    pub released_at: Option<Timestamp>,
    /// How often the highest level was called since it was asked for, or since somebody was taken not to have it any more.
    pub called: u32,
    /// For each level its rounds, in order, with the time of each.
    pub pages: BTreeMap<Level, Vec<Timestamp>>,
    /// In order; the first is message 1.
    pub messages: Vec<Message>,
    pub next_update_at: Option<Timestamp>,
    /// By group.
    pub alerts: BTreeMap<String, Vec<Alert>>,
    /// The newest look at everything.
    pub triage: Option<Triage>,
    pub runs: IndexMap<RunId, Linked>,
    pub resolution: Option<Resolution>,
    /// In order; the first is task 1.
    pub tasks: Vec<Task>,
    /// What each channel gave to refer to this incident later, such as the message that updates are put under.
    pub memories: BTreeMap<String, Map<String, Value>>,
    /// How many records there are.
    pub records: u64,
    pub changed_at: Timestamp,
}

/// When what was reached for the first time; an incident that is opened again, or that turns out not to be mitigated, loses the later ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Milestones {
    pub acknowledged_at: Option<Timestamp>,
    pub mitigated_at: Option<Timestamp>,
    pub resolved_at: Option<Timestamp>,
    pub closed_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub who: String,
    pub since: Timestamp,
    /// When a person last wrote anything into the record, or a run moved.
    pub heard_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub kind: MessageKind,
    pub subject: String,
    pub text: String,
    pub at: Timestamp,
    /// Of a page: whom it calls. A page without it was never decided on, because its writer died, and is not sent.
    pub page: Option<Page>,
    /// What became of it, by channel, in the inventory's order.
    pub deliveries: IndexMap<String, Delivery>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Delivery {
    /// Nobody has tried yet.
    Waiting,
    /// Somebody began, and has not said how it ended: so a process that finds this, under the lock, knows that another died.
    Sending {
        tries: u32,
        /// An earlier try may have arrived.
        is_doubtful: bool,
    },
    Sent,
    Refused {
        why: String,
    },
    Later {
        why: String,
        retry_at: Timestamp,
        tries: u32,
        /// An earlier try may have arrived.
        is_doubtful: bool,
    },
    Unknown {
        why: String,
        at: Timestamp,
        tries: u32,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Triage {
    pub at: Timestamp,
    pub findings: Vec<String>,
    pub level: Option<Level>,
    pub runbook: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    pub runbook: String,
    pub title: String,
    /// The last line of its journal that is in the record.
    pub told_to: u64,
    pub is_ended: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    pub cause: String,
    pub resolution: String,
    pub follow_up: Vec<String>,
    pub forced: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    pub text: String,
    pub owner: Option<String>,
    pub due: Option<jiff::civil::Date>,
    pub state: TaskState,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskState {
    Open,
    Done { text: String },
    Waived { why: String },
}

/// What cannot follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Illegal(pub String);

impl IncidentState {
    /// The state after the first record.
    ///
    /// # Errors
    /// When it opens nothing.
    pub fn begin(record: &Record) -> Result<IncidentState, Illegal> {
        let Event::Opened(opening) = &record.event else {
            return Err(Illegal("the first record does not open an incident".to_owned()));
        };
        Ok(IncidentState {
            opening: opening.clone(),
            opened_at: record.at,
            opened_by: record.by.clone(),
            severity: opening.severity,
            status: Status::Investigating,
            text: None,
            is_closed: false,
            level: opening.level,
            level_at: record.at,
            milestones: Milestones::default(),
            held: None,
            released_at: None,
            called: 0,
            pages: BTreeMap::new(),
            messages: Vec::new(),
            next_update_at: None,
            alerts: BTreeMap::new(),
            triage: None,
            runs: IndexMap::new(),
            resolution: None,
            tasks: Vec::new(),
            memories: BTreeMap::new(),
            records: 1,
            changed_at: record.at,
        })
    }

    /// Whether a record can follow.
    ///
    /// # Errors
    /// When it cannot, with why.
    pub fn check(&self, record: &Record) -> Result<(), Illegal> {
        legal::check(self, &record.event).map_err(Illegal)
    }

    /// Takes in one more record.
    ///
    /// # Errors
    /// When it cannot follow; the state is unchanged then.
    pub fn apply(&mut self, record: &Record) -> Result<(), Illegal> {
        self.check(record)?;
        self.take(record);
        Ok(())
    }

    pub fn is_resolved(&self) -> bool {
        self.status == Status::Resolved
    }

    pub fn message(&self, number: u32) -> Option<&Message> {
        self.messages.get((number as usize).checked_sub(1)?)
    }

    /// Whether a message is still to be given to a channel.
    pub fn owes(&self) -> bool {
        self.messages.iter().any(|message| message.deliveries.values().any(|delivery| !delivery.is_over()))
    }
}

impl Delivery {
    /// Whether it may have arrived, though nobody knows.
    pub fn is_doubtful(&self) -> bool {
        match self {
            Delivery::Sending { is_doubtful, .. } | Delivery::Later { is_doubtful, .. } => *is_doubtful,
            Delivery::Unknown { .. } => true,
            Delivery::Waiting | Delivery::Sent | Delivery::Refused { .. } => false,
        }
    }

    /// Whether nothing more comes of it. What is unknown may be sent again.
    pub fn is_over(&self) -> bool {
        matches!(self, Delivery::Sent | Delivery::Refused { .. })
    }
}
