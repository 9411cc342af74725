//! The secrets that can be seen from here without asking anybody, so that none of them is sent to people by mistake.
//!
//! Those that the inventory takes from the environment or from a small file. One that a program prints is not asked for: somebody would have
//! to unlock it.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::model::inventory::Inventory;

/// A key has no more bytes.
const AT_MOST: u64 = 4_096;

/// What is shorter stands in texts by chance.
const AT_LEAST: usize = 8;

pub fn within_reach(inventory: &Inventory) -> Vec<String> {
    let mut found = Vec::new();
    gather(&serde_json::to_value(inventory).unwrap_or_default(), &mut found);
    found.retain(|secret| secret.len() >= AT_LEAST);
    found
}

/// A secret is a reference wherever it stands: `{ env: NAME }` or `{ file: PATH }`.
fn gather(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| gather(item, found)),
        Value::Object(map) => match (map.len(), map.get("env"), map.get("file")) {
            (1, Some(Value::String(name)), _) => found.extend(std::env::var(name)),
            (1, _, Some(Value::String(path))) => found.extend(of_file(Path::new(path))),
            _ => map.values().for_each(|value| gather(value, found)),
        },
        _ => {}
    }
    found.iter_mut().for_each(|secret| secret.truncate(secret.trim_end_matches(['\r', '\n']).len()));
}

fn of_file(path: &Path) -> Option<String> {
    let is_small = fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= AT_MOST);
    is_small.then(|| fs::read_to_string(path).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_a_file_is_within_reach_wherever_the_inventory_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            fs::write(folder.path().join(name), text).unwrap();
            folder.path().join(name).display().to_string()
        };
        let (key, short) = (file("key", "correct-horse-battery\n"), file("short", "ops\n"));
        let channel =
            |path: &str| format!(r#"{{ "to": {{ "pagerduty": {{ "key": {{ "file": "{path}" }} }} }} }}"#);
        let text = format!(
            r#"{{ "name": "x", "hosts": {{}}, "channels": {{ "a": {}, "b": {} }} }}"#,
            channel(&key),
            channel(&short)
        );
        let inventory: Inventory = serde_json::from_str(&text).unwrap();
        assert_eq!(within_reach(&inventory), ["correct-horse-battery"]);
    }
}
