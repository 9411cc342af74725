//! The procedure of a release, written down as a runbook: first every image, then one batch of instances after the other, and at the end
//! what is to be remembered.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::choose::{Target, Wanted, is_same};
use super::{Instance, Means, Running};
use crate::base::amount::Span;
use crate::base::image::Reference;
use crate::base::percent::Percent;
use crate::base::url::url_encoded;
use crate::base::{Error, Kind, Result};
use crate::model::inventory::Inventory;
use crate::model::runbook::Runbook;
use crate::model::view;

/// How instances are taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// How many at once.
    pub batch: usize,
    /// How many have to serve at any time. Without it: all but a batch, and one at least where there are two.
    pub serving: Option<usize>,
    /// How many go first and are watched; 0: none.
    pub canary: usize,
    /// For how long they are watched.
    pub watch: Span,
    pub drain: Span,
    pub patience: Span,
    pub settle: Span,
    /// Who releases.
    pub by: String,
}

/// Instances that are taken at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub instances: Vec<String>,
    /// Who serves meanwhile.
    pub others: Vec<String>,
    /// What they are made from, so that it is the same image when they are taken back.
    pub was: Reference,
    /// Whether it is the Compose files alone that say so.
    pub is_unpinned: bool,
    pub is_canary: bool,
}

/// A service, where it goes, and in which steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Release {
    pub running: Running,
    pub target: Target,
    pub batches: Vec<Batch>,
}

/// In which order the instances are taken: first those that do not serve anyway. Those that run the image already are left alone.
///
/// # Errors
/// When too few would go on serving, or nobody could say what an instance goes back to.
pub fn batches(
    running: &Running,
    target: &Target,
    healthy: &BTreeSet<String>,
    terms: &Terms,
) -> Result<Vec<Batch>> {
    let total = running.instances.len();
    let serving =
        terms.serving.unwrap_or(if total < 2 { 0 } else { total.saturating_sub(terms.batch).max(1) });
    let healthy: BTreeSet<&str> = running
        .instances
        .iter()
        .map(|one| one.name.as_str())
        .filter(|name| healthy.contains(*name))
        .collect();
    let is_there = |instance: &Instance| {
        running.runs(instance, &target.image) && healthy.contains(instance.name.as_str())
    };
    let mut taken: Vec<&Instance> = running.instances.iter().filter(|instance| !is_there(instance)).collect();
    taken.sort_by_key(|instance| healthy.contains(instance.name.as_str()));
    let mut batches: Vec<Batch> = Vec::new();
    let mut served: BTreeSet<String> = healthy.iter().map(|name| (*name).to_owned()).collect();
    let mut rest = taken.as_slice();
    while let Some(first) = rest.first() {
        let left = terms.canary.saturating_sub(taken.len() - rest.len());
        let most = if left > 0 { terms.batch.min(left) } else { terms.batch };
        let was = origin(running, first, target)?;
        let is_unpinned = is_unpinned_at(first, &was);
        let is_alike = |instance: &&&Instance| {
            origin(running, instance, target).ok().as_ref() == Some(&was)
                && is_unpinned_at(instance, &was) == is_unpinned
        };
        let count = rest.iter().take(most).take_while(is_alike).count();
        let (now, later) = rest.split_at(count);
        let names: Vec<String> = now.iter().map(|instance| instance.name.clone()).collect();
        let others: Vec<String> = served.iter().filter(|name| !names.contains(name)).cloned().collect();
        if names.iter().any(|name| healthy.contains(name.as_str())) && others.len() < serving {
            return Err(too_few(running, &names, others.len(), serving));
        }
        served.extend(names.iter().cloned());
        batches.push(Batch { instances: names, others, was, is_unpinned, is_canary: left > 0 });
        rest = later;
    }
    Ok(batches)
}

/// Whether it comes back by the project's own files alone.
fn is_unpinned_at(instance: &Instance, was: &Reference) -> bool {
    !instance.is_pinned && *was == instance.configured
}

