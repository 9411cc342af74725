//! What people are told about a run.

use crate::scene::Scene;

const SITE: &str = "name: Example\nhosts:\n  here: { address: local, state_dir: FOLDER/host }\nprojects:\n  web: { host: here, directory: /srv/web }\n\
    services:\n  argus:\n    project: web\n    instances:\n      argus-1: { health: 'http://localhost:1/health' }\n";

/// A runbook about a service that runs one line for the shell.
fn mend(line: &str) -> String {
    format!(
        "runbook: mend\ntitle: A service is down\nrisk: disruptive\nseverity: critical\nparams: {{ service: {{ type: service }} }}\n\
         steps:\n  - id: mend\n    title: Mend {{{{ service }}}}\n    on: here\n    do: {{ command: {{ shell: '{line}' }} }}\n    undo: none\n"
    )
}

fn scene(line: &str) -> Scene {
    let scene = Scene::new();
    let site = SITE.replace("FOLDER", &scene.path("").display().to_string());
    scene.file("opsctl.yaml", &site).file("runbooks/mend.yaml", &mend(line));
    scene
}

/// The message, with every time of day replaced.
fn message(scene: &Scene, options: &[&str]) -> String {
    let seen = scene.opsctl(&[&["runs", "message"], options].concat());
    assert_eq!((seen.code, seen.stderr.as_str()), (0, ""));
    let time = regex::Regex::new(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC").unwrap();
    time.replace_all(&seen.stdout, "TIME").replace("0 seconds", "SPAN").replace("1 second ", "SPAN ")
}

#[test]
fn while_a_run_rests_its_message_is_the_alert_with_what_it_is_about() {
    let scene = scene("false");
    scene.opsctl(&["run", "mend", "service=argus", "--yes"]).ends_with(10);
    insta::assert_snapshot!(message(&scene, &[]), @r"
    [INCIDENT] Example Service Degradation
    Time: TIME
    Severity: Critical
    Affected Services: argus
    Status: Investigating
    Next Update: TIME
    ");
    let said = scene.opsctl(&["runs", "message", "--template", "resolution"]).ends_with(4);
    assert!(said.contains("has resolved nothing: it is halted"), "{said}");
}

#[test]
fn a_run_that_succeeded_is_told_of_once_the_root_cause_is_said() {
    let scene = scene("true");
    scene.opsctl(&["run", "mend", "service=argus", "--yes"]).ends_with(0);
    let said = scene.opsctl(&["runs", "message", "--follow-up", "none"]).ends_with(2);
    assert!(
        said.contains("`--root-cause`") && said.contains("--root-cause '...' --follow-up none"),
        "{said}"
    );
    let options = ["--root-cause", "the disk was full", "--follow-up", "an alert at 80 %"];
    insta::assert_snapshot!(message(&scene, &options), @r"
    [RESOLVED] Example Service Degradation
    Time: TIME
    Duration: SPAN (the recovery itself)
    Root Cause: the disk was full
    Resolution: Mend argus
    Follow-up: an alert at 80 %
    ");
}

#[test]
fn a_template_beside_the_inventory_takes_the_place_of_the_built_in_one() {
    let scene = scene("false");
    scene.opsctl(&["run", "mend", "service=argus", "--yes"]).ends_with(10);
    std::fs::create_dir(scene.path("templates")).unwrap();
    scene.file("templates/alert.txt", "{{ severity | upper }}: {{ services }} ({{ title }})\n");
    scene.file("templates/broken.txt", "{{ sevices }}\n");
    // From another folder, too: the run knows where its inventory is.
    let output = scene.command(&["runs", "message", "--json"]).current_dir("/").output().unwrap();
    let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(shown["text"], "CRITICAL: argus (A service is down)");
    assert_eq!(shown["template"], "alert");
    assert!(shown["origin"].as_str().unwrap().ends_with("/templates/alert.txt"), "{shown}");

    let listed = scene.opsctl(&["template", "list"]).ends_with(0);
    assert!(listed.contains("alert.txt (in place of the built-in one)"), "{listed}");
    let shown = scene.opsctl(&["template", "show", "alert"]);
    assert_eq!(shown.stderr, "alert: DIR/templates/alert.txt\n");
    assert_eq!(shown.stdout, "{{ severity | upper }}: {{ services }} ({{ title }})\n");
    let said = scene.opsctl(&["runs", "message", "--template", "broken"]).ends_with(3);
    assert!(said.contains("there is no `sevices` here") && said.contains("templates/broken.txt"), "{said}");
    scene.opsctl(&["runs", "message", "--template", "alrt"]).ends_with(3);
}
