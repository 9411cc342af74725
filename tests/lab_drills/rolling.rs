//! Releases under load: no request fails, no write is lost, and nothing is touched that is not meant.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::site::{Load, Site, Way, text};

/// Instances of the stack are well within a second.
const SETTLED: &str = "1s";

fn assert_served(load: &Load, what: &str) {
    println!("drill: {what}: {}", load.counts);
    assert_eq!(load.status, 0, "{what}: {}", load.stderr);
    let counts = ["failed_requests", "missing_writes", "doubled_writes"].map(|key| load.count(key));
    assert_eq!(counts, [0, 0, 0], "{what}: {}\n{}", load.counts, load.stderr);
    assert!(load.count("acknowledged_writes") > 0, "nothing was written: {}", load.counts);
}

/// The versions that the instances of a service say that they run.
pub fn versions(site: &Site, service: &str) -> BTreeSet<String> {
    let format = "{{index .Config.Labels \"org.opencontainers.image.version\"}}";
    let find = format!("docker ps -q --filter label=com.docker.compose.project={}", project(site));
    let script = format!(
        "for i in $({find}); do docker inspect -f '{{{{index .Config.Labels \"com.docker.compose.service\"}}}} {format}' $i; done"
    );
    let lines = site.on_host(&script);
    let of_service = lines.lines().filter(|line| line.starts_with(&format!("{service}-")));
    of_service.filter_map(|line| Some(line.split_once(' ')?.1.to_owned())).collect()
}

fn project(site: &Site) -> &'static str {
    if site.way == Way::Fleet { "fleet" } else { "docker" }
}

fn only(version: &str) -> BTreeSet<String> {
    BTreeSet::from([version.to_owned()])
}

/// What is not of that service is the same as before, and was not started anew.
fn assert_others_untouched(then: &BTreeMap<String, String>, now: &BTreeMap<String, String>, service: &str) {
    let others = |all: &BTreeMap<String, String>| -> BTreeMap<String, String> {
        let is_other = |(name, _): &(&String, &String)| !name.starts_with(&format!("{service}-"));
        all.iter().filter(is_other).map(|(name, identity)| (name.clone(), identity.clone())).collect()
    };
    assert_eq!(others(then), others(now));
}

