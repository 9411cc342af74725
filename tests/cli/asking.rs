//! Nothing is done unasked.

use crate::scene::Scene;

const STEP: &str = r#"
  - id: one
    title: Append one
    on: here
    do: { command: { shell: 'echo one >> "$DIR/log"' } }
    undo: none
"#;

#[test]
fn without_a_terminal_and_without_yes_a_run_is_refused_and_says_what_to_type() {
    let scene = Scene::new();
    scene.runbook("one", STEP);
    let said = scene.opsctl(&["run", "one"]).ends_with(4);
    assert!(said.contains("--yes"), "{said}");
    assert!(scene.lines("log").is_empty());
}

#[test]
fn a_step_to_be_approved_is_waited_for_without_a_terminal() {
    let scene = Scene::new();
    scene.runbook("ask", &(STEP.to_owned() + "    approve: Is the load balancer drained?\n"));
    let said = scene.opsctl(&["run", "ask"]).ends_with(4);
    assert!(said.contains("--yes"), "{said}");
    scene.opsctl(&["run", "ask", "--yes"]).ends_with(0);
    assert_eq!(scene.lines("log"), ["one"]);
}

#[test]
fn a_destructive_runbook_wants_its_name_typed_and_yes_is_not_enough() {
    let scene = Scene::new();
    scene.runbook("wipe", &(STEP.to_owned() + "    approve: Really?\n"));
    let file = scene.path("runbooks/wipe.yaml");
    let text = std::fs::read_to_string(&file).unwrap().replace("risk: disruptive", "risk: destructive");
    std::fs::write(&file, text).unwrap();
    let said = scene.opsctl(&["run", "wipe", "--yes"]).ends_with(4);
    assert!(said.contains("--confirm"), "{said}");
    assert!(scene.lines("log").is_empty());
    scene.opsctl(&["run", "wipe", "--yes", "--confirm", "wrong"]).ends_with(4);
    assert!(scene.lines("log").is_empty());
    scene.opsctl(&["run", "wipe", "--yes", "--confirm", "wipe"]).ends_with(0);
    assert_eq!(scene.lines("log"), ["one"]);
}
