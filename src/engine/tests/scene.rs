//! A plan of a few words, and a run of it on a world with a script.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::script::Script;
use crate::base::Result;
use crate::base::amount::Span;
use crate::base::clock::Clock;
use crate::base::id::StepKey;
use crate::engine::cancel::Cancel;
use crate::engine::drive::{Engine, Person};
use crate::engine::leases::{Denied, Terms};
use crate::engine::vigil::Vigil;
use crate::journal::store::{Store, Turn};
use crate::model::check::Patience;
use crate::model::operation::{Command, Operation, Program};
use crate::model::plan::{Effect, Form, Plan, PlannedCheck, PlannedFailure, PlannedStep, PlannedUndo, Task};
use crate::model::runbook::{OnInterrupted, Risk};
use crate::run::decide::Question;
use crate::run::event::{Event, Outcome};
use crate::run::lease::Folder;
use crate::run::signal::Signal;

fn task(word: &str, effect: Effect) -> Task {
    let operation = Operation::Command(Command::new(Program::Argv(vec![word.to_owned()])));
    Task { action: "command".to_owned(), effect, host: Some("app".to_owned()), form: Form::Ready(operation) }
}

/// The command `check`, tried every second.
pub fn check(within: u64, successes: u32, stays_good_for: u64) -> PlannedCheck {
    let patience = Patience {
        within: Span::secs(within),
        every: Span::secs(1),
        successes,
        stays_good_for: Span::secs(stays_good_for),
    };
    PlannedCheck { task: task("check", Effect::Reads), that: None, patience }
}

/// The command `do`, undone by `undo`.
pub fn step(effect: Effect) -> PlannedStep {
    PlannedStep {
        key: StepKey::new("a"),
        title: "A".to_owned(),
        task: task("do", effect),
        when: None,
        done_when: None,
        expect: Vec::new(),
        undo: PlannedUndo::Task(Box::new(task("undo", Effect::Changes))),
        touches: Vec::new(),
        approve: None,
        timeout: None,
        retry: None,
        on_failure: PlannedFailure::Halt,
        on_interrupted: if effect > Effect::Ensures { OnInterrupted::Ask } else { OnInterrupted::Rerun },
        outputs: Default::default(),
        group: None,
        rescues: None,
    }
}

pub fn plan(steps: Vec<PlannedStep>) -> Plan {
    Plan {
        v: 1,
        site: "test".to_owned(),
        runbook: "test".to_owned(),
        origin: "built-in".to_owned(),
        title: "Test".to_owned(),
        risk: Risk::ReadOnly,
        rto: None,
        subject: None,
        lost: None,
        params: Default::default(),
        inventory: "opsctl.yaml".to_owned(),
        hosts: BTreeMap::new(),
        severity: Default::default(),
        affects: Vec::new(),
        basis: Default::default(),
        steps,
    }
}

struct Nobody;

impl Person for Nobody {
    fn is_there(&self) -> bool {
        false
    }

    fn answer(&self, _: &Question) -> Result<Option<Event>> {
        Ok(None)
    }
}

/// A run in a folder of its own.
pub struct Run {
    pub plan: Plan,
    pub turn: Turn,
    pub cancel: Arc<Cancel>,
    pub vigil: Vigil,
    /// For how long it waits for hosts.
    pub lock_wait: Duration,
    folder: Arc<tempfile::TempDir>,
}

impl Run {
    pub fn new(steps: Vec<PlannedStep>) -> Run {
        Run::of(plan(steps))
    }

    pub fn of(plan: Plan) -> Run {
        let mut run = Run::within(Arc::new(tempfile::tempdir().unwrap()), plan);
        run.begin_turn(1);
        run
    }

    /// One that nobody has taken a turn at.
    pub fn created(steps: Vec<PlannedStep>) -> Run {
        Run::within(Arc::new(tempfile::tempdir().unwrap()), plan(steps))
    }

    /// Another one of the same store.
    pub fn beside(&self, steps: Vec<PlannedStep>) -> Run {
        Run::within(self.folder.clone(), plan(steps))
    }

    fn within(folder: Arc<tempfile::TempDir>, plan: Plan) -> Run {
        let turn = Store::at(folder.path()).create_run(&plan, "ada", Clock::System).unwrap();
        let (cancel, vigil) = (Arc::default(), Vigil::default());
        Run { plan, turn, cancel, vigil, lock_wait: Duration::ZERO, folder }
    }

    /// From here on its vigil goes by this clock, in both of its ways.
    pub fn watched(&mut self) -> Arc<Mutex<Duration>> {
        let clock = Arc::new(Mutex::new(Duration::ZERO));
        let shown = clock.clone();
        self.vigil = Vigil::by(move || [*shown.lock().unwrap(); 2]);
        clock
    }

    pub async fn take_turn(&mut self, world: &Script, decisions: Vec<Event>) -> Result<Option<Denied>> {
        self.take_turn_telling(world, decisions, &|_| {}).await
    }

    pub async fn take_turn_telling(
        &mut self,
        world: &Script,
        decisions: Vec<Event>,
        tell: &(dyn Fn(Signal) + Send + Sync),
    ) -> Result<Option<Denied>> {
        let Run { plan, cancel, vigil, turn, lock_wait, folder } = self;
        let engine = Engine { plan, world, person: &Nobody, cancel, operator: "ada", vigil, tell };
        let store = &Store::at(folder.path());
        let terms = Terms { store, lock_wait: *lock_wait, ends_what_was_left: false };
        engine.turn(turn, decisions, &terms).await
    }

    /// Another process takes its turn, and the host that the steps are on.
    pub fn begin_turn(&mut self, number: u32) {
        self.append(Event::EpochStarted { operator: "ada".to_owned(), pid: number });
        let folder =
            Some(Folder { path: "/var/lib/opsctl".to_owned(), id: "f".to_owned(), is_in_memory: false });
        self.append(Event::LeaseTaken { host: "app".to_owned(), fence: number.into(), folder });
    }

    pub fn append(&mut self, event: Event) {
        self.turn.journal.append(event).unwrap();
    }

    pub async fn drive(&mut self, world: &Script) -> Result<()> {
        self.drive_telling(world, &|_| {}).await
    }

    pub async fn drive_telling(
        &mut self,
        world: &Script,
        tell: &(dyn Fn(Signal) + Send + Sync),
    ) -> Result<()> {
        self.drive_with(world, &Nobody, tell).await
    }

    pub async fn drive_with(
        &mut self,
        world: &Script,
        person: &dyn Person,
        tell: &(dyn Fn(Signal) + Send + Sync),
    ) -> Result<()> {
        let Run { plan, cancel, vigil, turn, .. } = self;
        Engine { plan, world, person, cancel, operator: "ada", vigil, tell }.drive(turn).await
    }

    /// How the attempts ended, as the disk holds it.
    pub fn outcomes(&self) -> Vec<Outcome> {
        let records = self.turn.dir.history().unwrap().records;
        let outcome = records.into_iter().filter_map(|record| match record.event {
            Event::StepFinished { outcome, .. } => Some(outcome),
            _ => None,
        });
        outcome.collect()
    }
}
