//! What fills the disks of a host, and what of it could go: a bar for each filesystem, a table of the kinds of things, and why the rest
//! stays.

pub mod after;
mod bar;
mod json;
pub mod left;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
mod voice;
mod words;

pub use json::json;
pub use voice::{Told, enough, hosts, install, met, nothing_goes, volume};

use std::cmp::Reverse;

use self::bar::{bar, free, free_without, legend};
use self::words::{count, noun, plural, reasons};
use super::field::Fields;
use super::paint::{Ink, visible};
use super::table::{Cell, Table};
use super::wrap::{shortened, wrapped};
use crate::base::percent::Percent;
use crate::base::size::Size;
use crate::model::clutter::contents::{Held, Room};
use crate::model::clutter::survey::{Fate, Item, Kind, Reason, Share, Survey};

/// How many of the largest things are shown by their names.
const LARGEST: usize = 5;

/// Beside a name there is always room for this much of it.
const NARROWEST: usize = 16;

/// No bar is wider: a small share is seen no better.
const WIDEST: usize = 120;

/// Everything, in lines of at most so many columns. With every single thing, where `is_verbose`.
pub fn text(survey: &Survey, host: &str, columns: usize, is_verbose: bool) -> String {
    let mut text = disks(survey, host, columns, is_verbose);
    text.push_str(&kinds(survey, columns));
    text.push_str(&staying(survey, columns));
    text.push_str(&if is_verbose { all(survey) } else { largest(survey, columns) });
    text.push_str(&held(&survey.held, columns));
    if !survey.unseen.is_empty() {
        text.push('\n');
    }
    for unseen in &survey.unseen {
        let line = format!("{} not looked at: {}", Ink::Warn.on("?"), visible(unseen));
        text.push_str(&format!("{}\n", wrapped(&line, columns, 2)));
    }
    text
}

/// Each filesystem with its bar; in a line those that have enough room and nothing that could go.
fn disks(survey: &Survey, host: &str, columns: usize, is_verbose: bool) -> String {
    let is_told = |share: &&Share| is_verbose || !share.is_met() || going(survey, &share.disk.mount).any();
    let (told, quiet): (Vec<&Share>, Vec<&Share>) = survey.disks.iter().partition(is_told);
    let mut text = String::new();
    for share in &told {
        text.push_str(&disk(share, survey, host, columns));
    }
    if !told.is_empty() {
        text.push_str(&format!("{}\n", legend()));
    }
    if !quiet.is_empty() {
        let one = |share: &&Share| format!("{} {}", visible(&share.disk.mount), free(share.disk.bytes));
        let all: Vec<_> = quiet.iter().map(one).collect();
        let line = format!("{} enough is free on `{host}`: {}", Ink::Good.on("✔"), all.join(", "));
        text.push_str(&format!("{}\n", wrapped(&line, columns, 2)));
    }
    text
}

/// How much could go from a filesystem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Going {
    bytes: u64,
    files: u64,
}

impl Going {
    fn any(self) -> bool {
        self.bytes > 0 || self.files > 0
    }
}

fn going(survey: &Survey, mount: &str) -> Going {
    let going = survey.items.iter().filter(|item| item.mount == mount && item.goes());
    going.fold(Going { bytes: 0, files: 0 }, |all, item| Going {
        bytes: all.bytes.saturating_add(item.bytes),
        files: all.files.saturating_add(item.files),
    })
}

