use std::time::Duration;

use serde_json::Map;

use super::*;
use crate::base::id::RunId;
use crate::engine::catalog::Catalog;
use crate::engine::plan::{self, Request};
use crate::engine::templates::Templates;
use crate::model::facts::{Facts, HostFacts, ProjectFacts, Site};
use crate::model::inventory::Inventory;
use crate::model::param;
use crate::model::plan::Digest;
use crate::model::source::Source;
use crate::run::event::{End, Event, Outcome, Phase, Record, Rest, Skip};

const SITE: &str = r#"name: opareta
hosts: { app: { address: local } }
projects: { opareta: { host: app, directory: /opt/opareta } }
services:
  argus:
    project: opareta
    instances:
      argus-1: { health: "http://localhost:3001/api/health" }
      argus-2: { health: "http://localhost:3002/api/health" }
    upstream: { proxy: nginx, name: argus_backend }
endpoints: { nginx: { host: app, health: "http://localhost/health" } }
"#;

fn plan(runbook: &str, param: &str, value: &str) -> Plan {
    let inventory = Inventory::read(&Source::new("opsctl.yaml", SITE)).unwrap();
    let mut facts = Facts::default();
    facts.hosts.insert("app".into(), HostFacts { compose: vec!["docker".into(), "compose".into()] });
    facts
        .projects
        .insert("opareta".into(), ProjectFacts { name: "opareta".into(), ..ProjectFacts::default() });
    let catalog = Catalog::open(None).unwrap();
    let find = |name: &str| catalog.get(name).map(|entry| entry.runbook);
    let runbook = find(runbook).unwrap();
    let params = param::bind(&runbook.params, [(param.to_owned(), Value::from(value))], &inventory).unwrap();
    let site = Site { inventory: &inventory, facts: &facts };
    let request =
        Request { runbook: &runbook, origin: "built-in", params: &params, inventory: "opsctl.yaml", site };
    plan::make(&find, request).unwrap()
}

/// A run of the plan, an event every ten seconds. The steps that are named are done, all others had already happened.
fn run(plan: &Plan, done: &[&str], end: Event) -> RunState {
    let mut events = vec![
        Event::RunCreated {
            run: RunId::parse("01976b3a-7c00-7000-8000-000000000001").unwrap(),
            plan: plan.digest(),
            runbook: plan.runbook.clone(),
            operator: "erin@laptop".to_owned(),
        },
        Event::EpochStarted { operator: "erin@laptop".to_owned(), pid: 1 },
    ];
    for step in plan.steps.iter().map(|step| &step.key) {
        let phase = Phase::Do;
        if done.contains(&step.as_str()) {
            let outcome = Outcome::Succeeded { outputs: Default::default(), log: None, ms: 1 };
            events.push(Event::StepStarted { step: step.clone(), attempt: 1, phase });
            events.push(Event::StepFinished { step: step.clone(), attempt: 1, phase, outcome });
        } else if matches!(end, Event::RunEnded { .. }) {
            events.push(Event::StepSkipped { step: step.clone(), why: Skip::AlreadyDone });
        }
    }
    events.push(end);
    let mut state = RunState::new(plan);
    for (event, seq) in events.into_iter().zip(1..) {
        let at = begin() + Duration::from_secs(10 * (seq - 1));
        let prev = Digest::of(b"");
        let record = Record { v: Record::VERSION, seq, prev, at, epoch: u64::from(seq > 1), event };
        state.apply(&record).unwrap();
    }
    state
}

fn begin() -> Timestamp {
    "2026-03-01T03:14:07Z".parse().unwrap()
}

fn succeeded() -> Event {
    Event::RunEnded { end: End::Succeeded }
}

fn halted() -> Event {
    Event::RunRested { rest: Rest::Cancelled { by: "erin@laptop".to_owned() } }
}

fn berlin() -> TimeZone {
    TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
}

/// The message from a template, at four minutes after the beginning of the run.
fn message(template: &str, plan: &Plan, state: &RunState, told: &Told) -> Result<String, Refusal> {
    let now = begin() + Duration::from_secs(240);
    render(template, Subject { plan, state, told, now, zone: &berlin() })
}

fn built_in(name: &str) -> String {
    Templates::open(None).unwrap().get(name).unwrap().text
}

fn all_told() -> Told {
    Told {
        root_cause: Some("the pool of connections ran out".to_owned()),
        follow_up: Some("raise the limit (OPS-41)".to_owned()),
        ..Told::default()
    }
}

