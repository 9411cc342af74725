//! Bad input: a located error, a hint, the right exit code, and nothing touched.

use std::net::TcpListener;

use crate::scene::Scene;

#[test]
fn no_inventory_is_said_with_where_it_was_looked_for() {
    let scene = Scene::new();
    std::fs::remove_file(scene.path("opsctl.yaml")).unwrap();
    let said = scene.opsctl(&["status"]).ends_with(3);
    insta::assert_snapshot!(said);
}

#[test]
fn a_mistake_in_the_inventory_is_shown_with_a_caret() {
    let scene = Scene::new();
    scene.file("opsctl.yaml", "name: test\nhosts:\n  here: { adress: local }\n");
    let said = scene.opsctl(&["status"]).ends_with(3);
    insta::assert_snapshot!(said);
}

#[test]
fn a_runbook_that_changes_something_and_says_nothing_of_undo_is_refused() {
    let scene = Scene::new();
    scene.runbook(
        "bad",
        "  - id: one\n    title: One\n    on: here\n    do: { command: { argv: [touch, x] } }\n",
    );
    let said = scene.opsctl(&["runbook", "check"]).ends_with(3);
    insta::assert_snapshot!(said);
}

#[test]
fn an_unknown_target_names_the_ones_that_there_are() {
    let scene = Scene::new();
    scene.file(
        "opsctl.yaml",
        "name: t\nhosts:\n  here: { address: local }\nprojects:\n  web: { host: here, directory: /srv/web }\nservices:\n  \
         argus:\n    project: web\n    instances:\n      argus-1: { health: 'http://localhost:1/health' }\n",
    );
    let said = scene.opsctl(&["failover", "argos"]).ends_with(2);
    insta::assert_snapshot!(said);
}

#[test]
fn a_wrong_parameter_is_refused_before_anything_is_touched() {
    let scene = Scene::new();
    scene.runbook(
        "one",
        "  - id: one\n    title: One\n    on: here\n    do: { command: { argv: ['true'], reads: true } }\n",
    );
    for arguments in
        [&["run", "one", "x=1", "--yes"][..], &["run", "one", "x", "--yes"], &["run", "none", "--yes"]]
    {
        let seen = scene.opsctl(arguments);
        assert!([2, 3].contains(&seen.code), "{arguments:?}: {} {}", seen.code, seen.stderr);
        assert!(seen.stderr.contains("error: ") && seen.stderr.contains("hint: "), "{}", seen.stderr);
    }
    assert_eq!(scene.opsctl(&["runs", "list", "--json"]).stdout.trim(), "[]");
}

#[test]
fn an_error_is_one_json_object_when_json_is_asked_for() {
    let scene = Scene::new();
    let seen = scene.opsctl(&["run", "none", "--json"]);
    let error: serde_json::Value = serde_json::from_str(seen.stdout.trim()).unwrap();
    assert!(error["error"]["message"].as_str().unwrap().contains("none"), "{error}");
}

/// A site whose one host is at a port of this machine.
fn remote(port: u16) -> Scene {
    let scene = Scene::new();
    let text = format!(
        "name: t\nhosts:\n  app: {{ address: 'ssh://127.0.0.1:{port}' }}\nprojects:\n  web: {{ host: app, directory: /srv/web }}\n\
         services:\n  argus:\n    project: web\n    instances:\n      argus-1: {{ health: 'http://localhost:1/health' }}\n"
    );
    scene.file("opsctl.yaml", &text);
    scene
}

#[test]
fn a_host_that_refuses_is_something_to_wait_for_and_nothing_is_changed() {
    // Bound and closed again: nobody listens there.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let scene = remote(port);
    let said = scene.opsctl(&["failover", "argus", "--yes"]).ends_with(11);
    assert!(said.contains("refused") && said.contains("hint: "), "{said}");
    let said = scene.opsctl(&["plan", "service-down", "service=argus"]).ends_with(11);
    assert!(said.contains("error: host `app`: ") && said.contains("hint: "), "{said}");
    let seen = scene.opsctl(&["status"]);
    assert_eq!(seen.code, 5, "{}", seen.stderr);
    assert!(seen.stdout.contains("unknown"), "what could not be asked is not called down: {}", seen.stdout);
    assert_eq!(scene.opsctl(&["runs", "list", "--json"]).stdout.trim(), "[]");
}
