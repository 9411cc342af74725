//! Who holds the space of a filesystem that is short of what is wanted, and what a person could do about it.

use std::cmp::Reverse;

use serde::Serialize;

use super::words::{self, count, noun, plural, reasons};
use super::{NARROWEST, bytes, files, going, grouped, size};
use crate::base::amount::Span;
use crate::base::size::Size;
use crate::model::clutter::contents::{Held, Room};
use crate::model::clutter::survey::{Fate, Item, Kind, Reason, Share, Survey};
use crate::model::clutter::terms::Cleanup;
use crate::model::operation::quoted;
use crate::ui::paint::{Ink, visible};
use crate::ui::wrap::wrapped;

const HOUR: u64 = 60 * 60;

/// Less than the thousandth part is little.
const LITTLE: u64 = 1000;

/// How many of those who hold most are named.
const MOST: usize = 8;

/// Where a cleanup was, and how a person gets there.
pub struct Place<'a> {
    pub host: &'a str,
    /// By which it was judged what goes.
    pub terms: &'a Cleanup,
    /// A line for the host's own shell, as it is typed here.
    pub typed: &'a dyn Fn(&str) -> String,
}

/// What keeps a filesystem from having as much free as is wanted. Part of the public interface.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Left {
    pub mount: String,
    pub missing_bytes: u64,
    pub missing_inodes: u64,
    pub holders: Vec<Holder>,
}

/// Something that takes room and stays.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Holder {
    pub bytes: u64,
    pub what: String,
    /// What a person could do about it: something to type, or to write into the inventory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Of each filesystem that is short, those who hold most of it.
pub fn left(survey: &Survey, place: &Place<'_>) -> Vec<Left> {
    survey.disks.iter().filter(|share| !share.is_met()).map(|share| of_disk(survey, share, place)).collect()
}

fn of_disk(survey: &Survey, share: &Share, place: &Place<'_>) -> Left {
    let mount = &share.disk.mount;
    let here: Vec<&Item> = survey.items.iter().filter(|item| item.mount == *mount).collect();
    let missing = |room: Room| {
        let wanted = (room.used + room.free) as f64 * share.wanted.0 / 100.0;
        (wanted.ceil() as u64).saturating_sub(room.free)
    };
    let (missing_bytes, missing_inodes) =
        (missing(share.disk.bytes), share.disk.inodes.map(missing).unwrap_or_default());
    let stays = here.iter().filter_map(|item| match &item.fate {
        Fate::Goes => None,
        Fate::Stays(reason) => Some((*item, reason)),
    });
    let (mut single, mut several) = (Vec::new(), Vec::new());
    // Each volume is somebody's, and a writable layer is one container's: the rest is told by groups.
    for (item, reason) in stays.filter(|(item, _)| item.bytes > 0) {
        if item.kind == Kind::Volume || *reason == Reason::Runs {
            single.push((item, reason));
        } else {
            several.push((item, reason));
        }
    }
    let mut holders: Vec<Holder> =
        single.into_iter().map(|(item, reason)| of_one(item, reason, place)).collect();
    for kind in Kind::ALL {
        let groups = grouped(several.iter().filter(|(item, _)| item.kind == kind));
        holders.extend(groups.into_iter().map(|group| of_group(&group, place)));
    }
    let is_here = |held: &&Held| held.mount.as_ref().is_none_or(|other| other == mount);
    holders.extend(survey.held.iter().filter(is_here).map(|held| of_held(held, place)));
    // What is nothing beside what is missing is in nobody's way.
    holders.retain(|holder| missing_bytes > 0 && holder.bytes >= missing_bytes / LITTLE);
    holders.sort_by_key(|holder| Reverse(holder.bytes));
    holders.truncate(MOST);
    let goes = going(survey, mount);
    if goes.any() {
        let files = if goes.files > 0 { format!(", {}", files(goes.files)) } else { String::new() };
        holders.push(Holder {
            bytes: goes.bytes,
            what: format!("could still go{files}"),
            next: Some(format!("opsctl cleanup disk --host {}", quoted(place.host))),
        });
    }
    holders.push(of_others(share, &here, survey, place));
    if missing_inodes > 0 {
        holders.push(of_files(share, place));
    }
    Left { mount: mount.clone(), missing_bytes, missing_inodes, holders }
}

fn of_one(item: &Item, reason: &Reason, place: &Place<'_>) -> Holder {
    let what = format!("{} `{}`: {}", noun(item), item.name, words::reason(item.kind, reason));
    Holder { bytes: item.bytes, what, next: way(item, reason, place) }
}

fn of_group(group: &[(&Item, &Reason)], place: &Place<'_>) -> Holder {
    let (first, reason) = group[0];
    if group.len() == 1 {
        return of_one(first, reason, place);
    }
    let (items, why): (Vec<&Item>, Vec<&Reason>) = group.iter().copied().unzip();
    let count = count(first.kind, &items).map(|count| format!("{count} ")).unwrap_or_default();
    let what = format!("{count}{} {}", plural(first.kind), reasons(first.kind, &why));
    Holder { bytes: bytes(&items), what, next: way(first, reason, place) }
}

