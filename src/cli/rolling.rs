//! What `deploy` and `rollback` have in common: from the services to a plan, and through it.

use std::collections::BTreeSet;
use std::process::ExitCode;

use futures_util::future::try_join_all;

use super::Global;
use super::conduct::Conduct;
use super::open::{Workplace, unreachable_host};
use super::operator::operator;
use super::procedure::planned;
use crate::base::amount::Span;
use crate::base::nearest::{listed, nearest};
use crate::base::{Error, Result};
use crate::engine::hosts::Hosts;
use crate::engine::plan::Needs;
use crate::engine::rollout::choose::{Wanted, choose};
use crate::engine::rollout::compose::{self, Release, Terms};
use crate::engine::rollout::look::{self, Blind};
use crate::engine::rollout::{Running, order};
use crate::model::affected::Affected;
use crate::model::facts::{Facts, Site};
use crate::model::plan::Plan;
use crate::triage::look::{Role, Seen};
use crate::triage::survey::glance;
use crate::ui;
use crate::ui::releases::Intent;

/// A step of `roll` that waits has half an hour.
const LONGEST: Span = Span::secs(25 * 60);

/// How instances are taken.
#[derive(Debug, Clone, clap::Args)]
pub struct Rolling {
    /// How many instances at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    batch: u16,
    /// How many instances have to serve at any time [default: all but a batch, at least 1]
    #[arg(long, value_name = "N")]
    serving: Option<u16>,
    /// How long requests in flight to an instance are waited for
    #[arg(long, value_name = "TIME", default_value = "30s")]
    drain: Span,
    /// How long an instance may take until it is healthy
    #[arg(long, value_name = "TIME", default_value = "1m")]
    startup: Span,
    /// How long it has to stay healthy before the next one is taken
    #[arg(long, value_name = "TIME", default_value = "10s")]
    settle: Span,
    #[command(flatten)]
    conduct: Conduct,
}

impl Rolling {
    /// Brings services to a version, one batch of instances after the other. `canary`: how many go first, and for how long they are
    /// watched.
    pub async fn run(
        &self,
        services: &[String],
        wanted: Wanted<'_>,
        (canary, watch): (u16, Span),
        global: &Global,
    ) -> Result<ExitCode> {
        for (option, time) in [("--drain", self.drain), ("--startup", self.startup)] {
            if time > LONGEST {
                return Err(Error::usage(format!("`{option} {time}` is longer than {LONGEST}")));
            }
        }
        let workplace = Workplace::open(global)?;
        let hosts = workplace.hosts();
        let terms = Terms {
            batch: self.batch.into(),
            serving: self.serving.map(Into::into),
            canary: canary.into(),
            watch,
            drain: self.drain,
            patience: self.startup,
            settle: self.settle,
            by: operator(),
        };
        let done = self.roll(&workplace, &hosts, services, wanted, &terms, global).await;
        hosts.close().await;
        done
    }

    async fn roll(
        &self,
        workplace: &Workplace,
        hosts: &Hosts,
        services: &[String],
        wanted: Wanted<'_>,
        terms: &Terms,
        global: &Global,
    ) -> Result<ExitCode> {
        let plan = plan(workplace, hosts, services, wanted, terms, global).await?;
        let done = self.conduct.run(&plan, hosts, &next(services, wanted), global).await?;
        Ok(done.map_or(ExitCode::SUCCESS, |done| done.exit))
    }
}

