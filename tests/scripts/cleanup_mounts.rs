//! Filesystems of their own: one that is mounted inside of what is cleaned, and one that is full to the last byte and the last inode.
//!
//! Whoever runs this has to be allowed to mount them, in a namespace of the test's own; where that is not so, nothing is tried.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::scene::{Scene, each};

const DOCKER: &str = "#!/bin/sh\nexit 1\n";

fn may_mount() -> bool {
    let tried = Command::new("unshare").args(["-m", "mount", "-t", "tmpfs", "none", "/mnt"]).output();
    let may = tried.is_ok_and(|tried| tried.status.success());
    if !may {
        eprintln!("nothing can be mounted here: not tried");
    }
    may
}

/// What the script of an action says when it is run after `prepare`, where nobody else sees what that mounts; `after` looks at the end.
fn said(scene: &Scene, prepare: &str, args: serde_json::Value, after: &str) -> String {
    let script = scene.command("1", "cleanup.files", args);
    let words: Vec<_> = script.get_args().map(|word| word.to_str().unwrap()).collect();
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-euc"]);
    let line = format!("cd \"$DIR\"\n{prepare}\n\"$@\"\n{after}");
    command.args([&line, "sh", script.get_program().to_str().unwrap()]).args(words);
    command.env("DIR", scene.path(""));
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{:?} {text}{}", scene.shell, String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn what_is_mounted_inside_is_left_be_it_of_the_same_filesystem() {
    if !may_mount() {
        return;
    }
    each(DOCKER, |scene| {
        ["tree", "tree/same", "tree/memory", "outside"].into_iter().for_each(|name| scene.make(name));
        scene.write("outside/file", "");
        scene.write("tree/file", "");
        let args =
            json!({ "at": "/", "until_free": "100%", "rule": "temporary", "directory": scene.path("tree") });
        let prepare = "mount --bind outside tree/same\nmount -t tmpfs none tree/memory\n>tree/memory/file";
        let text = said(scene, prepare, args, "ls tree/same tree/memory");
        for name in ["same", "memory"] {
            let left =
                format!("left {}: it is another filesystem\n", scene.path(&format!("tree/{name}")).display());
            assert!(text.contains(&left), "{text}");
        }
        assert_eq!(text.lines().filter(|line| *line == "file").count(), 2, "{text}");
        assert_eq!((scene.files("outside").len(), scene.files("tree").len()), (1, 2));
    });
}

/// Neither the script nor any of its programs may need room of their own.
#[test]
fn a_filesystem_without_a_byte_or_an_inode_left_gets_room() {
    if !may_mount() {
        return;
    }
    for (size, fill) in [
        (
            "size=1m,nr_inodes=10000",
            "n=0; while printf %4000s x >full/f$n 2>/dev/null; do n=$((n + 1)); done",
        ),
        ("size=64m,nr_inodes=500", "n=0; while (: >full/f$n) 2>/dev/null; do n=$((n + 1)); done"),
    ] {
        each(DOCKER, |scene| {
            scene.make("full");
            let full = scene.path("full");
            let args = json!({ "at": full, "until_free": "20%", "rule": "temporary", "directory": full });
            // Whatever takes a temporary file takes it there.
            let prepare = format!(
                "mount -t tmpfs -o {size} none full\n{fill}\n\
                 if (printf %5000s x >full/more) 2>/dev/null; then echo 'it is not full' >&2; exit 1; fi\n\
                 export TMPDIR=$DIR/full\ncd full"
            );
            let text = said(scene, &prepare, args, "echo left $(ls | wc -l)");
            assert!(text.contains("\nenough: "), "{text}");
            let left: usize = text.lines().last().unwrap().strip_prefix("left ").unwrap().parse().unwrap();
            let gone = text.lines().filter(|line| line.starts_with("removed file ")).count();
            assert!(gone > 40 && left > 100, "{gone} are gone, {left} are left");
            assert!(fs::read_dir(&full).unwrap().next().is_none());
        });
    }
}
