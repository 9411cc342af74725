//! A recovery that opens an incident: everyone is told before it begins, and nobody's attention is needed for it.
//!
//! What cannot be done here is said, and is in the exit code where the recovery itself went well. It never keeps a recovery from beginning.

use super::office::{Room, exit_code};
use super::open::{alerts, begin, open_for};
use crate::base::clock::Timestamp;
use crate::base::{Error, Result};
use crate::cli::Global;
use crate::cli::open::Workplace;
use crate::cli::triage::survey_of;
use crate::engine::hosts::Hosts;
use crate::engine::locate::Site;
use crate::incident::proposal::{Said, propose};
use crate::model::inventory::Inventory;
use crate::model::plan::Plan;
use crate::triage::survey::Survey;
use crate::triage::target::Target;
use crate::ui;
use crate::ui::paint::Ink;
use crate::ui::prompt::{self, Answer};

/// The services that are affected when the target is not well.
pub fn services(target: &Target, inventory: &Inventory) -> Vec<String> {
    let subject = &target.subject;
    let is_affected = |service: &&String| {
        subject.service(inventory) == Some(service.as_str()) || subject.is_needed_by(service, inventory)
    };
    inventory.services.keys().filter(is_affected).cloned().collect()
}

/// Whether a person at the terminal wants one. They are asked where somebody could be told, and no incident is open.
///
/// # Errors
/// When the terminal cannot be read.
pub fn is_agreed(workplace: &Workplace, services: &[String], global: &Global) -> Result<bool> {
    let can_be_told = !workplace.site.inventory.channels.is_empty() && !services.is_empty();
    if !can_be_told || global.json || !prompt::is_interactive() {
        return Ok(false);
    }
    let is_open = room(workplace).and_then(|room| open_for(&room, services));
    if !matches!(is_open, Ok(None)) {
        return Ok(false);
    }
    let answer = prompt::confirm("open an incident, so that everyone is told?");
    let answer = answer.map_err(|error| Error::internal("cannot ask at the terminal").caused_by(&error))?;
    Ok(answer == Answer::Yes)
}

/// Opens an incident, unless one is open for the services.
pub async fn open(
    workplace: &Workplace,
    hosts: &Hosts,
    services: Vec<String>,
    survey: &Survey,
    global: &Global,
) {
    let said = Said { services, ..Said::default() };
    said_so(opened(workplace, hosts, said, survey, global).await, global);
}

/// Likewise, before a plan that a person chose: where triage finds nothing, its title says what is wrong.
pub async fn open_for_plan(plan: &Plan, hosts: &Hosts, global: &Global) {
    let opened = async {
        let workplace = Workplace::open(global)?;
        let survey = survey_of(&workplace, hosts).await;
        let services = plan.affects.iter().map(|affected| affected.service.clone()).collect();
        let title = survey.causes.is_empty().then(|| plan.title.clone());
        opened(&workplace, hosts, Said { services, title, ..Said::default() }, &survey, global).await
    };
    said_so(opened.await, global);
}

fn said_so(opened: Result<()>, global: &Global) {
    if let Err(error) = opened {
        global.note_unheard();
        ui::look::say(&format!("{}: no incident was opened: {error}\n", Ink::Warn.on("warning")));
    }
}

async fn opened(
    workplace: &Workplace,
    hosts: &Hosts,
    said: Said,
    survey: &Survey,
    global: &Global,
) -> Result<()> {
    let room = room(workplace)?;
    if open_for(&room, &said.services)?.is_some() {
        return Ok(());
    }
    let firing = alerts(workplace, hosts).await;
    let opening = propose(&said, survey, &firing, &room.site, Timestamp::now())?;
    let mut hand = begin(&room, workplace, opening, survey)?;
    let ticked = room.look_after(&mut hand).await?;
    if exit_code(&ticked) != std::process::ExitCode::SUCCESS {
        global.note_unheard();
    }
    if !global.json && !global.quiet {
        ui::look::say(&format!("incident {} is opened\n", hand.id().short()));
        ui::look::say(&ui::incident::sent::text(hand.state(), &ticked));
    }
    Ok(())
}

fn room(workplace: &Workplace) -> Result<Room> {
    Room::of(Site::load(&workplace.site.path)?)
}
