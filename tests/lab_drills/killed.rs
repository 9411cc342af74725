//! opsctl, its connection and its host are killed at the named points in every runbook that ships, on the real stack: what is to be
//! restarted is restarted once, and the stack is whole in the end.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Seek as _};
use std::process::Stdio;
use std::time::{Duration, Instant};

use opsctl::base::id::RunId;
use opsctl::engine::catalog::Catalog;
use opsctl::journal::store::Store;
use opsctl::run::state::{RunState, Status};
use tempfile::NamedTempFile;

use crate::cache_restoring::RUNBOOKS;
use crate::cleaning_killed;
use crate::halfway::ACTS;
use crate::meanwhile::{Restarts, Writing};
use crate::measure::Form;
use crate::passings::passings;
use crate::rolling::{taken, versions};
use crate::site::{Site, Way, text};
use crate::totals::{Totals, Wrong};

/// What each runbook that ships is for: its parameter, and what is made to fail before.
struct Case {
    runbook: &'static str,
    parameter: &'static str,
    failures: &'static [[&'static str; 2]],
}

const CASES: [Case; 17] = [
    Case { runbook: "instance-down", parameter: "instance=argus-1", failures: &[["kill", "argus-1"]] },
    Case {
        runbook: "service-down",
        parameter: "service=argus",
        failures: &[["kill", "argus"], ["stop", "redis"], ["stop", "postgres-argus"]],
    },
    Case { runbook: "database-down", parameter: "database=argus", failures: &[["stop", "postgres-argus"]] },
    Case { runbook: "cache-down", parameter: "cache=redis", failures: &[["stop", "redis"]] },
    Case {
        runbook: "cache-damaged",
        parameter: "cache=redis --confirm redis",
        failures: &[["damage", "redis"]],
    },
    Case { runbook: "cache-full", parameter: "cache=redis", failures: &[["fill", "redis"]] },
    Case {
        runbook: "certificate-expiring",
        parameter: "certificate=opareta",
        failures: &[["expire", "certificate"]],
    },
    Case { runbook: "disk-full", parameter: "host=app", failures: &[["fill", "disk"]] },
    // The engine of this machine stays up.
    Case { runbook: "host-down", parameter: "host=app", failures: &[["stop", "argus-2"]] },
    Case { runbook: "host-lost", parameter: "host=app --confirm app", failures: &[["kill", "host"]] },
    // Instances that lose more than their proxy may or may not have to be restarted.
    Case { runbook: "network-broken", parameter: "project=opareta", failures: &[["disconnect", "nginx"]] },
    Case { runbook: "out-of-memory", parameter: "instance=argus-1", failures: &[["fill", "argus-1"]] },
    Case { runbook: "recreate", parameter: "project=opareta --confirm opareta", failures: &[] },
    Case { runbook: "resources", parameter: "project=opareta", failures: &[] },
    Case { runbook: "roll", parameter: "argus v1.1.0 --settle 1s", failures: &[] },
    Case { runbook: "serving", parameter: "service=argus", failures: &[] },
    Case { runbook: "standby", parameter: "host=app", failures: &[] },
];

impl Case {
    /// What is typed. A roll is part of a procedure that has a command of its own.
    fn words(&self) -> String {
        match self.runbook {
            "roll" => format!("deploy {} --yes", self.parameter),
            runbook => format!("run {runbook} {} --yes", self.parameter),
        }
    }
}

/// More than any run here needs, though a host may take a while until it answers again.
const MOST_TURNS: usize = 8;

