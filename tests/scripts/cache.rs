//! The files of a cache that goes back to a backup, and a file that is none: whatever is cut short, each is in one of the folders.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::scene::{Scene, each};

/// A script for a container is run by the shell that asked for it; after as many renames as `limit` says, it is killed.
const DOCKER: &str = r#"#!/bin/sh
case "$*" in
'ps -aq '*) echo 0123abc ;;
'inspect -f {{range .Mounts}}'*) echo "$DIR/data" ;;
'inspect '*) echo 0 ;;
'compose '*) echo "$*" >>"$DIR/composed" ;;
'run '*)
    while [ "$1" != -c ]; do shift; done
    shift
    count='mv() { command mv "$@" || return; echo >>"$DIR/renames"; [ "$(wc -l <"$DIR/renames")" != "$(cat "$DIR/limit" 2>/dev/null)" ] || kill -KILL $$; }; sync() { :; }'
    script="$count
$1"
    shift
    shell=$(readlink "/proc/$PPID/exe")
    case $shell in *busybox) exec busybox sh -c "$script" "$@" ;; *) exec "$shell" -c "$script" "$@" ;; esac ;;
*) echo "nobody asked for $*" >&2; exit 1 ;;
esac
"#;

const RECORD: &str = "sum 1\nappendonly yes\ndbfilename dump.rdb\nappendfilename appendonly.aof\nappenddirname appendonlydir\ndb0:keys=1,expires=0\n";

fn swap(back: bool) -> Value {
    json!({ "cache": "redis", "at": "1", "back": back })
}

/// What is in the data directory: each file, and what it holds.
fn files(scene: &Scene) -> BTreeMap<String, String> {
    fn walk(folder: &Path, before: &str, files: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = format!("{before}{}", entry.file_name().into_string().unwrap());
            match entry.path().is_dir() {
                true => walk(&entry.path(), &format!("{name}/"), files),
                false => _ = files.insert(name, fs::read_to_string(entry.path()).unwrap()),
            }
        }
    }
    let mut files = BTreeMap::new();
    walk(&scene.path("data"), "", &mut files);
    files
}

/// Those that Redis reads.
fn live(scene: &Scene) -> Vec<String> {
    let files = files(scene).into_iter().filter(|(name, _)| !name.starts_with("opsctl-"));
    files.map(|(name, content)| format!("{name}: {content}")).collect()
}

const OLD: [&str; 2] = ["appendonlydir/manifest: old", "dump.rdb: old"];
const NEW: [&str; 2] = ["appendonlydir/manifest: new", "dump.rdb: new"];

/// A data directory with something prepared in it. `has_dump`: whether there was a dump before.
fn set(scene: &Scene, has_dump: bool) {
    let _ = fs::remove_dir_all(scene.path("data"));
    for folder in ["data", "data/appendonlydir", "data/opsctl-new-1", "data/opsctl-new-1/appendonlydir"] {
        scene.make(folder);
    }
    scene.write("data/appendonlydir/manifest", "old");
    scene.write("data/opsctl-new-1/appendonlydir/manifest", "new");
    scene.write("data/opsctl-new-1/dump.rdb", "new");
    scene.write("data/opsctl-new-1/opsctl-record", RECORD);
    if has_dump {
        scene.write("data/dump.rdb", "old");
    }
    limit(scene, None);
}

fn limit(scene: &Scene, renames: Option<usize>) {
    scene.write("renames", "");
    scene.write("limit", &renames.map(|renames| renames.to_string()).unwrap_or_default());
}

/// A swap that is killed after so many renames; whether it came to its end before.
fn killed(scene: &Scene, back: bool, renames: usize) -> bool {
    limit(scene, Some(renames));
    let ended = scene.run("redis.swap", swap(back)).status.success();
    limit(scene, None);
    ended
}

#[test]
fn a_swap_that_is_killed_after_any_rename_is_gone_on_with_or_taken_back() {
    each(DOCKER, |scene| {
        for has_dump in [true, false] {
            let old = &OLD[..if has_dump { 2 } else { 1 }];
            for renames in 1.. {
                set(scene, has_dump);
                let ended = killed(scene, false, renames);
                scene.does("redis.swap", swap(false));
                assert_eq!(live(scene), NEW, "{:?}, {renames}", scene.shell);
                scene.does("redis.swap", swap(false));
                assert_eq!(files(scene)["opsctl-aside-1/appendonlydir/manifest"], "old");
                scene.does("redis.swap", swap(true));
                assert_eq!(live(scene), old, "{:?}, {renames}", scene.shell);
                assert_eq!(files(scene)["opsctl-taken-back-1/dump.rdb"], "new");
                scene.does("redis.swap", swap(true));
                assert_eq!(live(scene), old);

                set(scene, has_dump);
                killed(scene, false, renames);
                scene.does("redis.swap", swap(true));
                assert_eq!(live(scene), old, "taken back: {:?}, {renames}", scene.shell);
                let is_there = |folder: &str| files(scene).contains_key(&format!("{folder}/dump.rdb"));
                assert!(is_there("opsctl-new-1") || is_there("opsctl-taken-back-1"), "{:?}", files(scene));
                if ended {
                    break;
                }
            }
        }
    });
}