fn too_few(running: &Running, taken: &[String], left: usize, serving: usize) -> Error {
    let message = format!(
        "with {} taken, {left} of the instances of `{}` would serve, and {serving} have to",
        taken.join(", "),
        running.service
    );
    Error::new(Kind::Refused, message).hint("--batch 1, or --serving with a smaller number")
}

/// What an instance goes back to: the name that it was made from, where that still means the same image when the new one is there;
/// else by its digest.
fn origin(running: &Running, instance: &Instance, target: &Target) -> Result<Reference> {
    let Some(id) = &instance.image_id else { return Ok(instance.configured.clone()) };
    let is_it = |image: &Reference| running.local(image).is_some_and(|image| image.id == *id);
    if is_it(&instance.image) && (instance.image.digest.is_some() || instance.image.tag != target.image.tag) {
        return Ok(instance.image.clone());
    }
    let pinned = running.identified(instance);
    if pinned.digest.is_some() && is_it(&pinned) {
        return Ok(pinned);
    }
    let message = format!("nobody could take `{}` back: its image has no name any more", instance.name);
    let tag = format!("docker tag {} {}:before", id, running.repository);
    Err(Error::new(Kind::Refused, message)
        .hint(tag)
        .hint(format!("then let `{}` run that, and try again", instance.name)))
}

/// The whole of it.
pub fn runbook(wanted: Wanted<'_>, releases: &[Release], inventory: &Inventory, terms: &Terms) -> Runbook {
    let images = releases.iter().map(image);
    let found = releases.iter().filter_map(|release| found(release, terms));
    let rolls = releases.iter().flat_map(|release| roll(release, wanted, inventory, terms));
    let steps: Vec<Value> = images.chain(found).chain(rolls).collect();
    let titles: Vec<_> = releases
        .iter()
        .map(|release| format!("{} goes to {}", release.running.service, release.target.image.version()))
        .collect();
    let (params, _) = params(releases, inventory);
    let runbook = json!({
        "runbook": wanted.name(),
        "title": titles.join(", "),
        "risk": "disruptive",
        "params": params,
        "steps": steps,
    });
    serde_json::from_value(runbook).expect("it is written as a runbook is")
}

/// The parameters and their values: a service and its version; of several services, the version of each.
pub fn params(releases: &[Release], inventory: &Inventory) -> (Value, Map<String, Value>) {
    let version = |release: &Release| Value::from(release.target.image.version());
    match releases {
        [only] => {
            let service = view::service(inventory, &only.running.service).unwrap_or_default();
            let values = [("service".to_owned(), service), ("version".to_owned(), version(only))];
            (
                json!({ "service": { "type": "service" }, "version": { "type": "version" } }),
                values.into_iter().collect(),
            )
        }
        several => {
            let kinds = several.iter().map(|one| (one.running.service.clone(), json!({ "type": "version" })));
            let values = several.iter().map(|one| (one.running.service.clone(), version(one)));
            (Value::Object(kinds.collect()), values.collect())
        }
    }
}

fn image(Release { running, target, .. }: &Release) -> Value {
    json!({
        "id": id("image", &running.service),
        "title": format!("The image of {} is there", running.service),
        "do": { "image.pull": { "project": running.project, "image": target.image.to_string() } },
        "timeout": "30m",
        "retry": { "attempts": 2 },
        "undo": "none",
        "on_failure": "undo",
    })
}

/// What runs can be gone back to, also where nobody has written it down: there is no history yet, or somebody has released by hand.
fn found(release: &Release, terms: &Terms) -> Option<Value> {
    let running = &release.running;
    let image = running.identified(running.instances.first()?);
    if running.history.images().iter().any(|(known, _)| is_same(known, &image)) {
        return None;
    }
    let record = record(running, &image, "found", terms, None);
    Some(json!({
        "id": id("history", &running.service),
        "title": format!("Write down what {} runs now", running.service),
        "do": record,
        "undo": "none",
        "on_failure": "undo",
    }))
}

