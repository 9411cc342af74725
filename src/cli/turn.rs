//! A turn at a run that exists already.

use std::path::Path;

use crate::base::clock::Clock;
use crate::base::{Error, Kind, Result};
use crate::engine::hosts::Hosts;
use crate::host::Limits;
use crate::journal::History;
use crate::journal::store::{RunDir, Store, Turn};
use crate::model::plan::Plan;
use crate::run::state::{RunState, Status};

use super::Global;
use super::open::Workplace;
use super::operator::operator;

/// Takes a turn at the run of that name.
///
/// # Errors
/// When there is no such run, another process holds it, or its journal is damaged.
pub fn take(name: &str) -> Result<(Turn, History)> {
    Store::open()?.find(name)?.take_turn(&operator(), Clock::System)
}

/// The hosts of a run's plan, as they were when it was made. A run that came from another machine, whose inventory is not on this
/// one, goes to the hosts of these names in the inventory that is in force here.
///
/// # Errors
/// When that inventory is needed, and is wrong or has not all of them.
pub fn hosts_of(plan: &Plan, global: &Global) -> Result<Hosts> {
    if Path::new(&plan.inventory).exists() {
        return Ok(Hosts::new(plan.hosts.clone(), plan.inventory.as_ref(), Limits::default()));
    }
    let site = Workplace::open(global)?.site;
    let entries = plan.hosts.keys().map(|name| {
        let entry = site.inventory.hosts.get(name).cloned();
        let entry = entry.ok_or_else(|| {
            let path = site.path.display();
            Error::invalid(format!("the run needs host `{name}`, which `{path}` does not have"))
        })?;
        Ok((name.clone(), entry))
    });
    Ok(Hosts::new(entries.collect::<Result<_>>()?, &site.path, Limits::default()))
}

/// The run's status in a word; `interrupted` when it should be moving and no process holds it.
pub fn status_word(run: &RunDir, state: &RunState) -> &'static str {
    if state.status.is_moving() && run.holder().is_none() { "interrupted" } else { state.status.word() }
}

/// Refuses what makes no sense for a run that has ended.
///
/// # Errors
/// [`Kind::Usage`] with what it is instead.
pub fn refuse_ended(run: &RunDir, state: &RunState, verb: &str) -> Result<()> {
    if !state.status.is_final() {
        return Ok(());
    }
    let error = Error::new(
        Kind::Usage,
        format!("run {} is {}: it cannot be {verb}", run.id.short(), state.status.word()),
    );
    Err(match state.status {
        Status::Succeeded => error.hint(format!("opsctl undo {}", run.id.short())),
        _ => error.hint("opsctl runs list"),
    })
}
