//! The procedure of a cleanup, written down as a runbook: one step for each kind of thing, the least regretted first, and then whether all
//! is there that has to be.
//!
//! A step names everything that it may let go of. It is passed over when its filesystem has room by then, it stops when there is enough, and
//! the host looks at each thing once more before it goes: what is in a list was not needed when somebody looked, and that was before
//! anybody agreed. So a step that fails keeps no other from its work.

mod removal;

use serde_json::{Map, Value, json};

use removal::{Goal, Removal, removals};

use crate::base::percent::Percent;
use crate::model::clutter::survey::{Fate, Item, Kind, Reason, Share, Survey};
use crate::model::inventory::Inventory;
use crate::model::runbook::Runbook;
use crate::model::view;

/// What can be let go of without a byte or an inode to spare. Docker needs some to forget a container or an image.
const AT_FIRST: [Kind; 3] = [Kind::Packages, Kind::Temporary, Kind::ContainerLog];

/// What gives no inode, or hardly one.
const ONLY_BYTES: [Kind; 2] = [Kind::ContainerLog, Kind::Journal];

/// How much is to be free before anything else is done on a disk that is full.
const A_LITTLE: Percent = Percent(2.0);

const FIRST: &str = "first-";

/// The whole of it, for one host.
pub fn runbook(survey: &Survey, inventory: &Inventory, host: &str) -> Runbook {
    serde_json::from_value(written(survey, inventory, host)).expect("it is written as a runbook is")
}

/// The values of its parameters.
pub fn params(inventory: &Inventory, host: &str) -> Map<String, Value> {
    let host = view::host(inventory, host).unwrap_or_default();
    [("host".to_owned(), host)].into_iter().collect()
}

/// What a step of it lets go of, by the step's id; none where it is one of those that only look.
pub fn of_step(id: &str) -> Option<Kind> {
    let id = id.strip_prefix(FIRST).unwrap_or(id);
    let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let word = id.rsplit_once('-').filter(|(_, number)| is_number(number)).map_or(id, |(word, _)| word);
    Kind::ALL.into_iter().find(|kind| step_word(*kind) == Some(word))
}

fn written(survey: &Survey, inventory: &Inventory, host: &str) -> Value {
    let short: Vec<&Share> = survey.disks.iter().filter(|share| !share.is_met()).collect();
    let goal = |share: &&Share, free: Percent| Goal {
        at: share.disk.mount.clone(),
        free,
        has_bytes: share.has_bytes(),
    };
    let little: Vec<Goal> =
        short.iter().filter(|share| share.is_full()).map(|share| goal(share, A_LITTLE)).collect();
    let goals: Vec<Goal> = short.iter().map(|share| goal(share, share.wanted)).collect();
    let mut steps = vec![look()];
    steps.extend(AT_FIRST.into_iter().flat_map(|kind| of_kind(kind, FIRST, survey, &little, inventory)));
    steps.extend(Kind::ALL.into_iter().flat_map(|kind| of_kind(kind, "", survey, &goals, inventory)));
    steps.extend(kept(survey));
    steps.extend(answers(inventory, host));
    steps.extend(goals.iter().enumerate().map(|(number, goal)| room(number, goal)));
    json!({
        "runbook": "cleanup-disk",
        "title": "Make room on the disks of a host",
        "risk": "disruptive",
        "params": { "host": { "type": "host", "about": "the host whose disks get room" } },
        "steps": steps,
    })
}

/// How the ids of the steps begin that let go of it; none where it never goes.
fn step_word(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Builds => "builds",
        Kind::Container => "containers",
        Kind::DanglingImage => "dangling-images",
        Kind::Image => "images",
        Kind::RotatedLogs => "rotated-logs",
        Kind::ContainerLog => "container-logs",
        Kind::Journal => "journal",
        Kind::Packages => "packages",
        Kind::Temporary => "temporary",
        Kind::Network => "networks",
        Kind::Backup => "backups",
        Kind::Volume => return None,
    })
}

fn of_kind(kind: Kind, prefix: &str, survey: &Survey, goals: &[Goal], inventory: &Inventory) -> Vec<Value> {
    let Some(word) = step_word(kind) else { return Vec::new() };
    let of_goal = |goal: &Goal| {
        let going: Vec<&Item> = survey.going(kind, &goal.at).collect();
        let all = removals(kind, &going, goal, &survey.spare, &inventory.cleanup);
        all.into_iter().map(|removal| (goal.clone(), removal)).collect::<Vec<_>>()
    };
    let useful = goals.iter().filter(|goal| !goal.has_bytes || !ONLY_BYTES.contains(&kind));
    let all = useful.flat_map(of_goal).enumerate();
    all.map(|(number, (goal, removal))| step(&numbered(&format!("{prefix}{word}"), number), &goal, removal))
        .collect()
}

