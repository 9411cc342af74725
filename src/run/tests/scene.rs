//! A run in a test: a plan of a few words, events one after the other, and what is decided then.

use std::collections::BTreeMap;

use serde_json::Map;

use crate::base::amount::Span;
use crate::base::clock::Timestamp;
use crate::base::id::{RunId, StepKey};
use crate::model::check::Patience;
use crate::model::operation::Operation;
use crate::model::plan::{
    Digest, Effect, Form, Group, Plan, PlannedCheck, PlannedFailure, PlannedStep, PlannedUndo, Task,
};
use crate::model::runbook::{OnInterrupted, Retry, Risk};
use crate::run::decide::{Decision, decide};
use crate::run::event::{Choice, Event, Evidence, Finding, Outcome, Phase, Record, Rest};
use crate::run::known::{Answer, At, Known};
use crate::run::receipt::{Processes, Receipt};
use crate::run::state::{RunState, StepStatus};
use crate::run::transition::Illegal;

pub fn key(name: &str) -> StepKey {
    StepKey::new(name)
}

fn task() -> Task {
    Task {
        action: "command.run".to_owned(),
        effect: Effect::Changes,
        host: Some("app".to_owned()),
        form: Form::Ready(Operation::Sleep(Span::secs(1))),
    }
}

fn check() -> PlannedCheck {
    PlannedCheck { task: task(), that: None, patience: Patience::default() }
}

/// A step on a host that halts when it fails, asks when it was cut off, and has an undo.
pub fn step(name: &str) -> PlannedStep {
    PlannedStep {
        key: key(name),
        title: name.to_owned(),
        task: task(),
        when: None,
        done_when: None,
        expect: Vec::new(),
        undo: PlannedUndo::Task(Box::new(task())),
        touches: Vec::new(),
        approve: None,
        timeout: None,
        retry: None,
        on_failure: PlannedFailure::Halt,
        on_interrupted: OnInterrupted::Ask,
        outputs: Default::default(),
        group: None,
        rescues: None,
    }
}

/// What a test changes about a step.
pub trait But {
    fn but(self, change: impl FnOnce(&mut Self)) -> Self;
    fn failing_to(self, policy: PlannedFailure) -> Self;
    fn interrupted(self, policy: OnInterrupted) -> Self;
    fn in_group(self, of: &str, parallel: u32, max_failures: u32) -> Self;
    fn rescuing(self, step: &str) -> Self;
    fn with_done_when(self) -> Self;
    fn with_expect(self) -> Self;
    fn with_undo(self, undo: PlannedUndo) -> Self;
    fn retried(self, attempts: u32) -> Self;
}

impl But for PlannedStep {
    fn but(mut self, change: impl FnOnce(&mut PlannedStep)) -> PlannedStep {
        change(&mut self);
        self
    }

    fn failing_to(self, policy: PlannedFailure) -> PlannedStep {
        self.but(|step| step.on_failure = policy)
    }

    fn interrupted(self, policy: OnInterrupted) -> PlannedStep {
        self.but(|step| step.on_interrupted = policy)
    }

    fn in_group(self, of: &str, parallel: u32, max_failures: u32) -> PlannedStep {
        self.but(|step| step.group = Some(Group { of: key(of), parallel, max_failures }))
    }

    fn rescuing(self, mended: &str) -> PlannedStep {
        self.but(|step| step.rescues = Some(key(mended)))
    }

    fn with_done_when(self) -> PlannedStep {
        self.but(|step| step.done_when = Some(check()))
    }

    fn with_expect(self) -> PlannedStep {
        self.but(|step| step.expect = vec![check()])
    }

    fn with_undo(self, undo: PlannedUndo) -> PlannedStep {
        self.but(|step| step.undo = undo)
    }

    fn retried(self, attempts: u32) -> PlannedStep {
        self.but(|step| {
            let (delay, max_delay) = (Span::secs(1), Span::secs(3));
            step.retry = Some(Retry { attempts, delay, backoff: 2.0, max_delay });
        })
    }
}

