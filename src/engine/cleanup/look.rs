//! What is on the disks of a host: asked of Docker, of Compose, of the files, and of the runs that are kept here and there.
//!
//! Nothing that is asked writes to a disk of the host: a host without a byte or an inode left is looked at like any other. What does not
//! depend on one another is asked side by side, each with a time of its own, and what has no answer is said in words beside what has one.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;
use tokio::try_join;

use self::asked::{Asked, Seen, asked};
use self::piles::Place;
use self::projects::Projects;
use self::unfinished::Kept;
use crate::engine::backups;
use crate::engine::hosts::Hosts;
use crate::host::Host;
use crate::host::docker::stock::{Labelled, Stock};
use crate::host::failure::Failure;
use crate::journal::store::Store;
use crate::model::backed::{self, Backed};
use crate::model::clutter::contents::{Contents, Engined, Keep, Pile, Rule, Vault};
use crate::model::facts::Site;

mod asked;
mod held;
mod journal;
mod logs;
mod piles;
mod projects;
mod question;
mod released;
mod spared;
#[cfg(test)]
mod tests;
mod unfinished;

/// Everything on a host that a cleanup has to know of. Changes nothing, and needs no room on the host. The facts are those of the host
/// and of its projects.
///
/// # Errors
/// When the host does not answer. What of it cannot be asked is in the contents.
pub async fn look(hosts: &Hosts, site: Site<'_>, host: &str, store: &Store) -> Result<Contents, Failure> {
    let connection = hosts.connection(host).await?;
    let machine = &*connection;
    // Nothing at all can be asked of a host that cannot even say what time it is.
    let kept = unfinished::place(machine, site.inventory.hosts.get(host)).await?;
    let (now, terms) = (kept.now, &site.inventory.cleanup);
    let (docker, journal, held, runs, vaults, histories) = try_join!(
        docker(machine, site, host, &kept, store),
        journal::look(machine, now, terms.keep_logs),
        held::look(machine),
        unfinished::look(machine, store, &kept, terms.unused_for),
        vaults(hosts, machine, site, host),
        released::histories(machine, site, host),
    )?;
    let mut unseen = Vec::new();
    let Docker { stock, projects, mut piles, spared } = docker.into_found(&mut unseen);
    let mut journal = journal.into_found(&mut unseen);
    let held = held.into_found(&mut unseen);
    let unfinished = runs.into_found(&mut unseen);
    let mut vaults = vaults.into_found(&mut unseen);
    let histories = histories.into_found(&mut unseen);
    let instances = stock.as_ref().map(|stock| stock.instances.as_slice()).unwrap_or_default();
    let services = released::released(site, host, &histories, &projects, instances).into_found(&mut unseen);
    let mut engine = stock.map(|stock| stock.engine);

    // At the end: what is free is what is free after all this.
    let root = engine.iter().map(|engine| engine.root.clone());
    let folders = piles.iter().map(|pile| pile.directory.clone());
    let folders = folders.chain(journal.iter().map(|journal| journal.directory.clone()));
    let folders = folders.chain(vaults.iter().map(|vault| vault.listing.directory.clone()));
    let paths: Vec<String> = root.chain(folders).collect();
    let rooms = asked(machine, "what the disks have left", machine.rooms(&paths).await, &mut unseen)?;
    let mount = |path: &str| {
        let mount = rooms.as_ref().and_then(|rooms| rooms.mount_of(path));
        mount.unwrap_or_default().to_owned()
    };
    if let Some(engine) = &mut engine {
        engine.mount = mount(&engine.root);
        engine.projects = projects.all;
        declare(engine);
    }
    piles.iter_mut().for_each(|pile| pile.mount = mount(&pile.directory));
    journal.iter_mut().for_each(|journal| journal.mount = mount(&journal.directory));
    vaults.iter_mut().for_each(|vault| vault.mount = mount(&vault.listing.directory));
    // What is in memory takes nothing of a disk.
    piles.retain(|pile| !pile.mount.is_empty());
    let journal = journal.filter(|journal| !journal.mount.is_empty());
    let containers = engine.as_ref().map(|engine| engine.containers.as_slice()).unwrap_or_default();
    let docker = engine.as_ref().map(|engine| engine.mount.as_str()).filter(|mount| !mount.is_empty());
    let held = held::on_disks(held, containers, docker, rooms.as_ref());
    let disks = rooms.map(|rooms| rooms.disks).unwrap_or_default();
    Ok(Contents { now, disks, engine, piles, spared, journal, held, vaults, services, unfinished, unseen })
}

/// What Docker's answer is needed for.
#[derive(Default)]
struct Docker {
    stock: Option<Stock>,
    projects: Projects,
    piles: Vec<Pile>,
    spared: Vec<String>,
}

async fn docker(machine: &Host, site: Site<'_>, host: &str, kept: &Kept, store: &Store) -> Asked<Docker> {
    let mut seen = Seen::default();
    let (listed, sized) = tokio::join!(around(machine, site, host, kept, store), machine.sizes());
    seen.found = listed?.into_found(&mut seen.unseen);
    // An engine that did not answer the one has no answer to the other.
    if let Some(stock) = &mut seen.found.stock {
        let what = "how much images, containers and volumes take";
        if let Some(sizes) = asked(machine, what, sized, &mut seen.unseen)? {
            sizes.fill(&mut stock.engine);
        }
    }
    Ok(seen)
}

