//! All incidents in a table, the newest first.

use serde_json::{Value, json};

use super::due::due;
use crate::base::clock::Timestamp;
use crate::incident::state::IncidentState;
use crate::incident::{cadence, word};
use crate::model::thresholds::Severity;
use crate::ui::paint::Ink;
use crate::ui::table::{Cell, Table};

pub fn text(incidents: &[&IncidentState], now: Timestamp) -> String {
    let mut table =
        Table::new(&["INCIDENT", "STATUS", "SEVERITY", "SERVICES", "BEGAN", "WHO HAS IT", "UPDATE", "TITLE"]);
    for state in incidents {
        let (ink, due) = due(state, now).unwrap_or((Ink::Plain, String::new()));
        let holder = match &state.held {
            Some(held) => Cell::from(held.who.as_str()),
            None if state.is_resolved() => "".into(),
            None => Cell::new(Ink::Warn, "nobody"),
        };
        table.row([
            Cell::new(Ink::Bold, state.opening.incident.short()),
            status(state).into(),
            Cell::new(of_severity(state.severity), word::severity(state.severity).to_lowercase()),
            state.opening.services.join(", ").into(),
            format!("{:.0}", state.opening.started_at).into(),
            holder,
            Cell::new(ink, due),
            word::line(&state.opening.title).into(),
        ]);
    }
    table.text()
}

/// Part of the public interface.
pub fn json(incidents: &[&IncidentState], now: Timestamp) -> String {
    let rows = incidents.iter().map(|state| row(state, now));
    format!("{}\n", Value::Array(rows.collect()))
}

/// What is known of an incident in a few fields.
pub fn row(state: &IncidentState, now: Timestamp) -> Value {
    json!({
        "incident": state.opening.incident,
        "site": state.opening.site,
        "title": state.opening.title,
        "status": state.status,
        "is_closed": state.is_closed,
        "severity": state.severity,
        "level": state.level,
        "services": state.opening.services,
        "started_at": state.opening.started_at,
        "detected_at": state.opening.detected_at,
        "opened_at": state.opened_at,
        "acknowledged_at": state.milestones.acknowledged_at,
        "mitigated_at": state.milestones.mitigated_at,
        "resolved_at": state.milestones.resolved_at,
        "closed_at": state.milestones.closed_at,
        "holder": state.held.as_ref().map(|held| &held.who),
        "next_update_at": state.next_update_at,
        "is_overdue": cadence::overdue(state, now).is_some(),
    })
}

/// As people say it; what is closed needs nobody any more.
pub fn status(state: &IncidentState) -> String {
    match state.is_closed {
        true => "closed".to_owned(),
        false => word::status(state.status).to_lowercase(),
    }
}

pub fn of_severity(severity: Severity) -> Ink {
    if severity >= Severity::Critical { Ink::Bad } else { Ink::Warn }
}
