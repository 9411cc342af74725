//! What a cleanup came to: its run is read, and everything is looked at once more.

use std::path::Path;

use serde_json::Value;

use super::{machine, ways};
use crate::base::id::RunId;
use crate::base::{Error, Kind, Result};
use crate::cli::Global;
use crate::cli::open::Workplace;
use crate::engine::cleanup::compose::of_step;
use crate::engine::hosts::Hosts;
use crate::journal::store::Store;
use crate::model::address::Address;
use crate::model::clutter::judge::judge;
use crate::model::clutter::survey::{Item, Kind as Thing, Share, Survey};
use crate::model::inventory::{Become, Host};
use crate::model::operation::words;
use crate::run::state::{RunState, StepState, StepStatus};
use crate::ui;
use crate::ui::clutter::after::{Back, CameTo, Cleaned, Freed, Way};
use crate::ui::clutter::left::{Place, left};

/// What was known before the run.
pub struct Before {
    pub survey: Survey,
    pub ways: Vec<(String, Back)>,
}

/// Looks again, says what came of it, and holds that every service can still go back.
///
/// # Errors
/// When the run cannot be read, and when a service has lost what it would have gone back to.
pub async fn tell(
    workplace: &Workplace,
    hosts: &Hosts,
    host: &str,
    before: Before,
    run: RunId,
    global: &Global,
) -> Result<()> {
    let history = Store::open()?.find(&run.to_string())?.history()?;
    let kinds = freed(&before.survey, history.state());
    // A host that does not answer any more is no reason not to say what was done on it.
    let contents = machine::contents(workplace, hosts, host).await;
    let now = contents.map(|contents| judge(&contents, &workplace.site.inventory.cleanup));
    let ways = ways::back(workplace, hosts, host).await;
    let ways: Vec<Way> = before
        .ways
        .into_iter()
        .zip(ways)
        .map(|((service, before), (_, after))| Way { service, before, after })
        .collect();
    let typed = |line: &str| on(&workplace.site.inventory.hosts[host], workplace.site.folder(), line);
    let place = Place { host, terms: &workplace.site.inventory.cleanup, typed: &typed };
    let after = now.as_ref().ok();
    let again =
        |share: &Share| after?.disks.iter().find(|other| other.disk.mount == share.disk.mount).cloned();
    let cleaned = Cleaned {
        host: host.to_owned(),
        run,
        kinds,
        disks: before.survey.disks.iter().map(|share| (share.clone(), again(share))).collect(),
        left: after.map(|survey| left(survey, &place)).unwrap_or_default(),
        ways,
    };
    if global.json {
        ui::look::give(&ui::clutter::after::json(&cleaned))?;
    } else {
        let columns = ui::look::columns(std::io::stderr());
        ui::look::say(&ui::clutter::after::text(&cleaned, columns));
    }
    match cleaned.ways.iter().find(|way| way.is_lost()) {
        Some(way) => Err(lost(way, run)),
        None => Ok(()),
    }
}

fn lost(Way { service, before, after }: &Way, run: RunId) -> Error {
    let said = |back: &Back| match back {
        Back::Version(version) => format!("it goes back to {version}"),
        Back::Nowhere(why) | Back::Unknown(why) => why.clone(),
    };
    let message = format!("`{service}` can no longer go back to where it could before");
    Error::new(Kind::Unhealthy, message)
        .cause(format!("before: {}", said(before)))
        .cause(format!("now: {}", said(after)))
        .hint(format!("opsctl releases {service}"))
        .hint(format!("opsctl runs show {}", run.short()))
}

/// What each kind was thought to free, and has.
fn freed(survey: &Survey, state: &RunState) -> Vec<Freed> {
    let of_kind = |kind: Thing| {
        let going: Vec<&Item> = survey.items.iter().filter(|item| item.kind == kind && item.goes()).collect();
        let steps = state.steps.iter().filter(|(key, _)| of_step(key.as_str()) == Some(kind));
        let steps: Vec<&StepState> = steps.map(|(_, step)| step).collect();
        let freed: Vec<u64> = steps.iter().filter_map(|step| output(step)).collect();
        (!going.is_empty() || !steps.is_empty()).then(|| Freed {
            kind,
            estimated_bytes: going.iter().map(|item| item.bytes).fold(0, u64::saturating_add),
            freed_bytes: (!freed.is_empty()).then(|| freed.iter().copied().fold(0, u64::saturating_add)),
            came_to: came_to(&steps),
        })
    };
    Thing::ALL.into_iter().filter_map(of_kind).collect()
}

fn came_to(steps: &[&StepState]) -> CameTo {
    let is = |status: StepStatus| steps.iter().any(|step| step.status == status);
    if is(StepStatus::Failed) || is(StepStatus::Unknown) {
        CameTo::Failed
    } else if is(StepStatus::Succeeded) {
        CameTo::Done
    } else if is(StepStatus::Skipped) {
        CameTo::NotNeeded
    } else {
        CameTo::NotBegun
    }
}

/// What a step has freed, in bytes.
fn output(step: &StepState) -> Option<u64> {
    match step.outputs.get("freed")? {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    }
}

/// A line for a host's shell, as it is typed on this machine.
pub fn on(host: &Host, folder: &Path, line: &str) -> String {
    let line = match host.escalation {
        Some(Become::Sudo) => format!("sudo {line}"),
        None => line.to_owned(),
    };
    if host.address == Address::Local {
        return line;
    }
    let config = host.ssh_config.as_ref().map(|path| folder.join(path).display().to_string());
    let config = config.into_iter().flat_map(|path| ["-F".to_owned(), path]);
    let line = [host.address.to_string(), line];
    words(&["ssh".to_owned()].into_iter().chain(config).chain(line).collect::<Vec<_>>())
}
