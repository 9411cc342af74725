//! Who is called, who has it, and what calls them.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::scene::Scene;

const REST: &str = "projects:\n  web: { host: here, directory: /srv/web }\nservices:\n  argus:\n    project: web\n    instances:\n      \
    argus-1: { health: 'http://localhost:1/health' }\nchannels:\n  ops: { to: { file: ops.jsonl } }\n";

/// A site with a channel, and an incident of one service.
fn open() -> Scene {
    let scene = Scene::new();
    let inventory = fs::read_to_string(scene.path("opsctl.yaml")).unwrap();
    scene.file("opsctl.yaml", &format!("{inventory}{REST}"));
    let words = ["incident", "open", "--service", "argus", "--title", "orders are refused"];
    scene.opsctl(&[&words[..], &["--severity", "critical", "--yes"]].concat()).ends_with(0);
    scene
}

/// The messages that arrived: their kind, or whom they call and what it says below.
fn arrived(scene: &Scene) -> Vec<String> {
    let lines = scene.lines("ops.jsonl").into_iter();
    let shown = lines.map(|line| {
        let line: Value = serde_json::from_str(&line).unwrap();
        match line["page"]["level"].as_str() {
            Some(level) => format!("{level}/{}", line["page"]["round"]),
            None => line["kind"].as_str().unwrap().to_owned(),
        }
    });
    shown.collect()
}

#[test]
fn whoever_acknowledges_has_it_and_everyone_is_told() {
    let scene = open();
    let opened = arrived(&scene);
    assert_eq!(opened[0], "alert", "{opened:?}");
    assert!(opened.contains(&"L1/1".to_owned()), "{opened:?}");
    scene.opsctl(&["incident", "ack"]).ends_with(0);
    assert_eq!(arrived(&scene)[opened.len()..], ["update"]);
    let told: Value = serde_json::from_str(scene.lines("ops.jsonl").last().unwrap()).unwrap();
    assert_eq!(told["acknowledged"], true);
    assert!(told["text"].as_str().unwrap().contains("tester has acknowledged and looks into it"), "{told}");
    // The same one again tells nothing new.
    scene.opsctl(&["incident", "ack"]).ends_with(0);
    assert_eq!(arrived(&scene).len(), opened.len() + 1);
    let said = scene.opsctl(&["incident", "show"]).ends_with(0);
    assert!(said.contains("tester"), "{said}");
}

#[test]
fn what_is_given_back_is_called_out_again() {
    let scene = open();
    let said = scene.opsctl(&["incident", "ack", "--give-back", "no time"]).ends_with(4);
    assert!(said.contains("error: nobody has the incident"), "{said}");
    scene.opsctl(&["incident", "ack", "--who", "ada"]).ends_with(0);
    let before = arrived(&scene);
    scene.opsctl(&["incident", "ack", "--give-back", "no time"]).ends_with(0);
    let called = &arrived(&scene)[before.len()..];
    assert_eq!(called.len(), 1, "{called:?}");
    assert!(called[0].ends_with("/2"), "{called:?}");
}

#[test]
fn the_next_level_is_called_when_somebody_asks_for_it() {
    let scene = open();
    scene.opsctl(&["incident", "escalate"]).ends_with(2);
    scene.opsctl(&["incident", "escalate", "--to", "L5", "--why", "help"]).ends_with(2);
    scene.opsctl(&["incident", "escalate", "--to", "l4", "--why", "help"]).ends_with(0);
    let all = arrived(&scene);
    for page in ["L1/1", "L2/1", "L3/1", "L4/1"] {
        assert_eq!(all.iter().filter(|arrived| *arrived == page).count(), 1, "{all:?}");
    }
    let said = scene.opsctl(&["incident", "escalate", "--why", "help"]).ends_with(4);
    assert!(said.contains("error: L4 was called already, and there is no level above it"), "{said}");
    let said = scene.opsctl(&["incident", "escalate", "--to", "L1", "--why", "help"]).ends_with(4);
    assert!(said.contains("L4 was called already"), "{said}");
}

#[test]
fn an_incident_is_handed_over_by_who_has_it() {
    let scene = open();
    let said = scene.opsctl(&["incident", "handoff", "eve", "--note", "the copy is built"]).ends_with(4);
    assert!(said.contains("error: nobody has the incident"), "{said}");
    scene.opsctl(&["incident", "ack"]).ends_with(0);
    scene.opsctl(&["incident", "handoff", "eve", "--note", "the copy is built"]).ends_with(0);
    let told: Value = serde_json::from_str(scene.lines("ops.jsonl").last().unwrap()).unwrap();
    let text = told["text"].as_str().unwrap();
    assert_eq!(told["kind"], "handoff");
    for line in ["From: tester\n", "To: eve\n", "Note: the copy is built\n"] {
        assert!(text.contains(line), "{text}");
    }
    assert!(scene.opsctl(&["incident", "show"]).ends_with(0).contains("eve"));
}

#[test]
fn a_channel_that_fails_is_said_and_tried_again_by_the_next_tick() {
    let scene = open();
    fs::remove_file(scene.path("ops.jsonl")).unwrap();
    fs::create_dir(scene.path("ops.jsonl")).unwrap();
    let said = scene.opsctl(&["incident", "ack"]).ends_with(15);
    assert!(said.contains("✘ update to `ops`"), "{said}");
    let said = scene.opsctl(&["incident", "tick"]).ends_with(0);
    assert_eq!(said, "", "a folder is never a file: it was refused for good");
}