fn disk(share: &Share, survey: &Survey, host: &str, columns: usize) -> String {
    let Share { disk, wanted } = share;
    let goes = going(survey, &disk.mount);
    let room = disk.bytes;
    let mark = if share.is_met() { Ink::Good.on("✔") } else { Ink::Bad.on("✘") };
    let name = Ink::Bold.on(format!("{} on `{host}`:", visible(&disk.mount)));
    let has = format!("{} of {} free ({})", Size(room.free), Size(room.used + room.free), free(room));
    let more = (goes.bytes > 0).then(|| could(room, goes.bytes, &Size(goes.bytes).to_string(), *wanted));
    let head = format!("{mark} {name} {has}, {wanted} wanted{}", more.unwrap_or_default());
    let wide = columns.min(WIDEST);
    let mut text = format!("{}\n{}\n", wrapped(&head, columns, 2), bar(room, goes.bytes, wide));
    if let Some(inodes) = disk.inodes.filter(|inodes| matters(*inodes, *wanted)) {
        let has = format!("{} of {} inodes free ({})", inodes.free, inodes.used + inodes.free, free(inodes));
        let more = (goes.files > 0).then(|| could(inodes, goes.files, &files(goes.files), *wanted));
        let head = format!("  {has}{}", more.unwrap_or_default());
        text.push_str(&format!("{}\n{}\n", wrapped(&head, columns, 2), bar(inodes, goes.files, wide)));
    }
    text + "\n"
}

/// So many files, in words.
fn files(count: u64) -> String {
    format!("{count} {}", if count == 1 { "file" } else { "files" })
}

/// That so much could go, and how far that leads.
fn could(room: Room, goes: u64, shown: &str, wanted: Percent) -> String {
    let then = free_without(room, goes);
    let verdict = match then.0 > wanted.0 {
        true => format!("then {then}"),
        false => Ink::Warn.on(format!("then {then}, which is not enough")),
    };
    format!("; {shown} could go, {verdict}")
}

/// Inodes are shown where they are short, or more than half of them are used.
fn matters(inodes: Room, wanted: Percent) -> bool {
    free(inodes).0 < wanted.0.max(50.0)
}

/// What goes and what stays of each kind.
fn kinds(survey: &Survey, columns: usize) -> String {
    let mut table = Table::new(&["WHAT", "GOES", "", "STAYS", ""]);
    for kind in Kind::ALL {
        let (goes, stays): (Vec<&Item>, Vec<&Item>) =
            survey.items.iter().filter(|item| item.kind == kind).partition(|item| item.goes());
        if goes.is_empty() && stays.is_empty() {
            continue;
        }
        let [goes_count, goes_size] = amounts(kind, &goes, Ink::Warn);
        let [stays_count, stays_size] = amounts(kind, &stays, Ink::Plain);
        let name = shortened(plural(kind), columns.saturating_sub(40).max(NARROWEST));
        table.row([Cell::new(Ink::Bold, name), goes_count, goes_size, stays_count, stays_size]);
    }
    if table.is_empty() { String::new() } else { format!("\n{}", table.text()) }
}

/// How many there are, and how large they are; what nobody counts has its size alone.
fn amounts(kind: Kind, items: &[&Item], ink: Ink) -> [Cell; 2] {
    if items.is_empty() {
        return ["–".into(), "".into()];
    }
    let count = count(kind, items).map(|count| count.to_string()).unwrap_or_default();
    [Cell::new(ink, count), Cell::new(ink, size(bytes(items)))]
}

/// Nothing where nothing is taken, or nobody knows how much.
fn size(bytes: u64) -> String {
    if bytes > 0 { Size(bytes).to_string() } else { String::new() }
}

fn bytes(items: &[&Item]) -> u64 {
    items.iter().fold(0, |sum: u64, item| sum.saturating_add(item.bytes))
}

/// Why things stay, in groups; of a kind those that take most first.
fn staying(survey: &Survey, columns: usize) -> String {
    let stays = survey.items.iter().filter_map(|item| match &item.fate {
        Fate::Goes => None,
        Fate::Stays(reason) => Some((item, reason)),
    });
    let stays: Vec<(&Item, &Reason)> = stays.collect();
    let label = Kind::ALL.iter().filter(|kind| stays.iter().any(|(item, _)| item.kind == **kind));
    let label = label.map(|kind| plural(*kind).len()).max().unwrap_or_default() + 2;
    let mut fields = Fields::new(0, label);
    for kind in Kind::ALL {
        let of_kind = stays.iter().filter(|(item, _)| item.kind == kind);
        for group in grouped(of_kind) {
            let (items, why): (Vec<&Item>, Vec<&Reason>) = group.into_iter().unzip();
            let count = count(kind, &items).map(|count| format!("{count} ")).unwrap_or_default();
            let size = Some(size(bytes(&items))).filter(|size| !size.is_empty());
            let size = size.map(|size| format!(", {size}")).unwrap_or_default();
            let line = format!("{count}{}{size}", visible(&reasons(kind, &why)));
            let room = columns.saturating_sub(label).max(NARROWEST);
            fields.add(plural(kind), Ink::Plain, &wrapped(&line, room, 2));
        }
    }
    let fields = fields.into_text();
    if fields.is_empty() { fields } else { format!("\n{}\n{fields}", Ink::Bold.on("what stays, and why")) }
}