#[test]
fn a_swap_that_is_taken_back_and_killed_after_any_rename_is_taken_back_in_the_end() {
    each(DOCKER, |scene| {
        for renames in 1.. {
            set(scene, true);
            scene.does("redis.swap", swap(false));
            let ended = killed(scene, true, renames);
            scene.does("redis.swap", swap(true));
            assert_eq!(live(scene), OLD, "{:?}, {renames}", scene.shell);
            assert_eq!(files(scene)["opsctl-taken-back-1/appendonlydir/manifest"], "new");
            if ended {
                break;
            }
        }
    });
}

/// An engine that is started anew may start it in the middle, with whatever files are there.
#[test]
fn what_a_server_writes_that_was_started_in_the_middle_is_kept_and_is_in_nobodys_way() {
    each(DOCKER, |scene| {
        for back in [false, true] {
            for renames in 1.. {
                set(scene, true);
                let ended = killed(scene, false, renames);
                let has = |name: &str| scene.path(&format!("data/{name}")).exists();
                let between = !ended && (!has("appendonlydir") || !has("dump.rdb"));
                if between {
                    let _ = fs::create_dir(scene.path("data/appendonlydir"));
                    scene.write("data/appendonlydir/manifest", "between");
                    scene.write("data/dump.rdb", "between");
                }
                scene.does("redis.swap", swap(back));
                let all = files(scene);
                let holds = |content: &str| all.values().filter(|held| *held == content).count();
                assert!(holds("new") >= 1 && holds("old") >= 1, "{:?}, {renames}: {all:?}", scene.shell);
                if !between {
                    assert_eq!(live(scene), if back { OLD } else { NEW }, "{:?}, {renames}", scene.shell);
                }
                if between {
                    assert!(holds("between") >= 1, "{:?}, {renames}: {all:?}", scene.shell);
                }
                if ended {
                    break;
                }
            }
        }
    });
}

#[test]
fn only_what_was_prepared_is_removed() {
    each(DOCKER, |scene| {
        set(scene, true);
        scene.make("data/opsctl-aside-1");
        scene.write("data/opsctl-aside-1/dump.rdb", "older");
        for _ in 0..2 {
            scene.does("redis.discard", json!({ "cache": "redis", "at": "1" }));
            assert_eq!(live(scene), OLD, "{:?}", scene.shell);
            assert_eq!(files(scene).len(), 3, "{:?}", files(scene));
        }
    });
}

#[test]
fn what_was_not_prepared_wholly_is_not_swapped() {
    each(DOCKER, |scene| {
        set(scene, true);
        fs::remove_file(scene.path("data/opsctl-new-1/opsctl-record")).unwrap();
        scene.refuses("redis.swap", swap(false), "is not whole");
        scene.does("redis.swap", swap(true));
        fs::remove_dir_all(scene.path("data/opsctl-new-1")).unwrap();
        scene.refuses("redis.swap", swap(false), "nothing was prepared as opsctl-new-1");
        scene.does("redis.swap", swap(true));
        assert_eq!(live(scene), OLD, "{:?}", scene.shell);
    });
}

#[test]
fn a_file_that_is_no_dump_is_refused_before_anything_is_started() {
    each(DOCKER, |scene| {
        scene.make("backups");
        let file = |name: &str| scene.path(&format!("backups/{name}")).display().to_string();
        let verify = |name: &str| json!({ "cache": "redis", "file": file(name) });
        let name = "it's a \"dump\" $x";
        scene.write(&format!("backups/{name}"), "");
        scene.refuses("redis.verify", verify(name), &format!("{name} is empty"));
        scene.write("backups/text", "hello");
        scene.refuses("redis.verify", verify("text"), "is not a dump of Redis: it does not begin with REDIS");
        scene.refuses("redis.verify", verify("none"), "there is no file");
        scene.make("backups/folder");
        scene.refuses("redis.verify", verify("folder"), "is not a file");
        fs::write(scene.path("backups/gz"), [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]).unwrap();
        scene.refuses("redis.verify", verify("gz"), "is compressed");
        scene.write("backups/short", "REDIS0012");
        let manifest = |of: &str, bytes: u32| {
            format!(
                "{{\n  \"kind\": \"redis\",\n  \"of\": \"{of}\",\n  \"bytes\": {bytes},\n  \"sha256\": \"0\",\n  \"verified\": null\n}}\n"
            )
        };
        scene.write("backups/short.json", &manifest("redis", 20));
        scene.refuses("redis.verify", verify("short"), "is truncated: it has 9 bytes of 20");
        scene.write("backups/short.json", &manifest("redis", 9));
        scene.refuses("redis.verify", verify("short"), "its checksum is not that of its manifest");
        scene.write("backups/short.json", &manifest("other", 9));
        scene.refuses("redis.verify", verify("short"), "is a backup of \"other\"");
    });
}