/// Variables that opsctl is given.
type Variables = Vec<(&'static str, String)>;

/// What happens at a point.
#[derive(Clone, Copy, PartialEq)]
enum What {
    Death,
    Cut,
    PowerLoss,
}

impl What {
    fn way(self, case: &Case) -> Way {
        match self {
            // This machine's own packages and builds are none of ours.
            _ if case.runbook == "disk-full" => Way::Sudo,
            _ if ["host-lost", "standby"].contains(&case.runbook) => Way::Spare,
            What::Death => Way::Local,
            What::Cut => Way::Loopback,
            What::PowerLoss => Way::Sudo,
        }
    }

    fn at(self, site: &Site, passing: &str) -> Variables {
        let mut variables = vec![("OPSCTL_CRASH_AT", passing.to_owned())];
        match self {
            What::Death => {}
            What::Cut => {
                let cut = format!("pkill -KILL -f '{}' || true", site.clients());
                variables.push(("OPSCTL_CRASH_DO", cut));
            }
            What::PowerLoss => {
                let kill = format!("docker kill {} >/dev/null", site.host());
                variables.push(("OPSCTL_CRASH_DO", kill));
            }
        }
        variables
    }
}

/// How a life went: what was typed, and how that ended.
#[derive(Default)]
struct Story {
    text: String,
    deaths: usize,
    wrong: Vec<Wrong>,
}

impl Story {
    /// One process. Its output goes to a file: what outlives it would hold a pipe open.
    fn turn(&mut self, site: &Site, words: &str, variables: &Variables) -> Option<i32> {
        let mut said = tempfile::tempfile().unwrap();
        let arguments: Vec<_> = words.split(' ').collect();
        let mut command = site.opsctl(&arguments);
        command.envs(variables.iter().cloned()).stdout(Stdio::null()).stderr(said.try_clone().unwrap());
        let code = command.status().unwrap().code();
        self.deaths += usize::from(code.is_none());
        let mut bytes = Vec::new();
        said.rewind().and_then(|()| said.read_to_end(&mut bytes)).unwrap();
        self.text += &format!("$ opsctl {words} # {variables:?}: {code:?}\n{}\n", text(&bytes));
        code
    }

    /// As many processes as it takes from `words` to that end; the first one may die, or lose its host.
    fn until(&mut self, site: &Site, words: &str, variables: &Variables, end: Status) {
        // Approved by name once more, where that had not been recorded yet.
        let confirm = words.split_once("--confirm").map(|(_, name)| format!("--confirm{name}"));
        let resume = format!("resume latest {}", confirm.as_deref().unwrap_or("--yes"));
        let before = last_run(site).map(|(run, state)| (run, state.status));
        let mut code = self.turn(site, words, variables);
        for _ in 0..MOST_TURNS {
            let now = last_run(site).map(|(run, state)| (run, state.status));
            if now != before && now.is_some_and(|(_, status)| status == end) {
                if code.is_some_and(|code| code != 0) {
                    self.wrong.push(Wrong::State(format!("`{words}` ended with {code:?}")));
                }
                return;
            }
            let waits_for_host = code == Some(11) && site.way != Way::Local;
            if code.is_some() && !waits_for_host {
                break;
            }
            if waits_for_host {
                self.deaths += 1;
                if site.way.is_to_a_machine() {
                    site.power_on();
                }
            }
            // What died before it had said so in the journal did nothing, nor did what never got its host.
            let is_begun = now != before && now.is_none_or(|(_, status)| status != Status::Abandoned);
            code = self.turn(site, if is_begun { &resume } else { words }, &Vec::new());
        }
        self.wrong.push(Wrong::State(format!("`{words}` ended with {code:?}, and not {}", end.word())));
    }
}

fn last_run(site: &Site) -> Option<(RunId, RunState)> {
    let run = Store::at(site.state_dir()).list().unwrap().into_iter().max_by_key(|run| run.id)?;
    Some((run.id, run.history().unwrap().state().clone()))
}

/// Whether everything is well, within the moment that an instance takes to notice that its cache is back. What only looks may have
/// come to its end without its host: then that is started, and given the time that its services take.
fn is_well(site: &Site, runbook: &str) -> Result<(), String> {
    let mut deadline = Instant::now() + Duration::from_secs(10);
    if site.way.is_to_a_machine() {
        site.power_on();
        deadline += Duration::from_secs(60);
    }
    let taken_over = site.taken_over();
    let status: &[&str] = match site.way {
        Way::Spare if runbook == "host-lost" => &["--inventory", taken_over.to_str().unwrap(), "status"],
        _ => &["status"],
    };
    loop {
        let status = site.run(status);
        if status.status.success() {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(text(&status.stdout));
        }
    }
}

/// The way there and the way back: how often what was restarted, and how it went.
fn live(
    site: &Site,
    case: &Case,
    there: &Variables,
    back: &Variables,
    due: usize,
) -> (BTreeMap<String, usize>, Story) {
    if site.way == Way::Spare && site.is_given_up() {
        site.stand_by();
    }
    case.failures.iter().for_each(|failure| drop(site.lab("break", failure)));
    let restarts = Restarts::follow(site);
    let mut story = Story::default();
    story.until(site, &case.words(), there, Status::Succeeded);
    if let Err(table) = is_well(site, case.runbook).and_then(|()| runs(site, case, "v1.1.0")) {
        story.wrong.push(Wrong::State(table));
    }
    // What was given up for good does not come back.
    if case.runbook != "host-lost" {
        story.until(site, "undo latest --yes", back, Status::Undone);
    }
    if let Err(table) = runs(site, case, "v1.2.0") {
        story.wrong.push(Wrong::State(table));
    }
    (restarts.count(due), story)
}

/// Whether every instance that was released runs that version.
fn runs(site: &Site, case: &Case, version: &str) -> Result<(), String> {
    if case.runbook != "roll" {
        return Ok(());
    }
    let now = versions(site, "argus");
    if now.iter().eq([version]) { Ok(()) } else { Err(format!("argus runs {now:?}, and not {version}")) }
}

/// The first passing of each point in each step: what is waited for passes the same points at every look.
pub fn in_each_step(passings: &[String]) -> Vec<String> {
    let (mut step, mut seen) = (0, BTreeSet::new());
    let is_first = |passing: &&String| {
        let (point, _) = passing.split_once(':').unwrap();
        step += usize::from(point == "engine.step_started");
        seen.insert((step, point.to_owned()))
    };
    passings.iter().filter(is_first).cloned().collect()
}

/// In the long form, with a count of 500, every point in every step; in the short one that in the middle. A host is killed where a step
/// begins: that takes a minute each time.
fn chosen(all: &[String], what: What) -> Vec<String> {
    let mut all = in_each_step(all);
    if what == What::PowerLoss {
        all.retain(|passing| passing.starts_with("engine.step_started:"));
    }
    Form::of_this_run().evenly(&all)
}

/// Hundreds of lives, most of which is the pause between two looks: the same procedures with a shorter one.
fn look_more_often(site: &Site) {
    for Case { runbook, .. } in &CASES {
        let shipped = format!("{}/runbooks/{runbook}.yaml", env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(shipped).unwrap();
        site.runbook(runbook, &text.replace("every: 1s", "every: 200ms"));
    }
}

/// Whoever comes after the death does not go on, but takes it back.
fn undone_instead(site: &Site, case: &Case, there: &Variables) -> Story {
    let mut story = Story::default();
    let before = last_run(site).map(|(run, _)| run);
    story.turn(site, &case.words(), there);
    if site.way.is_to_a_machine() {
        site.power_on();
    }
    let made = last_run(site).filter(|(run, _)| Some(*run) != before);
    // One that never had its host has done nothing, and is not taken back.
    if made.is_some_and(|(_, state)| state.status != Status::Abandoned && state.epoch > 0) {
        story.until(site, "undo latest --yes", &Vec::new(), Status::Undone);
    }
    if let Err(table) = is_well(site, case.runbook).and_then(|()| runs(site, case, "v1.2.0")) {
        story.wrong.push(Wrong::State(table));
    }
    story
}

fn killed_everywhere(runbook: &str, what: What) {
    let case = CASES.iter().find(|case| case.runbook == runbook).unwrap();
    let take = if runbook == "roll" { taken } else { Site::take };
    killed_at(&take(what.way(case)), case, what);
}

fn killed_at(site: &Site, case: &Case, what: What) {
    let runbook = case.runbook;
    if Form::of_this_run().is_long() {
        look_more_often(site);
    }
    let mut totals = Totals::default();
    // A host that is killed takes the service along.
    let writing = (runbook == "roll" && what != What::PowerLoss).then(|| Writing::begin(site));
    let logs = [NamedTempFile::new().unwrap(), NamedTempFile::new().unwrap()];
    let path = |log: &NamedTempFile| log.path().to_str().unwrap().to_owned();
    let [there, back] = logs.each_ref().map(|log| vec![("OPSCTL_CRASH_LOG", path(log))]);
    let (smooth, story) = live(site, case, &there, &back, usize::MAX);
    assert!(story.wrong.is_empty(), "nothing was killed yet: {:?}\n{}", story.wrong, story.text);
    totals.count(0, &story.wrong, || story.text);
    let [there, back] = logs.each_ref().map(|log| passings(&fs::read_to_string(log.path()).unwrap()));
    assert!(
        there.len() > 10 && (back.len() > 3 || runbook == "host-lost"),
        "opsctl was built without crash points: run this with tests/run"
    );
    let (there, back) = (chosen(&there, what), chosen(&back, what));
    for number in 0..there.len().max(back.len()) {
        let at = |passings: &[String]| {
            passings.get(number).map(|passing| what.at(site, passing)).unwrap_or_default()
        };
        let (restarts, mut story) = live(site, case, &at(&there), &at(&back), smooth.values().sum());
        // A host that comes back has started what was down, and what it began may be begun again.
        let counted = smooth.keys().chain(restarts.keys()).filter(|_| what != What::PowerLoss);
        for service in counted {
            let (did, should) = (restarts.get(service), smooth.get(service));
            let what = format!("`{service}` was restarted {did:?} times, not {should:?}");
            match did.cmp(&should) {
                Ordering::Greater => story.wrong.push(Wrong::Doubled(what)),
                Ordering::Less => story.wrong.push(Wrong::Lost(what)),
                Ordering::Equal => {}
            }
        }
        if !story.wrong.is_empty() {
            site.lab("reset", &[]);
        }
        totals.count(story.deaths, &story.wrong, || story.text);
        if runbook == "roll" {
            let story = undone_instead(site, case, &at(&there));
            if !story.wrong.is_empty() {
                site.lab("reset", &[]);
            }
            totals.count(story.deaths, &story.wrong, || story.text);
        }
    }
    if let Some(failed) = writing.and_then(Writing::end) {
        totals.count(0, &[failed], String::new);
    }
    let what = match what {
        What::Death => "killed",
        What::Cut => "its SSH master killed",
        What::PowerLoss => "its host killed and started",
    };
    totals.hold(&format!("`{runbook}` on the real stack, {what} at the named points"));
}

#[test]
fn every_shipped_runbook_is_killed_locally() {
    let catalog = Catalog::open(None).unwrap();
    let elsewhere = ACTS.iter().map(|act| act.runbook).chain(RUNBOOKS).chain(cleaning_killed::RUNBOOKS);
    let cases: Vec<_> = CASES.iter().map(|case| case.runbook).chain(elsewhere).collect();
    catalog
        .names()
        .for_each(|name| assert!(cases.contains(&name), "nobody kills `{name}`: say here what it mends"));
}

#[test]
fn instance_down_does_everything_once_locally() {
    killed_everywhere("instance-down", What::Death);
}

#[test]
fn service_down_does_everything_once_locally() {
    killed_everywhere("service-down", What::Death);
}

#[test]
fn database_down_does_everything_once_locally() {
    killed_everywhere("database-down", What::Death);
}

#[test]
fn cache_down_does_everything_once_locally() {
    killed_everywhere("cache-down", What::Death);
}

#[test]
fn cache_damaged_does_everything_once_locally() {
    killed_everywhere("cache-damaged", What::Death);
}

#[test]
fn cache_full_does_everything_once_locally() {
    killed_everywhere("cache-full", What::Death);
}

#[test]
fn certificate_expiring_does_everything_once_locally() {
    killed_everywhere("certificate-expiring", What::Death);
}

#[test]
fn disk_full_does_everything_once_over_ssh() {
    killed_everywhere("disk-full", What::Death);
}

/// Both on one pair of hosts, since that takes half a minute to bring up.
#[test]
fn a_standby_is_made_ready_and_takes_over_and_does_everything_once_over_ssh() {
    let site = Site::take(Way::Spare);
    for runbook in ["standby", "host-lost"] {
        killed_at(&site, CASES.iter().find(|case| case.runbook == runbook).unwrap(), What::Death);
    }
}

#[test]
fn host_down_does_everything_once_locally() {
    killed_everywhere("host-down", What::Death);
}

#[test]
fn network_broken_does_everything_once_locally() {
    killed_everywhere("network-broken", What::Death);
}

#[test]
fn out_of_memory_does_everything_once_locally() {
    killed_everywhere("out-of-memory", What::Death);
}

#[test]
fn recreate_is_killed_locally() {
    killed_everywhere("recreate", What::Death);
}

#[test]
fn resources_is_killed_locally() {
    killed_everywhere("resources", What::Death);
}

#[test]
fn a_roll_does_everything_once_locally() {
    killed_everywhere("roll", What::Death);
}

#[test]
fn serving_is_killed_locally() {
    killed_everywhere("serving", What::Death);
}

/// The first step asks Docker. Its socket comes over the connection, and is gone with it.
#[test]
fn a_question_to_docker_is_asked_again_over_a_new_connection_locally() {
    let case = CASES.iter().find(|case| case.runbook == "service-down").unwrap();
    let site = Site::take(Way::Loopback);
    let cut = What::Cut.at(&site, "engine.step_started:1");
    let (restarts, story) = live(&site, case, &cut, &Vec::new(), 4);
    assert!(story.wrong.is_empty(), "{:?}\n{}", story.wrong, story.text);
    assert_eq!(restarts.values().sum::<usize>(), 4, "{restarts:?}");
}

/// In the long form each of them, or those that `OPSCTL_CRASH_ONLY` has between commas; in the short one the first, which takes long
/// enough.
fn some() -> Vec<&'static Case> {
    if !Form::of_this_run().is_long() {
        return vec![&CASES[0]];
    }
    let Ok(only) = std::env::var("OPSCTL_CRASH_ONLY") else { return CASES.iter().collect() };
    let find = |name| CASES.iter().find(|case| case.runbook == name);
    only.split(',').map(|name| find(name).unwrap_or_else(|| panic!("nobody kills `{name}`"))).collect()
}

#[test]
fn every_shipped_runbook_loses_its_connection_locally() {
    some().iter().for_each(|case| killed_everywhere(case.runbook, What::Cut));
}

#[test]
fn every_shipped_runbook_loses_its_host() {
    some().iter().for_each(|case| killed_everywhere(case.runbook, What::PowerLoss));
}
