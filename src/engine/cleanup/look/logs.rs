//! How large the logs of containers are.

use std::time::Duration;

use super::asked::{Asked, Seen, asked};
use super::question::ask;
use crate::host::Host;
use crate::model::clutter::contents::Engined;

const SCRIPT: &str = include_str!("logs.sh");

const PATIENCE: Duration = Duration::from_secs(120);

/// Bytes of each of the files; nothing of those that cannot be seen.
pub(super) async fn sizes(machine: &Host, paths: &[String]) -> Asked<Vec<Option<u64>>> {
    let mut seen: Seen<Vec<Option<u64>>> = Seen::default();
    if paths.is_empty() {
        return Ok(seen);
    }
    let answer = ask(machine, &[], SCRIPT, Some(paths), PATIENCE).await;
    if let Some(answer) = asked(machine, "the logs of containers", answer, &mut seen.unseen)? {
        seen.found = answer.stdout.lines().map(|line| line.parse().ok()).collect();
        let hidden = paths.len().saturating_sub(seen.found.iter().flatten().count());
        if hidden > 0 {
            seen.unseen.push(format!("the logs of containers: {hidden} of {} cannot be seen", paths.len()));
        }
    }
    Ok(seen)
}

/// The paths of the logs that there are.
pub(super) fn paths(engine: &Engined) -> Vec<String> {
    engine.containers.iter().filter_map(|container| Some(container.log.as_ref()?.path.clone())).collect()
}

/// Says of each log how large it is. One that cannot be seen is none.
pub(super) fn fill(engine: &mut Engined, sizes: &[Option<u64>]) {
    let mut sizes = sizes.iter().copied();
    for container in &mut engine.containers {
        let Some(log) = &mut container.log else { continue };
        match sizes.next().flatten() {
            Some(bytes) => log.bytes = bytes,
            None => container.log = None,
        }
    }
}
