//! The process dies; another one goes on.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::scene::Scene;

/// A step that says that it began and then waits for the file `go`.
fn waiting(more: &str) -> String {
    format!(
        r#"
  - id: wait
    title: Wait for a sign
    on: here
    do: {{ command: {{ shell: 'echo began >> "$DIR/log"; until test -e "$DIR/go"; do sleep 0.02; done; echo ended >> "$DIR/log"' }} }}
    undo: none
    {more}
  - id: after
    title: After
    on: here
    do: {{ command: {{ shell: 'echo after >> "$DIR/log"' }} }}
    undo: none
"#
    )
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "not within 20 s: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Starts the run and kills opsctl as soon as its step has begun. The step's own process lives on, as it would on a host.
fn killed_in_the_middle(scene: &Scene, more: &str) {
    scene.runbook("long", &waiting(more));
    let mut child: Child =
        scene.command(&["run", "long", "--yes"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("the step began", || scene.lines("log") == ["began"]);
    child.kill().unwrap();
    child.wait().unwrap();
    scene.file("go", "");
}

#[test]
fn a_step_that_was_under_way_is_settled_by_its_done_when() {
    let scene = Scene::new();
    killed_in_the_middle(
        &scene,
        "done_when: { command: { shell: 'grep -q ended \"$DIR/log\"', reads: true } }",
    );
    until("the step ended by itself", || scene.lines("log") == ["began", "ended"]);
    assert!(scene.opsctl(&["runs", "list"]).ends_with(0).contains("interrupted"));
    scene.opsctl(&["resume", "latest"]).ends_with(0);
    assert_eq!(scene.lines("log"), ["began", "ended", "after"], "nothing ran twice");
}

#[test]
fn a_step_that_may_be_repeated_is_repeated() {
    let scene = Scene::new();
    killed_in_the_middle(&scene, "on_interrupted: rerun");
    until("the step ended by itself", || scene.lines("log") == ["began", "ended"]);
    scene.opsctl(&["resume", "latest"]).ends_with(0);
    assert_eq!(scene.lines("log"), ["began", "ended", "began", "ended", "after"]);
}

#[test]
fn a_step_that_nobody_can_judge_is_asked_about_and_never_guessed() {
    let scene = Scene::new();
    killed_in_the_middle(&scene, "");
    until("the step ended by itself", || scene.lines("log") == ["began", "ended"]);
    let seen = scene.opsctl(&["resume", "latest"]);
    assert_eq!(seen.code, 11, "{}", seen.stderr);
    insta::assert_snapshot!(seen.stderr);
    assert_eq!(scene.lines("log"), ["began", "ended"]);
    scene.opsctl(&["resolve", "latest", "wait", "--happened", "--reason", "seen in the log"]).ends_with(0);
    scene.opsctl(&["resume", "latest"]).ends_with(0);
    assert_eq!(scene.lines("log"), ["began", "ended", "after"]);
}

#[test]
fn a_second_resume_is_refused_while_the_first_holds_the_run() {
    let scene = Scene::new();
    scene.runbook("long", &waiting(""));
    let mut child =
        scene.command(&["run", "long", "--yes"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("the step began", || scene.lines("log") == ["began"]);
    let said = scene.opsctl(&["resume", "latest"]).ends_with(4);
    assert!(said.contains("tester"), "it says who holds the run: {said}");
    scene.file("go", "");
    assert!(child.wait().unwrap().success());
    assert_eq!(scene.lines("log"), ["began", "ended", "after"]);
}

#[test]
fn interrupt_rests_the_run_cleanly_and_says_how_to_go_on() {
    let scene = Scene::new();
    scene.runbook("long", &waiting(""));
    let mut child = scene.command(&["run", "long", "--yes"]).stderr(Stdio::piped()).spawn().unwrap();
    until("the step began", || scene.lines("log") == ["began"]);
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    scene.file("go", "");
    let said: String =
        BufReader::new(child.stderr.take().unwrap()).lines().map(|line| line.unwrap() + "\n").collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
    assert!(said.contains("opsctl resume"), "{said}");
    assert_eq!(scene.lines("log"), ["began", "ended"], "the step under way was let finish");
    scene.opsctl(&["resume", "latest"]).ends_with(0);
    assert_eq!(scene.lines("log"), ["began", "ended", "after"]);
}

#[test]
fn an_edited_journal_is_refused_with_its_line() {
    let scene = Scene::new();
    killed_in_the_middle(&scene, "on_interrupted: rerun");
    let journal = scene.run_folder().join("journal.jsonl");
    let text = std::fs::read_to_string(&journal).unwrap().replacen("tester", "intruder", 1);
    std::fs::write(&journal, text).unwrap();
    let said = scene.opsctl(&["resume", "latest"]).ends_with(14);
    assert!(said.contains("line 1") || said.contains("line 2"), "{said}");
}