fn roll(release: &Release, wanted: Wanted<'_>, inventory: &Inventory, terms: &Terms) -> Vec<Value> {
    let Release { running, target, batches } = release;
    let mut steps = Vec::new();
    for (number, batch) in batches.iter().enumerate() {
        steps.push(of_batch(release, batch, number, terms));
        let is_last_canary = batch.is_canary && batches.get(number + 1).is_none_or(|next| !next.is_canary);
        if is_last_canary {
            steps.extend(watch(release, inventory, terms));
        }
    }
    if let (Means::Variable { name, value }, Some(pin)) = (&running.means, target.image.pin()) {
        let set = |value: &str, was: &str| json!({ "env.set": { "project": running.project, "name": name, "value": value, "was": was } });
        steps.push(json!({
            "id": id("pin", &running.service),
            "title": format!("Let .env say {}", target.image.version()),
            "do": set(&pin, value),
            "timeout": "1m",
            "undo": set(value, &pin),
            "on_failure": "undo",
        }));
    }
    let left = running.instances.iter().find(|instance| !running.runs(instance, &target.image));
    let left = left.filter(|_| matches!(wanted, Wanted::Rollback(_) | Wanted::Previous));
    steps.push(json!({
        "id": id("release", &running.service),
        "title": format!("Write down that {} runs {}", running.service, target.image.version()),
        "do": record(running, &target.image, "healthy", terms, left),
        "undo": record(running, &target.image, "undone", terms, left),
        "on_failure": "undo",
    }));
    steps
}

fn of_batch(Release { running, target, .. }: &Release, batch: &Batch, number: usize, terms: &Terms) -> Value {
    let variable = match &running.means {
        Means::Variable { name, .. } => name.as_str(),
        Means::Pins => "",
    };
    // What is called `latest` says nothing about its version.
    let version = target.image.tag.as_deref().filter(|tag| *tag != "latest").unwrap_or_default();
    let with = json!({
        "service": running.service,
        "instances": batch.instances,
        "others": batch.others,
        "image": target.image.to_string(),
        "was": batch.was.to_string(),
        "version": version,
        "variable": variable,
        "unpinned": batch.is_unpinned,
        "by": terms.by,
        "drain": terms.drain.to_string(),
        "patience": terms.patience.to_string(),
        "settle": terms.settle.to_string(),
    });
    let step = match batch.instances.as_slice() {
        [only] => id("", only),
        _ => id(&format!("batch-{}", number + 1), &running.service),
    };
    let title =
        format!("{} from {} to {}", batch.instances.join(", "), batch.was.version(), target.image.version());
    json!({ "id": step, "title": title, "do": { "runbook": { "name": "roll", "with": with } } })
}

