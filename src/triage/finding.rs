//! One thing that triage observed and that is not as it should be.

use jiff::Timestamp;
use serde::Serialize;

use super::container::Container;
use super::look::{Health, Seen};
use super::measure::Measured;
use super::reading::Reading;
use super::subject::Subject;
use crate::model::inventory::Inventory;
use crate::model::thresholds::Severity;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    pub kind: Kind,
    pub subject: Subject,
    pub severity: Severity,
    pub evidence: String,
    /// Since when it is so, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// There is no way to the host.
    HostUnreachable,
    /// The host answers, and its Docker engine does not.
    EngineDown,
    /// A disk has no space or no inodes left, or soon.
    DiskFull,
    HostMemoryLow,
    HostLoaded,
    /// A container that runs is not attached to its network.
    NetworkCut,
    /// An instance was killed for memory, or is about to be.
    OutOfMemory,
    /// Its container does not run.
    InstanceDown,
    /// Its container runs, and its health endpoint says that it is not well.
    InstanceUnhealthy,
    DatabaseDown,
    ConnectionsTaken,
    CopyBehind,
    CacheDown,
    /// It does not come up, because it cannot read what it kept on its disk.
    CacheDamaged,
    CacheFull,
    CacheSlow,
    EndpointDown,
    /// A certificate ends soon, or has; or it is for other names.
    CertificateExpiring,
    ErrorsHigh,
    AlertFiring,
    /// It could not be asked how it is.
    NotAsked,
    /// It answers, and does not say how much it has left.
    NotMeasured,
}

/// What is not as it should be, the worst first.
pub fn findings(
    inventory: &Inventory,
    hosts: &[Finding],
    seen: &[Seen],
    measured: &[Measured],
) -> Vec<Finding> {
    let mut found = hosts.to_vec();
    let is_lost = |subject: &Subject| {
        let host = subject.host(inventory);
        // A certificate is asked for where it is served, and not through Docker.
        let is_asked_for = |finding: &Finding| {
            matches!(subject, Subject::Certificate(_)) && finding.kind == Kind::EngineDown
        };
        hosts.iter().any(|finding| finding.subject.host(inventory) == host && !is_asked_for(finding))
    };
    found.extend(seen.iter().filter_map(|seen| of_seen(seen, is_lost(&Subject::from(seen)))));
    for Measured { subject, readings } in measured {
        // What is down has nothing to say.
        if found.iter().any(|finding| finding.subject == *subject) || is_lost(subject) {
            continue;
        }
        match readings {
            Ok(readings) => {
                let bad = readings.iter().filter_map(|reading| of_reading(subject, reading, inventory));
                found.extend(bad.collect::<Vec<_>>());
            }
            Err(why) => found.push(Finding {
                kind: Kind::NotMeasured,
                subject: subject.clone(),
                severity: Severity::Warning,
                evidence: format!("it could not be measured: {why}"),
                since: None,
            }),
        }
    }
    found.sort_by(|a, b| b.severity.cmp(&a.severity).then(a.kind.cmp(&b.kind)));
    found
}

fn of_seen(seen: &Seen, is_lost: bool) -> Option<Finding> {
    let subject = Subject::from(seen);
    let since = seen.container.as_ref().and_then(Container::down_since);
    let finding = |kind, severity, evidence| {
        Some(Finding { kind, subject: subject.clone(), severity, evidence, since })
    };
    let container = seen.container.as_ref();
    // Attached to nothing, it may still look well to a check inside of it.
    if let Some(network) = container.and_then(Container::missing_network) {
        return finding(
            Kind::NetworkCut,
            Severity::Critical,
            format!("it is not attached to its network `{network}`"),
        );
    }
    let why = match &seen.health {
        Health::Healthy { .. } => return None,
        // Why is said of the host.
        Health::Unknown { .. } if is_lost => return None,
        Health::Unknown { why } => {
            return finding(Kind::NotAsked, Severity::Warning, format!("it could not be asked: {why}"));
        }
        Health::Unhealthy { why } => why,
    };
    let evidence = match (container, seen.damage) {
        (Some(container), Some(words)) => {
            format!("its container is {}, and its log says \"{words}\"", container.describe())
        }
        (Some(container), None) if container.is_running() => {
            format!("its container is {}, and {why}", container.describe())
        }
        (Some(container), None) => format!("its container is {}", container.describe()),
        (None, _) => why.clone(),
    };
    let is_running = container.is_some_and(Container::is_running);
    let kind = match subject {
        Subject::Instance(_) if container.is_some_and(|container| container.oom_killed) => Kind::OutOfMemory,
        Subject::Instance(_) if is_running => Kind::InstanceUnhealthy,
        Subject::Instance(_) => Kind::InstanceDown,
        Subject::Database(_) => Kind::DatabaseDown,
        Subject::Cache(_) if seen.damage.is_some() => Kind::CacheDamaged,
        Subject::Cache(_) => Kind::CacheDown,
        _ => Kind::EndpointDown,
    };
    finding(kind, Severity::Critical, evidence)
}

fn of_reading(subject: &Subject, reading: &Reading, inventory: &Inventory) -> Option<Finding> {
    let kind = match reading {
        Reading::Disk { .. } | Reading::Inodes { .. } => Kind::DiskFull,
        Reading::HostMemory { .. } => Kind::HostMemoryLow,
        Reading::Load { .. } => Kind::HostLoaded,
        Reading::ContainerMemory { .. } => Kind::OutOfMemory,
        Reading::Connections { .. } | Reading::NoConnectionLeft { .. } => Kind::ConnectionsTaken,
        Reading::ReplicationLag { .. } => Kind::CopyBehind,
        Reading::CacheLatency { .. } => Kind::CacheSlow,
        Reading::CacheMemory { .. } => Kind::CacheFull,
        Reading::CacheLinkDown => Kind::CopyBehind,
        Reading::Certificate { .. } | Reading::NotYetValid { .. } | Reading::OtherNames { .. } => {
            Kind::CertificateExpiring
        }
        Reading::ErrorRate { .. } => Kind::ErrorsHigh,
        Reading::Alert(_) => Kind::AlertFiring,
    };
    let since = if let Reading::Alert(alert) = reading { alert.since } else { None };
    let severity = reading.severity(&inventory.thresholds)?;
    Some(Finding { kind, subject: subject.clone(), severity, evidence: reading.to_string(), since })
}
