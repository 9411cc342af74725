//! Decides what may go.
//!
//! Whatever somebody could still need stays, and so does everything of which that is not known: a container, an image or a network goes
//! only when nothing on the host, in the history of releases or in a run that has not ended speaks for it, and when it has been like
//! that for long enough. What cannot be had again from anywhere is never let go of. Nothing here looks at how full a disk is: what could
//! go is the same on every day, and it is the procedure that leaves alone what has room.

mod backups;
mod containers;
mod files;
mod images;
mod named;
mod needs;
mod networks;
mod releases;
mod volumes;

use std::cmp::Reverse;

use super::contents::Contents;
use super::survey::{Fate, Item, Reason, Share, Survey};
use super::terms::Cleanup;
use needs::Needs;

/// What of all that was found could go, and why the rest stays.
pub fn judge(contents: &Contents, terms: &Cleanup) -> Survey {
    let needs = Needs { contents, terms };
    let mut items = files::items(contents);
    if let Some(engine) = &contents.engine {
        items.extend(containers::items(engine, &needs));
        items.extend(images::items(engine, &needs));
        items.extend(networks::items(engine, &needs));
        items.extend(volumes::items(engine));
    }
    items.extend(contents.vaults.iter().flat_map(|vault| backups::items(vault, terms.keep_verified)));
    items.sort_by(|one, other| {
        let place = |item: &Item| (item.kind, Reverse(item.bytes));
        place(one).cmp(&place(other)).then_with(|| (&one.name, &one.id).cmp(&(&other.name, &other.id)))
    });
    let mut spare: Vec<String> = contents.spared.iter().map(|path| tellable(path)).collect();
    spare.sort();
    spare.dedup();
    Survey {
        at: contents.now,
        disks: contents
            .disks
            .iter()
            .map(|disk| Share { disk: disk.clone(), wanted: terms.until_free })
            .collect(),
        items,
        held: contents.held.clone(),
        spare,
        unseen: contents.unseen.clone(),
    }
}

/// Nothing that speaks for it lets it go.
fn fate(reason: Option<Reason>) -> Fate {
    reason.map_or(Fate::Goes, Fate::Stays)
}

/// A path that a host can be told, or the folder that it is in.
fn tellable(path: &str) -> String {
    let plain = path.split('/').skip(1).take_while(|part| !part.contains(char::is_control));
    format!("/{}", plain.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/"))
}

#[cfg(test)]
mod tests;
