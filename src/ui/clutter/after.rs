//! What a cleanup came to: what each kind has really freed, what each filesystem has now, and whether every service can still go back.

use serde::Serialize;

use super::bar::free;
use super::json::Disk;
use super::left::{self, Left};
use super::words::plural;
use crate::base::id::RunId;
use crate::base::size::Size;
use crate::model::clutter::survey::{Kind, Share};
use crate::ui::paint::{Ink, visible};
use crate::ui::table::{Cell, Table};
use crate::ui::wrap::wrapped;

/// A cleanup that has come to its end, or rests.
#[derive(Debug, Clone)]
pub struct Cleaned {
    pub host: String,
    pub run: RunId,
    pub kinds: Vec<Freed>,
    /// The filesystems as they were, each with what it is now; nothing where it was not looked at again.
    pub disks: Vec<(Share, Option<Share>)>,
    pub ways: Vec<Way>,
    /// What is left where the goal was missed.
    pub left: Vec<Left>,
}

/// What a kind of thing was thought to free, and what it has freed. Part of the public interface.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Freed {
    #[serde(rename = "what")]
    pub kind: Kind,
    pub estimated_bytes: u64,
    /// None where its steps were not begun, or are not done.
    pub freed_bytes: Option<u64>,
    /// How they ended.
    pub came_to: CameTo,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CameTo {
    Done,
    /// Enough was free before it was its turn.
    NotNeeded,
    Failed,
    NotBegun,
}

/// What a service would go back to, without any registry. Part of the public interface.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Way {
    pub service: String,
    /// The version, or why there was none.
    pub before: Back,
    pub after: Back,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Back {
    Version(String),
    Nowhere(String),
    /// It could not be asked.
    Unknown(String),
}

impl Way {
    /// Whether it could go back before, and cannot go there any more.
    pub fn is_lost(&self) -> bool {
        let is_told = !matches!(self.after, Back::Unknown(_));
        matches!(self.before, Back::Version(_)) && is_told && self.before != self.after
    }
}

pub fn text(cleaned: &Cleaned, columns: usize) -> String {
    let mut text = format!("\n{}", kinds(&cleaned.kinds));
    text.push_str(&format!("\n{}", disks(&cleaned.disks)));
    if !cleaned.ways.is_empty() {
        text.push('\n');
    }
    for way in &cleaned.ways {
        text.push_str(&format!("{}\n", wrapped(&of_way(way), columns, 2)));
    }
    text.push_str(&left::text(&cleaned.left, &cleaned.host, columns));
    text
}

fn kinds(all: &[Freed]) -> String {
    let mut table = Table::new(&["WHAT", "COULD GO", "FREED", ""]);
    for Freed { kind, estimated_bytes, freed_bytes, came_to } in all {
        let freed = freed_bytes.map_or_else(|| "–".to_owned(), |bytes| Size(bytes).to_string());
        let word = match came_to {
            CameTo::Done => Cell::from(""),
            CameTo::NotNeeded => Cell::new(Ink::Dim, "not needed any more"),
            CameTo::Failed => Cell::new(Ink::Bad, "✘ failed"),
            CameTo::NotBegun => Cell::new(Ink::Warn, "not begun"),
        };
        table.row([
            Cell::new(Ink::Bold, plural(*kind)),
            Size(*estimated_bytes).to_string().into(),
            freed.into(),
            word,
        ]);
    }
    let freed = all.iter().filter_map(|one| one.freed_bytes).fold(0, u64::saturating_add);
    let could = all.iter().fold(0, |sum: u64, one| sum.saturating_add(one.estimated_bytes));
    if all.len() > 1 {
        table.row([
            Cell::new(Ink::Bold, "together"),
            Size(could).to_string().into(),
            Cell::new(Ink::Bold, Size(freed).to_string()),
        ]);
    }
    table.text()
}

fn disks(all: &[(Share, Option<Share>)]) -> String {
    let mut table = Table::new(&["DISK", "WAS FREE", "IS FREE", "", "WANTED"]);
    for (before, after) in all {
        let Share { disk, wanted } = before;
        let shown = |share: &Share| match share.disk.inodes.filter(|inodes| free(*inodes).0 <= wanted.0) {
            Some(inodes) => format!("{}, {} of inodes", free(share.disk.bytes), free(inodes)),
            None => free(share.disk.bytes).to_string(),
        };
        let (now, room) = match after {
            Some(after) => {
                let (ink, mark) = if after.is_met() { (Ink::Good, '✔') } else { (Ink::Bad, '✘') };
                (
                    Cell::new(ink, format!("{mark} {}", shown(after))),
                    format!("{} of {}", Size(after.disk.bytes.free), whole(after)),
                )
            }
            None => (Cell::new(Ink::Warn, "? unknown"), String::new()),
        };
        table.row([
            Cell::new(Ink::Bold, visible(&disk.mount)),
            shown(before).into(),
            now,
            room.into(),
            wanted.to_string().into(),
        ]);
    }
    table.text()
}

fn whole(share: &Share) -> Size {
    Size(share.disk.bytes.used + share.disk.bytes.free)
}

fn of_way(Way { service, before, after }: &Way) -> String {
    let (ink, mark, text) = match (before, after) {
        (Back::Version(was), Back::Version(is)) if was == is => {
            (Ink::Good, "✔", format!("`{service}` still goes back to {is}, without any registry"))
        }
        (Back::Version(was), Back::Version(is)) => {
            (Ink::Bad, "✘", format!("`{service}` would have gone back to {was}, and now to {is}"))
        }
        (Back::Version(was), Back::Nowhere(why)) => {
            (Ink::Bad, "✘", format!("`{service}` cannot go back to {was} any more: {why}"))
        }
        (_, Back::Version(is)) => {
            (Ink::Good, "✔", format!("`{service}` goes back to {is}, without any registry"))
        }
        (Back::Nowhere(_), Back::Nowhere(why)) => {
            (Ink::Dim, "–", format!("`{service}` had nothing to go back to before, either: {why}"))
        }
        (Back::Unknown(_), Back::Nowhere(why)) => {
            (Ink::Warn, "?", format!("`{service}` has nothing to go back to without a registry: {why}"))
        }
        (_, Back::Unknown(why)) => {
            (Ink::Warn, "?", format!("nobody knows what `{service}` would go back to: {why}"))
        }
    };
    format!("{} {}", ink.on(mark), visible(&text))
}

/// Part of the public interface.
#[derive(Serialize)]
#[serde(tag = "kind", rename = "cleaned")]
struct Document<'a> {
    host: &'a str,
    run: RunId,
    freed: &'a [Freed],
    disks: Vec<Change<'a>>,
    rollbacks: &'a [Way],
    left: &'a [Left],
}

#[derive(Serialize)]
struct Change<'a> {
    before: Disk<'a>,
    after: Option<Disk<'a>>,
}

/// One JSON object in a line.
pub fn json(cleaned: &Cleaned) -> String {
    let Cleaned { host, run, kinds, disks, ways, left } = cleaned;
    let disks = disks
        .iter()
        .map(|(before, after)| Change { before: Disk::of(before), after: after.as_ref().map(Disk::of) });
    let document = Document { host, run: *run, freed: kinds, disks: disks.collect(), rollbacks: ways, left };
    format!("{}\n", serde_json::to_string(&document).expect("it is made of maps with string keys"))
}
