//! Backups as a host has them: shown, chosen among, and missed. A listing needs a shell and no Docker.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::docker::Docker;
use crate::scene::Scene;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// What the inventory has of databases and caches.
fn kept(of_argus: &str) -> String {
    format!(
        "databases:\n  argus: {{ engine: postgres, project: shop, service: db, user: u, name: argus_db, \
         backups: {{ directory: DIR/argus, keep: 7{of_argus} }} }}\n  \
         hermes: {{ engine: postgres, project: shop, service: db, user: u, name: hermes_db }}\ncaches:\n  \
         redis: {{ project: shop, service: web, backups: {{ directory: DIR/redis, keep: 7 }} }}\n  \
         hermes: {{ project: shop, service: web }}\n"
    )
}

/// A site with backups; more of `argus`' ones, such as its `rpo`.
fn scene(of_argus: &str) -> Scene {
    let scene = Scene::new();
    add(&scene, &format!("projects:\n  shop: {{ host: here, directory: DIR/shop }}\n{}", kept(of_argus)));
    scene
}

fn add(scene: &Scene, text: &str) {
    let inventory = fs::read_to_string(scene.path("opsctl.yaml")).unwrap();
    let folder = scene.path("").display().to_string();
    let text = text.replace("DIR", folder.trim_end_matches('/'));
    scene.file("opsctl.yaml", &(inventory + &text));
    for folder in ["argus", "redis", "shop"] {
        fs::create_dir_all(scene.path(folder)).unwrap();
    }
}

/// A backup without a manifest that was written so many seconds ago: half a minute more, so that its age is the same in words when
/// the test is slow.
fn found(scene: &Scene, file: &str, text: &str, age: u64) {
    scene.file(file, text);
    let at = SystemTime::now() - Duration::from_secs(age + 30);
    File::options().append(true).open(scene.path(file)).unwrap().set_modified(at).unwrap();
}

