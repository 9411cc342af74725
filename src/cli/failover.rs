//! `opsctl failover`.

use std::process::ExitCode;
use std::time::Duration;

use super::Global;
use super::consent::Consent;
use super::drive;
use super::open::Workplace;
use super::procedure::plan_of;
use super::status::{look_at, rows};
use crate::base::clock::{Timestamp, elapsed};
use crate::base::{Error, Kind, Result};
use crate::engine::hosts::Hosts;
use crate::model::plan::Plan;
use crate::triage::look::{Health, Role, Seen};
use crate::triage::scenario::{Diagnosis, Scenario, Target, diagnose, named};
use crate::triage::untouched::untouched;
use crate::ui::recovery::{Recovered, Voice};

/// The pause between the two looks that an outage is judged by.
const SECOND_LOOK: Duration = Duration::from_millis(500);

/// Find out what is wrong with a service or an instance, and recover it
///
/// It looks at every instance and at the database and the cache that they need, names what is wrong, shows the plan, asks, recovers,
/// and checks the result. If nothing is wrong it says so and changes nothing. Healthy instances are never touched.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Failover {
    /// A service or an instance, by its name in the inventory
    target: String,
    /// The runbook to use, in place of the one that the findings mean
    #[arg(long, value_name = "RUNBOOK")]
    scenario: Option<String>,
    #[command(flatten)]
    consent: Consent,
}

const EXAMPLES: &str = "\
Examples:
  opsctl failover argus --plan     what is wrong and what would be done; changes nothing
  opsctl failover argus            a service: look, show the plan, ask, recover, check
  opsctl failover argus-1 --yes    one instance, without being asked";

impl Failover {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let workplace = Workplace::open(global)?;
        let target = Target::find(&workplace.site.inventory, &self.target)
            .map_err(|known| unknown_target(&self.target, &known))?;
        let hosts = workplace.hosts();
        let result = self.recover(&workplace, &hosts, &target, global).await;
        hosts.close().await;
        result
    }

    async fn recover(
        &self,
        workplace: &Workplace,
        hosts: &Hosts,
        target: &Target,
        global: &Global,
    ) -> Result<ExitCode> {
        let voice = Voice { is_json: global.json, is_quiet: global.quiet };
        let before = look_twice(workplace, hosts, target).await;
        voice.saw(&rows(&before))?;
        let Some(scenario) = self.scenario_for(workplace, target, &before)? else {
            voice.nothing_to_do(target.name())?;
            return Ok(ExitCode::SUCCESS);
        };
        voice.names(&scenario.name, &scenario.why)?;

        let plans = plans_of(workplace, hosts, &scenario).await?;
        let next = format!("opsctl failover {}", target.name());
        if self.consent.wants_only_the_plan() {
            Consent::show_all(&plans, &next, global)?;
            return Ok(ExitCode::SUCCESS);
        }
        let approvals =
            plans.iter().map(|plan| self.consent.obtain(plan, global)).collect::<Result<Vec<_>>>()?;
        let began = Timestamp::now();
        for (plan, approval) in plans.iter().zip(approvals) {
            let exit = drive::start(plan, hosts, approval, global).await?;
            if exit != ExitCode::SUCCESS {
                return Ok(exit);
            }
        }
        let after = look_twice(workplace, hosts, target).await;
        voice.saw(&rows(&after))?;
        conclude(target, &before, &after, began, voice)
    }

    /// The scenario, or nothing when nothing is wrong.
    fn scenario_for(
        &self,
        workplace: &Workplace,
        target: &Target,
        seen: &[Seen],
    ) -> Result<Option<Scenario>> {
        let blind =
            "nothing is known about the target, so nothing was changed; try again when the host answers";
        match (diagnose(target, seen), &self.scenario) {
            (Diagnosis::Blind { why }, _) => Err(Error::new(Kind::Waiting, why).hint(blind)),
            (_, Some(name)) => {
                let params = &workplace.catalog.get(name)?.runbook.params;
                let scenario = named(name, params, target, &workplace.site.inventory, seen)
                    .map_err(|why| Error::usage(why).hint(format!("opsctl runbook show {name}")))?;
                Ok(Some(scenario).filter(|scenario| !scenario.bindings.is_empty()))
            }
            (Diagnosis::Healthy, None) => Ok(None),
            (Diagnosis::Scenario(scenario), None) => Ok(Some(scenario)),
        }
    }
}

/// "Success" means checked: says what changed and how long it took, or that the target is still not healthy.
fn conclude(
    target: &Target,
    before: &[Seen],
    after: &[Seen],
    began: Timestamp,
    voice: Voice,
) -> Result<ExitCode> {
    match diagnose(target, after) {
        Diagnosis::Healthy => {}
        Diagnosis::Scenario(Scenario { why, .. }) | Diagnosis::Blind { why } => {
            return Err(Error::new(Kind::Unhealthy, format!("the run succeeded, but {why}"))
                .hint(format!("opsctl failover {}", target.name())));
        }
    }
    let now = Timestamp::now();
    let ms_since = |since| elapsed(since, now).as_millis() as u64;
    let down_since = before
        .iter()
        .filter(|seen| matches!(seen.role, Role::Instance { .. }) && !seen.health.is_healthy())
        .filter_map(|seen| seen.container.as_ref()?.down_since())
        .min();
    voice.recovered(&Recovered {
        target: target.name().to_owned(),
        recovery_ms: ms_since(began),
        outage_ms: down_since.map(ms_since),
        untouched: untouched(before, after),
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn plans_of(workplace: &Workplace, hosts: &Hosts, scenario: &Scenario) -> Result<Vec<Plan>> {
    let mut plans = Vec::new();
    for binding in &scenario.bindings {
        plans.push(plan_of(workplace, hosts, &scenario.name, std::slice::from_ref(binding)).await?);
    }
    Ok(plans)
}

/// What concerns the target. One probe that failed is not an outage: what is unhealthy must be so twice.
async fn look_twice(workplace: &Workplace, hosts: &Hosts, target: &Target) -> Vec<Seen> {
    let (_, first) = look_at(workplace, hosts).await;
    let first = concerning(workplace, target, first);
    if !first.iter().any(|seen| matches!(seen.health, Health::Unhealthy { .. })) {
        return first;
    }
    tokio::time::sleep(SECOND_LOOK).await;
    let (_, second) = look_at(workplace, hosts).await;
    concerning(workplace, target, second)
}

/// The instances of the target's service, and the database and the cache that it needs.
fn concerning(workplace: &Workplace, target: &Target, seen: Vec<Seen>) -> Vec<Seen> {
    let service = &workplace.site.inventory.services[target.service()];
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
        known => error.hint(format!(
            "it has {}",
            known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        )),
    }
}
