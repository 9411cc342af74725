//! What Docker and the journal are asked to let go of, where a program in their place answers: no silence is taken for an answer.

use std::fs;

use serde_json::{Value, json};

use crate::cleanup::said;
use crate::scene::each;

const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn goal(more: Value) -> Value {
    let mut args = json!({ "at": "/", "until_free": "100%" });
    args.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
    args
}

fn all() -> [(&'static str, Value); 4] {
    let thing = json!([{ "id": HEX, "name": "old" }]);
    let image = json!([{ "id": format!("sha256:{HEX}"), "names": ["old:1", "old:2"], "bytes": 5 }]);
    let log = json!([{ "container": HEX, "name": "old", "path": "/nowhere/old-json.log" }]);
    [
        ("cleanup.containers", goal(json!({ "containers": thing, "unused_for": "0s" }))),
        ("cleanup.images", goal(json!({ "images": image }))),
        ("cleanup.networks", json!({ "networks": thing })),
        ("cleanup.logs", goal(json!({ "logs": log, "keep": "1MiB" }))),
    ]
}

#[test]
fn an_engine_that_does_not_answer_ends_it_and_nothing_is_removed() {
    // At once, and only after the first question.
    for docker in [
        "echo 'cannot connect to the daemon' >&2; exit 1",
        "[ $(wc -l <\"$DIR/asked\") -gt 1 ] || exit 0; echo 'cannot connect to the daemon' >&2; exit 1",
        "case $* in 'image inspect'*) exit 0 ;; 'ps -q') exit 0 ;; *) echo 'cannot connect to the daemon' >&2; exit 1 ;; esac",
    ] {
        each(&format!("#!/bin/sh\necho \"$*\" >>\"$DIR/asked\"\n{docker}\n"), |scene| {
            for (action, args) in &all()[..3] {
                let _ = fs::remove_file(scene.path("asked"));
                scene.refuses(action, args.clone(), "cannot connect to the daemon");
                let asked = scene.read("asked");
                assert!(!asked.split_whitespace().any(|word| word == "rm"), "{asked}");
            }
        });
    }
}

#[test]
fn what_is_gone_already_is_said_and_is_no_failure() {
    let docker = "#!/bin/sh\ncase $* in *inspect*) echo 'no such thing' >&2; exit 1 ;; esac\n";
    each(docker, |scene| {
        for (action, args) in all() {
            let lines = said(&scene.run(action, args));
            assert!(lines[0].starts_with("left ") && lines.len() == 2, "{action} {lines:?}");
        }
        scene.refuses(
            "image.kept",
            json!({ "images": [{ "id": format!("sha256:{HEX}"), "name": "it's old:1" }] }),
            "these are gone: it's old:1",
        );
    });
}

#[test]
fn the_steps_of_builds_are_named_with_what_they_took() {
    let table = "ID\t\t\t\t\t\tRECLAIMABLE\tSIZE\t\tLAST ACCESSED\nuiz4ts98ukm1mprw0yzii6zty*              \ttrue \t\t62.91MB   \t2 weeks ago\n\
                 ot5cef3t70x9gaxl9ca9nd72v\ttrue\t4.096kB\t2 weeks ago\n1y0i6hxjv9ju1w1u2w0xb6lyn*\ttrue\t25B\t2 weeks ago\nTotal:\t62.92MB\n";
    let older = "Deleted build cache objects:\nuiz4ts98ukm1mprw0yzii6zty\n\nTotal reclaimed space: 0B\n";
    each("#!/bin/sh\n[ \"$*\" = 'builder prune --force' ] || exit 2\ncat \"$DIR/said\"\n", |scene| {
        let removed = |id: &str, bytes: u64| format!("removed build {id}, {bytes} bytes");
        scene.write("said", table);
        let lines = said(&scene.run("cleanup.builds", goal(json!({}))));
        let expected = [
            removed("uiz4ts98ukm1mprw0yzii6zty", 62_910_000),
            removed("ot5cef3t70x9gaxl9ca9nd72v", 4096),
            removed("1y0i6hxjv9ju1w1u2w0xb6lyn", 25),
        ];
        assert_eq!(lines[..lines.len() - 1], expected);
        scene.write("said", older);
        let lines = said(&scene.run("cleanup.builds", goal(json!({}))));
        assert_eq!(lines[..lines.len() - 1], [removed("uiz4ts98ukm1mprw0yzii6zty", 0)]);
        let mut enough = goal(json!({}));
        enough["until_free"] = json!("0%");
        let lines = said(&scene.run("cleanup.builds", enough));
        assert!(lines.len() == 2 && lines[0].starts_with("enough: "), "{lines:?}");
        fs::remove_file(scene.path("said")).unwrap();
        assert!(said(&scene.run("cleanup.builds", goal(json!({}))))[0].starts_with("left builds: "));
    });
}

#[test]
fn what_the_journal_lets_go_of_is_named() {
    each("#!/bin/sh\nexit 1\n", |scene| {
        ["journal", "journal/4f"].into_iter().for_each(|name| scene.make(name));
        ["system.journal", "system@1-2.journal", "system@3-4.journal"]
            .into_iter()
            .for_each(|name| scene.write(&format!("journal/4f/{name}"), "abc"));
        scene.program(
            "journalctl",
            "#!/bin/sh\n[ \"$*\" = --vacuum-time=259200s ] && rm \"$DIR\"/journal/4f/*@1*\n",
        );
        let args = goal(json!({ "keep": "3d", "directory": scene.path("journal") }));
        let lines = said(&scene.run("cleanup.journal", args.clone()));
        let gone = scene.path("journal/4f/system@1-2.journal");
        assert!(lines[0].starts_with(&format!("removed journal {}, ", gone.display())), "{lines:?}");
        assert_eq!(lines.len(), 2);
        let lines = said(&scene.run("cleanup.journal", args));
        assert!(lines[0].starts_with("left journal: rm: ") || lines[0].contains("No such file"), "{lines:?}");
        assert_eq!(scene.files("journal/4f"), ["system.journal", "system@3-4.journal"]);
    });
}
