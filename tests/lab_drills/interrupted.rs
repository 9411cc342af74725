//! opsctl dies in the middle of a recovery, and another process goes on.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::site::{Site, Way, text};

/// Starts a failover and waits until its journal says that the first changing step has begun.
fn failover_until_restart(site: &Site) -> Child {
    let mut child = site
        .opsctl(&["failover", "argus", "--yes", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        said.push(line.unwrap());
        let event: Value = serde_json::from_str(said.last().unwrap()).unwrap();
        if event["type"] == "step_started"
            && event["step"].as_str().is_some_and(|step| step.starts_with("restart"))
        {
            return child;
        }
    }
    let ended = child.wait_with_output().unwrap();
    panic!("no restart was begun: {}\n{}\n{}", ended.status, said.join("\n"), text(&ended.stderr));
}

fn killed_and_resumed(way: Way) {
    let site = Site::take(way);
    site.lab("break", &["kill", "argus"]);
    let mut child = failover_until_restart(&site);
    child.kill().unwrap();
    child.wait().unwrap();

    let runs: Value = serde_json::from_slice(&site.run(&["runs", "list", "--json"]).stdout).unwrap();
    assert_eq!(runs[0]["state"], "interrupted", "{runs}");
    let resumed = site.run(&["resume", "latest"]);
    assert_eq!(resumed.status.code(), Some(0), "{}", text(&resumed.stderr));
    let status = site.run(&["status"]);
    assert_eq!(status.status.code(), Some(0), "{}", text(&status.stdout));
    let again = site.run(&["resume", "latest"]);
    assert_ne!(again.status.code(), Some(0), "a run that has ended cannot be resumed");
}

#[test]
fn a_run_whose_process_was_killed_is_resumed_over_ssh() {
    killed_and_resumed(Way::Sudo);
}

#[test]
fn a_run_whose_process_was_killed_is_resumed_locally() {
    killed_and_resumed(Way::Local);
}
