use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::model::source::Source;

const SITE: &str = r#"name: shop
hosts: { app: { address: local } }
projects: { web: { host: app, directory: /srv/web } }
services:
  argus: { project: web, cache: redis, instances: { argus-1: { health: "http://localhost:1/" } } }
  hermes: { project: web, cache: redis, instances: { hermes-1: { health: "http://localhost:2/" } } }
caches: { redis: { project: web, service: redis } }
"#;

struct Scene {
    folder: tempfile::TempDir,
    site: Site,
    clock: Clock,
}

fn start() -> Timestamp {
    "2026-03-01T03:15:00Z".parse().unwrap()
}

impl Scene {
    fn new() -> Scene {
        let source = Source::new("opsctl.yaml", SITE);
        let inventory = Inventory::read(&source).unwrap();
        let site = Site { path: PathBuf::from("/srv/opsctl.yaml"), inventory, source };
        Scene { folder: tempfile::tempdir().unwrap(), site, clock: Clock::fixed(start()) }
    }

    fn desk(&self) -> Desk {
        Desk::at(self.folder.path())
    }

    fn pass(&self, seconds: u64) {
        if let Clock::Fixed(now) = &self.clock {
            *now.lock().unwrap() += Duration::from_secs(seconds);
        }
    }

    fn take(&self, message: &Value) -> Option<IncidentId> {
        let notice = Notice::read(message.to_string().as_bytes()).unwrap();
        take_in(&self.desk(), &notice, &self.site, &self.clock).unwrap()
    }

    fn state(&self, incident: IncidentId) -> IncidentState {
        self.desk().read(incident).unwrap().state
    }
}

/// A message of a group with one alert a label set, which fire or are over.
fn message(group: &str, labels: &[Value], is_firing: bool) -> Value {
    let (status, ended) =
        if is_firing { ("firing", "0001-01-01T00:00:00Z") } else { ("resolved", "2026-03-01T03:20:00Z") };
    let alert = |labels: &Value| {
        json!({ "status": status, "labels": labels, "annotations": { "summary": "argus does not answer" },
                "startsAt": "2026-03-01T03:14:00Z", "endsAt": ended })
    };
    json!({ "version": "4", "groupKey": group, "alerts": labels.iter().map(alert).collect::<Vec<_>>() })
}

fn down() -> Value {
    json!({ "alertname": "Down", "service": "argus", "severity": "critical" })
}

#[test]
fn the_first_message_of_a_group_opens_an_incident_and_the_others_are_taken_into_it() {
    let scene = Scene::new();
    let first = scene.take(&message("g", &[down()], true)).unwrap();
    let state = scene.state(first);
    let opening = &state.opening;
    assert_eq!((opening.title.as_str(), opening.level), ("argus does not answer", Level::L2));
    assert_eq!((&opening.services, opening.severity), (&vec!["argus".to_owned()], Severity::Critical));
    assert_eq!(opening.started_at.to_string(), "2026-03-01T03:14:00Z");
    assert_eq!(opening.detected_at, start());
    let other = json!({ "alertname": "Down", "service": "argus", "instance": "argus-1:3000" });
    assert_eq!(scene.take(&message("g", &[down(), other], true)), Some(first));
    assert_eq!(scene.state(first).alerts["g"].len(), 2);
    assert_ne!(scene.take(&message("h", &[down()], true)), Some(first), "another group is another incident");
}

#[test]
fn the_same_message_twice_changes_nothing() {
    let scene = Scene::new();
    for is_firing in [true, false] {
        let message = message("g", &[down()], is_firing);
        let incident = scene.take(&message).unwrap();
        let records = scene.state(incident).records;
        scene.pass(1);
        assert_eq!(scene.take(&message), Some(incident));
        assert_eq!(scene.state(incident).records, records);
    }
}

#[test]
fn it_is_watched_once_nothing_fires_in_any_of_its_groups() {
    let scene = Scene::new();
    let by_hand = Opening { group: None, ..opening(&notice("g"), &scene.site, start()) };
    let incident = scene.desk().create(by_hand, "ada", scene.clock.clone()).unwrap().id();
    for group in ["g", "h"] {
        assert_eq!(
            scene.take(&message(group, &[down()], true)),
            Some(incident),
            "it joins what a person opened"
        );
    }
    scene.take(&message("g", &[down()], false));
    assert_eq!(scene.state(incident).status, Status::Investigating);
    scene.take(&message("h", &[down()], false));
    assert_eq!(scene.state(incident).status, Status::Monitoring);
}

fn notice(group: &str) -> Notice {
    Notice::read(message(group, &[down()], true).to_string().as_bytes()).unwrap()
}

#[test]
fn an_alert_that_begins_after_it_was_well_again_is_investigated() {
    let scene = Scene::new();
    let incident = scene.take(&message("g", &[down()], true)).unwrap();
    scene.pass(60);
    scene.take(&message("g", &[down()], false));
    // What began before is only late.
    scene.take(&message("g", &[down()], true));
    assert_eq!(scene.state(incident).status, Status::Monitoring);
    let mut again = message("g", &[down()], true);
    again["alerts"][0]["startsAt"] = json!("2026-03-01T03:30:00Z");
    scene.pass(1200);
    assert_eq!(scene.take(&again), Some(incident));
    let state = scene.state(incident);
    assert_eq!((state.status, state.milestones.mitigated_at), (Status::Investigating, None));
}

#[test]
fn a_group_that_is_over_and_that_nobody_was_told_of_opens_nothing() {
    let scene = Scene::new();
    assert_eq!(scene.take(&message("g", &[down()], false)), None);
    assert_eq!(scene.desk().ids().unwrap(), []);
}

#[test]
fn a_worse_alert_makes_it_worse_and_a_milder_one_does_not_make_it_better() {
    let scene = Scene::new();
    let mild = json!({ "alertname": "Slow", "redis": "redis", "severity": "warning" });
    let incident = scene.take(&message("g", std::slice::from_ref(&mild), true)).unwrap();
    let state = scene.state(incident);
    assert_eq!((state.severity, state.opening.level), (Severity::Warning, Level::L1));
    assert_eq!(state.opening.services, ["argus", "hermes"], "both need the cache");
    scene.take(&message("g", &[mild.clone(), down()], true));
    assert_eq!(scene.state(incident).severity, Severity::Critical);
    scene.take(&message("g", &[mild], true));
    assert_eq!(scene.state(incident).severity, Severity::Critical);
}

#[test]
fn the_rule_may_say_the_level_and_a_long_title_is_cut() {
    let scene = Scene::new();
    let all = json!({ "alertname": "All", "service": "argus", "severity": "critical", "level": "L4" });
    let mut message = message("g", &[all.clone(), all], true);
    message["alerts"][0]["annotations"]["summary"] = json!("é\n".repeat(5000));
    let state = scene.state(scene.take(&message).unwrap());
    assert_eq!(state.opening.level, Level::L4);
    assert!(state.opening.title.ends_with("…, and 1 more"), "{}", state.opening.title);
    assert!(state.opening.title.chars().count() < 220);
    assert!(!state.opening.title.contains('\n'));
}

#[test]
fn an_incident_of_another_site_is_left_alone() {
    let scene = Scene::new();
    let first = scene.take(&message("g", &[down()], true)).unwrap();
    let mut other = Scene::new();
    other.site.inventory.name = "elsewhere".to_owned();
    let taken = take_in(&scene.desk(), &notice("g"), &other.site, &scene.clock).unwrap();
    assert!(taken.is_some_and(|taken| taken != first));
}
