//! From findings to what is behind them: the rules, as a table, and how they are read.
//!
//! Pure. The rules stand in order, the most specific and the deepest cause first: a rule takes the findings that show its
//! cause, and with them what the cause explains, so that a database that is down is named once and not three times. What
//! no cause explains stands by itself.

use serde::Serialize;

use super::finding::{Finding, Kind};
use super::subject::Subject;
use crate::model::inventory::Inventory;
use crate::model::thresholds::Severity;

/// One cause that findings show.
pub struct Rule {
    pub shown_by: Kind,
    /// How bad it must be.
    pub from: Severity,
    /// What it is called, and the runbook that mends it.
    pub scenario: &'static str,
    pub explains: &'static [Reach],
}

/// What else a cause brings about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Everything that was found about the same thing.
    Itself,
    /// Everything on the same host.
    ItsHost,
    /// That the instances which need it run, and are not well. One whose container does not run has a cause of its own.
    WhatNeedsIt,
    /// That requests to the service, or through a proxy, fail.
    Requests,
}

const fn rule(shown_by: Kind, from: Severity, scenario: &'static str, explains: &'static [Reach]) -> Rule {
    Rule { shown_by, from, scenario, explains }
}

use Kind as K;
use Reach::{ItsHost, Itself, Requests, WhatNeedsIt};
use Severity::{Critical, Warning};

pub const RULES: &[Rule] = &[
    rule(K::HostUnreachable, Warning, "host-lost", &[ItsHost]),
    rule(K::EngineDown, Warning, "host-down", &[ItsHost]),
    rule(K::DiskFull, Critical, "disk-full", &[Itself]),
    rule(K::NetworkCut, Critical, "network-broken", &[Itself, WhatNeedsIt, Requests]),
    rule(K::DatabaseDown, Critical, "database-down", &[Itself, WhatNeedsIt, Requests]),
    rule(K::CacheDamaged, Critical, "cache-damaged", &[Itself, WhatNeedsIt, Requests]),
    rule(K::CacheDown, Critical, "cache-down", &[Itself, WhatNeedsIt, Requests]),
    rule(K::CacheFull, Critical, "cache-full", &[Itself, WhatNeedsIt, Requests]),
    rule(K::CertificateExpiring, Warning, "certificate-expiring", &[Itself]),
    rule(K::OutOfMemory, Critical, "out-of-memory", &[Itself, Requests]),
    rule(K::InstanceDown, Critical, INSTANCE_DOWN, &[Itself, Requests]),
    rule(K::InstanceUnhealthy, Critical, INSTANCE_DOWN, &[Itself, Requests]),
];

pub const INSTANCE_DOWN: &str = "instance-down";
pub const SERVICE_DOWN: &str = "service-down";

/// Something that is wrong, with all that it explains.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cause {
    /// Its name, which is that of the runbook that mends it; nothing where no rule knows it.
    pub scenario: Option<String>,
    pub subject: Subject,
    pub severity: Severity,
    /// What shows it.
    pub shown_by: Vec<Finding>,
    /// What else it brings about.
    pub explains: Vec<Finding>,
}

impl Cause {
    /// Whether nothing but an alert shows it.
    pub fn is_an_alert_alone(&self) -> bool {
        self.shown_by.iter().all(|finding| finding.kind == Kind::AlertFiring)
    }

    /// In one sentence.
    pub fn why(&self) -> String {
        let shown =
            self.shown_by.iter().map(|finding| format!("`{}`: {}", finding.subject.name(), finding.evidence));
        let mut text = shown.collect::<Vec<_>>().join("; ");
        // An alert is one more witness, and nothing that is to be mended.
        let explained = self.explains.iter().filter(|finding| finding.kind != Kind::AlertFiring);
        let mut names: Vec<_> = explained.map(|finding| format!("`{}`", finding.subject.name())).collect();
        names.dedup();
        if !names.is_empty() {
            text.push_str(&format!("; it explains {}", names.join(", ")));
        }
        text
    }
}

