//! What the person at the terminal approves, and on what.

use std::sync::Mutex;

use serde_json::json;

use super::scene::{Run, plan, step};
use super::script::{Answer, Script, exit, failure};
use crate::base::Result;
use crate::engine::drive::Person;
use crate::host::failure::FailureKind;
use crate::model::facts::{HostFacts, ProjectFacts};
use crate::model::plan::{Effect, Plan, PlannedStep};
use crate::model::runbook::Risk;
use crate::model::snapshot::ContainerFacts;
use crate::model::touched::Touched;
use crate::run::decide::Question;
use crate::run::event::{Choice, Event, Rest};
use crate::run::signal::Signal;
use crate::run::state::Status;

const LOOK: &str = "docker compose ps -a web";

/// Docker's answer: the one container of `web`, by this id.
fn seen(id: &str) -> Answer {
    let container =
        json!({ "name": "web", "service": "web", "id": id, "image_id": "sha256:0", "state": "running" });
    Ok(json!({ "containers": [container] }))
}

/// A step about the service `web`.
fn touching() -> PlannedStep {
    let web = Touched { project: "shop".to_owned(), services: ["web".to_owned()].into() };
    PlannedStep { touches: vec![web], ..step(Effect::Changes) }
}

/// Of these steps, on a site with the project `shop`.
fn shop(steps: Vec<PlannedStep>) -> Plan {
    let mut plan = plan(steps);
    let site =
        "{ name: s, hosts: { app: { address: local } }, projects: { shop: { host: app, directory: /s } } }";
    plan.basis.inventory = serde_yaml::from_str(site).unwrap();
    let facts = &mut plan.basis.facts;
    facts
        .hosts
        .insert("app".to_owned(), HostFacts { compose: vec!["docker".to_owned(), "compose".to_owned()] });
    facts
        .projects
        .insert("shop".to_owned(), ProjectFacts { name: "shop".to_owned(), ..ProjectFacts::default() });
    plan
}

/// Says yes to everything, and keeps what was asked.
#[derive(Default)]
struct Agreeable {
    asked: Mutex<Vec<String>>,
}

impl Person for Agreeable {
    fn is_there(&self) -> bool {
        true
    }

    fn answer(&self, question: &Question) -> Result<Option<Event>> {
        let Question::ApproveStep { step, question } = question else { panic!("{question:?}") };
        self.asked.lock().unwrap().push(question.clone());
        let choice = Choice::ApproveStep { step: step.clone(), containers: None };
        Ok(Some(Event::Decision { by: "ada".to_owned(), choice, reason: None }))
    }
}

/// A run of a step that asks, with Docker's answers one after the other.
async fn asked(answers: Vec<Answer>) -> (Run, Script, Vec<String>) {
    let world = Script::new([("do", vec![exit(0)]), (LOOK, answers)]);
    let mut run = Run::of(shop(vec![PlannedStep { approve: Some("really?".to_owned()), ..touching() }]));
    let person = Agreeable::default();
    run.drive_with(&world, &person, &|_| {}).await.unwrap();
    (run, world, person.asked.into_inner().unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_step_is_approved_on_what_there_was_when_it_was_asked_about() {
    let (run, world, questions) = asked(vec![seen("1")]).await;
    assert_eq!(questions, ["really?"]);
    assert_eq!(world.times("do"), 1);
    let state = run.turn.journal.state();
    assert_eq!(state.status, Status::Succeeded);
    let approved_on = state.steps[0].approved_on.as_ref().unwrap();
    assert_eq!(approved_on.of("shop").unwrap()[0].id, "1");
}

#[tokio::test(start_paused = true)]
async fn what_changes_while_a_person_thinks_is_asked_about_again() {
    let (run, world, questions) = asked(vec![seen("1"), seen("2")]).await;
    let lapsed = "really? (what ada approved has lapsed: container `web` was 1, and is 2)";
    assert_eq!(questions, ["really?", lapsed]);
    assert_eq!(world.times("do"), 1);
    let state = run.turn.journal.state();
    assert_eq!(state.steps[0].approved_on.as_ref().unwrap().of("shop").unwrap()[0].id, "2");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_while_docker_does_not_answer() {
    for kind in [FailureKind::Unreachable, FailureKind::Missing] {
        let (run, world, questions) = asked(vec![failure(kind, false)]).await;
        assert!(questions.is_empty(), "{questions:?}");
        assert_eq!(world.times("do"), 0);
        let state = run.turn.journal.state();
        let Some(Rest::WaitingForHost { host, .. }) = &state.rest else { panic!("{:?}", state.rest) };
        assert_eq!(host, "app");
    }
}

/// A plan that was approved when `web` was container 1.
fn approved() -> Run {
    let mut plan = Plan { risk: Risk::Disruptive, ..shop(vec![touching()]) };
    let [name, service, id, image_id] = ["web", "web", "1", "sha256:0"].map(str::to_owned);
    plan.basis.facts.containers.add("shop", vec![ContainerFacts { name, service, id, image_id }]);
    let mut run = Run::of(plan);
    let choice = Choice::ApprovePlan { plan: run.plan.digest() };
    run.append(Event::Decision { by: "ada".to_owned(), choice, reason: None });
    run
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_was_approved_on_something_else_is_abandoned_and_the_difference_told() {
    let world = Script::new([("do", vec![exit(0)]), (LOOK, vec![seen("2")])]);
    let (mut run, told) = (approved(), Mutex::new(Vec::new()));
    let tell = |signal| {
        if let Signal::Lapsed { step, drift } = signal {
            told.lock().unwrap().push((step, drift.to_string()));
        }
    };
    run.drive_telling(&world, &tell).await.unwrap();
    assert_eq!(world.times("do"), 0);
    assert_eq!(*told.lock().unwrap(), [(None, "container `web` was 1, and is 2".to_owned())]);
    assert_eq!(run.turn.journal.state().status, Status::Abandoned);
}

#[tokio::test(start_paused = true)]
async fn a_container_that_stopped_or_fell_ill_is_still_the_one_that_was_approved() {
    let ill = json!({ "name": "web", "service": "web", "id": "1", "image_id": "sha256:0",
                      "state": "exited", "health": "unhealthy", "restarts": 7 });
    let world = Script::new([("do", vec![exit(0)]), (LOOK, vec![Ok(json!({ "containers": [ill] }))])]);
    let mut run = approved();
    run.drive(&world).await.unwrap();
    assert_eq!(run.turn.journal.state().status, Status::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_makes_no_sense_is_none() {
    let world =
        Script::new([("do", vec![exit(0)]), (LOOK, vec![Ok(json!({ "containers": [{ "name": "web" }] }))])]);
    let mut run = approved();
    run.drive(&world).await.unwrap();
    let state = run.turn.journal.state();
    let Some(Rest::WaitingForHost { message, .. }) = &state.rest else { panic!("{:?}", state.rest) };
    assert!(message.contains("missing field `service`"), "{message}");
}
