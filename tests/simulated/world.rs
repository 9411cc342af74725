//! The simulated hosts as the engine meets them: every request takes time, and one of them may go wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use opsctl::base::clock::Timestamp;
use opsctl::base::id::{RunId, StepKey};
use opsctl::engine::cancel::{Cancel, Urgency};
use opsctl::engine::world::{Claim as Wanted, Request, Taken, World};
use opsctl::host::failure::{Failure, FailureKind};
use opsctl::model::operation::{DockerQuery, Observation, Operation};
use opsctl::model::plan::{Digest, Effect as PlanEffect, Form, Plan, PlannedUndo, Task};
use opsctl::run::event::{Event, Finding, Phase, Record};
use opsctl::run::lease::{Folder, Head, Holder, Lease};
use opsctl::run::receipt::{Processes, Receipt, ReceiptKey};
use opsctl::run::signal::Stream;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::fault::Fault;
use crate::ledger::{Claim, Standing};
use crate::model::{Effect, Model};
use crate::site::Site;

/// How long a host stays away.
const AWAY: Duration = Duration::from_secs(400);

/// How long a command runs on unseen.
const LONG: Duration = Duration::from_secs(50);

/// The two halves of a command's time: before its effect, and after it.
const MOMENT: Duration = Duration::from_millis(20);

pub struct Hosts {
    plan: Plan,
    inner: Mutex<Inner>,
}

struct Inner {
    site: Site,
    /// The fences of the process at work.
    fences: BTreeMap<String, u64>,
    /// Of each request so far, whether it was a command with a receipt.
    requests: Vec<bool>,
    fault: Option<(usize, Fault)>,
    away: Option<(String, Instant)>,
    in_flight: BTreeSet<(StepKey, Phase)>,
    /// Whether a step that changes something was ever begun.
    has_begun: bool,
    /// Whether Docker ever answered that there is no container.
    has_hidden: bool,
    cancel: Arc<Cancel>,
    wrong: Vec<String>,
}

type Answer<T> = Result<T, Failure>;