pub fn plan(steps: Vec<PlannedStep>) -> Plan {
    Plan {
        v: 1,
        site: "test".to_owned(),
        runbook: "test".to_owned(),
        origin: "built-in".to_owned(),
        title: "Test".to_owned(),
        risk: Risk::Disruptive,
        severity: Default::default(),
        affects: Vec::new(),
        rto: None,
        subject: None,
        lost: None,
        params: Map::new(),
        inventory: "opsctl.yaml".to_owned(),
        hosts: BTreeMap::new(),
        basis: Default::default(),
        steps,
    }
}

pub fn record(state: &RunState, event: Event) -> Record {
    Record {
        v: Record::VERSION,
        seq: state.records + 1,
        prev: Digest::of(b""),
        at: Timestamp::UNIX_EPOCH,
        epoch: state.epoch + u64::from(matches!(event, Event::EpochStarted { .. })),
        event,
    }
}

pub fn created(plan: &Plan) -> Event {
    Event::RunCreated {
        run: RunId::generate(),
        plan: plan.digest(),
        runbook: plan.runbook.clone(),
        operator: "ada".to_owned(),
    }
}

pub fn epoch() -> Event {
    Event::EpochStarted { operator: "ada".to_owned(), pid: 1 }
}

pub fn decision(choice: Choice) -> Event {
    Event::Decision { by: "ada".to_owned(), choice, reason: None }
}

pub fn person() -> Evidence {
    Evidence::Person { by: "ada".to_owned(), reason: "looked".to_owned() }
}

pub fn good() -> Outcome {
    Outcome::Succeeded { outputs: BTreeMap::new(), log: None, ms: 1 }
}

pub fn bad(may_have_changed: bool) -> Outcome {
    Outcome::Failed { message: "it broke".to_owned(), may_have_changed, unreachable: None, log: None, ms: 1 }
}

pub fn lost() -> Outcome {
    let message = "the connection was lost".to_owned();
    Outcome::Unknown {
        message,
        took_effect: false,
        processes: Processes::Untouched,
        outputs: BTreeMap::new(),
        log: None,
        ms: 1,
    }
}

/// Its processes were told to end.
pub fn ended(came_of_it: Processes) -> Outcome {
    let mut outcome = lost();
    if let Outcome::Unknown { processes, .. } = &mut outcome {
        *processes = came_of_it;
    }
    outcome
}

/// It took effect, and Ctrl-C came while its expectations were waited for.
pub fn unconfirmed() -> Outcome {
    let message = "Ctrl-C".to_owned();
    let outputs = BTreeMap::from([("id".to_owned(), 7.into())]);
    Outcome::Unknown {
        message,
        took_effect: true,
        processes: Processes::Untouched,
        outputs,
        log: None,
        ms: 1,
    }
}

/// Its host could not be reached.
pub fn unreached() -> Outcome {
    let unreachable = Some("app".to_owned());
    Outcome::Failed { message: "no route".to_owned(), may_have_changed: false, unreachable, log: None, ms: 1 }
}

#[derive(Clone)]
pub struct Scene {
    pub plan: Plan,
    pub state: RunState,
    pub known: Known,
}

impl Scene {
    /// A run whose plan is approved, in its first turn, with nobody at the terminal.
    pub fn new(steps: Vec<PlannedStep>) -> Scene {
        Scene::of(plan(steps))
    }

    pub fn of(plan: Plan) -> Scene {
        let mut scene = Scene { state: RunState::new(&plan), known: Known::new(false), plan };
        scene.now(created(&scene.plan));
        scene.now(decision(Choice::ApprovePlan { plan: scene.plan.digest() }));
        scene.now(epoch());
        scene
    }

    pub fn attempt(&mut self, event: Event) -> Result<(), Illegal> {
        let record = record(&self.state, event);
        self.state.apply(&record)?;
        self.known.note(&record.event);
        Ok(())
    }

    #[track_caller]
    pub fn now(&mut self, event: Event) -> &mut Scene {
        if let Err(illegal) = self.attempt(event) {
            panic!("{illegal}");
        }
        self
    }

    pub fn decide(&self) -> Decision {
        decide(&self.plan, &self.state, &self.known)
    }

    #[track_caller]
    pub fn decides(&mut self, expected: Decision) -> &mut Scene {
        assert_eq!(self.decide(), expected);
        self
    }

