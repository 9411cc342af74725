//! What kinds of things are called, how many there are, and why some stay: the words of a cleanup.

use crate::base::id::RunId;
use crate::model::clutter::survey::{Item, Kind, Reason};

/// Of how many names are told before the rest is counted.
const NAMED: usize = 3;

/// What one of a kind is called, and what several are.
fn nouns(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Builds => ("build step", "build steps"),
        Kind::Container => ("container", "containers"),
        Kind::DanglingImage => ("image without a name", "images without a name"),
        Kind::Image => ("image", "images"),
        Kind::RotatedLogs => ("rotated log", "rotated logs"),
        Kind::ContainerLog => ("container log", "container logs"),
        Kind::Journal => ("journal", "journal"),
        Kind::Packages => ("package", "packages"),
        Kind::Temporary => ("temporary file", "temporary files"),
        Kind::Network => ("network", "networks"),
        Kind::Backup => ("backup", "backups"),
        Kind::Volume => ("volume", "volumes"),
    }
}

/// What several of a kind are called.
pub fn plural(kind: Kind) -> &'static str {
    nouns(kind).1
}

/// What an item is called: one of its kind, or the many files that it stands for.
pub fn noun(item: &Item) -> &'static str {
    let (one, several) = nouns(item.kind);
    if is_many(item.kind) { several } else { one }
}

/// Whether an item stands for many things, which nobody tells apart.
fn is_many(kind: Kind) -> bool {
    matches!(kind, Kind::Builds | Kind::RotatedLogs | Kind::Packages | Kind::Temporary | Kind::Journal)
}

/// How many things these items of one kind are: where an item stands for many files, those. None where nobody counts them.
pub fn count(kind: Kind, items: &[&Item]) -> Option<u64> {
    let count = if is_many(kind) { items.iter().map(|item| item.files).sum() } else { items.len() as u64 };
    Some(count).filter(|count| *count > 0)
}

/// Why something stays, after its name.
pub fn reason(kind: Kind, reason: &Reason) -> String {
    match reason {
        Reason::Runs => "its container runs".to_owned(),
        Reason::UsedBy(name) => format!("used by {}", quoted(name)),
        Reason::Release(service) => format!("one of the last releases of `{service}`"),
        Reason::Project(name) => format!("project `{name}` needs it"),
        Reason::Run(run) => format!("run {} may need it, or its undo", short(run)),
        Reason::Young if kind == Kind::Backup => "not as old as `keep_for`".to_owned(),
        Reason::Young => "unused, and not for long enough".to_owned(),
        Reason::Newest => "among the newest, which are kept".to_owned(),
        Reason::Verified => "verified, or newer than what is".to_owned(),
        Reason::Rpo => "newer than the RPO".to_owned(),
        Reason::NotOurs => "made for a reason, or by somebody else".to_owned(),
        Reason::Data => "what is in it can be had nowhere else".to_owned(),
        Reason::Own => "Docker's own".to_owned(),
        Reason::Unknown(name) => format!("nobody knows whether project {} needs it", quoted(name)),
        Reason::Rule => rule(kind).to_owned(),
    }
}

/// What a rule leaves.
fn rule(kind: Kind) -> &'static str {
    match kind {
        Kind::Builds => "which others still refer to",
        Kind::ContainerLog => "of which the end is kept",
        Kind::Journal => "of the last days",
        Kind::RotatedLogs => "files that are younger, open, or not rotated",
        Kind::Packages => "files that are no packages",
        _ => "files that are younger, or open",
    }
}

/// Why several stay, after their number. Those that are the same but for a name are one group, with the names.
pub fn reasons(kind: Kind, group: &[&Reason]) -> String {
    let Some(first) = group.first() else { return String::new() };
    let names = names(group);
    match first {
        Reason::Runs => "of containers that run".to_owned(),
        Reason::UsedBy(_) => format!("used by {names}"),
        Reason::Release(_) => format!("of the last releases of {names}"),
        Reason::Project(_) => format!("needed by {names}"),
        Reason::Run(_) => format!("which a run or its undo may need: {names}"),
        Reason::Data => "with what can be had nowhere else".to_owned(),
        Reason::Unknown(_) => format!("of which nobody knows whether {names} needs them"),
        other => reason(kind, other),
    }
}

/// The names in reasons of one sort, each once, the first few of them.
fn names(group: &[&Reason]) -> String {
    let called = |reason: &&Reason| match reason {
        Reason::Run(run) => Some(short(run)),
        other => name(other).map(str::to_owned),
    };
    let mut names: Vec<String> = group.iter().filter_map(called).collect();
    names.sort_unstable();
    names.dedup();
    let more = if names.len() > NAMED + 1 { names.split_off(NAMED).len() } else { 0 };
    let mut named: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    if more > 0 {
        named.push(format!("{more} more"));
    }
    match named.pop() {
        Some(last) if !named.is_empty() => format!("{} and {last}", named.join(", ")),
        last => last.unwrap_or_default(),
    }
}

/// A name; what has a space in it is a number of things that nobody named.
fn quoted(name: &str) -> String {
    if name.contains(' ') { name.to_owned() } else { format!("`{name}`") }
}

/// A run as people call it.
fn short(run: &str) -> String {
    RunId::parse(run).map_or_else(|| run.to_owned(), |run| run.short())
}

/// What a reason is about.
pub fn name(reason: &Reason) -> Option<&str> {
    match reason {
        Reason::UsedBy(name)
        | Reason::Release(name)
        | Reason::Project(name)
        | Reason::Run(name)
        | Reason::Unknown(name) => Some(name),
        _ => None,
    }
}

/// The sort of a reason, for a program. Part of the public interface.
pub fn code(reason: &Reason) -> &'static str {
    match reason {
        Reason::Runs => "runs",
        Reason::UsedBy(_) => "used-by",
        Reason::Release(_) => "release",
        Reason::Project(_) => "project",
        Reason::Run(_) => "run",
        Reason::Young => "young",
        Reason::Newest => "newest",
        Reason::Verified => "verified",
        Reason::Rpo => "rpo",
        Reason::NotOurs => "not-ours",
        Reason::Data => "data",
        Reason::Own => "own",
        Reason::Unknown(_) => "unknown",
        Reason::Rule => "rule",
    }
}
