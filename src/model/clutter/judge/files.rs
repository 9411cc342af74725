//! What is taken by a rule: files below folders, the journal, and the steps of image builds. What the rule takes of it goes, the rest
//! stays.

use crate::model::clutter::contents::{Contents, Pile, Rule};
use crate::model::clutter::survey::{Fate, Item, Kind, Reason};

pub(super) fn items(contents: &Contents) -> Vec<Item> {
    let mut items = Vec::new();
    let mut add = |kind: Kind, name: &str, mount: &str, [goes, all]: [(u64, u64); 2]| {
        let stays = (all.0.saturating_sub(goes.0), all.1.saturating_sub(goes.1));
        for ((files, bytes), fate) in [(goes, Fate::Goes), (stays, Fate::Stays(Reason::Rule))] {
            if files > 0 || bytes > 0 {
                items.push(Item { files, bytes, ..Item::new(kind, name, mount, fate) });
            }
        }
    };
    for pile in contents.piles.iter().filter(|pile| !is_counted(pile, &contents.piles)) {
        let kind = match pile.rule {
            Rule::Packages => Kind::Packages,
            Rule::RotatedLogs => Kind::RotatedLogs,
            Rule::Temporary => Kind::Temporary,
        };
        let parts = [(pile.files, pile.bytes), (pile.all_files, pile.all_bytes)];
        add(kind, &pile.directory, &pile.mount, parts);
    }
    if let Some(journal) = &contents.journal {
        let parts = [(0, journal.old_bytes), (0, journal.all_bytes)];
        add(Kind::Journal, &journal.directory, &journal.mount, parts);
    }
    if let Some(engine) = &contents.engine {
        let builds = engine.builds;
        let parts = [(builds.dangling, builds.bytes), (builds.dangling, builds.all_bytes)];
        add(Kind::Builds, "build cache", &engine.mount, parts);
    }
    items
}

/// Whether its files are among those of a folder above it, which the same rule takes.
fn is_counted(pile: &Pile, piles: &[Pile]) -> bool {
    let is_below = |folder: &str| {
        let rest = pile.directory.strip_prefix(folder.trim_end_matches('/'));
        rest.is_some_and(|rest| rest.trim_end_matches('/').starts_with('/'))
    };
    piles
        .iter()
        .any(|other| other.rule == pile.rule && other.mount == pile.mount && is_below(&other.directory))
}
