//! `opsctl alerts` and `opsctl runbook coverage`, as far as no Prometheus has to be there.

use serde_json::Value;

use crate::scene::Scene;

const RULES: &str = r#"groups:
  - name: services
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
      - alert: ServiceInstanceDown
        expr: up{service!=""} == 0
        for: 1m
        labels: { severity: warning }
        annotations: { summary: "{{ $labels.instance }} does not serve" }
      - alert: AllDown
        expr: count(up == 1) == 0
        labels: { severity: critical }
      - alert: OneDown
        expr: count(up{job="argus"} == 1) < 1
      - alert: Odd
        expr: up ~ 1
"#;

/// A site whose Prometheus is not there.
fn site() -> Scene {
    let scene = Scene::new();
    let inventory = std::fs::read_to_string(scene.path("opsctl.yaml")).unwrap();
    let monitoring = "monitoring: { host: here, prometheus: \"http://localhost:1\" }\n";
    scene.file("opsctl.yaml", &(inventory + monitoring));
    scene.file("rules.yml", RULES);
    scene
}

#[test]
fn alert_rules_are_shown_beside_their_runbooks_and_those_that_can_never_fire_are_told() {
    let said = site().opsctl(&["runbook", "coverage", "--rules", "rules.yml"]);
    assert_eq!((said.code, said.stderr.as_str()), (5, ""));
    insta::assert_snapshot!(said.stdout);
}

#[test]
fn a_program_reads_the_coverage() {
    let said = site().opsctl(&["runbook", "coverage", "--json", "--rules", "rules.yml"]);
    assert_eq!(said.code, 5, "{}", said.stderr);
    let report: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(report["well"], false);
    assert_eq!(report["rules"][0]["runbooks"], serde_json::json!(["instance-down"]));
    assert_eq!((&report["rules"][1]["fires"], &report["rules"][1]["line"]), (&"never".into(), &11.into()));
    assert_eq!(report["rules"][3]["fires"], "unknown");
    let unknown = report["without_rule"].as_array().unwrap();
    assert!(unknown.iter().any(|one| one["alert"] == "RedisDown" && one["runbook"] == "cache-down"));
}

#[test]
fn rules_that_are_all_covered_are_well_and_a_projects_own_runbook_counts() {
    let scene = site();
    let own = "runbook: odd\ntitle: Odd\nalerts: [Odd]\nrisk: read-only\nsteps: []\n";
    scene.file("runbooks/odd.yaml", own);
    scene.file("rules.yml", "groups: [{ name: a, rules: [{ alert: Odd, expr: up == 0 }] }]\n");
    let said = scene.opsctl(&["runbook", "coverage", "--rules", "rules.yml"]);
    assert_eq!(said.code, 0, "{}{}", said.stdout, said.stderr);
    assert!(
        said.stdout.contains("1 alert rule: 0 without a runbook, 0 that can never fire"),
        "{}",
        said.stdout
    );
}

#[test]
fn what_is_no_file_of_rules_is_refused() {
    let scene = site();
    let refused = scene.opsctl(&["runbook", "coverage", "--rules", "opsctl.yaml"]).ends_with(3);
    assert!(refused.contains("opsctl.yaml"), "{refused}");
    let refused = scene.opsctl(&["runbook", "coverage", "--rules", "nowhere.yml"]).ends_with(3);
    assert!(refused.contains("cannot read `nowhere.yml`"), "{refused}");
    scene.file("runbooks/broken.yaml", "runbook: broken\ntitle: Broken\nstep: []\n");
    let refused = scene.opsctl(&["runbook", "coverage", "--rules", "rules.yml"]).ends_with(3);
    assert!(refused.contains("runbooks/broken.yaml"), "what it is meant for is not known: {refused}");
    let refused = scene.opsctl(&["runbook", "coverage"]).ends_with(2);
    assert!(refused.contains("--rules"), "{refused}");
}

#[test]
fn a_prometheus_that_is_not_there_and_one_that_is_not_named_are_told_apart() {
    let refused = site().opsctl(&["alerts"]).ends_with(11);
    assert!(refused.contains("Prometheus at http://localhost:1 of host `here`"), "{refused}");
    assert!(refused.contains("opsctl triage"), "{refused}");
    let refused = Scene::new().opsctl(&["alerts"]).ends_with(3);
    assert!(refused.contains("names no Prometheus") && refused.contains("monitoring:"), "{refused}");
}

/// A Prometheus has loaded them.
#[test]
fn the_labs_own_alert_rules_are_all_understood() {
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/stack/prometheus/rules.yml");
    let said = Scene::new().opsctl(&["runbook", "coverage", "--json", "--rules", rules]);
    let report: Value = serde_json::from_str(&said.stdout).unwrap();
    let rules = report["rules"].as_array().unwrap();
    assert!(rules.len() > 5 && rules.iter().all(|rule| rule["fires"] == "may"), "{report:#}");
}
