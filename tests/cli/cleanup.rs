//! A cleanup as far as it needs no Docker: which host is meant, what cannot be meant, and the units of its schedule.

use std::fs;
use std::process::Command;

use crate::scene::Scene;

/// A site with a second host, at a port of this machine that nobody listens at.
fn two_hosts() -> Scene {
    let scene = Scene::new();
    let inventory = fs::read_to_string(scene.path("opsctl.yaml")).unwrap();
    scene.file("opsctl.yaml", &format!("{inventory}  far: {{ address: 'ssh://127.0.0.1:1' }}\n"));
    scene
}

#[test]
fn the_help_says_what_goes_and_what_never_does() {
    let scene = Scene::new();
    let help = [&["cleanup", "--help"][..], &["cleanup", "disk", "--help"], &["cleanup", "volume", "--help"]];
    let said: Vec<String> = help.into_iter().map(|words| scene.opsctl(words).ends_with(0)).collect();
    insta::assert_snapshot!(said.join("\n----\n"));
}

#[test]
fn what_cannot_be_meant_is_told_before_any_host_is_asked() {
    let scene = two_hosts();
    let mistakes: [(&[&str], i32); 12] = [
        (&["disk", "--host", "hear"], 2),
        (&["disk", "--until-free", "20"], 2),
        (&["disk", "--until-free", "100%"], 2),
        (&["disk", "--until-free", "0%"], 2),
        (&["disk", "--until-free", "-5%"], 2),
        (&["disk", "--look", "--yes"], 2),
        (&["disk", "--look", "--schedule"], 2),
        (&["disk", "--schedule", "--plan"], 2),
        (&["disk", "--schedule"], 2),
        (&["disk", "here"], 2),
        (&["volume"], 2),
        (&["volume", "data"], 2),
    ];
    let said: Vec<String> = mistakes
        .into_iter()
        .map(|(words, code)| {
            let words: Vec<&str> = [&["cleanup"], words].concat();
            format!("$ opsctl {}\n{}", words.join(" "), scene.opsctl(&words).ends_with(code))
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"));
    assert_eq!(scene.opsctl(&["runs", "list", "--json"]).stdout.trim(), "[]");
}

#[test]
fn a_host_that_is_lost_is_not_cleaned() {
    let scene = two_hosts();
    let inventory = fs::read_to_string(scene.path("opsctl.yaml")).unwrap();
    let inventory = inventory.replace("127.0.0.1:1' }", "127.0.0.1:1', standby: here, lost: true }");
    scene.file("opsctl.yaml", &inventory);
    let said = scene.opsctl(&["cleanup", "disk", "--host", "far"]).ends_with(4);
    assert!(said.contains("host `far` is lost"), "{said}");
}

#[test]
fn a_host_that_does_not_answer_is_waited_for() {
    let scene = two_hosts();
    let said = scene.opsctl(&["cleanup", "disk", "--host", "far", "--look"]).ends_with(11);
    assert!(said.contains("error: host `far`: "), "{said}");
}

#[test]
fn of_several_hosts_that_are_short_each_is_told_with_what_to_type() {
    let scene = Scene::new();
    let (inventory, host) = (fs::read_to_string(scene.path("opsctl.yaml")).unwrap(), scene.path("other"));
    let other = format!("  other: {{ address: local, state_dir: {} }}\n", host.display());
    scene.file("opsctl.yaml", &(inventory + &other));
    // No disk is as empty as that.
    let said = scene.opsctl(&["cleanup", "disk", "--until-free", "99.9%", "--plan"]).ends_with(2);
    assert!(said.contains("error: the disks of `here` and `other` are short"), "{said}");
    for line in ["HOST   DISK", "opsctl cleanup disk --until-free 99.9% --host here", "--host other"] {
        assert!(said.contains(line), "{said}");
    }
    // And none is as full as that, unless this machine's is: then it is told.
    let seen = scene.opsctl(&["cleanup", "disk", "--until-free", "0.1%"]);
    assert!(
        seen.code == 0 && seen.stderr.contains("at least 0.1% is free of every disk of every host"),
        "{}",
        seen.stderr
    );
    let seen = scene.opsctl(&["cleanup", "disk", "--until-free", "0.1%", "--json"]);
    assert_eq!(seen.stdout, "{\"hosts\":[\"here\",\"other\"],\"kind\":\"enough\",\"wanted\":\"0.1%\"}\n");
}

#[test]
fn a_schedule_is_two_units_that_systemd_understands() {
    let scene = Scene::new();
    let words = ["cleanup", "disk", "--schedule", "--until-free", "25%"];
    let output = scene.command(&words).output().unwrap();
    let units = String::from_utf8(output.stdout.clone()).unwrap();
    let program = env!("CARGO_BIN_EXE_opsctl");
    let state = scene.path("state").display().to_string();
    let user = units.lines().find_map(|line| line.strip_prefix("User=")).unwrap().to_owned();
    insta::with_settings!({ filters => vec![
        (regex::escape(program).as_str(), "/PATH/opsctl"),
        (regex::escape(&state).as_str(), "DIR/state"),
        (format!("User={user}").as_str(), "User=USER"),
    ]}, {
        insta::assert_snapshot!(scene.seen(&output).ends_with(0));
    });
    // As the first of the two lines that install it splits them.
    let folder = tempfile::tempdir().unwrap();
    let units: Vec<_> = units.split("# /etc/systemd/system/").filter(|unit| !unit.is_empty()).collect();
    let paths: Vec<_> = units
        .into_iter()
        .map(|unit| {
            let (name, text) = unit.split_once('\n').unwrap();
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        })
        .collect();
    assert_eq!(paths.len(), 2);
    let verified = Command::new("systemd-analyze").args(["verify", "--man=no"]).args(&paths).output();
    // It is not everywhere; where it is, it has nothing to say.
    if let Ok(verified) = verified {
        let said = String::from_utf8_lossy(&verified.stderr).into_owned();
        assert!(verified.status.success() && !said.contains("opsctl"), "{said}");
    }
}
