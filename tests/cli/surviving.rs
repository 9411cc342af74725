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
    do: {{ command: {{ shell: 'echo began >> "$DIR/log"; while test -d "$DIR" && ! test -e "$DIR/go"; do sleep 0.02; done; echo ended >> "$DIR/log"' }} }}
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

pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
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
}

/// As [`killed_in_the_middle`], and then the step is killed as well: its host went down, as far as anybody can tell.
fn cut_in_the_middle(scene: &Scene, more: &str) {
    killed_in_the_middle(scene, more);
    scene.kill_the_command("wait.1");
}

#[test]
fn a_step_that_goes_on_without_opsctl_is_followed_to_its_end() {
    for more in ["", "on_interrupted: rerun", "done_when: { command: { argv: ['false'], reads: true } }"] {
        let scene = Scene::new();
        killed_in_the_middle(&scene, more);
        assert!(scene.opsctl(&["runs", "list"]).ends_with(0).contains("interrupted"));
        scene.file("go", "");
        scene.opsctl(&["resume", "latest"]).ends_with(0);
        assert_eq!(scene.lines("log"), ["began", "ended", "after"], "nothing ran twice");
    }
}

#[test]
fn a_step_that_ended_without_opsctl_is_not_done_again() {
    let scene = Scene::new();
    killed_in_the_middle(&scene, "on_interrupted: rerun");
    scene.file("go", "");
    until("the step ended by itself", || scene.lines("log") == ["began", "ended"]);
    let seen = scene.opsctl(&["resume", "latest"]);
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    insta::assert_snapshot!(seen.stderr);
    assert_eq!(scene.lines("log"), ["began", "ended", "after"], "nothing ran twice");
}

#[test]
fn a_step_that_was_cut_off_is_settled_by_its_done_when() {
    let scene = Scene::new();
    let done_when = "done_when: { command: { shell: 'grep -q began \"$DIR/log\"', reads: true } }";
    cut_in_the_middle(&scene, done_when);
    scene.opsctl(&["resume", "latest"]).ends_with(0);
    assert_eq!(scene.lines("log"), ["began", "after"], "nothing ran twice");
}

#[test]
fn a_step_that_was_cut_off_and_may_be_repeated_is_repeated() {
    let scene = Scene::new();
    cut_in_the_middle(&scene, "on_interrupted: rerun");
    scene.file("go", "");
    scene.opsctl(&["resume", "latest"]).ends_with(0);
    assert_eq!(scene.lines("log"), ["began", "began", "ended", "after"]);
}

#[test]
fn a_step_that_nobody_can_judge_is_asked_about_and_never_guessed() {
    let scene = Scene::new();
    cut_in_the_middle(&scene, "");
    let seen = scene.opsctl(&["resume", "latest"]);
    assert_eq!(seen.code, 11, "{}", seen.stderr);
    insta::assert_snapshot!(seen.stderr);
    assert_eq!(scene.lines("log"), ["began"]);
    scene.opsctl(&["resolve", "latest", "wait", "--happened", "--reason", "seen in the log"]).ends_with(0);
    scene.opsctl(&["resume", "latest"]).ends_with(0);
    assert_eq!(scene.lines("log"), ["began", "after"]);
}

#[test]
fn a_step_under_way_is_ended_with_all_its_processes_on_the_second_interrupt_and_by_a_request_to_end() {
    let (gently, now) = (("-INT", "Ctrl-C again ends it now"), ("-INT", "Ctrl-C again leaves at once"));
    for signals in [vec![gently, now], vec![("-TERM", now.1)]] {
        let scene = Scene::new();
        scene.runbook("long", &waiting(""));
        let mut child = scene.command(&["run", "long", "--yes"]).stderr(Stdio::piped()).spawn().unwrap();
        until("the step began", || scene.lines("log") == ["began"]);
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let pid = child.id().to_string();
        let mut said = String::new();
        for (signal, answer) in signals {
            assert!(
                std::process::Command::new("kill").args([signal, pid.as_str()]).status().unwrap().success()
            );
            let heard = lines.find(|line| line.contains(answer));
            said += &heard.unwrap_or_else(|| panic!("it does not say `{answer}`"));
        }
        said.extend(lines.map(|line| line + "\n"));
        assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
        assert!(said.contains("its processes were ended, and are gone"), "{said}");
        scene.file("go", "");
        let seen = scene.opsctl(&["resume", "latest"]);
        assert_eq!(seen.code, 11, "nobody knows what it did until then: {}", seen.stderr);
        assert_eq!(scene.lines("log"), ["began"]);
    }
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
    let mut said = String::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        said += &(line.unwrap() + "\n");
        // It has heard.
        if said.contains("Ctrl-C again") {
            scene.file("go", "");
        }
    }
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
