//! A disk without a byte left, and one without an inode, are cleaned up while the stack on it is written to: nothing is lost that somebody
//! needs, and every release can be gone back to. A volume goes by its name alone.

use std::collections::BTreeSet;
use std::time::Instant;

use serde_json::Value;

use crate::aged::{Old, RELEASES};
use crate::meanwhile::Writing;
use crate::rolling::versions;
use crate::site::{Load, text};

/// A disk that has nothing left of `what` is cleaned up, under a load that began before it was full. What the steps have written.
fn cleaned(old: &Old, what: &str) -> String {
    let (needed, before) = (old.needed(), old.objects());
    let writing = Writing::begin(old);
    old.fill(what);
    let began = Instant::now();
    let mut words = old.cleanup();
    words.push("--json".to_owned());
    let output = old.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let took = began.elapsed();
    let mut load = Load {
        status: output.status.code().unwrap_or(-1),
        counts: writing.counts(),
        stderr: text(&output.stderr),
    };
    load.counts["command_ms"] = (took.as_millis() as u64).into();
    load.assert_nothing_lost(old, &format!("fill {what}"));
    assert_is_as_estimated(&text(&output.stdout));
    old.assert_is_clean(&needed, &before, &load.stderr);
    old.told()
}

/// What went whole gave what it was thought to.
fn assert_is_as_estimated(lines: &str) {
    let report: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    for kind in report["freed"].as_array().unwrap() {
        let [estimated, freed] = ["estimated_bytes", "freed_bytes"].map(|key| kind[key].as_u64());
        println!(
            "drill: {} of {} bytes were freed by {}",
            kind["freed_bytes"], kind["estimated_bytes"], kind["what"]
        );
        let went_whole = ["builds", "container", "dangling-image", "image"];
        if went_whole.iter().any(|name| kind["what"] == *name) {
            let (estimated, freed) = (estimated.unwrap(), freed.unwrap());
            assert!(freed.abs_diff(estimated) * 10 <= estimated, "{kind}");
        }
    }
}

#[test]
fn a_disk_without_a_byte_is_cleaned_up_and_every_release_can_be_gone_back_to_on_the_small_host() {
    let old = Old::take();
    let told = cleaned(&old, "bytes");
    assert!(
        told.contains("docker pull opsctl-lab-registry:5000/opareta/"),
        "what can be pulled again is said: {told}"
    );

    old.lab("break", &["registry"]);
    for service in ["argus", "hermes"] {
        for version in [RELEASES[1], RELEASES[0], RELEASES[2]] {
            old.does(&["rollback", service, version, "--settle", "1s", "--yes"]);
            assert_eq!(versions(&old, service), BTreeSet::from([version.to_owned()]));
        }
    }
    old.assert_is_well();
}

/// Names that lead astray are names, and what they lead to is left.
#[test]
fn a_disk_without_an_inode_is_cleaned_up_on_the_small_host() {
    let old = Old::take();
    let told = cleaned(&old, "inodes");
    for name in
        ["/tmp/-rf", "/tmp/two\\nlines", "/tmp/old folder/upload", "/tmp/$(touch injected) 'and' \"more\""]
    {
        assert!(told.contains(&format!("removed file {name}, ")), "{name} is still there");
    }
    let left = old.on_host("cd /tmp; ls -d etc link old* pipe precious; find / -xdev -name 'injected*'");
    assert_eq!(left, "etc\nlink\nold folder\npipe\nprecious\n");
}

/// The one way in which a volume ever goes: by its name.
#[test]
fn a_volume_goes_by_its_name_alone_on_the_small_host() {
    let old = Old::take();
    let mut needed = old.needed();
    let words = ["cleanup", "volume", "unused", "--host", "app"];
    let asked = old.say(&[&words[..], &["--yes"]].concat());
    assert_eq!(asked.status.code(), Some(4), "{}", text(&asked.stderr));
    assert_eq!(old.needed(), needed, "nothing was touched");
    let used = old.say(&["cleanup", "volume", "docker_redis", "--host", "app", "--confirm", "docker_redis"]);
    assert_ne!(used.status.code(), Some(0), "{}", text(&used.stderr));
    assert_eq!(old.needed(), needed, "nothing was touched");

    let words = old.words(&[&words[..], &["--confirm", "unused"]].concat());
    let load = old.under_load(&words.iter().map(String::as_str).collect::<Vec<_>>());
    load.assert_nothing_lost(&old, "nothing; a volume is removed by its name");
    needed.volume_names = needed
        .volume_names
        .lines()
        .filter(|name| *name != "unused")
        .map(|name| format!("{name}\n"))
        .collect();
    let mut now = old.needed();
    // Its files were the second half of them.
    now.volumes.clear();
    needed.volumes.clear();
    assert_eq!(now, needed);
}
