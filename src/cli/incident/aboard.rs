//! A run that is about an open incident: it is linked, its steps become entries of the incident's timeline, and what was seen at its end is told.
//!
//! None of it holds up or fails a recovery. The incident may be in another process's hands for a while, so it is linked beside the run; and what
//! cannot be done is said, and is in the exit code where everything else went well.

use tokio::task::JoinHandle;

use super::office::Room;
use crate::base::clock::Clock;
use crate::base::id::{IncidentId, RunId};
use crate::base::{Error, Result};
use crate::cli::Global;
use crate::cli::operator::operator;
use crate::engine::hosts::Hosts;
use crate::engine::locate::Site;
use crate::incident::desk::Desk;
use crate::incident::event::Event;
use crate::incident::follow::{follow, monitor};
use crate::incident::state::IncidentState;
use crate::journal::store::Store;
use crate::model::plan::Plan;
use crate::model::runbook::Risk;
use crate::triage::look::{Role, Seen};
use crate::triage::survey::glance;
use crate::ui;

/// The incidents of a run, once it is linked to them.
pub struct Aboard {
    linking: JoinHandle<Result<Vec<IncidentId>>>,
}

impl Aboard {
    /// Links the run to the incidents that it is about. None where there can be none.
    pub fn begin(run: RunId, plan: &Plan) -> Option<Aboard> {
        if plan.risk == Risk::ReadOnly || Desk::open().ok()?.ids().ok()?.is_empty() {
            return None;
        }
        let linked = Event::Linked { run, runbook: plan.runbook.clone(), title: plan.title.clone() };
        let site = plan.site.clone();
        let services: Vec<String> = plan.affects.iter().map(|affected| affected.service.clone()).collect();
        let linking = tokio::task::spawn_blocking(move || link(run, &linked, &site, &services));
        Some(Aboard { linking })
    }

    /// Tells how the run ended. `is_done`: it succeeded, so that the services may be well again.
    pub async fn end(self, plan: &Plan, is_done: bool, hosts: &Hosts, global: &Global) {
        if let Err(error) = self.told(plan, is_done, hosts, global).await {
            global.note_unheard();
            ui::look::say(&format!(
                "{}: the incident was not told of the run: {error}\n",
                ui::paint::Ink::Warn.on("warning")
            ));
        }
    }

    async fn told(self, plan: &Plan, is_done: bool, hosts: &Hosts, global: &Global) -> Result<()> {
        let linked = self.linking.await;
        let linked =
            linked.map_err(|error| Error::internal("the run was not linked").caused_by(&error))??;
        if linked.is_empty() {
            return Ok(());
        }
        let mut site = Site::load(std::path::Path::new(&plan.inventory))?;
        let seen = match is_done {
            false => Vec::new(),
            true => {
                if let Some(lost) = &plan.lost {
                    site.inventory = site.inventory.without(lost).map_err(Error::internal)?;
                }
                let (facts, unreachable) = hosts.facts(&site.inventory).await;
                glance(&site.inventory, &facts, &unreachable, hosts).await
            }
        };
        let room = Room::of(site)?;
        for incident in linked {
            let mut hand = room.desk.take(incident, &operator(), Clock::System)?;
            // How it ended comes before what was seen then.
            follow(&mut hand, &Store::open()?)?;
            if !hand.state().is_resolved() && are_well(hand.state(), &seen) {
                monitor(&mut hand, &format!("`{}` succeeded, and the services answer", plan.runbook))?;
            }
            let ticked = room.look_after(&mut hand).await?;
            if ticked.flushed.is_short() {
                global.note_unheard();
            }
            if !global.json && (!global.quiet || ticked.flushed.is_short()) {
                let status = crate::incident::word::status(hand.state().status).to_lowercase();
                ui::look::say(&format!("incident {}: {status}\n", incident.short()));
                ui::look::say(&ui::incident::sent::text(hand.state(), &ticked));
            }
        }
        Ok(())
    }
}

/// The open incidents of the site that are about one of the services. An incident that cannot be read is for others to look at.
fn link(run: RunId, linked: &Event, site: &str, services: &[String]) -> Result<Vec<IncidentId>> {
    let desk = Desk::open()?;
    let mut found = Vec::new();
    for incident in desk.ids()? {
        let Ok(state) = desk.read(incident).map(|incident| incident.state) else { continue };
        if !is_about(&state, site, services) {
            continue;
        }
        let mut hand = desk.take(incident, &operator(), Clock::System)?;
        if !hand.state().is_resolved() && !hand.state().runs.contains_key(&run) {
            hand.append(linked.clone())?;
        }
        found.push(incident);
    }
    Ok(found)
}

/// Whether it lasts, and one of the services is its own.
pub fn is_about(state: &IncidentState, site: &str, services: &[String]) -> bool {
    !state.is_resolved()
        && state.opening.site == site
        && state.opening.services.iter().any(|service| services.contains(service))
}

/// Whether every instance of its services was seen to be healthy. Of one that was not looked at nothing is said.
fn are_well(state: &IncidentState, seen: &[Seen]) -> bool {
    let is_well = |service: &String| {
        let instances: Vec<&Seen> = seen
            .iter()
            .filter(|seen| matches!(&seen.role, Role::Instance { service: of } if of == service))
            .collect();
        !instances.is_empty() && instances.iter().all(|seen| seen.health.is_healthy())
    };
    !state.opening.services.is_empty() && state.opening.services.iter().all(is_well)
}
