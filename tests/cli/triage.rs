//! `opsctl triage`, on sites where little has to be there: a host that is lost, and one on which all is well.

use std::net::TcpListener;
use std::process::{Command, Stdio};

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

/// On which every limit is passed by whatever this machine has.
fn beyond(limit: &str) -> Scene {
    let scene = Scene::new();
    let inventory = std::fs::read_to_string(scene.path("opsctl.yaml")).unwrap();
    scene.file("opsctl.yaml", &format!("{inventory}thresholds: {{ {limit}: {{ critical: 0% }} }}\n"));
    scene
}

#[test]
fn a_disk_beyond_its_limit_is_a_scenario_of_its_host() {
    let scene = beyond("disk");
    let said = scene.opsctl(&["triage"]);
    assert_eq!(said.code, 5);
    assert!(said.stdout.contains("✘ disk-full: host here"), "{}", said.stdout);
    let plan = scene.opsctl(&["failover", "here", "--plan"]);
    assert_eq!(plan.code, 0, "{}", plan.stderr);
    assert!(plan.stdout.contains("apt-get clean"), "{}", plan.stdout);
}

#[test]
fn what_no_scenario_explains_is_left_to_a_person() {
    let refused = beyond("memory").opsctl(&["failover", "here", "--yes"]).ends_with(5);
    assert!(refused.contains("memory is in use") && refused.contains("no runbook"), "{refused}");
}

#[test]
fn an_engine_that_does_not_answer_is_told_from_a_host_that_does_not() {
    let docker = Docker::new();
    let said = docker.without_engine(|| docker.opsctl(&["triage", "--json"]));
    let report: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(report["causes"][0]["scenario"], "host-down", "{report}");
    assert_eq!(report["causes"][0]["shown_by"][0]["kind"], "engine_down", "{report}");
}

/// A site with a certificate that is asked for on that port.
fn with_certificate(port: u16) -> Docker {
    let docker = Docker::new();
    let inventory = std::fs::read_to_string(docker.scene.path("opsctl.yaml")).unwrap();
    let more = format!(
        "certificates: {{ shop: {{ project: shop, service: web, port: {port}, server_name: shop.test }} }}\n{CONTENT}"
    );
    docker.scene.file("opsctl.yaml", &(inventory + &more));
    docker
}

#[test]
fn a_certificate_that_nobody_serves_is_not_called_healthy() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let docker = with_certificate(listener.local_addr().unwrap().port());
    drop(listener);
    let refused = docker.opsctl(&["failover", "certificate/shop"]).ends_with(4);
    assert!(
        refused.contains(
            "`certificate/shop` on host `here` could not be asked: it could not be measured: connection refused"
        ),
        "{refused}"
    );
}

/// As a proxy does that was started a moment ago.
#[test]
fn what_does_not_say_yet_how_it_is_is_looked_at_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let docker = with_certificate(port);
    let folder = docker.scene.path(".");
    let made = Command::new("openssl")
        .args(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 -subj /CN=shop.test"
                .split(' '),
        )
        .args("-addext subjectAltName=DNS:shop.test -keyout key.pem -out cert.pem".split(' '))
        .current_dir(&folder)
        .stderr(Stdio::null())
        .status();
    assert!(made.unwrap().success());
    let failover = docker
        .command(&["failover", "certificate/shop"])
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // The first one who asks is sent away.
    drop(listener.accept().unwrap());
    drop(listener);
    let mut server = Command::new("openssl")
        .args([
            "s_server",
            "-quiet",
            "-cert",
            "cert.pem",
            "-key",
            "key.pem",
            "-accept",
            &format!("127.0.0.1:{port}"),
        ])
        .current_dir(&folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = failover.wait_with_output().unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    let seen = docker.scene.seen(&output);
    assert_eq!(seen.code, 0, "{}{}", seen.stdout, seen.stderr);
    assert!(seen.stderr.contains("nothing was changed"), "{}", seen.stderr);
}
