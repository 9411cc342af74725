//! A run that was begun on another machine, and goes on here: from the copy that a host keeps.

use super::Global;
use super::open::unreachable_host;
use super::operator::operator;
use crate::base::clock::Clock;
use crate::base::id::RunId;
use crate::base::nearest::listed;
use crate::base::{Error, Kind, Result};
use crate::engine::hosts::Hosts;
use crate::host::Host;
use crate::journal::import::Arrival;
use crate::journal::store::{RunDir, Store};
use crate::journal::travel::Lines;
use crate::run::lease::Holder;
use crate::ui;

/// Takes in a run from a host, by the name that a person gives it: `latest` is the one that has the host, else the newest.
///
/// # Errors
/// When the host has no such run, its copy is damaged, or a process has its turn at the run here.
pub async fn arrive(hosts: &Hosts, host: &str, run: &str, global: &Global) -> Result<RunDir> {
    let connection = hosts.connection(host).await.map_err(|failure| unreachable_host(&failure))?;
    let run = meant(&connection, run).await?;
    let copy = connection.copy_of(run).await.map_err(|failure| unreachable_host(&failure))?;
    let copy = copy.ok_or_else(|| {
        Error::new(Kind::Corrupt, format!("host `{host}` has no whole copy of the run {}", run.short()))
    })?;
    let imported =
        Store::open()?.import(run, &Lines::new(copy.plan, copy.journal), &operator(), &Clock::System)?;
    if !global.json && !global.quiet {
        ui::look::say(&format!("{}\n", told(host, run, &imported.arrival)));
    }
    Ok(imported.dir)
}

async fn meant(host: &Host, name: &str) -> Result<RunId> {
    let refused = |failure| unreachable_host(&failure);
    let mut kept = host.kept_runs().await.map_err(refused)?;
    kept.sort();
    let error = |message: String| Error::new(Kind::Usage, message);
    if name == "latest" {
        let seen = host.seen_lease().await.map_err(refused)?;
        let held = seen.and_then(|seen| match seen.lease.holder {
            Holder::Run { run, .. } => Some(run),
            Holder::Broken { .. } | Holder::Released { .. } => None,
        });
        return held
            .filter(|run| kept.contains(run))
            .or_else(|| kept.last().copied())
            .ok_or_else(|| error(format!("host `{}` keeps no run", host.name())));
    }
    let fitting: Vec<_> = kept.iter().filter(|run| run.is_meant_by(name)).collect();
    match fitting[..] {
        [run] => Ok(*run),
        [] => {
            let names: Vec<_> = kept.iter().map(RunId::short).collect();
            let known = listed(names.iter().map(String::as_str));
            Err(error(format!("host `{}` keeps no run `{name}`", host.name())).hint(if kept.is_empty() {
                "opsctl lock list".to_owned()
            } else {
                format!("it keeps {known}")
            }))
        }
        _ => Err(error(format!("`{name}` may be any of {} runs", fitting.len()))
            .detail(fitting.iter().map(|run| run.to_string()).collect::<Vec<_>>().join("\n"))
            .hint("give more of the id, or its last characters")),
    }
}

fn told(host: &str, run: RunId, arrival: &Arrival) -> String {
    let run = run.short();
    match arrival {
        Arrival::New => format!("run {run} came here from `{host}`; the outputs of its steps did not"),
        Arrival::Extended { records } => {
            format!("run {run} went on elsewhere: {records} records came from `{host}`")
        }
        Arrival::Kept { .. } => format!("run {run} is here already, with all that `{host}` keeps of it"),
        Arrival::Superseded { common, aside } => format!(
            "run {run} went on elsewhere after record {common}: the copy of `{host}` is in force, ours is kept in `{}`",
            aside.display()
        ),
    }
}
