//! Every action against its golden cases: arguments in, operation out, or the words of the refusal.
//!
//! `tests/golden/*.json` hold the cases, one file per family; `tests/golden/site/` the inventory and the facts that they
//! are built from, with one host that has `docker compose` and one that has the older `docker-compose`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use opsctl::action::registry;
use opsctl::model::facts::{Facts, Site};
use opsctl::model::inventory::Inventory;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    case: String,
    action: String,
    args: Map<String, Value>,
    /// The result: `host`, `effect`, `shows` (the line that does the same) and `operation`. A script may be too long to be read
    /// twice, or at all: `shows` and its `body` may be left out.
    gives: Option<Value>,
    /// The beginning of the refusal.
    refuses: Option<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn read<T: DeserializeOwned>(path: &Path) -> T {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn cases() -> Vec<Case> {
    let mut files: Vec<_> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    files.iter().flat_map(|path| read::<Vec<Case>>(path)).collect()
}

fn build(case: &Case) -> Result<Value, String> {
    let inventory: Inventory = read(&folder().join("site/inventory.json"));
    let facts: Facts = read(&folder().join("site/facts.json"));
    let entry =
        registry::find(&case.action).unwrap_or_else(|| panic!("there is no action `{}`", case.action));
    let built = (entry.build)(&case.args, Site { inventory: &inventory, facts: &facts })?;
    assert_eq!(built.operation.result(), entry.gives, "{}: {}", case.action, case.case);
    Ok(json!({
        "host": built.host,
        "effect": (entry.effect)(&case.args),
        "shows": built.operation.to_string(),
        "operation": built.operation,
    }))
}

/// Without what the case leaves out.
fn as_told(mut built: Value, expected: &Value) -> Value {
    for (place, key) in [("", "shows"), ("/operation/command/program/script", "body")] {
        let is_told = expected.pointer(place).is_some_and(|told| told.get(key).is_some());
        if let (false, Some(whole)) = (is_told, built.pointer_mut(place).and_then(Value::as_object_mut)) {
            whole.remove(key);
        }
    }
    built
}

#[test]
fn every_action_builds_what_its_golden_cases_say() {
    let mut wrong = Vec::new();
    for case in cases() {
        let name = format!("{}: {}", case.action, case.case);
        match (build(&case), &case.gives, &case.refuses) {
            (Ok(built), Some(expected), None) if as_told(built.clone(), expected) == *expected => {}
            (Err(told), None, Some(expected)) if told.starts_with(expected) && !expected.is_empty() => {}
            (result, ..) => wrong.push(match result {
                Ok(built) => format!("{name}\n{built:#}"),
                Err(told) => format!("{name}\nrefused: {told}"),
            }),
        }
    }
    assert!(wrong.is_empty(), "these cases came out otherwise:\n{}", wrong.join("\n"));
}

#[test]
fn every_action_has_at_least_two_golden_cases() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let cases = cases();
    for case in &cases {
        *counts.entry(&case.action).or_default() += 1;
    }
    let lacking: Vec<_> = registry::all()
        .iter()
        .filter(|entry| counts.get(entry.name).copied().unwrap_or_default() < 2)
        .map(|entry| entry.name)
        .collect();
    assert!(lacking.is_empty(), "{lacking:?}");
}