fn releases(site: &Site, service: &str) -> Vec<Value> {
    let output = site.run(&["releases", service, "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    document["releases"].as_array().unwrap().clone()
}

/// The site, where `roll` looks more often than it does elsewhere.
pub fn taken(way: Way) -> Site {
    let site = Site::take(way);
    roll_quickly(&site);
    site
}

/// `roll` looks more often from now on than it does elsewhere.
pub fn roll_quickly(site: &Site) {
    let shipped = include_str!("../../runbooks/roll.yaml");
    site.runbook("roll", &shipped.replace("every: 1s", "every: 200ms"));
}

/// What is typed, with the service in between, and what runs then.
type Turn = (&'static str, Option<&'static str>, &'static str);

const TURNS: [Turn; 4] = [
    ("deploy", Some("v1.1.0"), "v1.1.0"),
    ("deploy", Some("v1.2.0"), "v1.2.0"),
    ("rollback", None, "v1.1.0"),
    ("rollback", Some("v1.0.0"), "v1.0.0"),
];

fn to_and_fro(service: &str, turns: &[Turn]) {
    let site = taken(Way::Loopback);
    let before = site.containers();
    for (verb, named, version) in turns {
        let words: Vec<&str> = [*verb, service].into_iter().chain(*named).collect();
        let load = site.under_load_of(service, &[&words[..], &["--settle", SETTLED, "--yes"]].concat());
        assert_served(&load, &words.join(" "));
        assert_eq!(versions(&site, service), only(version));
    }
    assert_others_untouched(&before, &site.containers(), service);
    let env = site.on_host(&format!("cat {}/.env", folder(&site)));
    let variable = format!("{}_VERSION=v1.0.0@sha256:", service.to_uppercase());
    assert!(env.contains(&variable), "{env}");
    assert!(env.contains("ARGUS_DB_PASSWORD=argus-lab-only"), "every other line is as it was: {env}");
    // The last one is taken back as well: what it came from runs again, and `.env` says so.
    let load = site.under_load_of(service, &["undo", "latest", "--yes"]);
    assert_served(&load, "undo latest");
    assert_eq!(versions(&site, service), only("v1.1.0"));
    let releases = releases(&site, service);
    let runs = releases.iter().find(|release| release["version"] == "v1.1.0").unwrap();
    assert_eq!(
        (runs["standing"].as_str(), runs["runs_on"].as_array().map(Vec::len)),
        (Some("good"), Some(2)),
        "{runs}"
    );
}

fn folder(site: &Site) -> String {
    let text = fs::read_to_string(site.inventory()).unwrap();
    let (_, line) = text.split_once("directory: ").unwrap();
    line.split(['\n', ' ', ',']).next().unwrap().to_owned()
}

#[test]
fn argus_goes_to_and_fro_without_a_failed_request_over_ssh_locally() {
    to_and_fro("argus", &TURNS);
}

#[test]
fn hermes_goes_to_and_fro_without_a_failed_request_over_ssh_locally() {
    to_and_fro("hermes", &[TURNS[0], TURNS[3]]);
}

/// Whether a run has the host.
fn is_taken(site: &Site) -> bool {
    let list = site.run(&["lock", "list", "--json"]);
    let locks: Value = serde_json::from_slice(&list.stdout).unwrap();
    locks["hosts"][0]["lease"]["holder"]["is"] == "run"
}

/// And whoever else deploys meanwhile is told by whom the host is taken.
#[test]
fn a_bad_version_is_taken_back_and_remembered_locally() {
    let site = taken(Way::Local);
    let before = site.containers();
    let bad = ["deploy", "argus", "v1.3.0-bad", "--startup", "10s", "--yes"];
    let load = std::thread::scope(|scope| {
        let deploying = scope.spawn(|| site.under_load(&bad));
        let second = || {
            let state = tempfile::tempdir().unwrap();
            let mut other = site.opsctl(&["deploy", "argus", "v1.1.0", "--yes"]);
            other.env("OPSCTL_STATE_DIR", state.path()).env("OPSCTL_OPERATOR", "grace@laptop");
            other.output().unwrap()
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        while !is_taken(&site) {
            assert!(Instant::now() < deadline, "nobody deploys");
        }
        let refused = second();
        assert_eq!(refused.status.code(), Some(4), "{}", text(&refused.stderr));
        assert!(text(&refused.stderr).contains("host `app` is locked by"), "{}", text(&refused.stderr));
        deploying.join().unwrap()
    });
    println!("drill: deploy argus v1.3.0-bad: {}", load.counts);
    assert_eq!(load.status, 13, "{}", load.stderr);
    assert_eq!([load.count("failed_requests"), load.count("missing_writes")], [0, 0], "{}", load.counts);
    assert!(load.stderr.contains("`opareta-argus-1` is unhealthy"), "the failing check: {}", load.stderr);
    assert!(
        load.stderr.contains("argus v1.3.0-bad listens on"),
        "the last lines of its log: {}",
        load.stderr
    );
    assert_eq!(versions(&site, "argus"), only("v1.2.0"));
    let after = site.containers();
    assert_others_untouched(&before, &after, "argus");
    assert_eq!(before["argus-2"], after["argus-2"], "only the first one was ever taken");
    let bad = releases(&site, "argus").into_iter().find(|release| release["version"] == "v1.3.0-bad");
    assert_eq!(bad.unwrap()["standing"], "bad");
    let back = site.run(&["rollback", "argus", "--yes"]);
    assert_eq!(back.status.code(), Some(4), "nothing else was ever healthy: {}", text(&back.stderr));
}

#[test]
fn without_a_registry_only_what_is_on_the_host_can_be_gone_back_to_over_ssh() {
    let site = taken(Way::Sudo);
    // What another drill has left would be on the host as well.
    site.on_host("docker image ls --format '{{.Repository}}:{{.Tag}}' '*/opareta/argus' | grep -v v1.2.0 | xargs -r docker rmi >/dev/null");
    let there = site.run(&["deploy", "argus", "v1.1.0", "--settle", SETTLED, "--yes"]);
    assert_eq!(there.status.code(), Some(0), "{}", text(&there.stderr));
    site.lab("break", &["registry"]);
    let before = site.containers();
    for words in [["deploy", "argus", "v1.0.0"], ["rollback", "argus", "v1.0.0"]] {
        let refused = site.run(&[&words[..], &["--yes"]].concat());
        assert_eq!(refused.status.code(), Some(4), "{}", text(&refused.stderr));
        let said = text(&refused.stderr);
        assert!(said.contains("`v1.0.0` of `argus` is not to be had: nothing was changed"), "{said}");
        assert!(said.contains("on host `app`: `v1.2.0`"), "{said}");
    }
    assert_eq!(site.containers(), before);
    let load = site.under_load(&["rollback", "argus", "--settle", SETTLED, "--yes"]);
    assert_served(&load, "rollback argus, without a registry");
    assert_eq!(versions(&site, "argus"), only("v1.2.0"));
    site.lab("reset", &[]);
}

/// How many instances of hermes serve: they are in the proxy, and answer.
fn serving(site: &Site) -> usize {
    let proxy = fs::read_to_string(format!("{}/nginx.conf", folder(site))).unwrap();
    let answers = |number: u16| -> Option<bool> {
        let mut connection = TcpStream::connect(("127.0.0.1", 22100 + number)).ok()?;
        connection.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        connection.write_all(b"GET /api/health HTTP/1.0\r\n\r\n").ok()?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer).ok()?;
        Some(answer.starts_with("HTTP/1.0 200") || answer.starts_with("HTTP/1.1 200"))
    };
    let is_in = |number: u16| {
        let line = proxy.lines().find(|line| line.contains(&format!("server hermes-{number}:")));
        line.is_none_or(|line| !line.contains(" down;"))
    };
    (1..=10).filter(|number| is_in(*number) && answers(*number) == Some(true)).count()
}

#[test]
fn ten_instances_go_in_batches_and_seven_always_serve_locally() {
    let site = taken(Way::Fleet);
    let before = site.containers();
    let shared = site.inventory().with_file_name("shared.yaml");
    let text_of = fs::read_to_string(site.inventory()).unwrap();
    fs::write(
        &shared,
        text_of.replace("  hermes:\n    project", "  hermes:\n    image_tag: IMAGE_TAG\n    project"),
    )
    .unwrap();
    let refused = site.run(&["--inventory", shared.to_str().unwrap(), "deploy", "hermes", "v1.2.0", "--yes"]);
    fs::remove_file(&shared).unwrap();
    assert_eq!(refused.status.code(), Some(4), "{}", text(&refused.stderr));
    assert!(text(&refused.stderr).contains("`IMAGE_TAG` also says which version `argus-1`, `argus-2` runs"));

    let over = AtomicBool::new(false);
    let fewest = std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut fewest = usize::MAX;
            while !over.load(Ordering::Relaxed) {
                fewest = fewest.min(serving(&site));
                std::thread::sleep(Duration::from_millis(100));
            }
            fewest
        });
        let words =
            ["deploy", "hermes", "v1.2.0", "--batch", "3", "--serving", "7", "--settle", SETTLED, "--yes"];
        let load = site.under_load_of("hermes", &words);
        assert_served(&load, "deploy hermes v1.2.0 of ten, three at once");
        assert_eq!(versions(&site, "hermes"), only("v1.2.0"));
        over.store(true, Ordering::Relaxed);
        watching.join().unwrap()
    });
    println!("drill: of ten instances {fewest} served at the least");
    assert!(fewest >= 7, "{fewest} served");
    assert_others_untouched(&before, &site.containers(), "hermes");
    assert_eq!(versions(&site, "argus"), only("v1.1.0"));
}