/// Those with the same sort of reason are one group, of a service or a project each its own. The largest first.
fn grouped<'a>(all: impl Iterator<Item = &'a (&'a Item, &'a Reason)>) -> Vec<Vec<(&'a Item, &'a Reason)>> {
    let is_one = |one: &Reason, other: &Reason| match one {
        Reason::Release(_) | Reason::Project(_) => one == other,
        _ => words::code(one) == words::code(other),
    };
    let mut groups: Vec<Vec<(&Item, &Reason)>> = Vec::new();
    for (item, reason) in all {
        match groups.iter_mut().find(|group| is_one(group[0].1, reason)) {
            Some(group) => group.push((item, reason)),
            None => groups.push(vec![(item, reason)]),
        }
    }
    let size =
        |group: &Vec<(&Item, &Reason)>| bytes(&group.iter().map(|(item, _)| *item).collect::<Vec<_>>());
    groups.sort_by_key(|group| Reverse(size(group)));
    groups
}

/// The largest things that could go, by name.
fn largest(survey: &Survey, columns: usize) -> String {
    let mut going: Vec<&Item> = survey.items.iter().filter(|item| item.goes()).collect();
    going.sort_by_key(|item| Reverse(item.bytes));
    let mut table = Table::new(&[]);
    for item in going.iter().take(LARGEST) {
        let kind = noun(item);
        let room = columns.saturating_sub(kind.len().max(22) + 12).max(NARROWEST);
        table.row([
            Cell::new(Ink::Bold, kind),
            shortened(&visible(&item.name), room).into(),
            size(item.bytes).into(),
        ]);
    }
    if table.is_empty() {
        return String::new();
    }
    let more = match going.len().saturating_sub(LARGEST) {
        0 => String::new(),
        more => format!("and {more} more: -v shows every one\n"),
    };
    format!("\n{}\n{}{more}", Ink::Bold.on("the largest that could go"), table.text())
}

/// Every single thing, by its whole name.
fn all(survey: &Survey) -> String {
    let mut table = Table::new(&["KIND", "NAME", "SIZE", "FILES", "ON", "", "WHY IT STAYS"]);
    for item in &survey.items {
        let (fate, why) = match &item.fate {
            Fate::Goes => (Cell::new(Ink::Warn, "goes"), String::new()),
            Fate::Stays(reason) => ("stays".into(), words::reason(item.kind, reason)),
        };
        table.row([
            Cell::new(Ink::Bold, noun(item)),
            visible(&item.name).into(),
            size(item.bytes).into(),
            if item.files > 0 { item.files.to_string() } else { String::new() }.into(),
            visible(&item.mount).into(),
            fate,
            why.into(),
        ]);
    }
    if table.is_empty() { String::new() } else { format!("\n{}", table.text()) }
}

/// Files that nobody can find, and who has them open.
fn held(held: &[Held], columns: usize) -> String {
    if held.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["PID", "PROCESS", "SIZE", "FILE"]);
    for Held { pid, process, path, bytes, .. } in held {
        let room = columns.saturating_sub(34).max(NARROWEST);
        table.row([
            Cell::new(Ink::Bold, pid.to_string()),
            visible(process).into(),
            Size(*bytes).to_string().into(),
            shortened(&visible(path), room).into(),
        ]);
    }
    let head = "removed, and not free until the process that has it open is started anew";
    let head: Vec<String> = wrapped(head, columns, 0).lines().map(|line| Ink::Bold.on(line)).collect();
    format!("\n{}\n{}", head.join("\n"), table.text())
}
