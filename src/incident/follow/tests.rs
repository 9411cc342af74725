use std::collections::BTreeMap;

use super::*;
use crate::base::clock::{Clock, Timestamp};
use crate::base::id::IncidentId;
use crate::incident::desk::Desk;
use crate::incident::event::{Opening, Record as Line};
use crate::journal::store::Turn;
use crate::model::escalation::Level;
use crate::model::operation::Operation;
use crate::model::plan::{Effect, Form, PlannedFailure, PlannedStep, PlannedUndo, Task};
use crate::model::runbook::{OnInterrupted, Risk};
use crate::model::thresholds::Severity;
use crate::run::event::Phase;

struct Scene {
    folder: tempfile::TempDir,
    turn: Turn,
    hand: Hand,
}

fn step(name: &str, title: &str) -> PlannedStep {
    PlannedStep {
        key: StepKey::new(name),
        title: title.to_owned(),
        task: Task {
            action: "wait".to_owned(),
            effect: Effect::Reads,
            host: None,
            form: Form::Ready(Operation::Sleep(Span::secs(0))),
        },
        when: None,
        done_when: None,
        expect: Vec::new(),
        undo: PlannedUndo::None,
        touches: Vec::new(),
        approve: None,
        timeout: None,
        retry: None,
        on_failure: PlannedFailure::Halt,
        on_interrupted: OnInterrupted::Rerun,
        outputs: Default::default(),
        group: None,
        rescues: None,
    }
}

fn plan() -> Plan {
    Plan {
        v: 1,
        site: "shop".to_owned(),
        runbook: "service-down".to_owned(),
        origin: "built-in".to_owned(),
        title: "A service is down".to_owned(),
        risk: Risk::Disruptive,
        severity: Default::default(),
        affects: Vec::new(),
        rto: None,
        subject: None,
        lost: None,
        params: Default::default(),
        inventory: "opsctl.yaml".to_owned(),
        hosts: BTreeMap::new(),
        basis: Default::default(),
        steps: vec![step("restart", "Restart argus-1\n"), step("check", "Ask for its health")],
    }
}

impl Scene {
    /// A run that was begun, and an incident that it is linked to.
    fn new() -> Scene {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::fixed(Timestamp::UNIX_EPOCH);
        let plan = plan();
        let mut turn = Store::at(folder.path()).create_run(&plan, "ada", clock.clone()).unwrap();
        turn.journal.append(RunEvent::EpochStarted { operator: "ada".to_owned(), pid: 1 }).unwrap();
        let opening = Opening {
            incident: IncidentId::generate(),
            site: "shop".to_owned(),
            title: "argus does not answer".to_owned(),
            severity: Severity::Critical,
            services: vec!["argus".to_owned()],
            started_at: Timestamp::UNIX_EPOCH,
            detected_at: Timestamp::UNIX_EPOCH,
            level: Level::L2,
            group: None,
            inventory: "opsctl.yaml".to_owned(),
        };
        let mut hand = Desk::at(&folder.path().join("incidents")).create(opening, "ada", clock).unwrap();
        let linked =
            Event::Linked { run: turn.dir.id, runbook: plan.runbook.clone(), title: plan.title.clone() };
        hand.append(linked).unwrap();
        Scene { folder, turn, hand }
    }

    fn finishes(&mut self, name: &str, outcome: Outcome) {
        let step = StepKey::new(name);
        let phase = Phase::Do;
        self.turn.journal.append(RunEvent::StepStarted { step: step.clone(), attempt: 1, phase }).unwrap();
        self.turn.journal.append(RunEvent::StepFinished { step, attempt: 1, phase, outcome }).unwrap();
    }

    fn follow(&mut self) -> bool {
        follow(&mut self.hand, &Store::at(self.folder.path())).unwrap()
    }

    /// What the timeline says of the run.
    fn told(&self) -> Vec<&str> {
        let text = |line: &'_ Line| -> bool { matches!(line.event, Event::Ran { .. }) };
        let ran = self.hand.records().iter().filter(|line| text(line));
        ran.map(|line| match &line.event {
            Event::Ran { text, .. } => text.as_str(),
            _ => "",
        })
        .collect()
    }
}

fn good() -> Outcome {
    Outcome::Succeeded { outputs: BTreeMap::new(), log: None, ms: 2140 }
}

#[test]
fn each_step_of_a_linked_run_is_taken_over_once() {
    let mut scene = Scene::new();
    assert!(!scene.follow(), "nothing has happened that people would ask for");
    scene.finishes("restart", good());
    assert!(scene.follow());
    assert!(!scene.follow());
    assert_eq!(scene.told(), ["Restart argus-1: done in 2.1s"]);
    let message = "it says 503".to_owned();
    scene.finishes(
        "check",
        Outcome::Failed { message, may_have_changed: false, unreachable: None, log: None, ms: 1 },
    );
    assert!(scene.follow());
    assert_eq!(scene.told()[1..], ["Ask for its health: failed: it says 503"]);
}

#[test]
fn a_run_is_followed_to_its_end_and_its_end_alone_mends_nothing() {
    let mut scene = Scene::new();
    scene.finishes("restart", good());
    scene.finishes("check", good());
    scene.turn.journal.append(RunEvent::RunEnded { end: End::Succeeded }).unwrap();
    scene.follow();
    assert_eq!(scene.told().last(), Some(&"`service-down` succeeded"));
    let state = scene.hand.state();
    assert!(state.runs[&scene.turn.dir.id].is_ended);
    assert_eq!(state.milestones.mitigated_at, None, "who moved it looks at the service");
    assert!(!scene.follow());
}

#[test]
fn a_run_that_is_not_here_holds_nobody_up() {
    let mut scene = Scene::new();
    let run = RunId::generate();
    scene.hand.append(Event::Linked { run, runbook: "gone".to_owned(), title: "Gone".to_owned() }).unwrap();
    scene.finishes("restart", good());
    assert!(scene.follow());
    assert_eq!(scene.told().len(), 1);
}