fn step(id: &str, goal: &Goal, removal: Removal) -> Value {
    let Removal { title, action, args, timeout } = removal;
    json!({
        "id": id,
        "title": as_it_is(Value::from(title)),
        "on": "{{ host.name }}",
        "do": { action: as_it_is(args) },
        "timeout": timeout,
        "done_when": usage(goal),
        "undo": "none",
        "on_failure": "continue",
        "outputs": { "freed": { "regex": "^freed (\\d+) bytes" } },
    })
}

fn look() -> Value {
    json!({
        "id": "look",
        "title": "What each disk has left",
        "on": "{{ host.name }}",
        "do": { "disk.usage": {} },
        "on_failure": "continue",
    })
}

/// Whether everything is there that somebody would go back to, start again or go on with.
fn kept(survey: &Survey) -> Option<Value> {
    let is_needed = |item: &&Item| {
        matches!(item.kind, Kind::Image | Kind::DanglingImage)
            && matches!(item.fate, Fate::Stays(Reason::Release(_) | Reason::Project(_) | Reason::Run(_)))
    };
    let image = |item: &Item| json!({ "id": item.id, "name": item.name });
    let images: Vec<Value> = survey.items.iter().filter(is_needed).map(image).collect();
    (!images.is_empty()).then(|| {
        json!({
            "id": "kept",
            "title": "Every image is there that a release, a project or a run needs",
            "on": "{{ host.name }}",
            "do": { "image.kept": { "images": images } },
            "timeout": "2m",
        })
    })
}

/// What is on the host does its work.
fn answers(inventory: &Inventory, host: &str) -> Vec<Value> {
    let is_here = |project: &str| inventory.host_of(project) == host;
    let each = |id: &str, title: &str, of: &str, check: Value| {
        let mut check = check;
        check["within"] = Value::from("1m");
        check["every"] = Value::from("1s");
        json!({ "id": id, "title": title, "for_each": of, "parallel": 4, "do": { "wait": { "until": check } } })
    };
    let mut steps = Vec::new();
    if inventory.databases.values().any(|database| is_here(&database.project)) {
        let check = json!({ "postgres.ready": { "database": "{{ item.name }}" } });
        steps.push(each("databases", "Every database accepts connections", "{{ host.databases }}", check));
    }
    if inventory.caches.values().any(|cache| is_here(&cache.project)) {
        let check = json!({ "redis.ping": { "cache": "{{ item.name }}" } });
        steps.push(each("caches", "Every cache answers", "{{ host.caches }}", check));
    }
    if inventory.endpoints.values().any(|endpoint| endpoint.host == host) {
        let check = json!({ "http.get": { "url": "{{ item.health }}", "via": "{{ item.via }}" } });
        let mut step = each("endpoints", "Every endpoint answers", "{{ host.endpoints }}", check);
        step["on"] = Value::from("{{ host.name }}");
        steps.push(step);
    }
    let services = inventory.services.iter().filter(|(_, service)| is_here(&service.project));
    let services: Vec<&str> = services.map(|(name, _)| name.as_str()).collect();
    if !services.is_empty() {
        steps.push(json!({
            "id": "serving",
            "title": "Every service serves",
            "for_each": format!("{{{{ {} }}}}", Value::from(services)),
            "do": { "runbook": { "name": "serving", "with": { "service": "{{ item }}" } } },
        }));
    }
    steps
}

fn room(number: usize, goal: &Goal) -> Value {
    let mut check = usage(goal);
    check["within"] = Value::from("10s");
    check["every"] = Value::from("1s");
    json!({
        "id": numbered("room", number),
        "title": as_it_is(Value::from(format!("{} of {} is free", goal.share(), goal.at))),
        "on": "{{ host.name }}",
        "do": { "wait": { "until": check } },
    })
}

/// Whether the filesystem has enough.
fn usage(goal: &Goal) -> Value {
    json!({ "disk.usage": { "at": as_it_is(Value::from(goal.at.as_str())), "below": goal.below() } })
}

fn numbered(word: &str, number: usize) -> String {
    match number {
        0 => word.to_owned(),
        number => format!("{word}-{}", number + 1),
    }
}

/// What was found on a host is no template, whatever its name looks like.
fn as_it_is(value: Value) -> Value {
    match value {
        Value::String(text) if ["{{", "{%", "{#"].iter().any(|mark| text.contains(mark)) => {
            Value::from(format!("{{{{ {} }}}}", Value::from(text)))
        }
        Value::Array(all) => all.into_iter().map(as_it_is).collect(),
        Value::Object(all) => all.into_iter().map(|(key, value)| (key, as_it_is(value))).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests;
