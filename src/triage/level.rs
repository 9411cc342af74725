//! How far an outage reaches, and so who is called.

use std::collections::BTreeSet;

use super::rules::Cause;
use super::subject::Subject;
use crate::model::escalation::Level;
use crate::model::inventory::Inventory;
use crate::model::thresholds::Severity;

/// The level to enter at; nothing when nothing is worth a call. `healthy`: the instances that serve.
pub fn level(causes: &[Cause], healthy: &[&str], inventory: &Inventory) -> Option<Level> {
    let worst = causes.iter().map(|cause| cause.severity).max()?;
    if worst < Severity::Warning {
        return None;
    }
    // Who looks at something that has taken no instance down is the same as for one instance.
    let down: BTreeSet<&str> = inventory
        .services
        .iter()
        .filter(|(_, service)| !service.instances.keys().any(|instance| healthy.contains(&instance.as_str())))
        .filter(|(name, _)| is_concerned(causes, name, inventory))
        .map(|(name, _)| name.as_str())
        .collect();
    Some(match down.len() {
        0 => Level::L1,
        // With one service in all, it is the whole.
        count if count == inventory.services.len() && count > 1 => Level::L4,
        1 => Level::L2,
        _ => Level::L3,
    })
}

/// Whether something that was found is about the service: one that could not be looked at may be well.
fn is_concerned(causes: &[Cause], service: &str, inventory: &Inventory) -> bool {
    let mut findings = causes.iter().flat_map(|cause| cause.shown_by.iter().chain(&cause.explains));
    findings.any(|finding| match &finding.subject {
        Subject::Instance(_) | Subject::Service(_) => finding.subject.service(inventory) == Some(service),
        Subject::Host(_) => finding.subject.is_needed_by(service, inventory),
        _ => false,
    })
}
