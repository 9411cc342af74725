//! opsctl where nothing is left of a disk: the host's, its own, or both at once.

mod common;
#[allow(dead_code, reason = "the rest is for other tests")]
#[path = "cli/scene.rs"]
mod scene;

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::small::Small;
use scene::{ONE_AND_TWO, Scene};

const WAITING: &str = r#"
  - id: wait
    title: Wait for a sign
    on: here
    do: { command: { shell: 'echo began >> "$DIR/log"; while test -d "$DIR" && ! test -e "$DIR/go"; do sleep 0.02; done; echo ended >> "$DIR/log"' } }
    undo: none
"#;

/// A site whose host, this machine, keeps what it keeps on a disk without a byte left.
fn full() -> (Small, Scene) {
    let (small, scene) = (Small::new(16, 1024), Scene::new());
    small.sh("mkdir -m 700 host runtime state");
    small.fill();
    let host = small.path("host");
    scene.file(
        "opsctl.yaml",
        &format!("name: test\nhosts:\n  here: {{ address: local, state_dir: {} }}\n", host.display()),
    );
    (small, scene)
}

/// The command, where the small disk is seen.
fn inside(small: &Small, command: &Command) -> Command {
    let words = small.words();
    let mut inside = Command::new(&words[0]);
    let folder = command.get_current_dir().unwrap();
    inside.args(&words[1..]).arg(format!("--wd={}", folder.display()));
    inside.arg(command.get_program()).args(command.get_args()).env_clear().stdin(Stdio::null());
    inside.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    inside
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "not within 60 s: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Begins a step, and kills opsctl.
fn killed_in_the_middle(small: &Small, scene: &Scene) {
    scene.runbook("long", WAITING);
    let mut child = inside(small, &scene.command(&["run", "long", "--yes"]))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("the step began", || scene.lines("log") == ["began"]);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_run_on_a_full_host_is_said_to_be_kept_in_memory_and_followed_from_there() {
    let (small, scene) = full();
    let doctor = inside(&small, &scene.command(&["doctor"])).output().unwrap();
    let memory = small.memory("host").display().to_string();
    assert!(scene.seen(&doctor).stdout.contains(&memory), "{doctor:?}");

    killed_in_the_middle(&small, &scene);
    scene.file("go", "");
    let seen = scene.seen(&inside(&small, &scene.command(&["resume", "latest"])).output().unwrap());
    let said = seen.ends_with(0);
    assert!(said.contains("has no room left") && said.contains(&memory), "{said}");
    assert_eq!(scene.lines("log"), ["began", "ended"], "nothing ran twice");
}

#[test]
fn what_began_before_a_restart_of_a_full_host_is_unknown_and_not_done_again() {
    let (small, scene) = full();
    killed_in_the_middle(&small, &scene);
    scene.file("go", "");
    until("its processes are gone", || scene.lines("log") == ["began", "ended"]);
    fs::remove_dir_all(small.memory("host")).unwrap();
    let seen = scene.seen(&inside(&small, &scene.command(&["resume", "latest"])).output().unwrap());
    let said = seen.ends_with(11);
    assert!(said.contains("opsctl resolve"), "a person is asked: {said}");
    assert_eq!(scene.lines("log"), ["began", "ended"]);
}

#[test]
fn a_full_disk_of_ones_own_is_named_with_a_way_out_that_works() {
    let (small, scene) = full();
    scene.runbook("two", ONE_AND_TWO);
    let run = |state: &str| {
        let mut command = scene.command(&["run", "two", "--yes"]);
        command.env("OPSCTL_STATE_DIR", state).env("XDG_RUNTIME_DIR", small.path("runtime"));
        scene.seen(&inside(&small, &command).output().unwrap())
    };
    let said = run(&small.path("state").display().to_string()).ends_with(1);
    assert!(said.contains("No space left on device"), "{said}");
    assert!(said.contains("OPSCTL_STATE_DIR=/dev/shm/opsctl-runs opsctl "), "{said}");
    assert!(scene.lines("log").is_empty());

    // As the hint says, in a folder of the test's own.
    let elsewhere = small.memory("runs");
    run(&elsewhere.display().to_string()).ends_with(0);
    assert_eq!(scene.lines("log"), ["one", "two"]);
    assert!(elsewhere.join("runs").is_dir());
}