/// The inventory, where so many of the requests to hermes fail.
fn with_error_rate(site: &Site, rate: &str) -> PathBuf {
    let text = fs::read_to_string(site.inventory()).unwrap();
    let there = text.replace("  hermes:\n", &format!("  hermes:\n    error_rate: vector({rate})\n"));
    let inventory = site.inventory().with_file_name(format!("error-rate-{rate}.yaml"));
    fs::write(&inventory, there).unwrap();
    inventory
}

/// One first, which is watched; then the others. Where requests fail meanwhile it goes back, and the others never went.
#[test]
fn a_canary_goes_first_and_is_watched_locally() {
    let site = taken(Way::Local);
    let before = site.containers();
    let deploy = |rate: &str| {
        let inventory = with_error_rate(&site, rate);
        let words =
            ["--inventory", inventory.to_str().unwrap(), "deploy", "hermes", "v1.1.0", "--yes", "--json"];
        let output =
            site.run(&[&words[..], &["--canary", "1", "--watch", "6s", "--settle", SETTLED]].concat());
        fs::remove_file(inventory).unwrap();
        (output.status.code(), text(&output.stdout))
    };

    let (code, lines) = deploy("0.5");
    assert_eq!(code, Some(13), "{lines}");
    assert!(lines.contains("watch-hermes[errors]"), "{lines}");
    assert_eq!(versions(&site, "hermes"), only("v1.2.0"));
    assert_eq!(before["hermes-2"], site.containers()["hermes-2"], "the other one was never taken");
    let left = releases(&site, "hermes").into_iter().find(|release| release["version"] == "v1.1.0");
    assert_eq!(left.unwrap()["standing"], "bad");

    let (code, lines) = deploy("0");
    assert_eq!(code, Some(0), "{lines}");
    let events: Vec<Value> = lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let at = |kind: &str, step: &str| {
        let is_it = |event: &&Value| event["type"] == kind && event["step"] == step;
        let event = events.iter().find(is_it).unwrap_or_else(|| panic!("no `{kind}` of `{step}`: {lines}"));
        event["at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap()
    };
    for watched in ["watch-hermes[hermes-1]", "watch-hermes[errors]"] {
        let took = at("step_finished", watched).duration_since(at("step_started", watched));
        assert!(took.as_secs() >= 6, "{watched}: {took}");
        assert!(
            at("step_started", watched) > at("step_finished", "hermes-1/in"),
            "it is watched while it serves"
        );
        assert!(at("step_started", "hermes-2/out") > at("step_finished", watched));
    }
    assert_eq!(versions(&site, "hermes"), only("v1.1.0"));
    let now = releases(&site, "hermes").into_iter().find(|release| release["version"] == "v1.1.0");
    assert_eq!(now.unwrap()["standing"], "good", "it was healthy this time");
}