    #[track_caller]
    pub fn begins(&mut self, name: &str, attempt: u32) -> &mut Scene {
        self.starts(name, attempt, Phase::Do)
    }

    #[track_caller]
    pub fn begins_undo(&mut self, name: &str, attempt: u32) -> &mut Scene {
        self.finds(name, At::Host, Answer::Holds).starts(name, attempt, Phase::Undo)
    }

    #[track_caller]
    fn starts(&mut self, name: &str, attempt: u32, phase: Phase) -> &mut Scene {
        self.decides(Decision::Start { step: key(name), attempt, phase });
        self.now(Event::StepStarted { step: key(name), attempt, phase })
    }

    /// The last attempt at a step ends.
    #[track_caller]
    pub fn ends(&mut self, name: &str, outcome: Outcome) -> &mut Scene {
        let step = &self.state.steps[&key(name)];
        let (phase, attempt) = (step.phase, step.tries(step.phase).attempts);
        self.now(Event::StepFinished { step: key(name), attempt, phase, outcome })
    }

    /// The next decision is to look, and this is the answer.
    #[track_caller]
    pub fn finds(&mut self, name: &str, at: At, answer: Answer) -> &mut Scene {
        self.decides(Decision::Look { step: key(name), at });
        self.known.answer(&key(name), at, answer);
        self
    }

    /// The next decision is to ask the host for the receipt of the last attempt, and this is it.
    #[track_caller]
    pub fn has(&mut self, name: &str, receipt: Receipt) -> &mut Scene {
        self.finds(name, At::Receipt, Answer::Receipt(receipt))
    }

    /// The next decision is to follow the attempt, and it is in flight again.
    #[track_caller]
    pub fn follows(&mut self, name: &str, attempt: u32) -> &mut Scene {
        let (step, phase) = (key(name), self.state.steps[&key(name)].phase);
        self.decides(Decision::Follow { step: step.clone(), attempt, phase });
        let (finding, by) = (Finding::Followed, Evidence::Receipt);
        self.now(Event::StepObserved { step, attempt, phase, finding, by })
    }

    #[track_caller]
    pub fn skips(&mut self, name: &str, why: crate::run::event::Skip) -> &mut Scene {
        self.decides(Decision::Skip { step: key(name), why: why.clone() });
        self.now(Event::StepSkipped { step: key(name), why })
    }

    /// The next decision is to observe this, and it is.
    #[track_caller]
    pub fn observes(&mut self, name: &str, attempt: u32, finding: Finding, by: Evidence) -> &mut Scene {
        let (step, phase) = (key(name), self.state.steps[&key(name)].phase);
        let (found, on) = (finding.clone(), by.clone());
        self.decides(Decision::Observe { step: step.clone(), attempt, phase, finding, by });
        self.now(Event::StepObserved { step, attempt, phase, finding: found, by: on })
    }

    #[track_caller]
    pub fn rests(&mut self, rest: Rest) -> &mut Scene {
        self.decides(Decision::Rest(rest.clone()));
        self.now(Event::RunRested { rest }).decides(Decision::Nothing)
    }

    #[track_caller]
    pub fn halts_at(&mut self, name: &str) -> &mut Scene {
        self.rests(Rest::Failed { step: key(name), message: "it broke".to_owned() })
    }

    pub fn resumes(&mut self) -> &mut Scene {
        self.now(epoch()).now(decision(Choice::Resume))
    }

    pub fn is(&self, name: &str) -> StepStatus {
        self.state.steps[&key(name)].status
    }
}

pub fn no() -> Answer {
    Answer::Fails { saw: "nothing of the kind".to_owned() }
}

pub fn unreachable() -> Answer {
    Answer::Unreachable { host: "app".to_owned(), message: "no route".to_owned() }
}

pub fn unkept() -> Receipt {
    Receipt::Unkept { why: "no receipts here".to_owned() }
}

pub fn cut() -> Receipt {
    Receipt::Cut { why: "the host was started anew".to_owned() }
}

pub fn waiting_for_host() -> Rest {
    Rest::WaitingForHost { step: None, host: "app".to_owned(), message: "no route".to_owned() }
}
