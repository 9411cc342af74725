//! The list of crash points is what the source passes: a test that kills at each of them misses none.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use opsctl::base::crash::POINTS;

/// How often each name stands in a call of `crash::point`, below a folder.
fn passed(folder: &Path, names: &mut BTreeMap<String, u32>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            passed(&path, names);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for (at, call) in text.match_indices("crash::point(") {
            let name =
                text[at + call.len()..].trim_start().strip_prefix('"').expect("a point is named where it is");
            let (name, _) = name.split_once('"').unwrap();
            *names.entry(name.to_owned()).or_default() += 1;
        }
    }
}

#[test]
fn every_crash_point_on_the_list_is_passed_in_one_place_and_no_other_is() {
    let mut names = BTreeMap::new();
    passed(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut names);
    let listed: BTreeMap<String, u32> = POINTS.iter().map(|point| ((*point).to_owned(), 1)).collect();
    assert_eq!(names, listed);
    assert!(POINTS.is_sorted(), "people read the list");
}
