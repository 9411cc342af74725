//! `opsctl audit verify`.

use std::fs;

use opsctl::model::plan::Digest;
use regex::Regex;

use crate::scene::{ONE_AND_TWO, Scene};

fn scene_with_a_run() -> Scene {
    let scene = Scene::new();
    scene.runbook("two", ONE_AND_TWO);
    scene.opsctl(&["run", "two", "--yes"]).ends_with(0);
    scene
}

/// Changes the one run's journal.
fn edit(scene: &Scene, change: impl Fn(Vec<String>) -> Vec<String>) {
    let journal = scene.run_folder().join("journal.jsonl");
    let lines = fs::read_to_string(&journal).unwrap().split_inclusive('\n').map(str::to_owned).collect();
    fs::write(&journal, change(lines).concat()).unwrap();
}

#[test]
fn what_was_written_is_intact() {
    let scene = scene_with_a_run();
    assert!(scene.opsctl(&["audit", "verify"]).ends_with(0).contains("✔ intact"));
    assert!(
        scene.opsctl(&["audit", "verify", "latest", "--offline"]).ends_with(0).contains("no host was asked")
    );
    let empty = Scene::new();
    assert!(empty.opsctl(&["audit", "verify"]).ends_with(0).contains("no runs yet"));
}

#[test]
fn what_was_edited_is_named_with_its_place_and_exits_with_14() {
    let scene = scene_with_a_run();
    edit(&scene, |mut lines| {
        lines[1] = lines[1].replacen("tester", "somebody", 1);
        lines.remove(5);
        lines
    });
    let seen = scene.opsctl(&["audit", "verify", "--offline"]);
    assert_eq!(seen.code, 14, "{}", seen.stderr);
    let places = Regex::new(r"byte \d+").unwrap();
    insta::assert_snapshot!(places.replace_all(&seen.stdout, "byte N"), @r"
    SHORT  ✘ corrupt  9 records; no host was asked
      byte N: record 2 was edited: it is not the one that record 3 belongs to
      byte N: record 6 was removed
    ");
    let json = scene.command(&["audit", "verify", "--offline", "--json"]).output().unwrap();
    assert_eq!(json.status.code(), Some(14));
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    let faults = json["runs"][0]["faults"].as_array().unwrap();
    let faults: Vec<_> =
        faults.iter().map(|fault| (fault["record"].as_u64(), fault["fault"].as_str())).collect();
    assert_eq!(faults, [(Some(2), Some("edited")), (Some(6), Some("removed"))]);
    assert_eq!(json["runs"][0]["verdict"], "corrupt");
}

#[test]
fn an_output_that_was_removed_or_changed_is_found() {
    let scene = scene_with_a_run();
    let blobs = scene.run_folder().join("blobs");
    let mut outputs: Vec<_> = fs::read_dir(&blobs).unwrap().map(|entry| entry.unwrap().path()).collect();
    outputs.sort();
    assert_eq!(outputs.len(), 2);
    fs::remove_file(&outputs[0]).unwrap();
    fs::write(&outputs[1], "three\n").unwrap();
    let said = scene.opsctl(&["audit", "verify", "--offline"]).ends_with(14);
    assert!(said.contains("is missing") && said.contains("was changed"), "{said}");
}

#[test]
fn one_run_that_is_damaged_hides_no_other() {
    let scene = scene_with_a_run();
    fs::write(scene.run_folder().join("plan.json"), "{}").unwrap();
    scene.runbook("again", ONE_AND_TWO);
    scene.opsctl(&["run", "again", "--yes"]).ends_with(0);
    let said = scene.opsctl(&["audit", "verify"]).ends_with(14);
    assert!(said.contains("✘ corrupt") && said.contains("✔ intact"), "{said}");
    scene.opsctl(&["audit", "verify", "latest"]).ends_with(0);
}

/// Changes a record, and computes the chain anew from there on, as whoever can write to the state folder could.
fn forge(scene: &Scene, record: usize, from: &str, to: &str) {
    edit(scene, |mut lines| {
        assert!(lines[record - 1].contains(from), "{}", lines[record - 1]);
        for place in record - 1..lines.len() {
            lines[place] = if place == record - 1 {
                lines[place].replacen(from, to, 1)
            } else {
                let prev = Digest::of(lines[place - 1].trim_end().as_bytes());
                let mut value: serde_json::Value = serde_json::from_str(&lines[place]).unwrap();
                let old = value["prev"].take();
                lines[place].replacen(old.as_str().unwrap(), prev.as_str(), 1)
            };
        }
        lines
    });
}

#[test]
fn hosts_remember_what_a_forged_chain_denies() {
    let scene = scene_with_a_run();
    let seen = scene.opsctl(&["audit", "verify"]);
    assert!(seen.stdout.contains("1 host asked: "), "{}", seen.stdout);
    assert!(seen.stdout.contains("receipts and leases agree"), "{}", seen.stdout);
    forge(&scene, 2, "tester", "nobody");
    scene.opsctl(&["audit", "verify", "--offline"]).ends_with(0);
    let said = scene.opsctl(&["audit", "verify"]).ends_with(14);
    assert!(said.contains("was edited") && said.contains("`here`"), "{said}");
}

#[test]
fn hosts_remember_what_was_cut_off() {
    let scene = scene_with_a_run();
    edit(&scene, |mut lines| {
        let second = lines.iter().rposition(|line| line.contains("step_started")).unwrap();
        lines.truncate(second);
        lines
    });
    scene.opsctl(&["audit", "verify", "--offline"]).ends_with(0);
    let said = scene.opsctl(&["audit", "verify"]).ends_with(14);
    assert!(said.contains("the journal was cut off after record") && said.contains("`here`"), "{said}");
}

#[test]
fn a_run_that_came_from_a_host_is_intact_without_its_outputs() {
    let scene = scene_with_a_run();
    fs::remove_dir_all(scene.path("state")).unwrap();
    // It has ended: there is nothing to resume, but it is here again.
    scene.opsctl(&["resume", "--from-host", "here", "--yes"]).ends_with(2);
    let said = scene.opsctl(&["audit", "verify"]).ends_with(0);
    assert!(said.contains("on the machine where they were recorded"), "{said}");
}

#[test]
fn a_host_that_does_not_answer_is_named_and_spoils_nothing() {
    let scene = scene_with_a_run();
    scene.file("opsctl.yaml", "name: test\nhosts:\n  gone: { address: 'ssh://127.0.0.1:1' }\n");
    let said = scene.opsctl(&["audit", "verify"]).ends_with(0);
    assert!(said.contains("not checked against `gone`"), "{said}");
    assert!(said.contains("1 host asked"), "the plan names its own: {said}");
}
