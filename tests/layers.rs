//! Layers point down: a file may use only what is below it.

use std::fs;
use std::path::{Path, PathBuf};

/// From the roof to the ground.
const LAYERS: [&str; 11] =
    ["cli", "ui", "incident", "triage", "engine", "action", "host", "journal", "run", "model", "base"];

const MOST_LINES: usize = 500;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a folder of the repository.
fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty());
    found
}

/// The layers that a source names: `crate::LAYER`.
fn uses(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("crate::").filter_map(|(at, name)| {
        let rest = &text[at + name.len()..];
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        LAYERS.contains(&&rest[..end]).then(|| &rest[..end])
    })
}

#[test]
fn no_import_runs_upward() {
    let height = |layer: &str| LAYERS.iter().position(|name| *name == layer);
    let mut upward = Vec::new();
    let mut seen = 0;
    for path in sources("src") {
        let relative = path.strip_prefix(root().join("src")).unwrap();
        let layer = relative.components().next().unwrap().as_os_str().to_str().unwrap();
        let Some(own) = height(layer) else { continue };
        for used in uses(&fs::read_to_string(&path).unwrap()) {
            seen += 1;
            if height(used).unwrap() < own {
                upward.push(format!("{} uses `{used}`", relative.display()));
            }
        }
    }
    assert!(seen > 0, "no import was found: this test looks at nothing");
    assert!(upward.is_empty(), "imports that run upward: {upward:#?}");
}

#[test]
fn every_layer_is_a_folder_and_on_the_map() {
    let map = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    for layer in LAYERS {
        assert!(map.contains(&format!("| `{layer}` |")), "`{layer}` is missing in the map of src/lib.rs");
        assert!(root().join("src").join(layer).is_dir(), "{layer}");
    }
}

#[test]
fn no_file_is_longer_than_five_hundred_lines() {
    let long: Vec<_> = ["src", "tests"]
        .into_iter()
        .flat_map(sources)
        .filter(|path| fs::read_to_string(path).unwrap().lines().count() > MOST_LINES)
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}
