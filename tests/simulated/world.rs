//! The simulated hosts as the engine meets them: every request takes time, and one of them may go wrong.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use opsctl::base::id::StepKey;
use opsctl::engine::cancel::Cancel;
use opsctl::engine::world::{Request, World};
use opsctl::host::failure::{Failure, FailureKind};
use opsctl::model::operation::{Observation, Operation};
use opsctl::model::plan::{Form, Plan, PlannedUndo};
use opsctl::run::event::{Event, Phase};
use opsctl::run::signal::Stream;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::model::{Effect, Model};

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// It fails and has no effect.
    Clean,
    /// It has its effect and fails.
    Dirty,
    /// The host cannot be reached, just this once.
    Unreachable,
    /// The host cannot be reached for some minutes.
    Away,
    /// The connection is lost on the way there.
    LostBefore,
    /// The connection is lost after it had its effect.
    LostAfter,
    /// It has its effect, and its time is up.
    Late,
    /// Docker or the shell of the host refuses.
    Refused,
    /// Somebody presses Ctrl-C while it is under way.
    CtrlC,
}

pub const FAULTS: [Fault; 9] = [
    Fault::Clean,
    Fault::Dirty,
    Fault::Unreachable,
    Fault::Away,
    Fault::LostBefore,
    Fault::LostAfter,
    Fault::Late,
    Fault::Refused,
    Fault::CtrlC,
];

/// How long a host stays away.
const AWAY: Duration = Duration::from_secs(400);

pub struct Hosts {
    plan: Plan,
    inner: Mutex<Inner>,
}

struct Inner {
    model: Model,
    requests: usize,
    fault: Option<(usize, Fault)>,
    away: Option<(String, Instant)>,
    in_flight: BTreeSet<(StepKey, Phase)>,
    cancel: Arc<Cancel>,
    wrong: Vec<String>,
}

impl Hosts {
    /// `fault` is what goes wrong, and with which request, counted from 0.
    pub fn new(plan: &Plan, model: Model, fault: Option<(usize, Fault)>) -> Hosts {
        let inner = Inner {
            model,
            requests: 0,
            fault,
            away: None,
            in_flight: BTreeSet::new(),
            cancel: Arc::default(),
            wrong: Vec::new(),
        };
        Hosts { plan: plan.clone(), inner: Mutex::new(inner) }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    pub fn model(&self) -> Model {
        self.inner().model.clone()
    }

    pub fn requests(&self) -> usize {
        self.inner().requests
    }

    pub fn cancel(&self) -> Arc<Cancel> {
        self.inner().cancel.clone()
    }

    pub fn wrong(&self) -> Vec<String> {
        self.inner().wrong.clone()
    }

    /// A new process: Ctrl-C was for the old one.
    pub fn new_turn(&self) {
        let mut inner = self.inner();
        inner.cancel = Arc::default();
        inner.in_flight.clear();
    }

    /// Follows what is durable, and holds that nothing begins that must not.
    pub fn note(&self, event: &Event) {
        let mut inner = self.inner();
        match event {
            Event::StepStarted { step, phase, .. } => {
                if inner.cancel.is_requested() {
                    inner.wrong.push(format!("`{step}` began after Ctrl-C"));
                }
                inner.in_flight.insert((step.clone(), *phase));
            }
            Event::StepFinished { step, phase, .. } => {
                inner.in_flight.remove(&(step.clone(), *phase));
            }
            Event::RunRested { .. } | Event::RunEnded { .. } if !inner.in_flight.is_empty() => {
                inner.wrong.push("it rests while a step is in flight".to_owned());
            }
            _ => {}
        }
    }

    /// Nothing reaches a host but what a durable `step_started` announced.
    fn hold_that_it_is_announced(&self, inner: &mut Inner, effect: &Effect) {
        let is_this = |(key, phase): &(StepKey, Phase)| {
            let step = self.plan.step(key).unwrap();
            match (phase, &step.undo) {
                (Phase::Do, _) => {
                    matches!(step.task.form, Form::Deferred { .. })
                        || Effect::of_task(&step.task).as_ref() == Some(effect)
                }
                (Phase::Undo, PlannedUndo::Task(task)) => Effect::of_task(task).as_ref() == Some(effect),
                (Phase::Undo, _) => false,
            }
        };
        if !inner.in_flight.iter().any(is_this) {
            inner.wrong.push(format!("`{}` was sent and not announced", effect.name()));
        }
    }

    /// What goes wrong with a request that comes now.
    fn fault(&self, host: &str) -> Option<Fault> {
        let mut inner = self.inner();
        let number = inner.requests;
        inner.requests += 1;
        if inner.away.as_ref().is_some_and(|(away, until)| away == host && Instant::now() < *until) {
            return Some(Fault::Away);
        }
        let fault = inner.fault.filter(|(at, _)| *at == number).map(|(_, fault)| fault);
        match fault {
            Some(Fault::Away) => inner.away = Some((host.to_owned(), Instant::now() + AWAY)),
            Some(Fault::CtrlC) => inner.cancel.request(),
            _ => {}
        }
        fault
    }

    fn take_effect(&self, operation: &Operation) {
        let Some(effect) = Effect::of(operation) else { return };
        let mut inner = self.inner();
        self.hold_that_it_is_announced(&mut inner, &effect);
        inner.model.take(&effect);
    }

    async fn carry_out(
        &self,
        host: &str,
        operation: &Operation,
        output: &mut (dyn FnMut(Stream, &str) + Send),
    ) -> Result<Value, Failure> {
        let fault = self.fault(host);
        let fail = |kind, message: &str, is_dispatched| {
            let (host, message) = (host.to_owned(), message.to_owned());
            Err(Failure { host, kind, message, is_dispatched, hints: Vec::new() })
        };
        tokio::time::sleep(Duration::from_millis(20)).await;
        match fault {
            Some(Fault::Unreachable | Fault::Away) => {
                return fail(FailureKind::Unreachable, "no route", false);
            }
            Some(Fault::LostBefore) => return fail(FailureKind::Lost, "the connection was lost", true),
            Some(Fault::Refused) => return fail(FailureKind::Protocol, "Docker did not answer", false),
            Some(Fault::Clean) => return Ok(self.refusal(operation)),
            _ => {}
        }
        if let Operation::Sleep(span) = operation {
            tokio::time::sleep(span.0).await;
        }
        self.take_effect(operation);
        output(Stream::Out, "a line");
        tokio::time::sleep(Duration::from_millis(20)).await;
        match fault {
            Some(Fault::LostAfter) => fail(FailureKind::Lost, "the connection was lost", true),
            Some(Fault::Late) => fail(FailureKind::Timeout, "the command did not end within 2m", true),
            Some(Fault::Dirty) => Ok(self.refusal(operation)),
            _ => Ok(self.inner().model.answer(operation)),
        }
    }

    fn refusal(&self, operation: &Operation) -> Value {
        match operation {
            Operation::Http(_) => json!({ "status": 503, "body": "", "error": null }),
            Operation::Docker(_) => json!({ "containers": [], "stdout": "", "lines": 0 }),
            Operation::Assert { .. } | Operation::Sleep(_) => self.inner().model.answer(operation),
            _ => json!({ "status": 7, "stdout": "", "stderr": "it broke\n" }),
        }
    }
}

impl World for Hosts {
    fn perform<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Observation, Failure>> {
        let Request { host, operation, output, .. } = request;
        async move {
            let value = self.carry_out(host.unwrap_or("here"), operation, output).await?;
            Ok(Observation { value })
        }
        .boxed()
    }
}