/// Each canary has to stay healthy, and the service's requests must not fail; else it goes back. Where that is seen once more, the
/// version is remembered as bad: a connection that was lost says nothing about it.
fn watch(release: &Release, inventory: &Inventory, terms: &Terms) -> Vec<Value> {
    let Release { running, batches, target } = release;
    let canaries = batches.iter().filter(|batch| batch.is_canary).flat_map(|batch| &batch.instances);
    let names: Vec<&str> = canaries.map(String::as_str).collect();
    let looks = looks(running, &names, inventory);
    let (watch, again) = (id("watch", &running.service), id("again", &running.service));
    let has = |step: &str| format!("'{step}' in outputs and item.name in outputs['{step}']");
    let each = format!("{{{{ {} }}}}", Value::from(looks.clone()));
    let look = |step: &str, title: &str, within: &str, time: Span| {
        json!({
            "id": step,
            "title": title,
            "for_each": each,
            "parallel": looks.len(),
            "on": "{{ item.host }}",
            "do": { "http.get": ask() },
            "expect": [{
                "http.get": ask(),
                "that": is_well(),
                "within": within,
                "every": "1s",
                "stays_good_for": time.to_string(),
            }],
            "outputs": { "status": { "pointer": "/status" } },
            "on_failure": "continue",
        })
    };
    let only_if = |mut step: Value, when: String| {
        step["when"] = Value::from(when);
        step
    };
    let title = format!("Watch {} with {}", names.join(", "), target.image.version());
    let reached = json!({
        "id": id("reached", &running.service),
        "title": "The host says how it is",
        "for_each": each,
        "do": { "compose.ps": { "project": running.project } },
    });
    let bad = json!({
        "id": id("bad", &running.service),
        "title": "Remember that the image is bad",
        "for_each": each,
        "do": record(running, &target.image, "bad", terms, None),
        "undo": "none",
        "on_failure": "continue",
    });
    let watched = json!({
        "id": id("watched", &running.service),
        "title": "It was well all the time",
        "for_each": each,
        "do": { "assert": { "that": has(&watch), "message": format!("{{{{ item.name }}}} was well for {}", terms.watch) } },
        "on_failure": "undo",
    });
    let unseen = format!("not ({})", has(&watch));
    vec![
        look(&watch, &title, "30s", terms.watch),
        only_if(reached, unseen.clone()),
        only_if(look(&again, "It is looked at once more", "3s", Span::default()), unseen),
        only_if(bad, format!("not ({} or {})", has(&watch), has(&again))),
        watched,
    ]
}

fn ask() -> Value {
    json!({ "url": "{{ item.url }}", "via": "{{ item.via }}" })
}

/// The condition of a look: the URL answers 2xx, and where it is Prometheus that is asked, no value reaches the limit.
fn is_well() -> String {
    let rates = "json.data.result | map(attribute='value') | map('last') | map('float')";
    let below = "{{ item.below }}";
    format!(
        "status >= 200 and status < 300 and ({below} < 0 or ({rates} | select('ge', {below}) | list | length) == 0)"
    )
}

/// What is asked while canaries are watched: their health, and how many requests fail where the inventory knows how to ask.
fn looks(running: &Running, canaries: &[&str], inventory: &Inventory) -> Vec<Value> {
    let instances = canaries.iter().filter_map(|name| view::instance(inventory, name));
    let mut looks: Vec<Value> = instances
        .map(|one| json!({ "name": one["name"], "url": one["health"], "host": one["host"], "via": one["via"], "below": -1 }))
        .collect();
    let query = inventory.services.get(&running.service).and_then(|service| service.error_rate.as_ref());
    if let (Some(query), Some((host, prometheus))) = (query, inventory.prometheus()) {
        let limits = inventory.thresholds.error_rate();
        let Percent(below) = limits.warning.or(limits.critical).unwrap_or(Percent(1.0));
        let url = format!("{prometheus}/api/v1/query?query={}", url_encoded(query));
        looks.push(
            json!({ "name": "errors", "url": url, "host": host, "via": "host", "below": below / 100.0 }),
        );
    }
    looks
}

/// A line of the history.
fn record(
    running: &Running,
    image: &Reference,
    outcome: &str,
    terms: &Terms,
    left: Option<&Instance>,
) -> Value {
    let mut record = json!({
        "project": running.project, "service": running.service, "image": image.to_string(),
        "outcome": outcome, "by": terms.by,
    });
    if let Some(left) = left {
        record["left"] = Value::from(running.identified(left).to_string());
    }
    json!({ "release.record": record })
}

/// The id of a step: letters, digits, `-` and `_`, beginning with a letter.
fn id(prefix: &str, name: &str) -> String {
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    match prefix {
        "" if name.starts_with(|c: char| c.is_ascii_alphabetic()) => name,
        "" => format!("instance-{name}"),
        prefix => format!("{prefix}-{name}"),
    }
}
