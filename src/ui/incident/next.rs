//! What to type next about an incident.

use crate::base::clock::Timestamp;
use crate::incident::state::IncidentState;
use crate::incident::{cadence, review};

/// The lines, the most urgent first.
pub fn commands(state: &IncidentState, now: Timestamp) -> Vec<String> {
    let short = state.opening.incident.short();
    if state.is_closed {
        return Vec::new();
    }
    if state.is_resolved() {
        let mut lines: Vec<String> = review::open(state)
            .take(1)
            .map(|(number, _)| format!("opsctl incident done {number} 'what was done' --incident {short}"))
            .collect();
        if lines.is_empty() {
            lines.push(format!("opsctl incident close {short}"));
        }
        if review::is_major(state.severity) {
            lines.push(format!("opsctl incident postmortem {short} -o postmortem.md --ics postmortem.ics"));
        }
        return lines;
    }
    let mut lines = Vec::new();
    if state.held.is_none() {
        lines.push(format!("opsctl incident ack {short}"));
    }
    if cadence::overdue(state, now).is_some() {
        lines.push(format!("opsctl incident update 'how it stands' --incident {short}"));
    }
    if let Some(service) = state.opening.services.first()
        && state.runs.is_empty()
        && state.milestones.mitigated_at.is_none()
    {
        lines.push(format!("opsctl failover {service} --plan"));
    }
    if state.milestones.mitigated_at.is_some() {
        lines.push(format!(
            "opsctl incident resolve {short} --cause '...' --resolution '...' --follow-up '...'"
        ));
    }
    lines
}
