//! `opsctl failover`.

use std::process::ExitCode;
use std::time::Duration;

use super::Global;
use super::confirm::consent;
use super::drive::{self, Ending};
use super::open::{Workplace, unreachable_host};
use super::procedure::{Consent, plan_of};
use super::status::rows;
use crate::base::amount::Span;
use crate::base::clock::{Timestamp, elapsed};
use crate::base::{Error, Kind, Result};
use crate::engine::hosts::Hosts;
use crate::model::plan::Plan;
use crate::triage::look::{Role, Seen, look};
use crate::triage::scenario::{Diagnosis, Scenario, Target, diagnose, named};
use crate::triage::untouched::Untouched;
use crate::ui;

/// Looks at a service or an instance, names what is wrong, shows the plan, asks, recovers, and checks the result.
///
/// If nothing is wrong it says so and changes nothing. Healthy instances are never touched.
#[derive(Debug, clap::Args)]
pub struct Failover {
    /// A service or an instance of the inventory
    target: String,
    /// The runbook to use, in place of the one that the findings mean
    #[arg(long, value_name = "RUNBOOK")]
    scenario: Option<String>,
    #[command(flatten)]
    consent: Consent,
}

impl Failover {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let workplace = Workplace::open(global)?;
        let target = Target::find(&workplace.inventory, &self.target).map_err(|known| unknown_target(&self.target, &known))?;
        let hosts = workplace.hosts();
        let talk = ui::talk::Talk::new(global.json, global.quiet);

        let before = concerning(&workplace, &target, look_at(&workplace, &hosts).await?);
        talk.look(&rows(&before));
        let Some(scenario) = self.scenario_for(&target, &before)? else {
            hosts.close().await;
            talk.say(&format!("every instance of `{}` is healthy: nothing to do, nothing was changed", target.name()));
            return Ok(ExitCode::SUCCESS);
        };
        talk.scenario(&scenario.name, &scenario.why);

        let plans = plans_of(&workplace, &hosts, &scenario).await?;
        if self.consent.plan {
            let next = format!("opsctl failover {}", self.target);
            let last = plans.len() - 1;
            for (index, plan) in plans.iter().enumerate() {
                ui::plan::print(plan, global.json, (index == last).then_some(next.as_str()));
            }
            hosts.close().await;
            return Ok(ExitCode::SUCCESS);
        }
        let mut approvals = Vec::new();
        for plan in &plans {
            approvals.push(consent(plan, &self.consent, global)?);
        }

        let began = Timestamp::now();
        let mut hosts = hosts;
        for (plan, approval) in plans.into_iter().zip(approvals) {
            let ending = drive::start(plan, hosts, approval, global).await?;
            let Ending { exit: None, hosts: open, .. } = ending else {
                return Ok(ending.code());
            };
            hosts = open;
        }
        let after = concerning(&workplace, &target, look_at(&workplace, &hosts).await?);
        hosts.close().await;
        self.conclude(&target, &before, &after, began, &talk)
    }

    /// The scenario, or nothing when nothing is wrong.
    fn scenario_for(&self, target: &Target, seen: &[Seen]) -> Result<Option<Scenario>> {
        match (diagnose(target, seen), &self.scenario) {
            (Diagnosis::Blind { why }, _) => Err(Error::new(Kind::Waiting, why)
                .hint("nothing is known about the target, so nothing was changed; try again when the host answers")),
            (_, Some(name)) => {
                let scenario = named(name, target, seen);
                Ok(Some(scenario).filter(|scenario| !scenario.bindings.is_empty()))
            }
            (Diagnosis::Healthy, None) => Ok(None),
            (Diagnosis::Scenario(scenario), None) => Ok(Some(scenario)),
        }
    }

    /// "Success" means checked: says what changed and how long it took, or that the target is still not healthy.
    fn conclude(
        &self,
        target: &Target,
        before: &[Seen],
        after: &[Seen],
        began: Timestamp,
        talk: &ui::talk::Talk,
    ) -> Result<ExitCode> {
        talk.look(&rows(after));
        if let Diagnosis::Scenario(Scenario { why, .. }) | Diagnosis::Blind { why } = diagnose(target, after) {
            return Err(Error::new(Kind::Unhealthy, format!("the run succeeded, but {why}"))
                .hint(format!("opsctl failover {}", target.name())));
        }
        let now = Timestamp::now();
        let took = |since| Span::rounded(elapsed(since, now)).to_string();
        let down_since = before
            .iter()
            .filter(|seen| !seen.health.is_healthy())
            .filter_map(|seen| seen.container.as_ref()?.down_since())
            .min();
        talk.recovered(&ui::talk::Recovered {
            target: target.name().to_owned(),
            recovery: took(began),
            outage: down_since.map(took),
            untouched: Untouched::between(before, after).names(),
            next: "opsctl status".to_owned(),
        });
        Ok(ExitCode::SUCCESS)
    }
}

async fn plans_of(workplace: &Workplace, hosts: &Hosts, scenario: &Scenario) -> Result<Vec<Plan>> {
    let mut plans = Vec::new();
    for binding in &scenario.bindings {
        plans.push(plan_of(workplace, hosts, &scenario.name, std::slice::from_ref(binding)).await?);
    }
    Ok(plans)
}

/// A failed look at one host is a finding; only when no host at all answers there is nothing to go on.
async fn look_at(workplace: &Workplace, hosts: &Hosts) -> Result<Vec<Seen>> {
    let (facts, unreachable) = workplace.facts(hosts).await;
    if facts.hosts.is_empty() {
        if let Some((_, failure)) = unreachable.first() {
            return Err(unreachable_host(failure));
        }
    }
    let reasons = unreachable.into_iter().map(|(host, failure)| (host, failure.message)).collect();
    let first = look(&workplace.inventory, &facts, &reasons, hosts).await;
    if first.iter().all(|seen| seen.health.is_healthy()) {
        return Ok(first);
    }
    // One probe that failed is not an outage: what is unhealthy must be so twice.
    tokio::time::sleep(Duration::from_secs(1)).await;
    Ok(look(&workplace.inventory, &facts, &reasons, hosts).await)
}

/// The instances of the target's service, and the database and the cache that it needs.
fn concerning(workplace: &Workplace, target: &Target, seen: Vec<Seen>) -> Vec<Seen> {
    let service = &workplace.inventory.services[target.service()];
    seen.into_iter()
        .filter(|seen| match &seen.role {
            Role::Instance { service } => service == target.service(),
            Role::Database => service.database.as_deref() == Some(seen.name.as_str()),
            Role::Cache => service.cache.as_deref() == Some(seen.name.as_str()),
            Role::Endpoint => false,
        })
        .collect()
}

fn unknown_target(name: &str, known: &[String]) -> Error {
    let error = Error::usage(format!("`{name}` is neither a service nor an instance of the inventory"));
    match known {
        [] => error.hint("the inventory has no services: add one below `services:`"),
        known => error.hint(format!("it has {}", known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))),
    }
}
