//! Runs that go forward: order, conditions, items, retries, checks, outputs.

use crate::scene::Scene;

/// A step that appends a word to the file `log`.
fn append(id: &str, word: &str) -> String {
    format!(
        "  - id: {id}\n    title: Append {word}\n    on: here\n    do: {{ command: {{ shell: 'echo {word} >> \"$DIR/log\"' }} }}\n    undo: none\n"
    )
}

#[test]
fn steps_run_in_order_and_the_end_says_what_changed_and_what_to_type_next() {
    let scene = Scene::new();
    scene.runbook("two", &(append("first", "one") + &append("second", "two")));
    let seen = scene.opsctl(&["run", "two", "--yes"]);
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    assert_eq!(scene.lines("log"), ["one", "two"]);
    insta::assert_snapshot!(seen.stderr);
}

#[test]
fn json_events_are_one_object_a_line_with_a_chained_journal_inside() {
    let scene = Scene::new();
    scene.runbook("one", &append("first", "one"));
    let output = scene.command(&["run", "one", "--yes", "--json"]).output().unwrap();
    let lines: Vec<serde_json::Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let types: Vec<_> = lines.iter().filter_map(|line| line["type"].as_str()).collect();
    assert_eq!(
        types,
        [
            "run_created",
            "epoch_started",
            "lease_taken",
            "decision",
            "step_started",
            "step_finished",
            "run_ended",
            "lease_released"
        ],
        "{lines:#?}"
    );
}

#[test]
fn a_plan_shows_the_exact_commands_and_runs_none_of_them() {
    let scene = Scene::new();
    scene.runbook("one", &append("first", "one"));
    let seen = scene.opsctl(&["plan", "one"]);
    assert_eq!(seen.code, 0, "{}", seen.stderr);
    assert!(scene.lines("log").is_empty());
    assert!(
        !scene.path("state").join("runs").exists()
            || scene.opsctl(&["runs", "list", "--json"]).stdout.trim() == "[]"
    );
    insta::assert_snapshot!(seen.stdout);
}

#[test]
fn a_step_runs_for_each_item_and_is_skipped_when_its_condition_is_false() {
    let scene = Scene::new();
    scene.runbook(
        "items",
        r#"
  - id: each
    title: Append each
    on: here
    for_each: "{{ ['a', 'b', 'c'] }}"
    do: { command: { shell: 'echo {{ item }} >> "$DIR/log"' } }
    undo: none
  - id: never
    title: Never
    on: here
    when: "1 > 2"
    do: { command: { shell: 'echo never >> "$DIR/log"' } }
    undo: none
"#,
    );
    // A condition that is constant is refused by `runbook check`, so this one is made to depend on a parameter.
    let text = std::fs::read_to_string(scene.path("runbooks/items.yaml")).unwrap();
    let text = text
        .replace("steps:\n", "params: { go: { type: boolean, default: false } }\nsteps:\n")
        .replace("1 > 2", "go");
    scene.file("runbooks/items.yaml", &text);
    scene.opsctl(&["run", "items", "--yes"]).ends_with(0);
    assert_eq!(scene.lines("log"), ["a", "b", "c"]);
    scene.opsctl(&["run", "items", "go=true", "--yes"]).ends_with(0);
    assert_eq!(scene.lines("log"), ["a", "b", "c", "a", "b", "c", "never"]);
}

#[test]
fn a_failed_attempt_is_retried_as_often_as_the_step_says() {
    let scene = Scene::new();
    scene.runbook(
        "flaky",
        r#"
  - id: flaky
    title: Succeed at the third try
    on: here
    retry: { attempts: 3, delay: 10ms }
    do: { command: { shell: 'echo try >> "$DIR/log"; test "$(wc -l < "$DIR/log")" -ge 3' } }
    undo: none
"#,
    );
    scene.opsctl(&["run", "flaky", "--yes"]).ends_with(0);
    assert_eq!(scene.lines("log").len(), 3);
}

#[test]
fn an_expectation_waits_until_it_holds_several_times_in_a_row() {
    let scene = Scene::new();
    scene.runbook(
        "wait",
        r#"
  - id: begin
    title: Begin
    on: here
    do: { command: { shell: 'true' } }
    undo: none
    expect:
      - command: { shell: 'echo look >> "$DIR/log"; test "$(wc -l < "$DIR/log")" -ge 3', reads: true }
        within: 10s
        every: 10ms
        successes: 2
"#,
    );
    scene.opsctl(&["run", "wait", "--yes"]).ends_with(0);
    assert_eq!(scene.lines("log").len(), 4, "two looks that fail, two that hold");
}