/// What Docker has, and what is asked about it.
async fn around(machine: &Host, site: Site<'_>, host: &str, kept: &Kept, store: &Store) -> Asked<Docker> {
    let mut seen: Seen<Docker> = Seen::default();
    let mut stock = asked(machine, "Docker", machine.stock().await, &mut seen.unseen)?;
    let labelled = stock.as_ref().map(|stock| stock.projects.clone()).unwrap_or_default();
    let mut places = piles::places(&site.inventory.cleanup);
    if stock.is_none() {
        // What containers are given of such a folder is nobody else's to remove.
        places.retain(|place| place.rule != Rule::Temporary);
        seen.unseen
            .push("temporary files: without Docker nobody knows which of them containers use".to_owned());
    }
    let logs = stock.as_ref().map(|stock| logs::paths(&stock.engine)).unwrap_or_default();
    let (projects, sizes, (piles, spared)) = try_join!(
        projects::look(machine, site, host, &labelled),
        logs::sizes(machine, &logs),
        files(machine, site, host, (kept, store), stock.as_ref(), &places),
    )?;
    let sizes = sizes.into_found(&mut seen.unseen);
    if let Some(stock) = &mut stock {
        logs::fill(&mut stock.engine, &sizes);
    }
    let projects = projects.into_found(&mut seen.unseen);
    let piles = piles.into_found(&mut seen.unseen);
    seen.found = Docker { stock, projects, piles, spared };
    Ok(seen)
}

/// The files that rules take, and what is spared.
async fn files(
    machine: &Host,
    site: Site<'_>,
    host: &str,
    (kept, store): (&Kept, &Store),
    stock: Option<&Stock>,
    places: &[Place],
) -> Result<(Seen<Vec<Pile>>, Vec<String>), Failure> {
    let mut paths: BTreeSet<String> = kept.folders.iter().cloned().collect();
    paths.extend(store.root().to_str().map(str::to_owned));
    let inventory = site.inventory;
    let own = inventory.projects.values().filter(|project| project.host == host);
    paths.extend(own.map(|project| project.directory.clone()));
    paths.extend(backed(site, host).filter_map(|of| Some(of.backups?.directory.clone())));
    if let Some(stock) = stock {
        paths.insert(stock.engine.root.clone());
        let of_others = |labelled: &Labelled| labelled.directory.clone();
        paths.extend(stock.projects.iter().filter_map(of_others));
        paths.extend(spared::given(&stock.binds, places));
    }
    paths.insert(piles::JOURNAL.to_owned());
    let mut unseen = Vec::new();
    let spared = spared::real(machine, paths, &mut unseen).await?;
    let mut piles = piles::look(machine, places, kept.now, &spared).await?;
    piles.unseen.extend(unseen);
    Ok((piles, spared))
}

/// Which projects declare a volume, besides those whose labels it has.
fn declare(engine: &mut Engined) {
    for volume in &mut engine.volumes {
        let declaring = engine.projects.iter().filter(|project| project.volumes.contains(&volume.name));
        volume.projects.extend(declaring.map(|project| project.name.clone()));
        volume.projects.sort();
        volume.projects.dedup();
    }
}

/// The databases and caches of the host.
fn backed<'a>(site: Site<'a>, host: &'a str) -> impl Iterator<Item = Backed<'a>> {
    backed::all(site.inventory).filter(move |of| of.host == host)
}

async fn vaults(hosts: &Hosts, machine: &Host, site: Site<'_>, host: &str) -> Asked<Vec<Vault>> {
    let listed = try_join_all(backed(site, host).filter_map(|of| Some((of, of.backups?))).map(
        async |(of, backups)| {
            let mut seen = Seen::default();
            let what = format!("the backups of {} `{}`", of.noun(), of.name);
            let listing = backups::listing(hosts, &of, backups).await;
            let listing = asked(machine, &what, listing, &mut seen.unseen)?;
            if listing.as_ref().is_some_and(|listing| listing.is_missing) {
                let directory = &backups.directory;
                seen.unseen.push(format!("{what}: `{directory}` is not there, or cannot be read"));
            }
            let seconds = |span: Option<crate::base::amount::Span>| span.map(|span| span.0.as_secs());
            let keep = Keep {
                count: backups.keep,
                seconds: seconds(backups.keep_for),
                rpo_seconds: seconds(backups.rpo),
            };
            seen.found = listing.map(|listing| Vault {
                kind: of.kind,
                name: of.name.to_owned(),
                mount: String::new(),
                keep,
                listing,
            });
            Ok::<_, Failure>(seen)
        },
    ))
    .await?;
    let mut seen: Seen<Vec<Vault>> = Seen::default();
    for of_one in listed {
        seen.found.extend(of_one.into_found(&mut seen.unseen));
    }
    Ok(seen)
}
