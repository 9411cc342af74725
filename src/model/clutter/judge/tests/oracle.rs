//! What must never go, said once more and in the plainest way, from what is on the host and not from what the judge made of it.

use std::collections::BTreeSet;

use crate::base::clock::Timestamp;
use crate::model::clutter::contents::*;
use crate::model::clutter::terms::Cleanup;
use crate::model::clutter::world::{Name, REPOSITORIES, World, names};

/// Every name of an image on the host, whichever of its entries has it.
fn called<'a>(engine: &'a Engined, id: &str) -> Vec<&'a str> {
    let entries = engine.images.iter().filter(|image| image.id == id);
    entries.flat_map(|image| image.tags.iter().chain(&image.digests)).map(String::as_str).collect()
}

fn ids(engine: &Engined) -> BTreeSet<&str> {
    engine.images.iter().map(|image| image.id.as_str()).collect()
}

fn name(text: &str) -> Name {
    names().into_iter().find(|name| name.text == text).unwrap()
}

fn could_mean(name: &Name, called: &[&str]) -> bool {
    let has_digest = |digest: &String| called.iter().any(|own| own.ends_with(digest.as_str()));
    called.contains(&name.finds.as_str())
        || name.tag.is_some_and(|tag| called.contains(&tag))
        || name.digest.as_ref().is_some_and(has_digest)
}

fn is_old(terms: &Cleanup, now: Timestamp, times: impl IntoIterator<Item = Option<Timestamp>>) -> bool {
    let last = times.into_iter().flatten().max();
    last.is_some_and(|last| now.as_second() - last.as_second() >= terms.unused_for.0.as_secs() as i64)
}

/// Why an image must stay; none where it may go.
pub(super) fn image_needed(world: &World, id: &str) -> Option<&'static str> {
    let contents = &world.contents;
    let engine = contents.engine.as_ref().unwrap();
    let called = called(engine, id);
    let entries = || engine.images.iter().filter(|image| image.id == id);
    let has_tag = called.iter().any(|name| !name.contains('@'));
    let has_digest = called.iter().any(|name| name.contains('@'));
    let in_plan = |word: &str| contents.unfinished.iter().any(|run| run.plan.contains(word));
    if engine.containers.iter().any(|container| container.image == id) {
        return Some("a container is made from it");
    }
    let files = engine.projects.iter().flat_map(|project| &project.images);
    if files.into_iter().any(|text| could_mean(&name(text), &called)) {
        return Some("a project names it");
    }
    if in_plan(id)
        || called.iter().any(|name| in_plan(name.split_once('@').map_or(*name, |(_, digest)| digest)))
    {
        return Some("a run names it");
    }
    if !is_old(&world.terms, contents.now, entries().flat_map(|image| [image.tagged, image.created])) {
        return Some("it is young");
    }
    if !called.is_empty()
        && engine.projects.iter().any(|project| project.unread.is_some() && !project.is_gone)
    {
        return Some("nobody knows what a project needs");
    }
    if has_tag && !has_digest {
        return Some("it cannot be had again");
    }
    None
}

/// The ids of the images that a service can go back to, the last release first, and behind them those of its repository.
pub(super) fn ways_back<'a>(engine: &'a Engined, service: &Released) -> (Vec<&'a str>, BTreeSet<&'a str>) {
    let mut releases = Vec::new();
    for release in &service.images {
        let finds = name(&release.to_string()).finds;
        for id in ids(engine) {
            if called(engine, id).contains(&finds.as_str()) && !releases.contains(&id) {
                releases.push(id);
            }
        }
    }
    assert!(REPOSITORIES.contains(&service.repository.as_str()));
    let is_of = |name: &&str| {
        ["@", ":"].iter().any(|mark| name.starts_with(&format!("{}{mark}", service.repository)))
    };
    let of_repository = ids(engine).into_iter().filter(|id| called(engine, id).iter().any(is_of));
    let all = releases.iter().copied().chain(of_repository).collect();
    (releases, all)
}

pub(super) fn container_needed(world: &World, container: &Container) -> bool {
    let contents = &world.contents;
    let projects = &contents.engine.as_ref().unwrap().projects;
    let is_of_project = container
        .project
        .as_ref()
        .is_some_and(|name| projects.iter().all(|project| project.name != *name || !project.is_gone));
    let is_in_plan = contents
        .unfinished
        .iter()
        .any(|run| run.plan.contains(&container.name) || run.plan.contains(&container.id));
    container.is_running
        || is_of_project
        || is_in_plan
        || !is_old(&world.terms, contents.now, [container.since])
}

pub(super) fn network_needed(world: &World, network: &Network) -> bool {
    let contents = &world.contents;
    let projects = &contents.engine.as_ref().unwrap().projects;
    let is_of_project = network
        .project
        .as_ref()
        .is_some_and(|name| projects.iter().all(|project| project.name != *name || !project.is_gone));
    network.is_own
        || network.containers > 0
        || is_of_project
        || projects.iter().any(|project| project.networks.contains(&network.name))
        || contents.unfinished.iter().any(|run| run.plan.contains(&network.name))
        || !is_old(&world.terms, contents.now, [network.created])
}

/// The places of the backups that must stay.
pub(super) fn backups_needed(world: &World, vault: &Vault) -> BTreeSet<usize> {
    let mut needed = BTreeSet::new();
    let mut verified = 0;
    for (number, backup) in vault.listing.backups.iter().enumerate() {
        let age = (vault.listing.now.as_second() - backup.written.as_second()) as u64;
        let Some(manifest) = &backup.manifest else {
            needed.insert(number);
            continue;
        };
        let is_verified =
            manifest.verified.is_some() && manifest.reason.is_empty() && backup.bytes == Some(manifest.bytes);
        if verified == 0 {
            needed.insert(number);
        }
        if is_verified {
            verified += 1;
            if verified <= world.terms.keep_verified {
                needed.insert(number);
            }
        }
        let is_within = |seconds: Option<u64>| seconds.is_some_and(|seconds| seconds > 0 && age <= seconds);
        if manifest.run.is_empty() || is_within(vault.keep.rpo_seconds) || is_within(vault.keep.seconds) {
            needed.insert(number);
        }
        let is_plain =
            |backup: &&Backup| backup.manifest.as_ref().is_some_and(|manifest| manifest.reason.is_empty());
        let newer = vault.listing.backups[..number].iter().filter(is_plain).count();
        if manifest.reason.is_empty() && newer < vault.keep.count as usize {
            needed.insert(number);
        }
    }
    needed
}

type Backup = crate::model::manifest::Backup;