#[test]
fn the_first_alert_has_the_fields_of_the_procedure_in_its_order() {
    let plan = plan("service-down", "service", "argus");
    let state = run(&plan, &[], halted());
    assert_eq!(fitting(&plan, &state), ALERT);
    insta::assert_snapshot!(message(&built_in(ALERT), &plan, &state, &Told::default()).unwrap(), @r"
    [INCIDENT] opareta Service Degradation
    Time: 2026-03-01 03:14 UTC (04:14 CET)
    Severity: Critical
    Affected Services: argus
    Status: Investigating
    Next Update: 2026-03-01 03:33 UTC (04:33 CET)
    ");
}

#[test]
fn one_instance_of_several_is_a_warning_that_names_it() {
    let plan = plan("instance-down", "instance", "argus-2");
    let template = "{{ severity }}: {{ services }}";
    let text = message(template, &plan, &run(&plan, &[], succeeded()), &Told::default());
    assert_eq!(text.unwrap(), "Warning: argus (argus-2)");
}

#[test]
fn the_resolution_says_what_was_changed_and_what_a_person_knows() {
    let plan = plan("service-down", "service", "argus");
    let state = run(&plan, &["logs[argus-1]", "restart[argus-1]", "restart[argus-2]", "proxy"], succeeded());
    assert_eq!(fitting(&plan, &state), RESOLUTION);
    insta::assert_snapshot!(message(&built_in(RESOLUTION), &plan, &state, &all_told()).unwrap(), @r"
    [RESOLVED] opareta Service Degradation
    Time: 2026-03-01 03:17 UTC (04:17 CET)
    Duration: 3 minutes (the recovery itself)
    Root Cause: the pool of connections ran out
    Resolution: Restart each instance (argus-1, argus-2); The proxy takes up the instances' present addresses
    Follow-up: raise the limit (OPS-41)
    ");
}

#[test]
fn a_run_that_found_everything_well_changed_nothing() {
    let plan = plan("service-down", "service", "argus");
    let state = run(&plan, &[], succeeded());
    let text = message("{{ resolution }}", &plan, &state, &Told::default());
    assert_eq!(text.unwrap(), "nothing had to be changed");
}

#[test]
fn the_duration_is_that_of_the_outage_when_its_beginning_is_told() {
    let plan = plan("service-down", "service", "argus");
    let told = Told { began: Some("2026-03-01T03:00:00Z".parse().unwrap()), ..Told::default() };
    let text = message("{{ began }}, {{ duration }}", &plan, &run(&plan, &[], succeeded()), &told);
    assert_eq!(text.unwrap(), "2026-03-01 03:00 UTC (04:00 CET), 17 minutes");
}

#[test]
fn what_nobody_has_said_is_refused_and_never_made_up() {
    let plan = plan("service-down", "service", "argus");
    let state = run(&plan, &[], succeeded());
    let refused = |told: &Told| message(&built_in(RESOLUTION), &plan, &state, told).unwrap_err();
    let both = Refusal::Unfilled(vec![Blank::RootCause, Blank::FollowUp]);
    assert_eq!(refused(&Told::default()), both);
    let pasted =
        Told { root_cause: Some("...".to_owned()), follow_up: Some(" ".to_owned()), ..Told::default() };
    assert_eq!(refused(&pasted), both);
    let half = Told { follow_up: None, ..all_told() };
    assert_eq!(refused(&half), Refusal::Unfilled(vec![Blank::FollowUp]));
}

#[test]
fn services_that_no_parameter_leads_to_are_asked_for() {
    let plan = Plan { affects: Vec::new(), params: Map::new(), ..plan("service-down", "service", "argus") };
    let state = run(&plan, &[], halted());
    let alert = built_in(ALERT);
    let refused = message(&alert, &plan, &state, &Told::default());
    assert_eq!(refused, Err(Refusal::Unfilled(vec![Blank::Services])));
    let told = Told { services: Some("billing".to_owned()), ..Told::default() };
    assert!(message(&alert, &plan, &state, &told).unwrap().contains("Affected Services: billing\n"));
}

#[test]
fn nothing_is_resolved_by_a_run_that_halted_or_only_looked() {
    let down = plan("service-down", "service", "argus");
    let resolution = built_in(RESOLUTION);
    let refused = message(&resolution, &down, &run(&down, &[], halted()), &all_told());
    assert_eq!(refused, Err(Refusal::NotResolved));
    let look = plan("resources", "project", "opareta");
    let state = run(&look, &["containers", "host"], succeeded());
    assert_eq!(fitting(&look, &state), ALERT);
    assert_eq!(message(&resolution, &look, &state, &all_told()), Err(Refusal::NotResolved));
}

#[test]
fn a_template_that_names_what_does_not_exist_is_refused_with_what_does() {
    let plan = plan("service-down", "service", "argus");
    let state = run(&plan, &[], halted());
    let Err(Refusal::Template(why)) = message("{{ sevices }}", &plan, &state, &Told::default()) else {
        panic!("it was filled in");
    };
    assert!(why.contains("`sevices`") && why.contains("`services`"), "{why}");
    let Err(Refusal::Template(why)) = message("one\ntwo {{ site }\n", &plan, &state, &Told::default()) else {
        panic!("it was filled in");
    };
    assert!(why.starts_with("`two {{ site }` in line 2 cannot be read"), "{why}");
}

#[test]
fn every_name_that_a_template_may_use_is_documented() {
    let plan = plan("service-down", "service", "argus");
    let state = run(&plan, &[], succeeded());
    let (told, zone) = (all_told(), TimeZone::UTC);
    let facts = facts(Subject { plan: &plan, state: &state, told: &told, now: begin(), zone: &zone });
    let docs = include_str!("../../../docs/messages.md");
    let missing: Vec<_> = facts.keys().filter(|name| !docs.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
