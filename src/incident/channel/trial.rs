//! A message that tries a channel out, and says in its own words that nothing has happened.

use serde_json::Map;

use crate::base::clock::Timestamp;
use crate::base::id::IncidentId;
use crate::incident::envelope::{Envelope, Page};
use crate::incident::event::Status;
use crate::model::channel::{Channel, MessageKind, Way};
use crate::model::escalation::Level;
use crate::model::thresholds::Severity;

/// What is sent, in order. Where something is begun by it, it is ended as well.
pub fn trial(name: &str, channel: &Channel, site: &str, by: &str, now: Timestamp) -> Vec<Envelope> {
    let kinds = match &channel.to {
        Way::PagerDuty(_) => vec![MessageKind::Page, MessageKind::Resolution],
        Way::Grafana(_) => vec![MessageKind::Resolution],
        _ => vec![channel.kinds.first().copied().unwrap_or(MessageKind::Update)],
    };
    let incident = IncidentId::generate();
    let page =
        Page { level: channel.levels.first().copied().unwrap_or(Level::L1), round: 1, who: by.to_owned() };
    let message = |(number, kind): (u32, MessageKind)| Envelope {
        incident,
        message: number,
        kind,
        site: site.to_owned(),
        title: format!("a test of the channel {name}"),
        severity: Severity::Warning,
        status: Status::Resolved,
        services: Vec::new(),
        subject: format!("{site}: a test of the channel {name}"),
        text: format!(
            "This is a test by {by}. Nothing has happened, and nothing is to be done.\nTime: {now:.0}"
        ),
        started_at: now,
        at: now,
        next_update_at: None,
        page: (kind == MessageKind::Page).then(|| page.clone()),
        is_acknowledged: false,
        alerts: Vec::new(),
        memory: Map::new(),
    };
    (1..).zip(kinds).map(message).collect()
}
