//! What of a kind and a filesystem is let go of in one step: its words, its action, and the list of all that it names.

use serde_json::{Value, json};

use crate::base::percent::Percent;
use crate::base::size::Size;
use crate::model::clutter::contents::Rule;
use crate::model::clutter::survey::{Item, Kind};
use crate::model::clutter::terms::Cleanup;

/// How much is to be free of which filesystem.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Goal {
    pub at: String,
    pub free: Percent,
    /// Whether it is only inodes that it lacks.
    pub has_bytes: bool,
}

/// A step that lets go of something.
#[derive(Debug, PartialEq)]
pub(super) struct Removal {
    pub title: String,
    pub action: &'static str,
    pub args: Value,
    pub timeout: &'static str,
}

impl Goal {
    /// With every decimal: what is judged by the half of a percent has to be done by it.
    pub fn share(&self) -> String {
        format!("{}%", self.free.0)
    }

    /// How many percent may be used, as `disk.usage` takes it.
    pub fn below(&self) -> Value {
        let below = 100.0 - self.free.0;
        if below.fract() == 0.0 { Value::from(below as u64) } else { Value::from(below) }
    }
}

/// Of what goes: one step for all of it, or where a rule or the inventory says what is taken, one for each folder, database and cache.
pub(super) fn removals(
    kind: Kind,
    going: &[&Item],
    goal: &Goal,
    spare: &[String],
    terms: &Cleanup,
) -> Vec<Removal> {
    if going.is_empty() {
        return Vec::new();
    }
    let each = |rule: Rule| going.iter().map(|pile| files(rule, pile, goal, spare, terms)).collect();
    match kind {
        Kind::RotatedLogs => each(Rule::RotatedLogs),
        Kind::Packages => each(Rule::Packages),
        Kind::Temporary => each(Rule::Temporary),
        Kind::Backup => backups(going),
        Kind::Volume => Vec::new(),
        _ => vec![at_once(kind, going, goal, terms)],
    }
}

fn at_once(kind: Kind, going: &[&Item], goal: &Goal, terms: &Cleanup) -> Removal {
    let of = |one: &str, several: &str| counted(going.len() as u64, one, several);
    let room = about(going);
    let objects = || going.iter().map(|item| json!({ "id": item.id, "name": item.name })).collect::<Vec<_>>();
    let (title, action, more, timeout) = match kind {
        Kind::Builds => (
            format!("Let go of the steps of image builds that nothing refers to{room}"),
            "cleanup.builds",
            json!({}),
            "10m",
        ),
        Kind::Container => (
            format!("Remove {}{room}", of("stopped container", "stopped containers")),
            "cleanup.containers",
            json!({ "containers": objects(), "unused_for": terms.unused_for }),
            "15m",
        ),
        Kind::DanglingImage => (
            format!("Remove {}{room}", of("image without a name", "images without a name")),
            "cleanup.images",
            json!({ "images": images(going) }),
            "30m",
        ),
        Kind::Image => (
            format!("Remove {}{room}", of("image that nothing needs", "images that nothing needs")),
            "cleanup.images",
            json!({ "images": images(going) }),
            "30m",
        ),
        Kind::ContainerLog => (
            format!(
                "Cut {} to the last {}{room}",
                of("container's log", "containers' logs"),
                terms.keep_of_log
            ),
            "cleanup.logs",
            json!({ "logs": logs(going), "keep": terms.keep_of_log }),
            "15m",
        ),
        Kind::Journal => (
            format!("Let go of the journal from before the last {}{room}", terms.keep_logs),
            "cleanup.journal",
            json!({ "keep": terms.keep_logs, "directory": going[0].name }),
            "10m",
        ),
        _ => (
            format!("Remove {}", of("network that nothing is on", "networks that nothing is on")),
            "cleanup.networks",
            json!({ "networks": objects() }),
            "5m",
        ),
    };
    let mut args = more;
    if kind != Kind::Network {
        args["at"] = Value::from(goal.at.as_str());
        args["until_free"] = Value::from(goal.share());
    }
    Removal { title, action, args, timeout }
}

fn files(rule: Rule, pile: &Item, goal: &Goal, spare: &[String], terms: &Cleanup) -> Removal {
    let (one, several, older_than) = match rule {
        Rule::Packages => ("package that was installed from", "packages that were installed from", None),
        Rule::RotatedLogs => ("log that was put aside", "logs that were put aside", Some(terms.keep_logs)),
        Rule::Temporary => ("temporary file", "temporary files", Some(terms.temporary_for)),
    };
    let what = counted(pile.files, one, several);
    let mut args = json!({
        "at": goal.at, "until_free": goal.share(), "rule": rule.word(), "directory": pile.name, "spare": spare,
    });
    if let Some(age) = older_than {
        args["older_than"] = Value::from(age.to_string());
    }
    let title = format!("Remove {what} in {}{}", pile.name, about(&[pile]));
    Removal { title, action: "cleanup.files", args, timeout: "30m" }
}

/// One for each database and cache that has some.
fn backups(going: &[&Item]) -> Vec<Removal> {
    let mut owners: Vec<&str> = going.iter().filter_map(|item| item.of.as_deref()).collect();
    owners.sort_unstable();
    owners.dedup();
    let removal = |owner: &str| {
        let (noun, name) = owner.split_once('/')?;
        let of_it: Vec<&Item> =
            going.iter().copied().filter(|item| item.of.as_deref() == Some(owner)).collect();
        let what = counted(of_it.len() as u64, "surplus backup", "surplus backups");
        Some(Removal {
            title: format!("Remove {what} of {noun} {name}{}", about(&of_it)),
            action: "backup.prune",
            args: json!({ noun: name }),
            timeout: "10m",
        })
    };
    owners.into_iter().filter_map(removal).collect()
}

fn images(going: &[&Item]) -> Vec<Value> {
    let image = |item: &&Item| {
        let mut image = json!({ "id": item.id, "names": item.names, "bytes": item.bytes });
        if let Some(digest) = &item.digest {
            image["digest"] = Value::from(digest.as_str());
        }
        image
    };
    going.iter().map(image).collect()
}

fn logs(going: &[&Item]) -> Vec<Value> {
    let log = |item: &&Item| json!({ "container": item.id, "name": item.name, "path": item.path });
    going.iter().map(log).collect()
}

/// How much room they give together, as the end of a title; nothing where that is not worth a word.
fn about(going: &[&Item]) -> String {
    match going.iter().map(|item| item.bytes).sum() {
        0 => String::new(),
        bytes => format!(", about {}", Size(bytes)),
    }
}

fn counted(count: u64, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}
