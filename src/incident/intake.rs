//! From alerts to an incident: a group of alerts is one incident for as long as it lasts.
//!
//! The first message of a group opens it, the others bring it up to date, and the one in which nothing fires any more has it watched. All of it
//! may be done twice: what is on record already is not written again, so a receiver that died halfway does the whole once more.

use super::desk::{Desk, Hand};
use super::event::{Alert, Event, Opening, Record, Status};
use super::follow::monitor;
use super::notice::Notice;
use super::state::IncidentState;
use super::word;
use crate::base::Result;
use crate::base::clock::{Clock, Timestamp};
use crate::base::id::IncidentId;
use crate::engine::locate::Site;
use crate::model::escalation::Level;
use crate::model::inventory::Inventory;
use crate::model::thresholds::Severity;
use crate::triage::alert;

/// A longer title is no title.
const LONGEST_TITLE: usize = 200;

/// Takes a message into the incident of its group. None where nothing fires and nobody was told of it.
///
/// # Errors
/// When a record cannot be written, or the incident is held by another process for too long.
pub fn take_in(desk: &Desk, notice: &Notice, site: &Site, clock: &Clock) -> Result<Option<IncidentId>> {
    let inventory = &site.inventory;
    let mut hand = match find(desk, notice, inventory)? {
        Some(incident) => desk.take(incident, Record::ITSELF, clock.clone())?,
        None if notice.is_firing() => {
            desk.create(opening(notice, site, clock.now()), Record::ITSELF, clock.clone())?
        }
        None => return Ok(None),
    };
    // It may have been resolved while its turn was waited for.
    if hand.state().is_resolved() {
        drop(hand);
        return take_in(desk, notice, site, clock);
    }
    note(&mut hand, notice)?;
    Ok(Some(hand.id()))
}

/// What the message changes in the incident.
fn note(hand: &mut Hand, notice: &Notice) -> Result<()> {
    if hand.state().alerts.get(&notice.group).is_none_or(|known| !are_same(known, &notice.alerts)) {
        hand.append(Event::Alerted { group: notice.group.clone(), alerts: notice.alerts.clone() })?;
    }
    let severity = notice.severity();
    if notice.is_firing() && severity > hand.state().severity {
        let text = format!("an alert fires that says so: {}", names(notice));
        hand.append(Event::SeverityChanged { severity, text })?;
    }
    let again = fires_again(hand.state()).map(|alert| alert.name.clone());
    if let Some(name) = again {
        let text = format!("`{name}` fires again");
        hand.append(Event::StatusChanged { status: Status::Investigating, text })?;
    } else if !is_firing(hand.state()) && !notice.is_firing() {
        monitor(hand, "no alert fires any more")?;
    }
    Ok(())
}

/// Whether two lists say the same, in whatever order. The words of an alert may change with every value.
fn are_same(known: &[Alert], given: &[Alert]) -> bool {
    let told = |alerts: &[Alert]| {
        let mut told: Vec<_> = alerts
            .iter()
            .map(|alert| (alert.fingerprint.clone(), alert.started_at, alert.ended_at))
            .collect();
        told.sort();
        told
    };
    told(known) == told(given)
}

/// An alert that began after the service was taken to be well again.
fn fires_again(state: &IncidentState) -> Option<&Alert> {
    let mitigated_at = state.milestones.mitigated_at.filter(|_| state.status == Status::Monitoring)?;
    firing(state).find(|alert| alert.started_at > mitigated_at)
}

pub fn firing(state: &IncidentState) -> impl Iterator<Item = &Alert> {
    state.alerts.values().flatten().filter(|alert| alert.ended_at.is_none())
}

fn is_firing(state: &IncidentState) -> bool {
    firing(state).next().is_some()
}

/// The incident that lasts and is this group's; else one that a person opened for a service of it before any alert came.
fn find(desk: &Desk, notice: &Notice, inventory: &Inventory) -> Result<Option<IncidentId>> {
    let services = services(notice, inventory);
    let mut by_hand = None;
    for incident in desk.ids()?.into_iter().rev() {
        // One that cannot be read is told of elsewhere, and keeps nobody from being told of another.
        let Ok(found) = desk.read(incident) else { continue };
        let state = found.state;
        if state.is_resolved() || state.opening.site != inventory.name {
            continue;
        }
        if state.opening.group.as_ref() == Some(&notice.group) || state.alerts.contains_key(&notice.group) {
            return Ok(Some(incident));
        }
        let is_about = state.opening.services.iter().any(|service| services.contains(service));
        if state.opening.group.is_none() && is_about {
            by_hand = by_hand.or(Some(incident));
        }
    }
    Ok(by_hand)
}

fn opening(notice: &Notice, site: &Site, now: Timestamp) -> Opening {
    let severity = notice.severity();
    Opening {
        incident: IncidentId::generate(),
        site: site.inventory.name.clone(),
        title: title(notice),
        severity,
        services: services(notice, &site.inventory),
        started_at: notice.started_at().map_or(now, |started| started.min(now)),
        detected_at: now,
        level: level(notice, severity),
        group: Some(notice.group.clone()),
        inventory: site.path.display().to_string(),
    }
}

/// The services that the alerts lead to, in the order of the inventory.
fn services(notice: &Notice, inventory: &Inventory) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for alert in &notice.alerts {
        found.extend(alert::Alert::from_labels(alert.labels.clone()).services(inventory));
    }
    inventory.services.keys().filter(|service| found.contains(service)).cloned().collect()
}

/// In the words of the first alert that fires, and how many more there are.
fn title(notice: &Notice) -> String {
    let Some(first) = notice.firing().next().or(notice.alerts.first()) else { return notice.group.clone() };
    let about = word::line(if first.about.is_empty() { &first.name } else { &first.about });
    let mut title: String = about.chars().take(LONGEST_TITLE).collect();
    if title.len() < about.len() {
        title.push('…');
    }
    match notice.firing().count() as u64 + notice.left_out {
        0 | 1 => title,
        count => format!("{title}, and {} more", count - 1),
    }
}

/// As the rules say it in the label `level`; else one service for what is critical. Triage may find that it reaches further.
fn level(notice: &Notice, severity: Severity) -> Level {
    let said = |alert: &Alert| match alert.labels.get("level").map(String::as_str) {
        Some("L1") => Some(Level::L1),
        Some("L2") => Some(Level::L2),
        Some("L3") => Some(Level::L3),
        Some("L4") => Some(Level::L4),
        _ => None,
    };
    let otherwise = if severity >= Severity::Critical { Level::L2 } else { Level::L1 };
    notice.firing().filter_map(said).max().unwrap_or(otherwise)
}

fn names(notice: &Notice) -> String {
    let mut names: Vec<_> = notice.firing().map(|alert| format!("`{}`", alert.name)).collect();
    names.dedup();
    names.join(", ")
}

#[cfg(test)]
mod tests;
