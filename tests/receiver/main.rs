//! `opsctl serve`: what it takes, what it makes of it, and that nothing is lost or doubled when it dies.

mod scene;

use std::collections::BTreeMap;
use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::scene::{Receiver, Scene, TOKEN, message, of_type};

/// How often each level was paged, by what came to the channel.
fn pages(told: &[Value]) -> BTreeMap<String, usize> {
    let mut pages = BTreeMap::new();
    for page in told.iter().filter(|line| line["kind"] == "page") {
        *pages.entry(page["page"]["level"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    pages
}

fn kinds(told: &[Value]) -> Vec<&str> {
    told.iter().map(|line| line["kind"].as_str().unwrap()).filter(|kind| *kind != "page").collect()
}

#[test]
fn a_group_of_alerts_is_one_incident_from_its_first_message_to_its_last() {
    let scene = Scene::new();
    let receiver = scene.serve();
    assert_eq!(receiver.send(&message("Down", 1, true)).status, 200);
    scene.until("everyone is told", |scene| pages(&scene.told()).len() >= 2);
    assert_eq!(receiver.send(&message("Down", 1, true)).status, 200);
    scene.until("triage is attached", |scene| !of_type(&scene.incidents()[0], "triaged").is_empty());
    assert_eq!(receiver.send(&message("Down", 1, false)).status, 200);
    scene.until("it is watched", |scene| kinds(&scene.told()) == ["alert", "update"]);
    let incidents = scene.incidents();
    assert_eq!(incidents.len(), 1);
    let record = &incidents[0];
    let opened = &record[0];
    assert_eq!((&opened["type"], &opened["by"]), (&json!("opened"), &json!("opsctl")));
    assert_eq!(opened["title"], "no instance of argus serves");
    assert_eq!((&opened["services"], &opened["level"]), (&json!(["argus"]), &json!("L2")));
    assert_eq!(opened["started_at"], "2026-03-01T03:14:15.123Z");
    assert_eq!(of_type(record, "alerted").len(), 2, "a message that says nothing new is not written down");
    let triaged = of_type(record, "triaged")[0];
    assert!(triaged["findings"][0].as_str().unwrap().starts_with("host far: "), "{triaged}");
    assert_eq!(of_type(record, "mitigated").len(), 1);
    assert!(pages(&scene.told()).values().all(|count| *count == 1), "{:?}", pages(&scene.told()));
    assert_eq!(receiver.stop(), 0);
}

#[test]
fn what_fires_again_is_investigated_again_and_what_fires_after_the_end_is_another_incident() {
    let scene = Scene::new();
    let receiver = scene.serve();
    receiver.send(&message("Down", 1, true));
    scene.until("it is open", |scene| !scene.told().is_empty());
    receiver.send(&message("Down", 1, false));
    scene.until("it is watched", |scene| kinds(&scene.told()).len() == 2);
    let mut again = message("Down", 1, true);
    again["alerts"][0]["startsAt"] = json!("2126-03-01T03:14:15Z");
    receiver.send(&again);
    scene.until("it is investigated", |scene| kinds(&scene.told()).len() == 3);
    assert_eq!(scene.incidents().len(), 1);
    assert_eq!(of_type(&scene.incidents()[0], "status_changed")[0]["status"], "investigating");
    let why = ["--cause", "a test", "--resolution", "it ended", "--follow-up", "none", "--force", "a test"];
    let resolved = scene.command(&["incident", "resolve", "--yes"]).args(why).output().unwrap();
    assert!(resolved.status.success(), "{resolved:?}");
    receiver.send(&again);
    scene.until("another is open", |scene| scene.incidents().len() == 2);
}

#[test]
fn a_thousand_alerts_of_one_group_are_one_incident() {
    let scene = Scene::new();
    let receiver = scene.serve();
    let slowest = std::thread::scope(|scope| {
        let sender = |first: usize| {
            let receiver = &receiver;
            move || {
                let mut slowest = Duration::ZERO;
                for count in (first..=400).step_by(8) {
                    let begun = Instant::now();
                    assert_eq!(receiver.send(&message("Flood", count, true)).status, 200);
                    slowest = slowest.max(begun.elapsed());
                }
                slowest
            }
        };
        let senders: Vec<_> = (1..=8).map(|first| scope.spawn(sender(first))).collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).max().unwrap()
    });
    assert_eq!(receiver.send(&message("Flood", 1000, true)).status, 200);
    scene.until("all of it is worked on", |_| receiver.is_done());
    scene.until("the last word is on record", |scene| {
        let record = scene.incidents().remove(0);
        of_type(&record, "alerted")
            .last()
            .is_some_and(|last| last["alerts"].as_array().unwrap().len() == 1000)
    });
    assert_eq!(scene.incidents().len(), 1);
    scene.until("everyone is told", |scene| pages(&scene.told()).len() >= 2);
    assert_eq!(kinds(&scene.told()), ["alert"]);
    assert!(pages(&scene.told()).values().all(|count| *count == 1), "{:?}", pages(&scene.told()));
    println!("the slowest answer in a flood of 401 messages took {slowest:?}");
    assert!(slowest < Duration::from_secs(10), "{slowest:?}");
}

#[test]
fn what_was_taken_is_neither_lost_nor_doubled_when_the_receiver_dies() {
    const LIVES: usize = 12;
    let scene = Scene::new();
    let mut taken = Vec::new();
    for life in 0..LIVES {
        let receiver = scene.serve();
        let pid = receiver.pid();
        // It dies at another moment each time, in the middle of whatever it does.
        let killer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(7 * life as u64));
            let _ = std::process::Command::new("kill").args(["-s", "KILL", &pid.to_string()]).status();
        });
        for number in 0..3 {
            let group = format!("Group{life}x{number}");
            let headers = format!("Authorization: Bearer {TOKEN}\r\n");
            let body = message(&group, 2, true).to_string();
            match receiver.try_to_ask("POST", "/alerts", &headers, &body) {
                Ok(answer) if answer.status == 200 => taken.push(group),
                // Alertmanager would send it again.
                _ => break,
            }
        }
        killer.join().unwrap();
        receiver.kill();
    }
    assert!(!taken.is_empty());
    let receiver = scene.serve();
    scene.until("all of it is worked on", |_| receiver.is_done());
    let group_of = |record: &Vec<Value>| record[0]["group"].as_str().unwrap().to_owned();
    let opened = |scene: &Scene| -> Vec<String> { scene.incidents().iter().map(group_of).collect() };
    for group in &taken {
        let key = format!("{{}}:{{alertname=\"{group}\"}}");
        assert_eq!(opened(&scene).iter().filter(|opened| **opened == key).count(), 1, "{group}");
    }
    scene.until("each incident is told of and its levels are paged", |scene| {
        let told = scene.told();
        let of = |id: &Value, kind: &str| {
            told.iter().filter(|line| line["incident"] == *id && line["kind"] == kind).count()
        };
        scene
            .incidents()
            .iter()
            .all(|record| of(&record[0]["incident"], "alert") == 1 && of(&record[0]["incident"], "page") >= 2)
    });
    let mut seen = BTreeMap::new();
    for page in scene.told().iter().filter(|line| line["kind"] == "page") {
        *seen.entry((page["incident"].to_string(), page["page"].to_string())).or_insert(0) += 1;
    }
    assert!(seen.values().all(|count| *count == 1), "{seen:#?}");
}