/// What is behind the findings, in the order in which it is to be mended. Every finding is in exactly one cause.
pub fn causes(findings: &[Finding], inventory: &Inventory) -> Vec<Cause> {
    let mut left: Vec<Finding> = findings.to_vec();
    let mut causes: Vec<Cause> = Vec::new();
    for rule in RULES {
        while let Some(place) =
            left.iter().position(|finding| finding.kind == rule.shown_by && finding.severity >= rule.from)
        {
            let shown = left.remove(place);
            let (explains, rest) = left.into_iter().partition(|finding| {
                rule.explains.iter().any(|reach| reach.covers(&shown, finding, inventory))
            });
            left = rest;
            causes.push(Cause {
                scenario: Some(rule.scenario.to_owned()),
                subject: shown.subject.clone(),
                severity: shown.severity,
                shown_by: vec![shown],
                explains,
            });
        }
    }
    let mut causes = together(causes, inventory);
    causes.extend(left.into_iter().map(|finding| Cause {
        scenario: None,
        subject: finding.subject.clone(),
        severity: finding.severity,
        shown_by: vec![finding],
        explains: Vec::new(),
    }));
    causes
}

impl Reach {
    fn covers(self, cause: &Finding, finding: &Finding, inventory: &Inventory) -> bool {
        match self {
            Reach::Itself => finding.subject == cause.subject,
            Reach::ItsHost => finding.subject.host(inventory) == cause.subject.host(inventory),
            Reach::WhatNeedsIt => {
                finding.kind == Kind::InstanceUnhealthy
                    && finding.subject.service(inventory).is_some_and(|service| cause.subject.is_needed_by(service, inventory))
                    // An instance brings down no other of its service.
                    && !matches!(cause.subject, Subject::Instance(_))
            }
            Reach::Requests => match (&finding.kind, &finding.subject) {
                (Kind::ErrorsHigh, Subject::Service(service)) => {
                    cause.subject.is_needed_by(service, inventory)
                }
                (Kind::AlertFiring, _) => finding.subject.host(inventory) == cause.subject.host(inventory),
                _ => false,
            },
        }
    }
}

/// Where every instance of a service has a cause of its own that is the same, it is the service that is down.
fn together(causes: Vec<Cause>, inventory: &Inventory) -> Vec<Cause> {
    let service_of = |cause: &Cause| match (&cause.scenario, &cause.subject) {
        (Some(name), Subject::Instance(instance)) if name == INSTANCE_DOWN => {
            inventory.instance(instance).map(|(service, _, _)| service.to_owned())
        }
        _ => None,
    };
    let mut grouped: Vec<Cause> = Vec::new();
    for cause in causes {
        let Some(service) = service_of(&cause) else {
            grouped.push(cause);
            continue;
        };
        let of_service = Subject::Service(service);
        match grouped.iter_mut().find(|known| known.subject == of_service) {
            Some(known) => {
                known.shown_by.extend(cause.shown_by);
                known.explains.extend(cause.explains);
            }
            None => {
                grouped.push(Cause { subject: of_service, scenario: Some(SERVICE_DOWN.to_owned()), ..cause })
            }
        }
    }
    let is_whole = |cause: &Cause| match &cause.subject {
        Subject::Service(service) => inventory.services[service].instances.len() == cause.shown_by.len(),
        _ => true,
    };
    let split = grouped.into_iter().flat_map(|cause| {
        if is_whole(&cause) {
            return vec![cause];
        }
        let mut explains = Some(cause.explains);
        let each = cause.shown_by.into_iter().map(|finding| Cause {
            scenario: Some(INSTANCE_DOWN.to_owned()),
            subject: finding.subject.clone(),
            severity: finding.severity,
            shown_by: vec![finding],
            explains: explains.take().unwrap_or_default(),
        });
        each.collect()
    });
    split.collect()
}