fn of_held(held: &Held, place: &Place<'_>) -> Holder {
    let Held { pid, process, path, bytes, .. } = held;
    let what =
        format!("`{process}` (pid {pid}) has {path} open, which was removed: free when it is restarted");
    Holder { bytes: *bytes, what, next: Some((place.typed)(&format!("systemctl status {pid}"))) }
}

/// All that nobody here knows anything of.
fn of_others(share: &Share, here: &[&Item], survey: &Survey, place: &Place<'_>) -> Holder {
    let mount = &share.disk.mount;
    let held = survey.held.iter().filter(|held| held.mount.as_ref() == Some(mount)).map(|held| held.bytes);
    let known = held.fold(bytes(here), u64::saturating_add);
    let line = format!("du -xk -d 3 {} | sort -n | tail -n 20", quoted(mount));
    Holder {
        bytes: share.disk.bytes.used.saturating_sub(known),
        what: "everything else".to_owned(),
        next: Some((place.typed)(&line)),
    }
}

/// Where the many files are.
fn of_files(share: &Share, place: &Place<'_>) -> Holder {
    let used = share.disk.inodes.map(|inodes| inodes.used).unwrap_or_default();
    let mount = quoted(&share.disk.mount);
    let line = format!("find {mount} -xdev | cut -d / -f 1-4 | sort | uniq -c | sort -n | tail -n 20");
    Holder { bytes: 0, what: format!("{used} files and folders"), next: Some((place.typed)(&line)) }
}

/// What a person could do, who knows more.
fn way(item: &Item, reason: &Reason, place: &Place<'_>) -> Option<String> {
    let terms = place.terms;
    let write = |setting: &str| format!("in the inventory: cleanup: {{ {setting} }}");
    let less = |is: Span, seconds: u64, setting: &str| {
        (is > Span::secs(seconds)).then(|| write(&format!("{setting}: {}", Span::secs(seconds))))
    };
    match (item.kind, reason) {
        (_, Reason::Run(run)) => Some(format!("opsctl runs show {}", quoted(run))),
        (Kind::Volume, Reason::Data) => {
            Some(format!("opsctl cleanup volume {} --host {}", quoted(&item.name), quoted(place.host)))
        }
        (Kind::Container, Reason::Runs) => {
            Some((place.typed)(&format!("docker diff {} | head -n 50", quoted(&item.name))))
        }
        (Kind::Backup, _) => item
            .of
            .as_ref()
            .map_or(Some("opsctl backups".to_owned()), |of| Some(format!("opsctl backups {}", quoted(of)))),
        (Kind::Image | Kind::DanglingImage, Reason::Release(_)) => {
            (terms.keep_releases > 2).then(|| write("keep_releases: 2"))
        }
        (Kind::Image | Kind::DanglingImage | Kind::Container | Kind::Network, Reason::Young) => {
            less(terms.unused_for, HOUR, "unused_for")
        }
        (Kind::Builds, _) => Some((place.typed)("docker builder prune --all")),
        (Kind::RotatedLogs | Kind::Journal, _) => less(terms.keep_logs, 24 * HOUR, "keep_logs"),
        (Kind::ContainerLog, _) => (terms.keep_of_log > Size(100_000)).then(|| write("keep_of_log: 100kB")),
        (Kind::Temporary, _) => less(terms.temporary_for, 24 * HOUR, "temporary_for"),
        _ => None,
    }
}

/// All of it, in lines of at most so many columns.
pub fn text(all: &[Left], host: &str, columns: usize) -> String {
    let mut text = String::new();
    for Left { mount, missing_bytes, missing_inodes, holders } in all {
        let bytes = (*missing_bytes > 0).then(|| Size(*missing_bytes).to_string());
        let inodes = (*missing_inodes > 0).then(|| format!("{missing_inodes} inodes"));
        let missing: Vec<String> = bytes.into_iter().chain(inodes).collect();
        let head = format!(
            "{} {} short; what is left is a person's to decide about",
            Ink::Bad.on(format!("✘ {} on `{host}`:", visible(mount))),
            missing.join(" and "),
        );
        text.push_str(&format!("\n{}\n", wrapped(&head, columns, 2)));
        let sizes: Vec<String> = holders.iter().map(|holder| size(holder.bytes)).collect();
        let column = sizes.iter().map(String::len).max().unwrap_or_default() + 2;
        let room = columns.saturating_sub(column + 2).max(NARROWEST);
        for (holder, size) in holders.iter().zip(sizes) {
            let what = wrapped(&visible(&holder.what), room, 0).replace('\n', &hanging(column));
            text.push_str(&format!("  {}{what}\n", Ink::Bold.on(format!("{size:column$}"))));
            // What is to be pasted is one line, however long.
            if let Some(next) = &holder.next {
                text.push_str(&format!("  {:column$}{}\n", "", Ink::Command.on(visible(next))));
            }
        }
    }
    text
}

fn hanging(column: usize) -> String {
    format!("\n  {}", " ".repeat(column))
}
