//! Hosts with little on them.

use crate::base::clock::Timestamp;
use crate::base::image::Reference;
use crate::model::clutter::contents::*;
use crate::model::clutter::judge::judge;
use crate::model::clutter::survey::{Fate, Item, Kind, Reason};
use crate::model::clutter::terms::Cleanup;

pub(super) const HOUR: i64 = 3600;

pub(super) fn now() -> Timestamp {
    "2026-11-27T12:00:00Z".parse().unwrap()
}

pub(super) fn ago(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_second(now().as_second() - seconds).ok()
}

/// A digest, told by a word.
pub(super) fn digest(word: &str) -> String {
    let hex: String = word.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex:0<64}")
}

pub(super) fn contents() -> Contents {
    Contents {
        now: now(),
        disks: Vec::new(),
        engine: None,
        piles: Vec::new(),
        spared: Vec::new(),
        journal: None,
        held: Vec::new(),
        vaults: Vec::new(),
        services: Vec::new(),
        unfinished: Vec::new(),
        unseen: Vec::new(),
    }
}

pub(super) fn engine() -> Engined {
    Engined {
        root: "/var/lib/docker".to_owned(),
        mount: "/".to_owned(),
        images: Vec::new(),
        containers: Vec::new(),
        volumes: Vec::new(),
        networks: Vec::new(),
        builds: Builds::default(),
        projects: Vec::new(),
    }
}

/// With an engine.
pub(super) fn host(engine: Engined) -> Contents {
    Contents { engine: Some(engine), ..contents() }
}

/// That nothing has used for a month, and that can be pulled again.
pub(super) fn image(name: &str) -> Image {
    let (repository, _) = name.rsplit_once(':').unwrap();
    Image {
        id: digest(&format!("id {name}")),
        tags: vec![name.to_owned()],
        digests: vec![format!("{repository}@{}", digest(name))],
        bytes: 100,
        own_bytes: 10,
        created: ago(900 * HOUR),
        tagged: ago(800 * HOUR),
    }
}

/// That has been stopped for a month.
pub(super) fn container(name: &str, image: &Image) -> Container {
    Container {
        id: digest(&format!("container {name}")),
        name: name.to_owned(),
        image: image.id.clone(),
        project: None,
        is_running: false,
        since: ago(700 * HOUR),
        bytes: 5,
        log: None,
    }
}

pub(super) fn project(name: &str) -> Project {
    Project {
        name: name.to_owned(),
        images: Vec::new(),
        volumes: Vec::new(),
        networks: Vec::new(),
        unread: None,
        is_gone: false,
    }
}

pub(super) fn released(repository: &str, images: &[&str]) -> Released {
    Released {
        service: "argus".to_owned(),
        repository: repository.to_owned(),
        images: images.iter().map(|image| Reference::parse(image).unwrap()).collect(),
    }
}

pub(super) fn items(contents: &Contents) -> Vec<Item> {
    judge(contents, &Cleanup::default()).items
}

/// What becomes of everything of a kind, by name.
pub(super) fn fates(contents: &Contents, kind: Kind) -> Vec<(String, Fate)> {
    let of_kind = items(contents).into_iter().filter(|item| item.kind == kind);
    let mut fates: Vec<(String, Fate)> = of_kind.map(|item| (item.name, item.fate)).collect();
    fates.sort_by(|one, other| one.0.cmp(&other.0));
    fates
}

/// What becomes of the only one of its kind.
pub(super) fn fate(contents: &Contents, kind: Kind) -> Fate {
    let fates = fates(contents, kind);
    assert_eq!(fates.len(), 1, "{fates:?}");
    fates.into_iter().next().unwrap().1
}

pub(super) fn stays(reason: fn(String) -> Reason, name: &str) -> Fate {
    Fate::Stays(reason(name.to_owned()))
}