/// A backup of opsctl's own, of so many seconds ago; `verified` so many seconds ago.
fn made(scene: &Scene, file: &str, of: &str, age: u64, verified: Option<u64>) {
    let ago = |age: u64| Timestamp::now() - SignedDuration::from_secs(age as i64 + 30);
    scene.file(file, "a dump");
    let kind = if file.ends_with(".rdb") { "redis" } else { "postgres" };
    let verified = match verified {
        Some(age) => format!(r#"{{ "at": "{:.0}", "run": "r", "seconds": 41 }}"#, ago(age)),
        None => "null".to_owned(),
    };
    let manifest = format!(
        "{{\n  \"kind\": \"{kind}\",\n  \"of\": \"{of}\",\n  \"at\": \"{:.0}\",\n  \"by\": \"ada@laptop\",\n  \"bytes\": 6,\n  \
         \"sha256\": \"\",\n  \"verified\": {verified},\n  \"tables\": {{\n    \"public.\\\"a}} b\\\"\": 7,\n    \"public.x\": 8\n  }}\n}}\n",
        ago(age)
    );
    scene.file(&format!("{file}.json"), &manifest);
}

#[test]
fn every_backup_is_shown_with_its_age_and_what_is_wrong_is_said() {
    let scene = scene(", rpo: 48h");
    made(&scene, "argus/argus_3.dump", "argus", 38 * MINUTE, None);
    made(&scene, "argus/argus_2.dump", "argus", DAY + 3 * HOUR, Some(DAY + 2 * HOUR));
    found(&scene, "argus/argus_by hand.dump", "a dump", 9 * DAY);
    found(&scene, "argus/argus_0.dump", "", 10 * DAY);
    // Of another, and still being written.
    made(&scene, "argus/argus_of_hermes.dump", "hermes", MINUTE, None);
    found(&scene, "argus/argus_4.dump.part", "half", 0);
    made(&scene, "redis/redis_1.rdb", "redis", 2 * HOUR, Some(2 * HOUR));
    insta::assert_snapshot!(scene.opsctl(&["backups"]).ends_with(0));
}

#[test]
fn what_may_be_lost_is_held_against_the_newest_verified_one() {
    let scene = scene(", rpo: 1h");
    made(&scene, "argus/argus_1.dump", "argus", 5 * MINUTE, None);
    insta::assert_snapshot!(scene.opsctl(&["backups", "argus", "--quiet"]).ends_with(5));
    made(&scene, "argus/argus_0.dump", "argus", 26 * HOUR, Some(HOUR));
    insta::assert_snapshot!(scene.opsctl(&["backups", "argus"]).ends_with(5));
    let json = scene.command(&["backups", "argus", "--json"]).output().unwrap();
    assert_eq!(json.status.code(), Some(5));
    let document: Value = serde_json::from_slice(&json.stdout).unwrap();
    let of = &document["of"][0];
    assert_eq!(
        (&document["kind"], &of["name"], &of["meets_rpo"]),
        (&"backups".into(), &"argus".into(), &false.into())
    );
    assert_eq!(of["backups"].as_array().unwrap().len(), 2);
    made(&scene, "argus/argus_2.dump", "argus", 59 * MINUTE, Some(0));
    scene.opsctl(&["backups", "argus"]).ends_with(0);
}

#[test]
fn a_folder_that_is_missing_is_told_from_one_that_is_empty() {
    let scene = scene("");
    fs::remove_dir(scene.path("redis")).unwrap();
    insta::assert_snapshot!(scene.opsctl(&["backups"]).ends_with(0));
}

#[test]
fn a_host_that_does_not_answer_hides_no_other() {
    let scene = scene("");
    let inventory = fs::read_to_string(scene.path("opsctl.yaml")).unwrap();
    let inventory = inventory
        .replace(
            "projects:\n",
            "  far: { address: 'ssh://127.0.0.1:1' }\nprojects:\n  away: { host: far, directory: /srv }\n",
        )
        .replace("redis: { project: shop", "redis: { project: away");
    scene.file("opsctl.yaml", &inventory);
    made(&scene, "argus/argus_1.dump", "argus", 5 * MINUTE, None);
    let said = scene.opsctl(&["backups"]);
    assert_eq!(said.code, 5, "{}", said.stderr);
    assert!(said.stdout.contains("argus_1.dump"), "{}", said.stdout);
    assert!(said.stderr.contains("? `redis`: nobody knows its backups: host `far`"), "{}", said.stderr);
    scene.opsctl(&["backups", "redis"]).ends_with(11);
}

#[test]
fn a_wrong_name_or_choice_is_told_before_anything_is_touched() {
    let scene = scene("");
    made(&scene, "argus/argus_1.dump", "argus", 5 * MINUTE, None);
    found(&scene, "argus/argus_0.dump", "", HOUR);
    made(&scene, "argus/other.dump", "hermes", HOUR, None);
    let other = scene.path("argus/other.dump").display().to_string();
    let none = scene.path("argus/none.dump").display().to_string();
    let folder = scene.path("shop").display().to_string();
    let mistakes: [(&[&str], i32); 13] = [
        (&["backup", "argos"], 2),
        (&["backup", "hermes"], 2),
        (&["backup", "database/hermes"], 3),
        (&["backups", "cache/hermes"], 3),
        (&["restore", "redis", "--from", "latest"], 4),
        (&["restore", "redis", "--from", "latest", "--tables", "a"], 2),
        (&["restore", "argus", "--from", "argus_0.dump"], 4),
        (&["restore", "argus", "--from", "argus_l.dump"], 2),
        (&["restore", "argus", "--from", &none], 4),
        (&["restore", "argus", "--from", &folder], 4),
        (&["restore", "argus", "--from", &other], 4),
        (&["restore", "argus", "--from", "2020-01-01"], 4),
        (&["restore", "release", "redis"], 2),
    ];
    let said: Vec<String> = mistakes
        .into_iter()
        .map(|(words, code)| {
            let words: Vec<&str> = words.to_vec();
            let said = scene.opsctl(&words).ends_with(code);
            let line = words.join(" ").replace(&scene.path("").display().to_string(), "DIR/");
            format!("$ opsctl {line}\n{said}")
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"));
    assert_eq!(scene.opsctl(&["runs", "list", "--json"]).stdout.trim(), "[]");
}

#[test]
fn a_restore_says_from_what_and_what_that_loses_before_its_plan() {
    let docker = Docker::new();
    let scene = &docker.scene;
    add(scene, &kept(""));
    found(scene, "argus/argus_2.dump", "", MINUTE);
    made(scene, "argus/argus_1.dump", "argus", 26 * HOUR, Some(2 * HOUR));
    let plan = ["restore", "argus", "--from", "latest", "--plan", "--no-preflight"];
    let seen = docker.opsctl(&plan);
    assert_eq!(seen.code, 0, "{}{}", seen.stdout, seen.stderr);
    assert!(seen.stdout.starts_with("database-restore"), "{}", seen.stdout);
    assert!(seen.stdout.contains("next: opsctl restore argus --from latest"), "{}", seen.stdout);
    insta::with_settings!({ filters => vec![(r"since \d{4}-\d\d-\d\d \d\d:\d\d", "since THEN")] }, {
        insta::assert_snapshot!(seen.stderr);
    });
    let refused = docker.opsctl(&["restore", "argus", "--from", "2h", "--drill"]).ends_with(4);
    assert!(refused.contains("restoring it would lose everything written since"), "{refused}");
    let refused = docker
        .opsctl(&["restore", "argus", "--from", "2h", "--no-preflight", "--confirm", "hermes"])
        .ends_with(4);
    assert!(refused.contains("is not the name of what this plan can destroy: `argus`"), "{refused}");
}