#[test]
fn who_has_no_token_or_no_message_is_refused() {
    let scene = Scene::new();
    let receiver = scene.serve();
    let whole = message("Down", 1, true).to_string();
    let authorized = format!("Authorization: Bearer {TOKEN}\r\n");
    let huge = format!("{{\"alerts\": \"{}\"}}", "x".repeat(1024 * 1024));
    for (method, path, headers, body, status) in [
        ("POST", "/alerts", "", whole.as_str(), 401),
        ("POST", "/alerts", "Authorization: Bearer wrong\r\n", whole.as_str(), 401),
        ("POST", "/alerts", "Authorization: Basic c2VjcmV0\r\n", whole.as_str(), 401),
        ("POST", "/alerts", authorized.as_str(), "{}", 400),
        ("POST", "/alerts", authorized.as_str(), "no JSON", 400),
        ("POST", "/alerts", authorized.as_str(), huge.as_str(), 413),
        ("GET", "/alerts", authorized.as_str(), "", 405),
        ("GET", "/elsewhere", "", "", 404),
        ("GET", "/healthz", "", "", 200),
    ] {
        let answer = receiver.ask(method, path, headers, body);
        assert_eq!(answer.status, status, "{method} {path} {headers}: {answer:?}");
        assert!(!answer.body.contains(TOKEN));
    }
    assert_eq!(receiver.send(&message("Down", 1, true)).status, 200);
    let figures = receiver.get("/metrics").body;
    assert!(figures.contains("\nopsctl_messages_taken_total 1\n"), "{figures}");
    assert!(figures.contains("\nopsctl_messages_refused_total 6\n"), "{figures}");
    scene.until("only the one is open", |scene| !scene.told().is_empty());
    assert_eq!(scene.incidents().len(), 1);
    assert!(!scene.log().contains(TOKEN));
}

#[test]
fn one_who_does_not_come_to_the_end_of_a_message_keeps_nobody_waiting() {
    let scene = Scene::new();
    let receiver = scene.serve();
    let stalled: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut stream = TcpStream::connect(receiver.address).unwrap();
            let head = format!("POST /alerts HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 900\r\n\r\n{{");
            stream.write_all(head.as_bytes()).unwrap();
            stream
        })
        .collect();
    let begun = Instant::now();
    assert_eq!(receiver.send(&message("Down", 1, true)).status, 200);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    drop(stalled);
}

#[test]
fn without_a_token_only_this_machine_may_send() {
    let scene = Scene::new();
    scene.altered("  receiver: { token: { file: token } }\n", "");
    let refused = scene.command(&["serve", "--listen", "0.0.0.0:0"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(4), "{refused:?}");
    let receiver = scene.serve();
    let answer = receiver.ask("POST", "/alerts", "", &message("Down", 1, true).to_string());
    assert_eq!(answer.status, 200);
}

#[test]
fn a_second_receiver_of_the_same_folder_is_refused() {
    let scene = Scene::new();
    let _first: Receiver = scene.serve();
    let second = scene.command(&["serve", "--listen", "127.0.0.1:0"]).output().unwrap();
    assert_eq!(second.status.code(), Some(4), "{second:?}");
}

#[test]
fn a_runbook_that_can_lose_data_is_never_allowed_to_run_by_itself() {
    let scene = Scene::new();
    scene.altered(
        "  zone: Etc/UTC\n",
        "  zone: Etc/UTC\n  automatic: [{ alert: Down, runbook: cache-damaged }]\n",
    );
    let refused = scene.command(&["serve", "--listen", "127.0.0.1:0"]).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(3), "{said}");
    assert!(said.contains("`cache-damaged` can lose data"), "{said}");
}
