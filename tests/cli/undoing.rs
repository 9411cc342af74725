//! Failure, and the way back.

use crate::scene::Scene;

/// A step that appends `word`, with an undo that appends `un-word`.
fn step(id: &str, word: &str, more: &str) -> String {
    format!(
        r#"
  - id: {id}
    title: Append {word}
    on: here
    do: {{ command: {{ shell: 'echo {word} >> "$DIR/log"' }} }}
    undo: {{ command: {{ shell: 'echo un-{word} >> "$DIR/log"' }} }}
    {more}
"#
    )
}

fn failing(on_failure: &str) -> String {
    format!(
        r#"
  - id: fail
    title: Fail until it is mended
    on: here
    do: {{ command: {{ shell: 'echo try >> "$DIR/log"; test -e "$DIR/mended"' }} }}
    undo: {{ command: {{ shell: 'echo un-try >> "$DIR/log"' }} }}
    on_failure: {on_failure}
"#
    )
}

#[test]
fn a_failed_step_halts_the_run_which_resumes_there_once_the_cause_is_mended() {
    let scene = Scene::new();
    scene.runbook("half", &(step("one", "one", "") + &failing("halt") + &step("two", "two", "")));
    let seen = scene.opsctl(&["run", "half", "--yes"]);
    assert_eq!(seen.code, 10, "{}", seen.stderr);
    insta::assert_snapshot!(seen.stderr);
    assert_eq!(scene.lines("log"), ["one", "try"]);

    scene.file("mended", "");
    scene.opsctl(&["resume", "latest"]).ends_with(0);
    assert_eq!(scene.lines("log"), ["one", "try", "try", "two"]);
}

#[test]
fn undo_takes_back_in_reverse_order_what_may_have_had_an_effect() {
    let scene = Scene::new();
    scene.runbook("half", &(step("one", "one", "") + &step("two", "two", "") + &failing("halt")));
    scene.opsctl(&["run", "half", "--yes"]).ends_with(10);
    scene.opsctl(&["undo", "latest", "--yes"]).ends_with(0);
    assert_eq!(scene.lines("log"), ["one", "two", "try", "un-try", "un-two", "un-one"]);
    scene.opsctl(&["undo", "latest", "--yes"]).ends_with(2);
}

#[test]
fn a_step_that_says_so_takes_everything_back_when_it_fails() {
    let scene = Scene::new();
    scene.runbook("back", &(step("one", "one", "") + &failing("undo")));
    scene.opsctl(&["run", "back", "--yes"]).ends_with(13);
    assert_eq!(scene.lines("log"), ["one", "try", "un-try", "un-one"]);
}

#[test]
fn a_run_that_succeeded_can_be_undone() {
    let scene = Scene::new();
    scene.runbook("fine", &step("one", "one", ""));
    scene.opsctl(&["run", "fine", "--yes"]).ends_with(0);
    scene.opsctl(&["undo", "latest", "--yes"]).ends_with(0);
    assert_eq!(scene.lines("log"), ["one", "un-one"]);
}

#[test]
fn a_failed_undo_is_stuck_until_a_person_settles_it() {
    let scene = Scene::new();
    let stubborn = r#"
  - id: stubborn
    title: Cannot be taken back
    on: here
    do: { command: { shell: 'true' } }
    undo: { command: { shell: 'exit 7' } }
"#;
    scene.runbook("stuck", &(step("one", "one", "") + stubborn));
    scene.opsctl(&["run", "stuck", "--yes"]).ends_with(0);
    let seen = scene.opsctl(&["undo", "latest", "--yes"]);
    assert_eq!(seen.code, 12, "{}", seen.stderr);
    insta::assert_snapshot!(seen.stderr);
    assert_eq!(scene.lines("log"), ["one"]);
    scene
        .opsctl(&["resolve", "latest", "stubborn", "--happened", "--reason", "taken back by hand"])
        .ends_with(0);
    scene.opsctl(&["resume", "latest"]).ends_with(0);
    assert_eq!(scene.lines("log"), ["one", "un-one"]);
}

#[test]
fn a_step_may_fail_without_ending_the_run() {
    let scene = Scene::new();
    scene.runbook("on", &(failing("continue") + &step("two", "two", "")));
    scene.opsctl(&["run", "on", "--yes"]).ends_with(0);
    assert_eq!(scene.lines("log"), ["try", "two"]);
}

#[test]
fn an_abandoned_run_is_left_as_it_is_for_good() {
    let scene = Scene::new();
    scene.runbook("half", &failing("halt"));
    scene.opsctl(&["run", "half", "--yes"]).ends_with(10);
    scene.opsctl(&["abandon", "latest", "--reason", "mended by hand"]).ends_with(0);
    scene.opsctl(&["resume", "latest"]).ends_with(2);
    let said = scene.opsctl(&["undo", "latest", "--yes"]).ends_with(2);
    assert!(said.contains("is abandoned: it cannot be undone"), "{said}");
    assert_eq!(scene.lines("log"), ["try"]);
}