async fn plan(
    workplace: &Workplace,
    hosts: &Hosts,
    services: &[String],
    wanted: Wanted<'_>,
    terms: &Terms,
    global: &Global,
) -> Result<Plan> {
    let (all, facts) = look_at(workplace, hosts, services).await?;
    let healthy = healthy(workplace, hosts, &all, &facts).await;
    let mut releases = Vec::new();
    for running in order::by_needs(all) {
        let ask = async |image: &_| {
            look::offer(hosts, &running.host, image).await.map_err(|why| unreachable_host(&why))
        };
        let target = workplace.patiently(choose(&running, wanted, ask)).await?;
        let batches = compose::batches(&running, &target, &healthy, terms)?;
        releases.push(Release { running, target, batches });
    }
    if !global.json && !global.quiet {
        ui::look::say(&ui::releases::intent(&releases.iter().map(intent).collect::<Vec<_>>()));
    }
    let inventory = &workplace.site.inventory;
    let runbook = compose::runbook(wanted, &releases, inventory, terms);
    let (_, params) = compose::params(&releases, inventory);
    let mut plan = planned(workplace, hosts, &runbook, "built-in", &params).await?;
    let affected =
        |release: &Release| Affected { service: release.running.service.clone(), instances: Vec::new() };
    plan.affects = releases.iter().map(affected).collect();
    Ok(plan)
}

/// The services as they run; all that the inventory has, where none is named.
///
/// # Errors
/// When there is no such service, a host does not answer, or one of them cannot be rolled.
pub async fn look_at(
    workplace: &Workplace,
    hosts: &Hosts,
    services: &[String],
) -> Result<(Vec<Running>, Facts)> {
    let inventory = &workplace.site.inventory;
    let known = || inventory.services.keys().map(String::as_str);
    if let Some(unknown) = services.iter().find(|name| !inventory.services.contains_key(*name)) {
        let error = Error::usage(format!("there is no service `{unknown}` in the inventory"));
        let error = match nearest(unknown, known()) {
            Some(name) => error.hint(format!("did you mean `{name}`?")),
            None => error,
        };
        return Err(error.hint(format!("it has {}", listed(known()))));
    }
    let names: Vec<&String> =
        if services.is_empty() { inventory.services.keys().collect() } else { services.iter().collect() };
    if names.is_empty() {
        return Err(Error::invalid("the inventory has no service"));
    }
    let projects: BTreeSet<String> =
        names.iter().map(|name| inventory.services[*name].project.clone()).collect();
    let machines: BTreeSet<String> =
        projects.iter().map(|project| inventory.host_of(project).to_owned()).collect();
    let needs = Needs { hosts: machines.clone(), compose: machines, projects, containers: Vec::new() };
    let asked = async {
        let facts = hosts.facts_for(inventory, &needs).await.map_err(|failure| unreachable_host(&failure))?;
        let site = Site { inventory, facts: &facts };
        let looks = try_join_all(names.iter().map(|name| look::look(hosts, site, name))).await;
        let all = looks.map_err(|blind| match blind {
            Blind::Unreachable(failure) => unreachable_host(&failure),
            Blind::Unfit(error) => error,
        })?;
        Ok((all, facts))
    };
    workplace.patiently(asked).await
}

/// The instances of these services that answer now. Nothing else is asked: it may be what is broken.
async fn healthy(workplace: &Workplace, hosts: &Hosts, all: &[Running], facts: &Facts) -> BTreeSet<String> {
    let mut inventory = workplace.site.inventory.clone();
    inventory.services.retain(|name, _| all.iter().any(|running| running.service == *name));
    inventory.databases.clear();
    inventory.caches.clear();
    inventory.endpoints.clear();
    let seen = workplace.patiently(glance(&inventory, facts, &Default::default(), hosts)).await;
    let is_well = |seen: &Seen| matches!(seen.role, Role::Instance { .. }) && seen.health.is_healthy();
    seen.into_iter().filter(is_well).map(|seen| seen.name).collect()
}

fn intent(Release { running, target, batches }: &Release) -> Intent {
    let mut was: Vec<String> = batches.iter().map(|batch| batch.was.version()).collect();
    was.dedup();
    let (service, image) = (running.service.clone(), target.image.clone());
    Intent { service, was, image, is_local: target.is_local, standing: target.standing }
}

/// What is typed to do it.
fn next(services: &[String], wanted: Wanted<'_>) -> String {
    let version = match wanted {
        Wanted::Deploy(version) | Wanted::Rollback(version) => Some(version),
        Wanted::Previous => None,
    };
    let words =
        ["opsctl", wanted.name()].into_iter().chain(services.iter().map(String::as_str)).chain(version);
    words.collect::<Vec<_>>().join(" ")
}
