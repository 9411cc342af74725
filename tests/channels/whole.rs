//! A whole incident by the real binary, with PagerDuty, Slack and a file listening: what each has heard in the end.

use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::server::{Reply, Server};

struct Shop {
    folder: tempfile::TempDir,
}

impl Shop {
    fn new(channels: &str) -> Shop {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display().to_string();
        let inventory = format!(
            "name: opareta\nhosts: {{ here: {{ address: local, state_dir: {path}/host }} }}\n\
             projects: {{ opareta: {{ host: here, directory: {path} }} }}\n\
             services: {{ argus: {{ project: opareta, instances: {{ argus-1: {{ health: \"http://localhost:1/health\" }} }} }} }}\n\
             channels:\n{channels}"
        );
        std::fs::write(folder.path().join("opsctl.yaml"), inventory).unwrap();
        std::fs::write(folder.path().join("key"), "0123456789abcdef0123456789abcdef").unwrap();
        Shop { folder }
    }

    #[track_caller]
    fn opsctl(&self, arguments: &[&str], code: i32) {
        let output = Command::new(env!("CARGO_BIN_EXE_opsctl"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("OPSCTL_STATE_DIR", self.folder.path().join("state"))
            .env("OPSCTL_OPERATOR", "tester")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(!said.contains("0123456789abcdef"), "{said}");
    }
}

/// Says that it has posted, and under which time.
fn slack() -> Server {
    let mut count = 0;
    Server::start(move |request| {
        count += 1;
        let ts = request.json().unwrap()["ts"].as_str().map_or_else(|| format!("1.{count}"), str::to_owned);
        Reply::json(200, &json!({ "ok": true, "channel": "C1", "ts": ts }))
    })
}

#[test]
fn everybody_has_heard_everything_once_though_an_answer_was_lost() {
    let is_first = Arc::new(Mutex::new(true));
    let pagerduty = Server::start(move |_| {
        let is_first = std::mem::take(&mut *is_first.lock().unwrap());
        if is_first { Reply::Reset } else { Reply::Text(202, "{}".to_owned()) }
    });
    let slack = slack();
    let shop = Shop::new(&format!(
        "  calls: {{ to: {{ pagerduty: {{ key: {{ file: key }}, url: \"{}\" }} }}, levels: [L2] }}\n  \
         ops: {{ to: {{ slack: {{ token: {{ file: key }}, channel: C1, url: \"{}\" }} }}, for: [alert, update, resolution] }}\n  \
         log: {{ to: {{ file: told.jsonl }} }}\n",
        pagerduty.url, slack.url
    ));
    let title = "argus <!channel> `down`";
    // The page may not have arrived: said by the exit code, and the record has it.
    shop.opsctl(
        &["incident", "open", "--service", "argus", "--severity", "critical", "--title", title, "--yes"],
        15,
    );
    // The first later command sends it again, under the same key.
    shop.opsctl(&["incident", "tick"], 0);
    shop.opsctl(&["incident", "ack"], 0);
    shop.opsctl(&["incident", "update", "the database is being restored"], 0);
    let resolve = [
        "incident",
        "resolve",
        "--cause",
        "a full disk",
        "--resolution",
        "room was made",
        "--follow-up",
        "an alert",
    ];
    shop.opsctl(&[&resolve[..], &["--force", "a test has no service", "--yes"]].concat(), 0);

    let events: Vec<Value> = pagerduty.seen().iter().map(|request| request.json().unwrap()).collect();
    let actions: Vec<_> = events.iter().map(|event| event["event_action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["trigger", "trigger", "acknowledge", "acknowledge", "resolve"]);
    assert!(events.iter().all(|event| event["dedup_key"] == events[0]["dedup_key"]), "one alert");

    let calls: Vec<_> = slack.asked().iter().map(|call| call.replace("POST /api/chat.", "")).collect();
    assert_eq!(
        calls,
        ["postMessage", "update", "postMessage", "update", "postMessage", "update", "postMessage"]
    );
    assert!(slack.seen()[1..].iter().all(|request| {
        let body = request.json().unwrap();
        body["ts"] == "1.1" || body["thread_ts"] == "1.1"
    }));
    let state = slack.seen()[5].json().unwrap();
    assert!(
        state["blocks"][1]["text"]["text"].as_str().unwrap().contains("Root Cause: a full disk"),
        "{state}"
    );

    let told = std::fs::read_to_string(shop.folder.path().join("told.jsonl")).unwrap();
    let kinds: Vec<_> =
        told.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["kind"].clone()).collect();
    assert_eq!(kinds, ["alert", "page", "page", "update", "update", "resolution"]);
}