#[test]
fn an_output_of_one_step_is_used_by_a_later_one_as_one_quoted_word() {
    let scene = Scene::new();
    scene.runbook(
        "outputs",
        r#"
  - id: ask
    title: Ask
    on: here
    do: { command: { argv: [printf, "version: it's $(id) v1.2\n"], reads: true } }
    outputs: { version: { regex: "version: (.*)" } }
  - id: use
    title: Use
    on: here
    when: "'v1.2' in outputs.ask.version"
    do: { command: { shell: 'printf "%s\n" {{ outputs.ask.version }} >> "$DIR/log"' } }
    undo: none
"#,
    );
    scene.opsctl(&["run", "outputs", "--yes"]).ends_with(0);
    assert_eq!(scene.lines("log"), ["it's $(id) v1.2"]);
}

#[test]
fn a_failed_step_runs_the_runbook_that_mends_it_and_is_tried_once_more() {
    let scene = Scene::new();
    scene.runbook("mend", &append("mend", "mended"));
    scene.runbook(
        "broken",
        r#"
  - id: work
    title: Work
    on: here
    do: { command: { shell: 'echo work >> "$DIR/log"; grep -q mended "$DIR/log"' } }
    undo: none
    on_failure: { run: mend }
"#,
    );
    scene.opsctl(&["run", "broken", "--yes"]).ends_with(0);
    assert_eq!(scene.lines("log"), ["work", "mended", "work"]);
}

#[test]
fn items_run_side_by_side_when_the_step_says_so() {
    let scene = Scene::new();
    // Each item waits for the other's file: one after the other they would never end.
    scene.runbook(
        "parallel",
        r#"
  - id: meet
    title: Meet
    on: here
    for_each: "{{ ['a', 'b'] }}"
    parallel: 2
    timeout: 20s
    do: { command: { shell: 'touch "$DIR/{{ item | raw }}"; while test -d "$DIR" && ! { test -e "$DIR/a" && test -e "$DIR/b"; }; do sleep 0.02; done' } }
    undo: none
"#,
    );
    scene.opsctl(&["run", "parallel", "--yes"]).ends_with(0);
}

/// One that changes something, and looks afterwards by `check`.
fn looked_at_by(scene: &Scene, check: &str) {
    let step = format!(
        r#"
  - id: one
    title: One
    on: here
    do: {{ command: {{ shell: 'touch "$DIR/done"' }} }}
    expect: [{check}]
    undo: none
"#
    );
    scene.runbook("looked", &step);
}

#[test]
fn a_check_that_is_broken_itself_is_found_before_anything_is_changed() {
    let scene = Scene::new();
    looked_at_by(&scene, "{ command: { argv: [no-such-command], reads: true } }");
    let refused = scene.opsctl(&["run", "looked", "--yes"]).ends_with(3);
    insta::assert_snapshot!(refused);
    assert!(!scene.path("done").exists());
    assert!(scene.opsctl(&["runs", "list"]).ends_with(0).contains("no run"), "none was made");
    // In the daytime as well.
    scene.opsctl(&["plan", "looked"]).ends_with(3);
    scene.opsctl(&["run", "looked", "--plan"]).ends_with(3);
    scene.opsctl(&["plan", "looked", "--no-preflight"]).ends_with(0);
    // Whoever insists gets what was to be expected.
    scene.opsctl(&["run", "looked", "--yes", "--no-preflight"]).ends_with(10);
    assert!(scene.path("done").exists());
}

#[test]
fn a_check_that_does_not_hold_yet_is_no_hindrance() {
    let scene = Scene::new();
    looked_at_by(&scene, r#"{ command: { shell: 'test -e "$DIR/done"', reads: true } }"#);
    let said = scene.opsctl(&["run", "looked", "--yes"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let told = "before anything is changed, each check was tried once: 0 of 1 held";
    assert!(said.stderr.contains(told), "{}", said.stderr);
    let again = scene.opsctl(&["plan", "looked"]);
    assert!(again.stderr.contains("each check was tried once: 1 of 1 held"), "{}", again.stderr);
}
