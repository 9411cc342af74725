//! Making a plan: a runbook, its parameters and a site become concrete steps, hosts and commands.
//!
//! The plan is all that a run goes by, so that everything that can be known is known here: templates are filled in, lists are
//! expanded, included runbooks are put in place, operations are built. What is wrong is refused here, before anything is
//! touched, with the step that it is wrong in. Nothing here reads a file, a clock or a host: the same inputs give the same
//! bytes, and so the same digest.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::base::error::{Error, Kind, Result};
use crate::model::affected;
use crate::model::facts::Site;
use crate::model::inventory::Inventory;
use crate::model::plan::{Basis, Plan, PlannedCheck, PlannedStep, Task};
use crate::model::runbook::{Risk, Runbook};
use crate::model::template;

mod condition;
mod expand;
mod needs;
mod step;
mod task;

pub use needs::{Needs, needs};

/// The version of the format of plans.
const FORMAT: u32 = 1;

/// What to plan.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    pub runbook: &'a Runbook,
    /// `built-in`, or the file that the runbook was read from.
    pub origin: &'a str,
    /// The values of its parameters; those of an inventory type are whole objects.
    pub params: &'a Map<String, Value>,
    /// The inventory file, for a later `resume`.
    pub inventory: &'a str,
    pub site: Site<'a>,
}

/// Where an included runbook is found by its name.
pub type Find<'a> = &'a dyn Fn(&str) -> Result<Runbook>;

/// The site as a runbook finds it: without the host that it gives up.
///
/// # Errors
/// When that host has no standby.
pub fn seen_by<'a>(
    runbook: &Runbook,
    params: &Map<String, Value>,
    inventory: &'a Inventory,
) -> Result<Cow<'a, Inventory>> {
    let Some(lost) = &runbook.lost else { return Ok(Cow::Borrowed(inventory)) };
    let host = params.get(lost).and_then(|host| host["name"].as_str()).unwrap_or_default();
    let hint = format!("add `standby: HOST` to `{host}` in the inventory: the host that takes over");
    inventory.without(host).map(Cow::Owned).map_err(|why| Error::new(Kind::Refused, why).hint(hint))
}

/// # Errors
/// Of the kind invalid, naming the step and what is wrong in it.
pub fn make(find: Find<'_>, request: Request<'_>) -> Result<Plan> {
    let Request { runbook, origin, params, inventory, site } = request;
    let steps = expand::steps(find, site, runbook, params)?;
    let mut keys = BTreeSet::new();
    if let Some(twice) = steps.iter().find(|step| !keys.insert(&step.key)) {
        return Err(Error::invalid(format!("two steps of `{}` are called `{}`", runbook.runbook, twice.key)));
    }
    let hosts = steps.iter().flat_map(tasks).filter_map(|task| task.host.clone());
    let hosts =
        hosts.filter_map(|name| Some((name.clone(), site.inventory.hosts.get(&name)?.clone()))).collect();
    Ok(Plan {
        v: FORMAT,
        site: site.inventory.name.clone(),
        runbook: runbook.runbook.clone(),
        origin: origin.to_owned(),
        title: runbook.title.clone(),
        risk: runbook.risk,
        severity: runbook.severity,
        affects: affected::services(&runbook.params, params, site.inventory),
        rto: runbook.rto,
        subject: (runbook.risk == Risk::Destructive).then(|| subject(runbook, params)),
        lost: runbook.lost.as_ref().and_then(|lost| Some(params.get(lost)?["name"].as_str()?.to_owned())),
        params: params.iter().map(|(name, value)| (name.clone(), template::named(value.clone()))).collect(),
        inventory: inventory.to_owned(),
        hosts,
        basis: Basis { inventory: site.inventory.clone(), facts: site.facts.clone() },
        steps,
    })
}

/// The first parameter that the runbook has, or the runbook itself when it has none.
fn subject(runbook: &Runbook, params: &Map<String, Value>) -> String {
    let first = runbook.params.keys().next().and_then(|name| params.get(name));
    let named = first.map(|value| template::named(value.clone()));
    named.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_else(|| runbook.runbook.clone())
}

/// Everything that a step may do to a host or ask of it.
fn tasks(step: &PlannedStep) -> impl Iterator<Item = &Task> {
    let checks = step.done_when.iter().chain(&step.expect).map(|PlannedCheck { task, .. }| task);
    [&step.task].into_iter().chain(step.undo.task()).chain(checks)
}

#[cfg(test)]
mod tests;
