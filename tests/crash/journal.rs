//! What is left of a run's record after a death: never less than what was relied on, and always enough to go on with.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Output;

use crate::scene::{ONE_AND_TWO, Scene};

const SIGKILL: i32 = 9;

/// What the process dies on.
#[derive(Clone, Copy)]
enum Disk {
    Faithful,
    Lossy { seed: u64 },
}

fn scene() -> Scene {
    let scene = Scene::new();
    scene.runbook("two", ONE_AND_TWO);
    scene
}

fn run(scene: &Scene, variables: &[(&str, &str)]) -> Output {
    scene.command(&["run", "two", "--yes"]).envs(variables.iter().copied()).output().unwrap()
}

/// The points at which something becomes durable. What else a run passes, it is killed at in `points`.
const DURABLE: [&str; 4] = ["blob", "journal", "lock", "run"];

/// Every passing of those points in a run, such as `journal.append:3`.
fn passed() -> Vec<String> {
    let scene = scene();
    let log = scene.path("passed");
    assert!(run(&scene, &[("OPSCTL_CRASH_LOG", log.to_str().unwrap())]).status.success());
    let all = crate::passings::passings(&scene.lines("passed").join("\n"));
    all.into_iter().filter(|passing| DURABLE.contains(&passing.split_once('.').unwrap().0)).collect()
}

/// The whole lines of the one run's journal; none when there is no run.
fn records(scene: &Scene) -> Vec<String> {
    let runs = fs::read_dir(scene.path("state/runs")).into_iter().flatten();
    let mut runs = runs.map(|entry| entry.unwrap().path());
    let run = runs.find(|path| !path.file_name().unwrap().to_str().unwrap().starts_with('.'));
    let text = run.map(|run| fs::read_to_string(run.join("journal.jsonl")).unwrap()).unwrap_or_default();
    text.split_inclusive('\n').filter(|line| line.ends_with('\n')).map(str::to_owned).collect()
}

/// How many records must be there, and how many may be, after a death at the last of some passings: what was synced, and what
/// was written.
fn due(passed: &[String]) -> (usize, usize) {
    let times = |point: &str| passed.iter().filter(|passing| passing.starts_with(point)).count();
    match passed.last().map(String::as_str) {
        Some("run.renamed:1") => (0, times("journal.synced")),
        // Before the run has its name there is none.
        _ if times("run.renamed") == 0 => (0, 0),
        _ => (times("journal.synced"), times("journal.written")),
    }
}

fn dies_everywhere_and_goes_on(disk: Disk) {
    let passings = passed();
    let points: std::collections::BTreeSet<_> =
        passings.iter().map(|passing| passing.split_once(':').unwrap().0).collect();
    assert!(points.len() >= 8 && passings.len() >= 25, "{passings:?}");
    for (place, passing) in passings.iter().enumerate() {
        let scene = scene();
        let seed = if let Disk::Lossy { seed } = disk { seed.to_string() } else { String::new() };
        let mut variables = vec![("OPSCTL_CRASH_AT", passing.as_str())];
        if let Disk::Lossy { .. } = disk {
            variables.extend([("OPSCTL_LOSSY_DISK", "1"), ("OPSCTL_LOSSY_SEED", &seed)]);
        }
        let died = run(&scene, &variables);
        assert_eq!(died.status.signal(), Some(SIGKILL), "at {passing} with seed {seed}: {died:?}");
        let left = records(&scene);
        let (least, most) = due(&passings[..=place]);
        let count = left.len();
        assert!((least..=most).contains(&count), "{count} records at {passing} with seed {seed}");
        for word in scene.lines("log") {
            let started = format!(r#""type":"step_started","step":"{word}""#);
            assert!(left.iter().any(|line| line.contains(&started)), "{word} at {passing} with seed {seed}");
        }
        if left.is_empty() {
            assert!(scene.lines("log").is_empty());
            scene.opsctl(&["runs", "show", "latest"]).ends_with(2);
            continue;
        }
        // Nor does the host remember what is not on the disk here.
        scene.opsctl(&["audit", "verify"]).ends_with(0);
        let ended = left.iter().any(|line| line.contains("run_ended"));
        scene.opsctl(&["resume", "latest", "--yes"]).ends_with(if ended { 2 } else { 0 });
        scene.opsctl(&["audit", "verify", "--offline"]).ends_with(0);
        let whole = records(&scene);
        assert_eq!(whole[..left.len()], left, "what was there is there, at {passing} with seed {seed}");
        assert_eq!(scene.lines("log"), ["one", "two"], "at {passing} with seed {seed}");
    }
}

#[test]
fn a_run_that_was_killed_at_any_point_goes_on() {
    dies_everywhere_and_goes_on(Disk::Faithful);
}

#[test]
fn a_run_that_was_killed_at_any_point_goes_on_when_the_disk_lost_what_was_not_synced() {
    dies_everywhere_and_goes_on(Disk::Lossy { seed: 1 });
}

#[test]
fn a_run_that_was_killed_at_any_point_goes_on_when_the_disk_lost_something_else() {
    dies_everywhere_and_goes_on(Disk::Lossy { seed: 2 });
}

#[test]
fn a_lossy_disk_loses_nothing_of_a_run_that_lives() {
    for seed in 0..4 {
        let scene = scene();
        let seed = seed.to_string();
        let output = run(&scene, &[("OPSCTL_LOSSY_DISK", "1"), ("OPSCTL_LOSSY_SEED", &seed)]);
        assert!(output.status.success(), "{output:?}");
        assert!(scene.opsctl(&["runs", "list"]).ends_with(0).contains("succeeded"));
        scene.opsctl(&["audit", "verify"]).ends_with(0);
    }
}

#[test]
fn a_crash_point_that_does_not_exist_is_refused_before_anything_is_done() {
    let scene = scene();
    let output = run(&scene, &[("OPSCTL_CRASH_AT", "journal.apend")]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("journal.apend") && said.contains("journal.append"), "{said}");
    assert!(scene.lines("log").is_empty());
}
