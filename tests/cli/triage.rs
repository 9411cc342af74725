//! `opsctl triage`, on sites where little has to be there: a host that is lost, and one on which all is well.

use serde_json::Value;

use crate::docker::Docker;
use crate::scene::Scene;

/// A site with a host that refuses every connection, and a service on it.
fn lost() -> Scene {
    let scene = Scene::new();
    scene.file(
        "opsctl.yaml",
        r#"name: test
hosts: { far: { address: "ssh://127.0.0.1:1" } }
projects: { web: { host: far, directory: /srv/web } }
services:
  argus:
    project: web
    instances: { argus-1: { health: "http://localhost:3001/" } }
escalation: { L2: { who: ada, within: 3m } }
"#,
    );
    scene
}

/// Whatever this machine has left is enough.
const CONTENT: &str = "thresholds: { disk: { critical: 100%, emergency: 100% }, \
                       memory: { warning: 100%, critical: 100%, emergency: 100% } }\n";

#[test]
fn a_lost_host_is_one_cause_with_the_one_who_is_called() {
    let said = lost().opsctl(&["triage"]);
    assert_eq!(said.code, 5, "{}", said.stderr);
    insta::with_settings!({ filters => vec![("in [0-9.]+m?s", "in SPAN"), ("ssh: .*", "WHY")] }, {
        insta::assert_snapshot!(said.stdout);
    });
}

#[test]
fn a_program_reads_the_causes_and_what_shows_them() {
    let said = lost().opsctl(&["triage", "--json"]);
    assert_eq!(said.code, 5, "{}", said.stderr);
    let report: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(report["well"], false);
    let cause = &report["causes"][0];
    assert_eq!((&cause["scenario"], &cause["subject"]["name"]), (&"host-lost".into(), &"far".into()));
    assert_eq!(cause["shown_by"][0]["kind"], "host_unreachable");
    assert_eq!((&report["escalation"]["level"], &report["escalation"]["who"]), (&"L2".into(), &"ada".into()));
}

#[test]
fn where_nothing_is_wrong_it_says_so() {
    let scene = Scene::new();
    let inventory = std::fs::read_to_string(scene.path("opsctl.yaml")).unwrap();
    scene.file("opsctl.yaml", &(inventory + CONTENT));
    let said = scene.opsctl(&["triage"]);
    assert_eq!(said.code, 0, "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.starts_with("✔ nothing is wrong"), "{}", said.stdout);
}

#[test]
fn a_disk_beyond_its_limit_is_a_scenario_that_needs_a_person_as_long_as_there_is_no_runbook_for_it() {
    let scene = Scene::new();
    let inventory = std::fs::read_to_string(scene.path("opsctl.yaml")).unwrap();
    scene.file("opsctl.yaml", &(inventory + "thresholds: { disk: { critical: 0% } }\n"));
    let said = scene.opsctl(&["triage"]);
    assert_eq!(said.code, 5);
    assert!(said.stdout.contains("✘ disk-full: host here"), "{}", said.stdout);
    let refused = scene.opsctl(&["failover", "here", "--yes"]).ends_with(5);
    assert!(refused.contains("disk-full") && refused.contains("no runbook"), "{refused}");
}

#[test]
fn an_engine_that_does_not_answer_is_told_from_a_host_that_does_not() {
    let docker = Docker::new();
    let said = docker.without_engine(|| docker.opsctl(&["triage", "--json"]));
    let report: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(report["causes"][0]["scenario"], "host-down", "{report}");
    assert_eq!(report["causes"][0]["shown_by"][0]["kind"], "engine_down", "{report}");
}