#[test]
fn a_tick_does_nothing_where_nothing_is_due_and_leaves_word_that_it_came() {
    let scene = open();
    let doctor = |code| scene.opsctl(&["doctor", "--json"]).ends_with(code);
    let said = doctor(5);
    assert!(said.contains("1 is open, and nobody looks after them: no page climbs"), "{said}");
    let before = arrived(&scene);
    for _ in 0..3 {
        assert_eq!(scene.opsctl(&["incident", "tick"]).ends_with(0), "");
    }
    assert_eq!(arrived(&scene), before);
    assert!(scene.opsctl(&["doctor", "--json"]).stdout.contains("1 is open, looked after SPAN ago"));
    scene.opsctl(&["incident", "tick", "nothing-of-that-name"]).ends_with(2);
}

#[test]
fn a_watch_looks_after_all_incidents_until_it_is_ended() {
    let scene = open();
    scene.opsctl(&["incident", "watch", "--every", "2m"]).ends_with(2);
    // Its inventory is the one that each incident was opened with, wherever it is begun.
    let mut command = scene.command(&["incident", "watch", "--every", "1s"]);
    let mut watch = command.current_dir("/").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let ticked = scene.path("state/incidents/ticked");
    let mut seen = Vec::new();
    while seen.len() < 2 {
        assert_eq!(watch.try_wait().unwrap(), None, "it goes on");
        let text = fs::read_to_string(&ticked).unwrap_or_default();
        if !text.is_empty() && !seen.contains(&text) {
            seen.push(text);
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let killed = Command::new("kill").args(["-s", "INT", &watch.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let said = scene.seen(&watch.wait_with_output().unwrap()).ends_with(0);
    assert_eq!(said, "looking after incidents every SPAN; Ctrl-C ends it\n");
}

#[test]
fn an_incident_that_was_edited_is_told_of_and_holds_up_no_other() {
    let scene = open();
    let words = ["incident", "open", "--service", "argus", "--title", "x", "--severity", "warning", "--yes"];
    scene.opsctl(&words).ends_with(4);
    let mut folders = fs::read_dir(scene.path("state/incidents")).unwrap().map(|entry| entry.unwrap().path());
    let folder = folders.find(|path| path.is_dir()).unwrap();
    let record = fs::read_to_string(folder.join("record.jsonl")).unwrap();
    fs::write(folder.join("record.jsonl"), record.replacen("orders", "nobody", 1)).unwrap();
    let said = scene.opsctl(&["incident", "tick"]).ends_with(14);
    assert!(said.contains("error: line 2 of the record is wrong"), "{said}");
    assert!(scene.path("state/incidents/ticked").is_file());
}

#[test]
fn a_schedule_of_ticks_is_two_units_that_systemd_understands() {
    let scene = Scene::new();
    let output = scene.command(&["incident", "tick", "--schedule"]).output().unwrap();
    let units = String::from_utf8(output.stdout.clone()).unwrap();
    let program = env!("CARGO_BIN_EXE_opsctl");
    let user = units.lines().find_map(|line| line.strip_prefix("User=")).unwrap().to_owned();
    insta::with_settings!({ filters => vec![
        (regex::escape(program).as_str(), "/PATH/opsctl"),
        (format!("User={user}").as_str(), "User=USER"),
    ]}, {
        insta::assert_snapshot!(scene.seen(&output).ends_with(0), @r"
        # /etc/systemd/system/opsctl-incidents.service
        [Unit]
        Description=Calls whoever is due in an incident, and sends what waits
        Wants=network-online.target
        After=network-online.target

        [Service]
        Type=oneshot
        User=USER
        Environment=OPSCTL_OPERATOR=timer OPSCTL_STATE_DIR=DIR/state
        ExecStart=/PATH/opsctl incident tick --inventory DIR/opsctl.yaml
        # It may die at any moment: the next one goes on with it.
        TimeoutStartSec=5min

        # /etc/systemd/system/opsctl-incidents.timer
        [Unit]
        Description=Looks after incidents, twice a minute

        [Timer]
        OnCalendar=*:*:0/30
        AccuracySec=SPAN

        [Install]
        WantedBy=timers.target

        to install it:
          opsctl incident tick --inventory DIR/opsctl.yaml --schedule | sudo awk '/^# \/etc\// { file = $2 } { print > file }'
          sudo systemctl daemon-reload && sudo systemctl enable --now opsctl-incidents.timer
        ");
    });
    let folder = tempfile::tempdir().unwrap();
    let units = units.split("# /etc/systemd/system/").filter(|unit| !unit.is_empty());
    let paths: Vec<_> = units
        .map(|unit| {
            let (name, text) = unit.split_once('\n').unwrap();
            fs::write(folder.path().join(name), text).unwrap();
            folder.path().join(name)
        })
        .collect();
    assert_eq!(paths.len(), 2);
    // It is not everywhere; where it is, it has nothing to say.
    if let Ok(verified) = Command::new("systemd-analyze").args(["verify", "--man=no"]).args(&paths).output() {
        let said = String::from_utf8_lossy(&verified.stderr).into_owned();
        assert!(verified.status.success() && !said.contains("opsctl"), "{said}");
    }
}
