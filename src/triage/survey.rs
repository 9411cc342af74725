//! Looks at everything at once and says what it means.

use indexmap::IndexMap;

use super::alert::Alert;
use super::alerts;
use super::eyes::Eyes;
use super::finding::{Finding, Kind, findings};
use super::level::level;
use super::look::{Look, Role, Seen, look};
use super::measure::measure;
use super::rules::{Cause, causes};
use super::subject::Subject;
use super::twice::twice;
use crate::engine::world::World;
use crate::host::failure::{Failure, FailureKind};
use crate::model::escalation::Level;
use crate::model::facts::{Facts, Site};
use crate::model::inventory::Inventory;
use crate::model::thresholds::Severity;

#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    pub seen: Vec<Seen>,
    pub findings: Vec<Finding>,
    pub causes: Vec<Cause>,
    /// How far it reaches; nothing when there is nothing to call anybody for.
    pub level: Option<Level>,
}

impl Survey {
    /// Whether nothing was found that is worth a word to anybody.
    pub fn is_well(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity < Severity::Warning)
    }
}

/// Looks at all that the inventory names. `unreachable` says why, for each host that could not be asked for anything. What is
/// unhealthy must be so twice: one probe that failed is not an outage.
pub async fn survey(
    inventory: &Inventory,
    facts: &Facts,
    unreachable: &IndexMap<String, Failure>,
    world: &dyn World,
) -> Survey {
    let eyes = Eyes { site: Site { inventory, facts }, unreachable, world };
    let looking = twice(|| look(&eyes));
    let (Look { seen, without_docker }, measured) = futures_util::future::join(looking, measure(&eyes)).await;
    let hosts = of_hosts(unreachable, &without_docker);
    let findings = findings(inventory, &hosts, &seen, &measured);
    let causes = causes(&findings, inventory);
    let healthy: Vec<&str> = seen
        .iter()
        .filter(|seen| matches!(seen.role, Role::Instance { .. }) && seen.health.is_healthy())
        .map(|seen| seen.name.as_str())
        .collect();
    let level = level(&causes, &healthy, inventory);
    Survey { seen, findings, causes, level }
}

/// Looks at the health of all that the inventory names, once, and at nothing else.
pub async fn glance(
    inventory: &Inventory,
    facts: &Facts,
    unreachable: &IndexMap<String, Failure>,
    world: &dyn World,
) -> Vec<Seen> {
    look(&Eyes { site: Site { inventory, facts }, unreachable, world }).await.seen
}

/// The alerts that fire, by Prometheus, which is all that is asked.
///
/// # Errors
/// In words, when there is none, or it does not say.
pub async fn firing(inventory: &Inventory, world: &dyn World) -> Result<Vec<Alert>, String> {
    let (facts, unreachable) = (Facts::default(), IndexMap::new());
    let eyes = Eyes { site: Site { inventory, facts: &facts }, unreachable: &unreachable, world };
    alerts::firing(&eyes).await
}

/// What is wrong with the hosts as such.
fn of_hosts(
    unreachable: &IndexMap<String, Failure>,
    without_docker: &IndexMap<String, Failure>,
) -> Vec<Finding> {
    let finding = |kind, host: &str, evidence: String| Finding {
        kind,
        subject: Subject::Host(host.to_owned()),
        severity: if kind == Kind::NotAsked { Severity::Warning } else { Severity::Emergency },
        evidence,
        since: None,
    };
    let lost = unreachable.iter().map(|(host, failure)| {
        let kind = match failure.kind {
            FailureKind::Unreachable | FailureKind::Lost | FailureKind::Timeout => Kind::HostUnreachable,
            // It is there, and it is us whom it does not let in, or something that it does not have.
            _ => Kind::NotAsked,
        };
        finding(kind, host, failure.message.clone())
    });
    let silent = without_docker.iter().map(|(host, failure)| {
        let kind = match failure.kind {
            FailureKind::Privilege => Kind::NotAsked,
            _ if failure.is_out_of_reach() => Kind::HostUnreachable,
            _ => Kind::EngineDown,
        };
        finding(kind, host, failure.message.clone())
    });
    lost.chain(silent).collect()
}
