//! Images.

use super::needs::Needs;
use super::{fate, named, releases};
use crate::base::image::short;
use crate::model::clutter::contents::{Engined, Image};
use crate::model::clutter::survey::{Item, Kind, Reason};

pub(super) fn items(engine: &Engined, needs: &Needs<'_>) -> Vec<Item> {
    let images = each_once(&engine.images);
    let released = releases::kept(&images, &needs.contents.services, needs.terms.keep_releases);
    let reason = |image: &Image| {
        let release = released.get(image.id.as_str()).map(|service| Reason::Release((*service).to_owned()));
        release
            .or_else(|| project(engine, image))
            .or_else(|| needs.run(named::words(image)))
            .or_else(|| container(engine, image))
            .or_else(|| needs.young(image.tagged.max(image.created)))
            .or_else(|| unknown(engine, image))
            // It was built or loaded here. The rest of a build, which has no name any more, was made anew by the next one.
            .or_else(|| (!image.tags.is_empty() && image.digests.is_empty()).then_some(Reason::Data))
    };
    images.iter().map(|image| item(engine, image, reason(image))).collect()
}

fn item(engine: &Engined, image: &Image, reason: Option<Reason>) -> Item {
    let names = named::names(image);
    let kind = if image.tags.is_empty() { Kind::DanglingImage } else { Kind::Image };
    let name = names.first().cloned().unwrap_or_else(|| short(&image.id).to_owned());
    Item {
        id: Some(image.id.clone()),
        names,
        digest: named::digest(image),
        // What it shares with others may stay with them, and nobody says which those are.
        bytes: image.own_bytes,
        ..Item::new(kind, name, &engine.mount, fate(reason))
    }
}

/// What is one image for Docker is one here, with all of its names: it goes or stays as a whole.
fn each_once(images: &[Image]) -> Vec<Image> {
    let mut once: Vec<Image> = Vec::new();
    for image in images {
        let Some(known) = once.iter_mut().find(|known| known.id == image.id) else {
            once.push(image.clone());
            continue;
        };
        for (all, more) in [(&mut known.tags, &image.tags), (&mut known.digests, &image.digests)] {
            let new: Vec<String> = more.iter().filter(|name| !all.contains(name)).cloned().collect();
            all.extend(new);
        }
        known.own_bytes = known.own_bytes.min(image.own_bytes);
        known.created = known.created.max(image.created);
        known.tagged = known.tagged.max(image.tagged);
    }
    once
}

fn project(engine: &Engined, image: &Image) -> Option<Reason> {
    let is_named = |text: &String| named::is_written(image, text) == Some(true);
    let project = engine.projects.iter().find(|project| project.images.iter().any(is_named))?;
    Some(Reason::Project(project.name.clone()))
}

fn container(engine: &Engined, image: &Image) -> Option<Reason> {
    let mut users: Vec<_> =
        engine.containers.iter().filter(|container| container.image == image.id).collect();
    users.sort_by_key(|container| !container.is_running);
    users.first().map(|container| Reason::UsedBy(container.name.clone()))
}

/// A project whose files may name it, for all that anybody knows. What has no name cannot be named.
fn unknown(engine: &Engined, image: &Image) -> Option<Reason> {
    if image.tags.is_empty() && image.digests.is_empty() {
        return None;
    }
    let is_riddle = |text: &String| named::is_written(image, text).is_none();
    let project = engine.projects.iter().find(|project| {
        !project.is_gone && (project.unread.is_some() || project.images.iter().any(is_riddle))
    })?;
    Some(Reason::Unknown(project.name.clone()))
}
