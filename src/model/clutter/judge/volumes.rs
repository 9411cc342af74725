//! Volumes. None goes, whoever has made it: what is in it was written once.

use crate::model::clutter::contents::{Engined, Volume};
use crate::model::clutter::survey::{Fate, Item, Kind, Reason};

pub(super) fn items(engine: &Engined) -> Vec<Item> {
    let item = |volume: &Volume| Item {
        bytes: volume.bytes.unwrap_or_default(),
        ..Item::new(Kind::Volume, &volume.name, &engine.mount, Fate::Stays(reason(volume)))
    };
    engine.volumes.iter().map(item).collect()
}

fn reason(volume: &Volume) -> Reason {
    match (volume.users.first(), volume.projects.first()) {
        (Some(container), _) => Reason::UsedBy(container.clone()),
        (None, Some(project)) => Reason::Project(project.clone()),
        (None, None) => Reason::Data,
    }
}
