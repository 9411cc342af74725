//! How an incident begins, as far as a look at everything can tell: what is affected, how bad it is, since when, and who is called.

use super::event::{Event, Opening};
use super::word;
use crate::base::clock::Timestamp;
use crate::base::id::IncidentId;
use crate::base::nearest::listed;
use crate::base::{Error, Result};
use crate::engine::locate::Site;
use crate::model::escalation::Level;
use crate::model::inventory::Inventory;
use crate::model::thresholds::Severity;
use crate::triage::alert::Alert;
use crate::triage::rules::Cause;
use crate::triage::survey::Survey;

/// What a person says, in place of what triage finds.
#[derive(Debug, Clone, Default)]
pub struct Said {
    pub services: Vec<String>,
    pub severity: Option<Severity>,
    pub title: Option<String>,
    pub started_at: Option<Timestamp>,
}

/// What neither the person nor what was found says, and somebody has to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lack {
    pub services: bool,
    pub title: bool,
}

/// What is missing for an incident.
pub fn lack(said: &Said, survey: &Survey, firing: &[Alert], inventory: &Inventory) -> Lack {
    let (causes, firing) = (grave(survey), loud(firing));
    Lack {
        services: said.services.is_empty() && affected(&causes, &firing, inventory).is_empty(),
        title: said.title.is_none() && title(&causes, &firing).is_none(),
    }
}

/// # Errors
/// When neither the person nor triage says what is affected, or what is wrong; when a service is none of the inventory.
pub fn propose(
    said: &Said,
    survey: &Survey,
    firing: &[Alert],
    site: &Site,
    now: Timestamp,
) -> Result<Opening> {
    let inventory = &site.inventory;
    let unknown = said.services.iter().find(|service| !inventory.services.contains_key(*service));
    if let Some(unknown) = unknown {
        let known = listed(inventory.services.keys().map(String::as_str));
        return Err(Error::usage(format!("there is no service `{unknown}`")).hint(format!("it has {known}")));
    }
    if said.started_at.is_some_and(|started| started > now) {
        return Err(Error::usage("`--started` lies ahead").hint("give the time when it began to be wrong"));
    }
    let (causes, firing) = (grave(survey), loud(firing));
    let services = match said.services.is_empty() {
        true => affected(&causes, &firing, inventory),
        false => said.services.clone(),
    };
    if services.is_empty() {
        return Err(Error::usage(
            "nothing says which service is affected: triage finds nothing, and no alert fires",
        )
        .hint("opsctl incident open --service NAME --title 'what is wrong'"));
    }
    let causes: Vec<&Cause> = causes.into_iter().filter(|cause| is_of(cause, &services, inventory)).collect();
    let worst = causes.iter().map(|cause| cause.severity).max();
    let found = worst.max(firing.iter().map(|alert| alert.severity).max());
    let severity = said.severity.or(found).unwrap_or(Severity::Critical);
    let title = said.title.clone().or_else(|| title(&causes, &firing)).ok_or_else(|| {
        Error::usage("nothing says what is wrong: triage finds nothing").hint(format!(
            "opsctl incident open --service {} --title 'what is wrong'",
            services.join(" --service ")
        ))
    })?;
    let otherwise = if severity >= Severity::Critical { Level::L2 } else { Level::L1 };
    Ok(Opening {
        incident: IncidentId::generate(),
        site: inventory.name.clone(),
        title: word::line(&title),
        severity,
        services,
        started_at: said.started_at.or_else(|| since(&causes, &firing)).unwrap_or(now).min(now),
        detected_at: now,
        level: survey.level.unwrap_or(otherwise),
        group: None,
        inventory: site.path.display().to_string(),
    })
}

/// What was found, as the record has it.
pub fn triaged(survey: &Survey, runbook: Option<String>) -> Event {
    let findings = survey.findings.iter();
    let findings =
        findings.map(|finding| format!("{}: {}", finding.subject.label(), finding.evidence)).collect();
    Event::Triaged { findings, level: survey.level, runbook }
}

fn grave(survey: &Survey) -> Vec<&Cause> {
    survey.causes.iter().filter(|cause| cause.severity >= Severity::Warning).collect()
}

fn loud(firing: &[Alert]) -> Vec<&Alert> {
    firing.iter().filter(|alert| !alert.is_silenced && alert.severity >= Severity::Warning).collect()
}

/// In the order of the inventory.
fn affected(causes: &[&Cause], firing: &[&Alert], inventory: &Inventory) -> Vec<String> {
    let alerted: Vec<String> = firing.iter().flat_map(|alert| alert.services(inventory)).collect();
    let is_affected = |service: &&String| {
        alerted.contains(service) || causes.iter().any(|cause| concerns(cause, service, inventory))
    };
    inventory.services.keys().filter(is_affected).cloned().collect()
}

fn concerns(cause: &Cause, service: &str, inventory: &Inventory) -> bool {
    cause.subject.service(inventory) == Some(service) || cause.subject.is_needed_by(service, inventory)
}

/// What concerns none of them may still be why: what stands before them all, and what concerns no service at all.
fn is_of(cause: &Cause, services: &[String], inventory: &Inventory) -> bool {
    let is_of_others = inventory.services.keys().any(|service| concerns(cause, service, inventory));
    !is_of_others || services.iter().any(|service| concerns(cause, service, inventory))
}

/// What the worst cause shows.
fn title(causes: &[&Cause], firing: &[&Alert]) -> Option<String> {
    let worst = causes.iter().max_by_key(|cause| (cause.severity, !cause.is_an_alert_alone()));
    let of_cause = worst.and_then(|cause| {
        let shown = cause.shown_by.first()?;
        Some(match shown.since.is_some() && cause.is_an_alert_alone() {
            true => shown.evidence.clone(),
            false => format!("{}: {}", shown.subject.label(), shown.evidence),
        })
    });
    of_cause.or_else(|| {
        let alert = firing.first()?;
        Some(if alert.about.is_empty() { alert.name.clone() } else { alert.about.clone() })
    })
}

fn since(causes: &[&Cause], firing: &[&Alert]) -> Option<Timestamp> {
    let found = causes.iter().flat_map(|cause| cause.shown_by.iter().chain(&cause.explains));
    found.filter_map(|finding| finding.since).chain(firing.iter().filter_map(|alert| alert.since)).min()
}

#[cfg(test)]
mod tests;