impl Hosts {
    /// `fault` is what goes wrong, and with which request, counted from 0.
    pub fn new(plan: &Plan, site: Site, fault: Option<(usize, Fault)>) -> Hosts {
        let inner = Inner {
            site,
            fences: Default::default(),
            requests: Vec::new(),
            fault,
            away: None,
            in_flight: BTreeSet::new(),
            has_begun: false,
            has_hidden: false,
            cancel: Arc::default(),
            wrong: Vec::new(),
        };
        Hosts { plan: plan.clone(), inner: Mutex::new(inner) }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    pub fn site(&self) -> Site {
        self.inner().site.clone()
    }

    pub fn model(&self) -> Model {
        self.inner().site.model.clone()
    }

    /// Of each request so far, whether it was a command with a receipt.
    pub fn requests(&self) -> Vec<bool> {
        self.inner().requests.clone()
    }

    pub fn cancel(&self) -> Arc<Cancel> {
        self.inner().cancel.clone()
    }

    pub fn wrong(&self) -> Vec<String> {
        self.inner().wrong.clone()
    }

    /// Whether somebody who looked may have seen other containers than were approved.
    pub fn shows_other_containers(&self) -> bool {
        let inner = self.inner();
        inner.has_hidden || inner.site.model.is_replaced
    }

    /// A new process: Ctrl-C was for the old one, and so were its leases.
    pub fn new_turn(&self) {
        let mut inner = self.inner();
        inner.cancel = Arc::default();
        inner.in_flight.clear();
        inner.fences.clear();
    }

    /// Follows what is durable, and holds that nothing begins that must not.
    pub fn hold(&self, event: &Event) {
        let mut inner = self.inner();
        match event {
            Event::StepStarted { step, phase, .. } => {
                if inner.cancel.is_requested() {
                    inner.wrong.push(format!("`{step}` began after Ctrl-C"));
                }
                let task = &self.plan.step(step).unwrap().task;
                if *phase == Phase::Do && task.effect > PlanEffect::Reads && !inner.has_begun {
                    inner.has_begun = true;
                    if inner.site.model.is_replaced && !self.plan.basis.facts.containers.is_empty() {
                        inner.wrong.push(format!("`{step}` began on containers that nobody approved"));
                    }
                }
                if *phase == Phase::Undo {
                    let runs = inner.site.ledger.running().any(|claim| claim.key.step == *step);
                    if runs {
                        inner.wrong.push(format!("the undo of `{step}` began while it ran"));
                    }
                }
                inner.in_flight.insert((step.clone(), *phase));
            }
            Event::StepObserved { step, phase, finding: Finding::Followed, .. } => {
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

    fn task(&self, step: &StepKey, phase: Phase) -> Option<&Task> {
        let step = self.plan.step(step)?;
        match (phase, &step.undo) {
            (Phase::Do, _) => Some(&step.task),
            (Phase::Undo, PlannedUndo::Task(task)) => Some(task.as_ref()),
            (Phase::Undo, _) => None,
        }
    }

    /// Nothing reaches a host but what a durable `step_started` announced.
    fn hold_that_it_is_announced(&self, inner: &mut Inner, effect: &Effect) {
        let is_this = |(key, phase): &(StepKey, Phase)| {
            self.task(key, *phase).is_some_and(|task| match &task.form {
                Form::Deferred { .. } => true,
                Form::Ready(_) => Effect::of_task(task).as_ref() == Some(effect),
            })
        };
        if !inner.in_flight.iter().any(is_this) {
            inner.wrong.push(format!("`{}` was sent and not announced", effect.name()));
        }
    }

    /// Commands that run on unseen come to their end when their time has come.
    fn pass_time(&self) {
        let mut inner = self.inner();
        for Claim { key, host, .. } in inner.site.ledger.due() {
            if let Some(effect) = self.task(&key.step, key.phase).and_then(Effect::of_task) {
                inner.site.model.take(&effect);
            }
            inner.site.ledger.set(&key, &host, Standing::Ended { status: 0 });
        }
    }

    fn is_away(&self, host: &str) -> bool {
        self.inner().away.as_ref().is_some_and(|(away, until)| away == host && Instant::now() < *until)
    }

    /// What goes wrong with a request that comes now.
    fn fault(&self, host: &str, is_kept: bool) -> Option<Fault> {
        self.pass_time();
        let is_away = self.is_away(host);
        let mut inner = self.inner();
        let number = inner.requests.len();
        inner.requests.push(is_kept);
        if is_away {
            return Some(Fault::Away);
        }
        let fault = inner.fault.filter(|(at, _)| *at == number).map(|(_, fault)| fault);
        match fault {
            Some(Fault::Away) => inner.away = Some((host.to_owned(), Instant::now() + AWAY)),
            Some(Fault::CtrlC) => inner.cancel.request(Urgency::Gentle),
            Some(Fault::Replaced) => inner.site.model.is_replaced = true,
            Some(Fault::CtrlCTwice) => inner.cancel.request(Urgency::Now),
            _ => {}
        }
        fault
    }

    /// Whether a question gets to the host and back.
    fn ask(&self, host: &str) -> Answer<()> {
        match self.fault(host, false) {
            Some(Fault::Unreachable | Fault::Away) => Err(failure(host, FailureKind::Unreachable, false)),
            Some(
                Fault::LostBefore | Fault::LostDuring | Fault::LostAfter | Fault::Reboot | Fault::RebootAfter,
            ) => Err(failure(host, FailureKind::Lost, true)),
            _ => Ok(()),
        }
    }

    fn take_effect(&self, operation: &Operation) {
        let Some(effect) = Effect::of(operation) else { return };
        let mut inner = self.inner();
        self.hold_that_it_is_announced(&mut inner, &effect);
        inner.site.model.take(&effect);
    }

    fn keep(&self, host: &str, key: &ReceiptKey, standing: Standing) {
        self.inner().site.ledger.set(key, host, standing);
    }

    /// A host obeys nobody whose fence is not the newest.
    fn obey(&self, host: &str) -> Answer<()> {
        let inner = self.inner();
        let is_ours = inner.fences.get(host).is_some_and(|fence| *fence == inner.site.ledger.fence(host));
        if is_ours { Ok(()) } else { Err(failure(host, FailureKind::Fenced, false)) }
    }

    /// Begins a command under its key, or attaches to the one that was begun.
    async fn dispatch(
        &self,
        host: &str,
        key: &ReceiptKey,
        operation: &Operation,
        output: &mut (dyn FnMut(Stream, &str) + Send),
    ) -> Answer<Value> {
        let fault = self.fault(host, true);
        let lost = || Err(failure(host, FailureKind::Lost, true));
        if let Some(Fault::Unreachable | Fault::Away) = fault {
            return Err(failure(host, FailureKind::Unreachable, false));
        }
        self.obey(host)?;
        match fault {
            Some(Fault::LostBefore) => return lost(),
            Some(Fault::Refused) => return Err(failure(host, FailureKind::Protocol, false)),
            _ => {}
        }
        let is_new = self.inner().site.ledger.claim(key).is_none();
        if is_new {
            let runs = Standing::Runs { left: 2 * MOMENT, until: None };
            self.keep(host, key, runs);
            tokio::time::sleep(MOMENT).await;
            let standing = match fault {
                Some(Fault::Clean) => Standing::Ended { status: 7 },
                Some(Fault::Dirty) => {
                    self.take_effect(operation);
                    Standing::Ended { status: 7 }
                }
                Some(Fault::LostDuring | Fault::Late) => {
                    self.keep(host, key, Standing::Runs { left: LONG, until: Some(Instant::now() + LONG) });
                    return lost();
                }
                Some(Fault::CtrlCTwice) => {
                    // Whoever pressed it ends the command before it is done.
                    self.keep(host, key, Standing::Runs { left: LONG, until: Some(Instant::now() + LONG) });
                    tokio::time::sleep(LONG).await;
                    return lost();
                }
                Some(Fault::Reboot) => Standing::Cut,
                Some(Fault::RebootAfter) => {
                    self.take_effect(operation);
                    Standing::Cut
                }
                _ => {
                    self.take_effect(operation);
                    Standing::Ended { status: 0 }
                }
            };
            self.keep(host, key, standing);
        }
        self.follow(host, key, fault).await?;
        output(Stream::Out, "a line");
        let claim = self.inner().site.ledger.claim(key).cloned();
        match claim.map(|claim| claim.standing) {
            Some(Standing::Ended { status: 0 }) => Ok(self.model().answer(operation)),
            Some(Standing::Ended { .. }) => Ok(refusal()),
            Some(Standing::Cut | Standing::Runs { .. }) | None => lost(),
        }
    }

    /// Waits for the end of a command that has begun.
    async fn follow(&self, host: &str, key: &ReceiptKey, fault: Option<Fault>) -> Answer<()> {
        tokio::time::sleep(MOMENT).await;
        if let Some(Fault::LostDuring | Fault::LostAfter | Fault::Late | Fault::Reboot | Fault::RebootAfter) =
            fault
        {
            return Err(failure(host, FailureKind::Lost, true));
        }
        loop {
            let standing = self.inner().site.ledger.claim(key).map(|claim| claim.standing);
            let Some(Standing::Runs { until, .. }) = standing else { return Ok(()) };
            tokio::time::sleep_until(until.unwrap_or_else(|| Instant::now() + MOMENT)).await;
            if self.is_away(host) {
                return Err(failure(host, FailureKind::Lost, true));
            }
            self.pass_time();
        }
    }

    /// Performs what leaves no receipt.
    async fn carry_out(
        &self,
        host: &str,
        operation: &Operation,
        output: &mut (dyn FnMut(Stream, &str) + Send),
    ) -> Answer<Value> {
        let fault = self.fault(host, false);
        tokio::time::sleep(MOMENT).await;
        match fault {
            Some(Fault::Unreachable | Fault::Away) => {
                return Err(failure(host, FailureKind::Unreachable, false));
            }
            Some(Fault::LostBefore | Fault::LostDuring | Fault::Reboot) => {
                return Err(failure(host, FailureKind::Lost, true));
            }
            Some(Fault::Refused) => return Err(failure(host, FailureKind::Protocol, false)),
            Some(Fault::Clean) => return Ok(self.refusal(operation)),
            _ => {}
        }
        if let Operation::Sleep(span) = operation {
            tokio::time::sleep(span.0).await;
        }
        if Effect::of(operation).is_some() {
            self.inner().wrong.push(format!("`{operation}` was sent without a key"));
        }
        output(Stream::Out, "a line");
        tokio::time::sleep(MOMENT).await;
        match fault {
            Some(Fault::LostAfter | Fault::RebootAfter) => Err(failure(host, FailureKind::Lost, true)),
            Some(Fault::Late) => Err(failure(host, FailureKind::Timeout, true)),
            Some(Fault::Dirty) => Ok(self.refusal(operation)),
            _ => Ok(self.model().answer(operation)),
        }
    }

    fn refusal(&self, operation: &Operation) -> Value {
        match operation {
            Operation::Http(_) => json!({ "status": 503, "body": "", "error": null }),
            Operation::Docker(query) => {
                self.inner().has_hidden |= matches!(query, DockerQuery::Containers(_));
                json!({ "containers": [], "stdout": "", "lines": 0 })
            }
            Operation::Assert { .. } | Operation::Sleep(_) => self.model().answer(operation),
            _ => refusal(),
        }
    }
}

fn refusal() -> Value {
    json!({ "status": 7, "stdout": "", "stderr": "it broke\n" })
}

fn failure(host: &str, kind: FailureKind, is_dispatched: bool) -> Failure {
    let message = match kind {
        FailureKind::Unreachable => "no route",
        FailureKind::Lost => "the connection was lost",
        FailureKind::Timeout => "the command did not end within 2m",
        FailureKind::Fenced => "somebody else has it",
        _ => "Docker did not answer",
    };
    Failure { host: host.to_owned(), kind, message: message.to_owned(), is_dispatched, hints: Vec::new() }
}

impl World for Hosts {
    fn perform<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Answer<Observation>> {
        let Request { host, operation, output, key, .. } = request;
        let host = host.unwrap_or("here");
        async move {
            let value = match key {
                Some(key) => self.dispatch(host, key, operation, output).await?,
                None => self.carry_out(host, operation, output).await?,
            };
            Ok(Observation { value })
        }
        .boxed()
    }

    fn receipt<'a>(&'a self, host: &'a str, key: &'a ReceiptKey) -> BoxFuture<'a, Answer<Receipt>> {
        async move {
            tokio::time::sleep(MOMENT).await;
            self.ask(host)?;
            self.obey(host)?;
            let claim = self.inner().site.ledger.claim(key).cloned();
            Ok(match claim.map(|claim| claim.standing) {
                None => Receipt::Unclaimed,
                Some(Standing::Runs { .. }) => Receipt::Running,
                Some(Standing::Ended { status }) => Receipt::Ended { status },
                Some(Standing::Cut) => Receipt::Cut { why: "the host was started anew".to_owned() },
            })
        }
        .boxed()
    }

    fn end<'a>(&'a self, host: &'a str, key: &'a ReceiptKey) -> BoxFuture<'a, Processes> {
        async move {
            tokio::time::sleep(MOMENT).await;
            if self.ask(host).and_then(|()| self.obey(host)).is_err() {
                return Processes::Unproved;
            }
            let is_running = self.inner().site.ledger.running().any(|claim| claim.key == *key);
            if is_running {
                self.keep(host, key, Standing::Cut);
            }
            Processes::Ended
        }
        .boxed()
    }

