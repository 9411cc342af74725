//! Networks.

use super::fate;
use super::needs::{Needs, project};
use crate::base::image::short;
use crate::model::clutter::contents::{Engined, Network};
use crate::model::clutter::survey::{Item, Kind, Reason};

pub(super) fn items(engine: &Engined, needs: &Needs<'_>) -> Vec<Item> {
    let item = |network: &Network| Item {
        id: Some(network.id.clone()),
        ..Item::new(Kind::Network, &network.name, &engine.mount, fate(reason(network, engine, needs)))
    };
    engine.networks.iter().map(item).collect()
}

fn reason(network: &Network, engine: &Engined, needs: &Needs<'_>) -> Option<Reason> {
    match network.containers {
        _ if network.is_own => return Some(Reason::Own),
        0 => {}
        1 => return Some(Reason::UsedBy("1 container".to_owned())),
        several => return Some(Reason::UsedBy(format!("{several} containers"))),
    }
    let declares = engine.projects.iter().find(|project| project.networks.contains(&network.name));
    let declared = declares.map(|project| Reason::Project(project.name.clone()));
    declared
        .or_else(|| network.project.as_ref().and_then(|name| project(engine, name)))
        .or_else(|| needs.run([short(&network.id), &network.name]))
        .or_else(|| needs.young(network.created))
        .or_else(|| unknown(engine))
}

/// One that is made by hand is only named by those who use it, and it gives no room.
fn unknown(engine: &Engined) -> Option<Reason> {
    let unread = engine.projects.iter().find(|project| !project.is_gone && project.unread.is_some())?;
    Some(Reason::Unknown(unread.name.clone()))
}
