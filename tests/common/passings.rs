//! What a process that logs its crash points (`OPSCTL_CRASH_LOG`) has passed.

use std::collections::BTreeMap;

/// Every passing of every point, in order, such as `journal.append:3`.
pub fn passings(log: &str) -> Vec<String> {
    let mut times = BTreeMap::new();
    let numbered = log.lines().map(|point| {
        let times = times.entry(point).or_insert(0);
        *times += 1;
        format!("{point}:{times}")
    });
    numbered.collect()
}
