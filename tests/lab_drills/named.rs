//! What was made to fail is named for what it is, within seconds, on every way to the host.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::measure::Form;
use crate::site::{Site, Way, text};

/// For an endpoint to notice what it has lost, and for a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// What triage says: its exit code, and each scenario with what it is about.
fn triage(site: &Site) -> (Option<i32>, Vec<(String, String)>, Value) {
    let output = site.run(&["triage", "--json"]);
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let causes = report["causes"].as_array().unwrap().iter();
    let causes = causes.map(|cause| (word(&cause["scenario"]), word(&cause["subject"]["name"]))).collect();
    (output.status.code(), causes, report)
}

/// The causes that a failure has, once it shows: an endpoint may take a moment to notice what it lost.
fn is_named(site: &Site, failures: &[[&str; 2]], wanted: &[(&str, &str)]) {
    failures.iter().for_each(|failure| drop(site.lab("break", failure)));
    let start = Instant::now();
    loop {
        let began = Instant::now();
        let (code, causes, report) = triage(site);
        let took = began.elapsed();
        let named: Vec<(&str, &str)> = causes.iter().map(|(name, of)| (name.as_str(), of.as_str())).collect();
        // What else shows without being explained is for a person.
        let known: Vec<_> = named.into_iter().filter(|(name, _)| *name != "-").collect();
        if known == wanted && code == Some(5) {
            println!("triage: {failures:?}, {:?}: {wanted:?} in {} ms", site.way, took.as_millis());
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{failures:?}: not {wanted:?}, but {report:#}");
    }
}

#[test]
fn a_healthy_stack_is_called_so_again_and_again_over_ssh() {
    let site = Site::take(Way::Sudo);
    let times = if Form::of_this_run().is_long() { 200 } else { 5 };
    for _ in 0..times {
        let (code, causes, report) = triage(&site);
        // A machine that is busy with other tests may not say in time how much is left.
        let findings = report["findings"].as_array().unwrap();
        if findings.is_empty() || findings.iter().any(|finding| finding["kind"] != "not_measured") {
            assert_eq!((code, causes), (Some(0), Vec::new()), "{report:#}");
        }
    }
}

#[test]
fn each_failure_has_its_name_locally() {
    let site = Site::take(Way::Local);
    is_named(&site, &[["kill", "argus-1"]], &[("instance-down", "argus-1")]);
    site.lab("reset", &[]);
    is_named(&site, &[["pause", "argus-2"]], &[("instance-down", "argus-2")]);
    site.lab("reset", &[]);
    is_named(&site, &[["kill", "argus"]], &[("service-down", "argus")]);
    site.lab("reset", &[]);
    is_named(&site, &[["stop", "postgres-argus"]], &[("database-down", "argus")]);
    site.lab("reset", &[]);
    is_named(&site, &[["pause", "postgres-argus"]], &[("database-down", "argus")]);
    site.lab("reset", &[]);
    is_named(&site, &[["block", "postgres-argus"]], &[("database-down", "argus")]);
    site.lab("reset", &[]);
    is_named(&site, &[["damage", "redis"]], &[("cache-damaged", "redis")]);
    site.lab("reset", &[]);
    is_named(&site, &[["stop", "redis"]], &[("cache-down", "redis")]);
}

#[test]
fn two_failures_at_once_are_told_apart_over_ssh() {
    let site = Site::take(Way::Group);
    let both = [["stop", "postgres-argus"], ["kill", "argus-1"]];
    is_named(&site, &both, &[("database-down", "argus"), ("instance-down", "argus-1")]);
    site.lab("reset", &[]);
    let both = [["fill", "disk"], ["stop", "redis"]];
    is_named(&site, &both, &[("disk-full", "app"), ("cache-down", "redis")]);
}

#[test]
fn a_host_without_its_engine_and_a_lost_one_are_told_apart_over_ssh() {
    let site = Site::take(Way::Sudo);
    site.lab("break", &["kill", "engine"]);
    let start = Instant::now();
    loop {
        let (_, causes, report) = triage(&site);
        if causes.first().is_some_and(|(name, of)| name == "host-down" && of == "app") {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "{report:#}");
    }
    site.lab("break", &["cut", "host"]);
    let (code, causes, report) = triage(&site);
    assert_eq!((code, causes), (Some(5), vec![("host-lost".to_owned(), "app".to_owned())]), "{report:#}");
    assert_eq!(report["escalation"]["level"], "L4");
}

#[test]
fn an_alert_that_fires_says_what_to_type_over_ssh() {
    let site = Site::take(Way::Sudo);
    let alerts = || -> (Option<i32>, Value) {
        let output = site.run(&["alerts", "--json"]);
        (output.status.code(), serde_json::from_slice(&output.stdout).unwrap())
    };
    site.lab("break", &["stop", "redis"]);
    let start = Instant::now();
    loop {
        let (code, report) = alerts();
        let of_cache = report["alerts"].as_array().unwrap().iter().find(|alert| alert["name"] == "CacheDown");
        if let Some(alert) = of_cache {
            assert_eq!(
                (code, &alert["command"]),
                (Some(5), &"opsctl run cache-down cache=redis".into()),
                "{report:#}"
            );
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{report:#}");
    }
}
