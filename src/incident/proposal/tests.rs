use std::path::PathBuf;

use super::*;
use crate::model::source::Source;
use crate::triage::finding::{Finding, Kind};
use crate::triage::rules::causes;
use crate::triage::subject::Subject;

const SITE: &str = r#"name: shop
hosts: { app: { address: local } }
projects: { web: { host: app, directory: /srv/web } }
services:
  argus: { project: web, cache: redis, instances: { argus-1: { health: "http://localhost:1/" } } }
  hermes: { project: web, instances: { hermes-1: { health: "http://localhost:2/" } } }
caches: { redis: { project: web, service: redis } }
"#;

fn now() -> Timestamp {
    "2026-03-01T03:15:00Z".parse().unwrap()
}

fn site() -> Site {
    let source = Source::new("opsctl.yaml", SITE);
    let inventory = Inventory::read(&source).unwrap();
    Site { path: PathBuf::from("/srv/opsctl.yaml"), inventory, source }
}

fn survey(findings: Vec<Finding>, level: Option<Level>) -> Survey {
    let causes = causes(&findings, &site().inventory);
    Survey { seen: Vec::new(), findings, causes, level }
}

fn finding(kind: Kind, subject: Subject, severity: Severity) -> Finding {
    let since = Some("2026-03-01T03:12:00Z".parse().unwrap());
    Finding { kind, subject, severity, evidence: "it does not run".to_owned(), since }
}

fn down() -> Survey {
    let argus = finding(Kind::InstanceDown, Subject::Instance("argus-1".to_owned()), Severity::Critical);
    survey(vec![argus], Some(Level::L2))
}

fn proposed(said: &Said, survey: &Survey) -> Result<Opening> {
    propose(said, survey, &[], &site(), now())
}

#[test]
fn what_triage_finds_is_what_the_incident_is_about() {
    let opening = proposed(&Said::default(), &down()).unwrap();
    assert_eq!(opening.services, ["argus"]);
    assert_eq!(opening.title, "argus-1: it does not run");
    assert_eq!((opening.severity, opening.level), (Severity::Critical, Level::L2));
    assert_eq!(opening.started_at.to_string(), "2026-03-01T03:12:00Z");
    assert_eq!(opening.detected_at, now());
}

#[test]
fn what_a_person_says_takes_the_place_of_what_triage_finds() {
    let said = Said {
        services: vec!["hermes".to_owned()],
        severity: Some(Severity::Warning),
        title: Some("orders\nare late".to_owned()),
        started_at: Some("2026-03-01T03:00:00Z".parse().unwrap()),
    };
    let opening = proposed(&said, &down()).unwrap();
    assert_eq!(
        (&opening.services[..], opening.title.as_str()),
        (&["hermes".to_owned()][..], "orders are late")
    );
    assert_eq!(opening.severity, Severity::Warning);
    assert_eq!(opening.started_at.to_string(), "2026-03-01T03:00:00Z");
}

#[test]
fn what_several_need_affects_them_all_and_what_fires_counts() {
    let cache = finding(Kind::CacheDown, Subject::Cache("redis".to_owned()), Severity::Critical);
    assert_eq!(proposed(&Said::default(), &survey(vec![cache], None)).unwrap().services, ["argus"]);
    let labels = [("alertname", "Slow"), ("service", "hermes"), ("severity", "critical")];
    let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let alert = Alert::from_labels(labels);
    let opening = propose(&Said::default(), &survey(Vec::new(), None), &[alert], &site(), now()).unwrap();
    assert_eq!((&opening.services[..], opening.title.as_str()), (&["hermes".to_owned()][..], "Slow"));
    assert_eq!((opening.severity, opening.level), (Severity::Critical, Level::L2));
}

#[test]
fn nothing_is_made_up() {
    let well = survey(Vec::new(), None);
    let refused = |said: &Said| proposed(said, &well).unwrap_err().to_string();
    assert!(refused(&Said::default()).starts_with("nothing says which service is affected"));
    let argus = Said { services: vec!["argus".to_owned()], ..Said::default() };
    assert!(refused(&argus).starts_with("nothing says what is wrong"));
    let unknown = Said { services: vec!["zeus".to_owned()], ..Said::default() };
    assert_eq!(refused(&unknown), "there is no service `zeus`");
    let ahead = Said { started_at: Some("2026-03-02T00:00:00Z".parse().unwrap()), ..argus };
    assert_eq!(refused(&ahead), "`--started` lies ahead");
}
