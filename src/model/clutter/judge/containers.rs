//! Containers, and their logs.

use super::fate;
use super::needs::{Needs, project};
use crate::base::image::short;
use crate::model::clutter::contents::{Container, Engined};
use crate::model::clutter::survey::{Fate, Item, Kind, Reason};

pub(super) fn items(engine: &Engined, needs: &Needs<'_>) -> Vec<Item> {
    let mut items = Vec::new();
    for container in &engine.containers {
        let fate = fate(reason(container, engine, needs));
        let mut item = Item {
            id: Some(container.id.clone()),
            bytes: container.bytes,
            ..Item::new(Kind::Container, &container.name, &engine.mount, fate)
        };
        match &container.log {
            // It goes with its container.
            Some(log) if item.goes() => item.bytes += log.bytes,
            Some(_) => items.extend(log(container, engine, needs.terms.keep_of_log.0)),
            None => {}
        }
        items.push(item);
    }
    items
}

fn reason(container: &Container, engine: &Engined, needs: &Needs<'_>) -> Option<Reason> {
    if container.is_running {
        return Some(Reason::Runs);
    }
    let of_project = container.project.as_ref().and_then(|name| project(engine, name));
    of_project
        .or_else(|| needs.run([short(&container.id), &container.name]))
        .or_else(|| needs.young(container.since))
}

/// What goes of a log, and the end of it that stays.
fn log(container: &Container, engine: &Engined, keep: u64) -> Vec<Item> {
    let Some(log) = &container.log else { return Vec::new() };
    let part = |bytes: u64, fate: Fate| Item {
        id: Some(container.id.clone()),
        bytes,
        files: 1,
        path: Some(log.path.clone()),
        ..Item::new(Kind::ContainerLog, &container.name, &engine.mount, fate)
    };
    let (goes, stays) = (log.bytes.saturating_sub(keep), log.bytes.min(keep));
    let parts = [(goes, Fate::Goes), (stays, Fate::Stays(Reason::Rule))];
    parts.into_iter().filter(|(bytes, _)| *bytes > 0).map(|(bytes, fate)| part(bytes, fate)).collect()
}
