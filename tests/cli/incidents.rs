//! Incidents: opened, told of, part of a recovery, and over.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::Value;

use crate::docker::Docker;
use crate::scene::Scene;

/// A site whose host refuses every connection.
const LOST: &str = r#"name: shop
hosts: { far: { address: "ssh://127.0.0.1:1" } }
projects: { web: { host: far, directory: /srv/web } }
services:
  argus: { project: web, instances: { argus-1: { health: "http://localhost:3001/" } } }
channels: { all: { to: { file: told.jsonl } } }
incidents: { zone: Etc/UTC }
"#;

const RESOLVE: [&str; 9] = [
    "incident",
    "resolve",
    "--cause",
    "the cable",
    "--resolution",
    "another cable",
    "--follow-up",
    "a spare",
    "--yes",
];

fn lost() -> Scene {
    let scene = Scene::new();
    scene.file("opsctl.yaml", LOST);
    scene
}

/// A service that answers at a port of this test, and a runbook that is about it.
fn well(channel: &str) -> Docker {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        }
    });
    let docker = Docker::new();
    let scene = &docker.scene;
    let inventory = fs::read_to_string(scene.path("opsctl.yaml")).unwrap();
    scene.file(
        "opsctl.yaml",
        &format!(
            "{inventory}services: {{ argus: {{ project: shop, instances: {{ web: {{ health: \"http://localhost:{port}/\" }} }} }} }}\n\
             channels: {{ all: {{ to: {{ file: {channel} }} }} }}\nincidents: {{ zone: Etc/UTC }}\n"
        ),
    );
    scene.file(
        "runbooks/mend.yaml",
        "runbook: mend\ntitle: A test\nrisk: disruptive\nparams:\n  service: { type: service, about: what is mended }\n\
         steps:\n  - id: start\n    title: Start it anew\n    on: here\n    do: { command: { shell: 'true' } }\n    undo: none\n",
    );
    docker
}

