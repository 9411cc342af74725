//! `opsctl channel`: what is listed of the ways on which people are told, and what a test of one says.

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::Value;

use crate::scene::Scene;

const CHANNELS: &str = r#"channels:
  ops: { to: { slack: { token: { env: SLACK_TOKEN }, channel: C0123456789 } }, for: [alert, update, resolution] }
  calls: { to: { pagerduty: { key: { file: key } } }, levels: [L2, L3] }
  mail: { to: { email: { server: "mail.example.com:587", from: ops@example.com, to: [a@example.com, b@example.com] } } }
  status: { to: { webhook: { url: "http://localhost:1/in", secret: { file: key } } }, public: true }
  quiet: { to: { alertmanager: { url: "http://localhost:1" } } }
  log: { to: { file: told.jsonl } }
  here: { to: { stdout: {} } }
"#;

fn site(channels: &str) -> Scene {
    let scene = Scene::new();
    let inventory = std::fs::read_to_string(scene.path("opsctl.yaml")).unwrap();
    scene.file("opsctl.yaml", &(inventory + channels));
    scene.file("key", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    scene
}

#[test]
fn channels_are_listed_with_where_they_lead_and_without_any_secret() {
    // A folder is as long as it is: no column is to be as wide as one.
    let scene = site(&CHANNELS.replace("{ file: key } } }, levels", "{ env: PAGERDUTY_KEY } } }, levels"));
    let said = scene.opsctl(&["channel", "list"]).ends_with(0);
    assert!(!said.contains("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
    insta::assert_snapshot!(said);
    let json: Value = serde_json::from_str(&scene.opsctl(&["channel", "list", "--json"]).stdout).unwrap();
    assert_eq!(json["channels"][1]["for"], serde_json::json!(["update", "resolution", "page", "handoff"]));
}

#[test]
fn a_test_arrives_and_says_that_it_is_one() {
    let scene = site(CHANNELS);
    let said = scene.opsctl(&["channel", "test", "log"]).ends_with(0);
    assert!(said.contains("`log` took the test: look at told.jsonl"), "{said}");
    let line: Value = serde_json::from_str(&scene.lines("told.jsonl")[0]).unwrap();
    assert_eq!(line["subject"], "test: a test of the channel log");
    assert!(line["text"].as_str().unwrap().starts_with("This is a test by tester. Nothing has happened"));
    let printed = scene.opsctl(&["channel", "test", "here"]);
    assert!(
        printed.stdout.starts_with("test: a test of the channel here\n\nThis is a test"),
        "{}",
        printed.stdout
    );
}

#[test]
fn a_channel_that_does_not_take_it_ends_with_15_and_one_that_is_not_there_with_2() {
    let scene = site(CHANNELS);
    let said = scene.opsctl(&["channel", "test", "status"]).ends_with(15);
    assert!(said.contains("`status` did not take the test: no connection: connection refused"), "{said}");
    let json: Value =
        serde_json::from_str(&scene.opsctl(&["channel", "test", "quiet", "--json"]).stdout).unwrap();
    assert_eq!((&json["channel"], &json["outcome"]), (&"quiet".into(), &"later".into()));
    let said = scene.opsctl(&["channel", "test", "cals"]).ends_with(2);
    assert!(said.contains("hint: opsctl channel test calls"), "{said}");
}

#[test]
fn nobody_is_called_without_being_asked_for_and_a_call_is_ended_again() {
    let pagerduty = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", pagerduty.local_addr().unwrap());
    let scene = site(
        &CHANNELS
            .replace("{ file: key } } }, levels", &format!("{{ file: key }}, url: \"{url}\" }} }}, levels")),
    );
    let said = scene.opsctl(&["channel", "test", "calls"]).ends_with(4);
    assert!(said.contains("hint: opsctl channel test calls --yes"), "{said}");
    let serving = std::thread::spawn(move || {
        [(); 2].map(|()| {
            let (mut stream, _) = pagerduty.accept().unwrap();
            let mut seen = String::new();
            let mut bytes = [0; 4096];
            while !seen.ends_with('}') {
                let length = stream.read(&mut bytes).unwrap();
                seen.push_str(std::str::from_utf8(&bytes[..length]).unwrap());
            }
            stream.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}").unwrap();
            let body: Value = serde_json::from_str(seen.split("\r\n\r\n").nth(1).unwrap()).unwrap();
            (body["event_action"].clone(), body["dedup_key"].clone())
        })
    });
    // What is on this machine is asked without the proxy of the environment, which may not lead back.
    let test = scene
        .command(&["channel", "test", "calls", "--yes"])
        .env("http_proxy", "http://127.0.0.1:1")
        .output();
    scene.seen(&test.unwrap()).ends_with(0);
    let [first, second] = serving.join().unwrap();
    assert_eq!((first.0, second.0), ("trigger".into(), "resolve".into()));
    assert_eq!(first.1, second.1);
}
