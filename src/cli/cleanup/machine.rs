//! Which host is to be cleaned, and what is known of it.

use futures_util::future::{join, join_all};

use crate::base::nearest::{listed, nearest};
use crate::base::percent::Percent;
use crate::base::{Error, Kind, Result};
use crate::cli::open::{Workplace, unreachable_host};
use crate::engine::cleanup::look::look;
use crate::engine::hosts::Hosts;
use crate::engine::plan::Needs;
use crate::host::failure::Failure;
use crate::journal::store::Store;
use crate::model::clutter::contents::Contents;
use crate::model::clutter::survey::Share;
use crate::model::facts::{Facts, Site};
use crate::model::inventory::Inventory;
use crate::model::operation::quoted;
use crate::ui;
use crate::ui::look::Look;

/// What stands in an error is painted by nobody.
const PLAIN: Look = Look { is_coloured: false, is_utf8: true };

/// The host that is named, or the only one there is.
///
/// # Errors
/// When there is no such host, or it is lost.
pub fn named(inventory: &Inventory, name: Option<&str>) -> Result<Option<String>> {
    let Some(name) = name else {
        let mut standing = inventory.standing().map(|(name, _)| name);
        let only = standing.next().filter(|_| standing.next().is_none());
        return Ok(only.cloned());
    };
    match inventory.hosts.get(name) {
        Some(host) if host.lost => {
            Err(Error::new(Kind::Refused, format!("host `{name}` is lost, as the inventory says")))
        }
        Some(_) => Ok(Some(name.to_owned())),
        None => {
            let known = || inventory.standing().map(|(name, _)| name.as_str());
            let error = Error::usage(format!("there is no host `{name}` in the inventory"));
            let error = match nearest(name, known()) {
                Some(name) => error.hint(format!("did you mean `{name}`?")),
                None => error,
            };
            Err(error.hint(format!("it has {}", listed(known()))))
        }
    }
}

/// Every host with its disks, or why it does not say.
pub type Asked = Vec<(String, Result<Vec<Share>, Failure>)>;

/// Asks every host how full it is.
pub async fn ask_all(workplace: &Workplace, hosts: &Hosts, wanted: Percent) -> Asked {
    let asked = workplace.site.inventory.standing().map(|(name, _)| async move {
        let disks = async { hosts.connection(name).await?.rooms(&[]).await };
        let shares = |disks: Vec<_>| disks.into_iter().map(|disk| Share { disk, wanted }).collect();
        (name.clone(), disks.await.map(|rooms| shares(rooms.disks)))
    });
    workplace.patiently(join_all(asked)).await
}

/// The one host that is short of what is wanted; none where every host has it.
///
/// # Errors
/// When several are short, or none is and one of them does not answer.
pub fn short(asked: &Asked, command: &str) -> Result<Option<String>> {
    let is_short = |shares: &[Share]| shares.iter().any(|share| !share.is_met());
    let short: Vec<&str> = asked
        .iter()
        .filter(|(_, disks)| disks.as_ref().is_ok_and(|disks| is_short(disks)))
        .map(|(name, _)| name.as_str())
        .collect();
    let silent = asked.iter().find_map(|(_, disks)| disks.as_ref().err());
    match (&short[..], silent) {
        ([], Some(failure)) => Err(unreachable_host(failure)),
        ([], None) => Ok(None),
        ([one], _) => Ok(Some((*one).to_owned())),
        (several, _) => {
            let error = Error::usage(format!("the disks of {} are short", listed(several.iter().copied())))
                .detail(PLAIN.fit(&ui::clutter::hosts(&told(asked))));
            Err(several
                .iter()
                .fold(error, |error, name| error.hint(format!("{command} --host {}", quoted(name)))))
        }
    }
}

/// As it is shown.
pub fn told(asked: &Asked) -> Vec<(&str, Result<&[Share], String>)> {
    let disks = asked.iter().map(|(_, disks)| disks.as_deref().map_err(Failure::to_string));
    asked.iter().map(|(name, _)| name.as_str()).zip(disks).collect()
}

/// All that is on the disks of a host. A project that Compose refuses hides nothing else.
///
/// # Errors
/// When the host does not answer.
pub async fn contents(workplace: &Workplace, hosts: &Hosts, host: &str) -> Result<Contents> {
    let inventory = &workplace.site.inventory;
    let store = Store::open()?;
    let looked = async {
        let projects = inventory.projects.iter().filter(|(_, project)| project.host == host);
        let facts = join_all(projects.map(|(name, _)| facts_of(hosts, inventory, host, Some(name))));
        let (of_host, of_projects) = join(facts_of(hosts, inventory, host, None), facts).await;
        let mut facts = of_host.unwrap_or_default();
        for one in of_projects.into_iter().flatten() {
            facts.projects.extend(one.projects);
        }
        look(hosts, Site { inventory, facts: &facts }, host, &store).await
    };
    workplace.patiently(looked).await.map_err(|failure| unreachable_host(&failure))
}

async fn facts_of(
    hosts: &Hosts,
    inventory: &Inventory,
    host: &str,
    project: Option<&String>,
) -> Result<Facts, Failure> {
    let needs = Needs {
        hosts: [host.to_owned()].into(),
        compose: [host.to_owned()].into(),
        projects: project.into_iter().cloned().collect(),
        containers: Vec::new(),
    };
    hosts.facts_for(inventory, &needs).await
}