fn told(scene: &Scene) -> Vec<Value> {
    scene.lines("told.jsonl").iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn kinds(scene: &Scene) -> Vec<String> {
    told(scene).iter().map(|line| line["kind"].as_str().unwrap().to_owned()).collect()
}

/// The one incident's record.
fn record(scene: &Scene) -> Vec<Value> {
    let entries = fs::read_dir(scene.path("state/incidents")).unwrap();
    let mut records =
        entries.map(|entry| entry.unwrap().path().join("record.jsonl")).filter(|path| path.exists());
    let record = records.next().unwrap();
    assert!(records.next().is_none());
    fs::read_to_string(record).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn one_command_tells_everyone_what_triage_finds_and_pages_who_is_to_answer() {
    let scene = lost();
    let said = scene.opsctl(&["incident", "open", "--yes"]).ends_with(0);
    for line in
        ["alert to `all`", "page to `all`", "the next update is due within", "opsctl incident ack SHORT"]
    {
        assert!(said.contains(line), "`{line}` is not in {said}");
    }
    let told = told(&scene);
    let pages: Vec<&Value> =
        told.iter().filter(|line| line["kind"] == "page").map(|line| &line["page"]["level"]).collect();
    assert_eq!(pages, ["L1", "L2"]);
    let alert = &told[0];
    assert_eq!((&alert["kind"], &alert["services"][0]), (&"alert".into(), &"argus".into()));
    assert!(alert["text"].as_str().unwrap().contains("argus"), "{alert}");
    let opened = &record(&scene)[0];
    assert_eq!((&opened["by"], &opened["severity"]), (&"tester".into(), &"emergency".into()));
}

#[test]
fn nothing_is_sent_that_nobody_agreed_to() {
    let scene = lost();
    let said = scene.opsctl(&["incident", "open"]).ends_with(4);
    assert!(said.contains("then add --yes") && said.contains("to all"), "{said}");
    assert!(told(&scene).is_empty() && !scene.path("state/incidents").exists());
}

#[test]
fn what_is_open_is_not_opened_again() {
    let scene = lost();
    scene.opsctl(&["incident", "open", "--yes"]).ends_with(0);
    let said = scene
        .opsctl(&["incident", "open", "--service", "argus", "--title", "it is slow", "--yes"])
        .ends_with(4);
    assert!(said.contains("incident SHORT is open for this already"), "{said}");
    record(&scene);
}

#[test]
fn a_word_on_how_it_stands_goes_to_everyone() {
    let scene = lost();
    scene.opsctl(&["incident", "open", "--yes"]).ends_with(0);
    let before = told(&scene).len();
    scene.opsctl(&["incident", "update", "somebody drives there"]).ends_with(0);
    scene.opsctl(&["incident", "identify", "a cable is cut"]).ends_with(0);
    scene.opsctl(&["incident", "monitor", "it has another cable"]).ends_with(0);
    let told = told(&scene);
    let said: Vec<_> = told[before..].iter().map(|line| line["status"].as_str().unwrap()).collect();
    assert_eq!(said, ["investigating", "identified", "monitoring"]);
    let words = ["somebody drives there", "a cable is cut", "it has another cable"];
    for (line, words) in told[before..].iter().zip(words) {
        assert_eq!(line["kind"], "update");
        assert!(line["text"].as_str().unwrap().contains(words), "{line}");
    }
    scene.opsctl(&["incident", "update", "password=hunter2hunter2"]).ends_with(4);
    scene.opsctl(&["incident", "update", " ... "]).ends_with(2);
    assert!(!fs::read_to_string(scene.path("told.jsonl")).unwrap().contains("hunter2"));
}

#[test]
fn it_is_not_over_as_long_as_something_is_not_well_unless_somebody_says_why() {
    let scene = lost();
    scene.opsctl(&["incident", "open", "--yes"]).ends_with(0);
    let said = scene.opsctl(&RESOLVE).ends_with(5);
    assert!(said.contains("it is not over: `service/argus` on host `far` could not be asked"), "{said}");
    assert!(!kinds(&scene).contains(&"resolution".to_owned()));
    let forced = [&RESOLVE[..], &["--force", "the office has no line to it"]].concat();
    scene.opsctl(&forced).ends_with(0);
    assert_eq!(kinds(&scene).last().unwrap(), "resolution");
    let resolved = record(&scene).into_iter().find(|line| line["type"] == "resolved").unwrap();
    assert_eq!(resolved["forced"], "the office has no line to it");
    let said = scene.opsctl(&forced).ends_with(4);
    assert!(said.contains("is resolved already"), "{said}");
}

#[test]
fn a_recovery_is_part_of_the_incident_of_its_service() {
    let docker = well("told.jsonl");
    docker
        .opsctl(&["incident", "open", "--service", "argus", "--title", "orders fail", "--yes"])
        .ends_with(0);
    let said = docker.opsctl(&["run", "mend", "service=argus", "--yes"]).ends_with(0);
    assert!(said.contains("incident SHORT: monitoring"), "{said}");
    let record = record(&docker.scene);
    let types: Vec<&str> = record.iter().map(|line| line["type"].as_str().unwrap()).collect();
    let at = |kind: &str| {
        types.iter().position(|other| *other == kind).unwrap_or_else(|| panic!("{kind}: {types:?}"))
    };
    assert!(at("linked") < at("ran") && at("ran") < at("mitigated"), "{types:?}");
    let ran: Vec<&str> = record
        .iter()
        .filter(|line| line["type"] == "ran")
        .map(|line| line["text"].as_str().unwrap())
        .collect();
    assert!(ran[0].starts_with("Start it anew: done in "), "{ran:?}");
    assert_eq!(ran[1], "`mend` succeeded");
    assert_eq!(kinds(&docker.scene).last().unwrap(), "update");
}

#[test]
fn a_channel_that_fails_is_in_the_exit_code_of_a_recovery_that_went_well() {
    let docker = well("missing/told.jsonl");
    docker
        .opsctl(&["incident", "open", "--service", "argus", "--title", "orders fail", "--yes"])
        .ends_with(15);
    let said = docker.opsctl(&["run", "mend", "service=argus", "--yes"]).ends_with(15);
    assert!(said.contains("succeeded"), "{said}");
    assert!(record(&docker.scene).iter().any(|line| line["type"] == "mitigated"));
}

#[test]
fn a_run_that_is_about_nothing_of_an_incident_tells_nobody() {
    let scene = lost();
    scene.opsctl(&["incident", "open", "--yes"]).ends_with(0);
    let before = record(&scene).len();
    let here = format!("here: {{ address: local, state_dir: {} }}, far: {{", scene.path("host").display());
    let inventory = LOST.replace("far: {", &here);
    scene.file("opsctl.yaml", &inventory).runbook("both", crate::scene::ONE_AND_TWO);
    scene.opsctl(&["run", "both", "--yes"]).ends_with(0);
    assert_eq!(record(&scene).len(), before);
}

#[test]
fn a_failover_tells_everyone_once_even_where_it_can_do_nothing() {
    let scene = lost();
    for _ in 0..2 {
        let said = scene.opsctl(&["failover", "argus", "--incident", "--yes"]).ends_with(11);
        assert!(said.contains("could not be asked"), "{said}");
    }
    let opened = &record(&scene)[0];
    assert_eq!((&opened["type"], &opened["services"][0]), (&"opened".into(), &"argus".into()));
    assert_eq!(kinds(&scene), ["alert", "page", "page"]);
    scene.opsctl(&["failover", "argus", "--yes"]).ends_with(11);
    assert_eq!(kinds(&scene).len(), 3);
}

#[test]
fn a_run_may_open_the_incident_that_it_mends() {
    let docker = well("told.jsonl");
    let mend = ["run", "mend", "service=argus", "--incident", "--yes"];
    docker.opsctl(&mend).ends_with(0);
    docker.opsctl(&mend).ends_with(0);
    let record = record(&docker.scene);
    assert_eq!(record[0]["title"], "A test");
    assert_eq!(record.iter().filter(|line| line["type"] == "linked").count(), 2);
    assert_eq!(record.iter().filter(|line| line["type"] == "mitigated").count(), 1);
}
