//! Runbooks within runbooks: that they exist, get the parameters they need, admit to their risk, and never lead back.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::template::is_template;
use super::{Lint, scope::Scope};
use crate::engine::catalog::Catalog;
use crate::model::runbook::{OnFailure, Runbook};
use crate::model::source::join;

/// `path` is that of the included runbook's name, `with_path` that of its parameters.
pub(super) fn check(
    lint: &mut Lint<'_>,
    path: &str,
    name: &str,
    with_path: &str,
    with: &Map<String, Value>,
    scope: &Scope<'_>,
) {
    let place = lint.source.at(path);
    if is_template(name) {
        let mistake = place.mistake("the name of an included runbook cannot be a template");
        return lint.push(mistake.hint("write the name: what is run has to be known before"));
    }
    let own = lint.runbook;
    if let Some(way) = way_back(lint.catalog, &own.runbook, name) {
        let mistake = place.mistake(format!("this leads back here: {way}"));
        return lint.push(mistake.hint("take one of these includes out"));
    }
    if !lint.catalog.contains(name) {
        let known: Vec<_> = lint.catalog.names().collect();
        let mistake = place.mistake(format!("there is no runbook `{name}`")).known(name, known);
        return lint.push(mistake);
    }
    let included = match lint.catalog.get(name) {
        Ok(entry) => entry.runbook,
        Err(error) => {
            let mistake = place.mistake(format!("the runbook `{name}` cannot be read: {error}"));
            return lint.push(mistake.hint(format!("opsctl runbook check {name}")));
        }
    };
    for (key, value) in with {
        let path = join(with_path, key);
        lint.texts(&path, value, scope);
        match included.params.get(key) {
            None => {
                let mistake = lint.source.key_at(&path).mistake(format!("`{name}` has no parameter `{key}`"));
                lint.push(mistake.known(key, included.params.keys().map(String::as_str)));
            }
            Some(_) if value.as_str().is_some_and(is_template) => {}
            Some(param) => {
                if let Err(why) = param.plain(value) {
                    let mistake = lint.source.at(&path).mistake(why);
                    lint.push(mistake.hint(format!("`{key}` of `{name}` is a {}", param.kind.word())));
                }
            }
        }
    }
    for (key, param) in included.params.iter().filter(|(key, _)| !with.contains_key(*key)) {
        if !param.is_optional() {
            let mistake = lint.source.at(path).mistake(format!("`{name}` needs the parameter `{key}`"));
            lint.push(mistake.hint(format!("with: {{ {key}: ... }}")));
        }
    }
    lint.risk(path, name, included.risk);
}

/// A step that includes a runbook stands for all of its steps, and these say for themselves how they are done.
pub(super) fn fields(lint: &mut Lint<'_>, path: &str) {
    const OWN: [&str; 12] = [
        "on",
        "parallel",
        "max_failures",
        "timeout",
        "retry",
        "done_when",
        "expect",
        "irreversible",
        "approve",
        "on_failure",
        "on_interrupted",
        "outputs",
    ];
    for key in OWN {
        let path = join(path, key);
        if lint.source.has(&path) {
            let mistake =
                lint.source.key_at(&path).mistake(format!("`{key}` says nothing about a whole runbook"));
            lint.push(mistake.hint("put it on the steps of that runbook"));
        }
    }
}

/// The way from `name` to `own`, if there is one: `database-down -> resources -> database-down`.
fn way_back(catalog: &Catalog, own: &str, name: &str) -> Option<String> {
    fn search(catalog: &Catalog, own: &str, way: &mut Vec<String>, seen: &mut HashSet<String>) -> bool {
        let Some(here) = way.last().cloned() else { return false };
        if here == own {
            return true;
        }
        if !seen.insert(here.clone()) {
            return false;
        }
        let Ok(entry) = catalog.contains(&here).then(|| catalog.get(&here)).transpose() else { return false };
        for next in entry.iter().flat_map(|entry| includes(&entry.runbook)) {
            way.push(next.to_owned());
            if search(catalog, own, way, seen) {
                return true;
            }
            way.pop();
        }
        false
    }
    let mut way = vec![own.to_owned()];
    let mut below = vec![name.to_owned()];
    if !search(catalog, own, &mut below, &mut HashSet::new()) {
        return None;
    }
    way.append(&mut below);
    Some(way.join(" -> "))
}

/// The runbooks that a runbook runs.
pub(super) fn includes(runbook: &Runbook) -> impl Iterator<Item = &str> {
    runbook.steps.iter().flat_map(|step| {
        let done =
            (step.action.action == "runbook").then(|| step.action.args.get("name")?.as_str()).flatten();
        let rescue = match &step.on_failure {
            OnFailure::Run { runbook, .. } => Some(runbook.as_str()),
            _ => None,
        };
        [done, rescue].into_iter().flatten()
    })
}