    fn take<'a>(&'a self, host: &'a str, wanted: &'a Wanted<'a>) -> BoxFuture<'a, Answer<Taken>> {
        async move {
            tokio::time::sleep(MOMENT).await;
            let fault = self.fault(host, false);
            let lost = || Err(failure(host, FailureKind::Lost, true));
            match fault {
                Some(Fault::Unreachable | Fault::Away) => {
                    return Err(failure(host, FailureKind::Unreachable, false));
                }
                Some(Fault::LostBefore) => return lost(),
                _ => {}
            }
            let mut inner = self.inner();
            let taken = Ok(match inner.site.ledger.take(host, wanted.run) {
                Ok(fence) => {
                    inner.fences.insert(host.to_owned(), fence);
                    let folder = Folder {
                        path: "/var/lib/opsctl".to_owned(),
                        id: format!("folder of {host}"),
                        is_in_memory: false,
                    };
                    Taken::Held { fence, folder }
                }
                Err(other) => Taken::Refused { by: lease_of(other) },
            });
            if fault == Some(Fault::LostAfter) { lost() } else { taken }
        }
        .boxed()
    }

    fn holds<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Answer<()>> {
        async move {
            self.ask(host)?;
            self.obey(host)
        }
        .boxed()
    }

    fn release<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Answer<()>> {
        async move {
            tokio::time::sleep(MOMENT).await;
            self.ask(host)?;
            self.obey(host)?;
            let mut inner = self.inner();
            inner.site.ledger.release(host);
            inner.fences.remove(host);
            Ok(())
        }
        .boxed()
    }

    fn note(&self, record: &Record) {
        self.hold(&record.event);
    }
}

fn lease_of(run: RunId) -> Lease {
    let head = Head { seq: 1, digest: Digest::of(b"") };
    let (operator, why) = ("somebody".to_owned(), "something".to_owned());
    let holder = Holder::Run { run, epoch: 1, operator, why, since: Timestamp::UNIX_EPOCH, head };
    Lease { v: Lease::VERSION, fence: 1, holder }
}
