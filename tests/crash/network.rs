//! The network is cut while a step runs. The step goes on; so does whoever follows it, with all that it wrote.

use std::fs;
use std::time::Duration;

use opsctl::base::id::StepKey;
use opsctl::run::event::Rest;
use opsctl::run::state::Status;
use serde_json::Value;

use crate::common::sshd::Sshd;
use crate::process::{Over, Process};
use crate::proxy::Cable;
use crate::site::{Laptop, Site};
use crate::totals::Totals;
use crate::until::until;

/// A step that says a number every few moments, until the file `go` is there. It leaves its process id, and how many it said.
fn counting(site: &Site) {
    let path = |name: &str| site.path(name).display().to_string();
    let script = format!(
        "echo $$ >>{pids}; i=0; until test -e {go}; do i=$((i+1)); echo $i; echo $i >{count}; sleep 0.05; done; echo end; echo >{ended}",
        ended = path("ended"),
        pids = path("pids"),
        go = path("go"),
        count = path("count"),
    );
    site.runbook(
        "count",
        &format!(
            "runbook: count\ntitle: Count\nrisk: disruptive\nsteps:\n  - id: count\n    title: Count\n    on: app\n    \
             do: {{ command: {{ shell: \"{script}\" }} }}\n    undo: none\n"
        ),
    );
}

fn counted(site: &Site) -> u64 {
    fs::read_to_string(site.path("count")).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// The lines of output that a process with `--json` showed.
fn shown(over: &Over) -> Vec<String> {
    let lines = over.stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let output = lines.filter(|line| line["kind"] == "output");
    output.map(|line| line["line"].as_str().unwrap().to_owned()).collect()
}

/// From 1, without a gap and without repetition; to the end, where there has to be one.
#[track_caller]
fn assert_whole(lines: &[String], count: Option<u64>) {
    let numbers = 1..=count.unwrap_or(lines.len() as u64);
    let end = count.map(|_| "end".to_owned());
    let due: Vec<_> = numbers.map(|number| number.to_string()).chain(end).collect();
    assert_eq!(lines, due);
}

/// What is kept of what the step wrote.
fn kept(laptop: &Laptop<'_>) -> Vec<String> {
    let run = laptop.run().unwrap();
    let history = run.history().unwrap();
    let log = history.state().step(&StepKey::new("count")).unwrap().log.clone().expect("its output is kept");
    String::from_utf8(run.blobs().get(&log).unwrap()).unwrap().lines().map(String::from).collect()
}

struct Scene {
    sshd: Sshd,
    cable: Cable,
    site: Site,
}

impl Scene {
    async fn new() -> Scene {
        let sshd = Sshd::start();
        let cable = Cable::to(sshd.port).await;
        let site = Site::through(&sshd, cable.port);
        counting(&site);
        Scene { sshd, cable, site }
    }

    async fn begun(&self) -> Process {
        let process = self.site.laptop("ada").start(&["run", "count", "--yes", "--json"]);
        until("the step says numbers", || counted(&self.site) > 3).await;
        process
    }

    /// The step goes on for a while.
    async fn time_passes(&self) {
        let so_far = counted(&self.site);
        until("the step says more numbers", || counted(&self.site) > so_far + 5).await;
    }

    /// Holds that one process did it, and that nothing of what it wrote is missing.
    fn assert_done_once(&self, last: &Over) {
        assert_eq!(last.code, Some(0), "{}", last.story());
        let laptop = self.site.laptop("ada");
        assert_eq!(laptop.history().unwrap().unwrap().state().status, Status::Succeeded);
        assert_eq!(fs::read_to_string(self.site.path("pids")).unwrap().lines().count(), 1);
        let count = Some(counted(&self.site));
        assert_whole(&kept(&laptop), count);
        assert_whole(&shown(last), count);
        let mut totals = Totals::default();
        totals.count(0, &[], String::new);
        totals.hold("the network was cut");
    }
}

#[tokio::test]
async fn a_step_is_found_again_after_the_network_was_cut_for_long() {
    let scene = Scene::new().await;
    let process = scene.begun().await;
    scene.cable.pull_and_refuse().await;
    let first = process.over().await;
    assert_eq!(first.code, Some(11), "{}", first.story());
    let history = scene.site.laptop("ada").history().unwrap().unwrap();
    assert!(matches!(history.state().rest, Some(Rest::WaitingForHost { .. })), "{:?}", history.state().rest);
    assert_whole(&shown(&first), None);
    // Nothing is guessed meanwhile.
    let still = scene.site.laptop("ada").start(&["resume", "latest", "--yes", "--json"]).over().await;
    assert_eq!(still.code, Some(11), "{}", still.story());
    scene.time_passes().await;
    scene.cable.put_back().await;
    let resumed = scene.site.laptop("ada").start(&["resume", "latest", "--yes", "--json"]);
    scene.time_passes().await;
    fs::write(scene.site.path("go"), "").unwrap();
    scene.assert_done_once(&resumed.over().await);
}

#[tokio::test]
async fn a_step_that_ended_while_the_network_was_cut_is_not_begun_again() {
    let scene = Scene::new().await;
    let process = scene.begun().await;
    scene.cable.pull();
    // The client gives the connection up after some seconds, and makes another one.
    until("the connection is given up", || process.stdout().contains(r#""kind":"waiting""#)).await;
    fs::write(scene.site.path("go"), "").unwrap();
    until("the step ended", || scene.site.path("ended").exists()).await;
    scene.cable.put_back().await;
    scene.assert_done_once(&process.over().await);
}

#[tokio::test]
async fn a_short_cut_of_the_network_is_only_waited_for() {
    let scene = Scene::new().await;
    let mut process = scene.begun().await;
    scene.cable.pull();
    scene.time_passes().await;
    assert!(!process.ends_within(Duration::from_millis(300)).await, "it notices after some seconds");
    scene.cable.put_back().await;
    scene.time_passes().await;
    fs::write(scene.site.path("go"), "").unwrap();
    scene.assert_done_once(&process.over().await);
}

#[tokio::test]
async fn a_connection_that_is_killed_while_the_step_runs_is_made_anew() {
    let scene = Scene::new().await;
    let process = scene.begun().await;
    scene.sshd.signal_connections("KILL");
    scene.time_passes().await;
    fs::write(scene.site.path("go"), "").unwrap();
    let mut last = process.over().await;
    if last.code == Some(11) {
        last = scene.site.laptop("ada").start(&["resume", "latest", "--yes", "--json"]).over().await;
    }
    scene.assert_done_once(&last);
}
