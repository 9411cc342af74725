//! A world with a script, a plan of a few words, and a run of it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use crate::base::Result;
use crate::base::amount::Span;
use crate::base::clock::Clock;
use crate::base::id::StepKey;
use crate::engine::cancel::Cancel;
use crate::engine::drive::{Engine, Person};
use crate::engine::world::{Request, World};
use crate::host::failure::{Failure, FailureKind};
use crate::journal::store::{Store, Turn};
use crate::model::check::Patience;
use crate::model::operation::{Command, Observation, Operation, Program};
use crate::model::plan::{Effect, Form, Plan, PlannedCheck, PlannedFailure, PlannedStep, PlannedUndo, Task};
use crate::model::runbook::{OnInterrupted, Risk};
use crate::run::decide::Question;
use crate::run::event::{Event, Outcome};
use crate::run::signal::{Signal, Stream};

pub type Answer = std::result::Result<Value, Failure>;

pub fn exit(code: i32) -> Answer {
    Ok(json!({ "status": code, "stdout": "a line\n", "stderr": "" }))
}

pub fn lost(is_dispatched: bool) -> Answer {
    failure(FailureKind::Lost, is_dispatched)
}

pub fn failure(kind: FailureKind, is_dispatched: bool) -> Answer {
    let (host, message) = ("app".to_owned(), "it is gone".to_owned());
    Err(Failure { host, kind, message, is_dispatched, hints: Vec::new() })
}

/// Commands are answered by the first word, one answer after the other, the last again and again.
#[derive(Default)]
pub struct Script {
    answers: Mutex<BTreeMap<String, VecDeque<Answer>>>,
    /// How long every request takes.
    pub takes: Duration,
    pub asked: Mutex<Vec<String>>,
}

impl Script {
    pub fn new(answers: impl IntoIterator<Item = (&'static str, Vec<Answer>)>) -> Script {
        let answers = answers.into_iter().map(|(word, answers)| (word.to_owned(), answers.into())).collect();
        Script { answers: Mutex::new(answers), takes: Duration::from_millis(10), ..Script::default() }
    }

    pub fn times(&self, word: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == word).count()
    }
}

impl World for Script {
    fn perform<'a>(
        &'a self,
        request: Request<'a>,
    ) -> BoxFuture<'a, std::result::Result<Observation, Failure>> {
        let word = request.operation.to_string();
        async move {
            self.asked.lock().unwrap().push(word.clone());
            tokio::time::sleep(self.takes).await;
            (request.output)(Stream::Out, "a line");
            let mut answers = self.answers.lock().unwrap();
            let answers = answers.get_mut(&word).unwrap_or_else(|| panic!("`{word}` has no answer"));
            let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
            answer.unwrap().map(|value| Observation { value })
        }
        .boxed()
    }
}

fn task(word: &str, effect: Effect) -> Task {
    let operation = Operation::Command(Command {
        program: Program::Argv(vec![word.to_owned()]),
        directory: None,
        env: BTreeMap::new(),
        stdin: None,
        success_codes: Vec::new(),
    });
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
        undo: PlannedUndo::Task(task("undo", Effect::Changes)),
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
    _folder: tempfile::TempDir,
}

impl Run {
    pub fn new(steps: Vec<PlannedStep>) -> Run {
        let (plan, folder) = (plan(steps), tempfile::tempdir().unwrap());
        let turn = Store::at(folder.path()).create_run(&plan, "ada", Clock::System).unwrap();
        let mut run = Run { plan, turn, cancel: Arc::default(), _folder: folder };
        run.append(Event::EpochStarted { operator: "ada".to_owned(), pid: 1 });
        run
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
        let (plan, cancel) = (&self.plan, &self.cancel);
        let engine = Engine { plan, world, person: &Nobody, cancel, operator: "ada", tell };
        engine.drive(&mut self.turn).await
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
