//! A whole life of a run: begun, interrupted, resumed by a person until it ends, then undone until that ends.
//!
//! The engine, the journal and the person's commands are the real ones; only the hosts and the time are not.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use opsctl::base::Result;
use opsctl::base::clock::Clock;
use opsctl::base::id::StepKey;
use opsctl::engine::drive::{Engine, Person};
use opsctl::engine::leases::{Denied, Terms};
use opsctl::engine::vigil::Vigil;
use opsctl::journal::store::{RunDir, Store, Turn};
use opsctl::model::plan::Plan;
use opsctl::run::decide::Question;
use opsctl::run::event::{Choice, Event, Evidence, Finding, Phase, Record, Rest};
use opsctl::run::signal::Signal;
use opsctl::run::state::{Course, RunState, Status, StepStatus};

use crate::model::{Effect, Model};
use crate::plans;
use crate::site::Site;
use crate::world::Hosts;

const ADA: &str = "ada";

/// Far more turns than anything needs.
const TURNS: usize = 25;

/// How long a person waits before the next command.
const LATER: Duration = Duration::from_secs(120);

pub struct Life<'a> {
    pub plan: &'a Plan,
    pub hosts: &'a Hosts,
    /// Whether somebody answers at the terminal. Otherwise the answers are given by `resolve`, between turns.
    pub is_attended: bool,
    /// Whether a person who comes back to it has it undone, instead of going on.
    pub gives_up: bool,
    /// The world as it was when each record became durable.
    pub moments: Mutex<Vec<Site>>,
    /// The steps about which a person was asked whether they took effect.
    pub asked: Mutex<BTreeSet<StepKey>>,
}

/// How it ended, before and after the undo.
pub struct Ended {
    pub forward: RunState,
    pub model: Model,
    pub last: RunState,
    pub records: Vec<Record>,
    pub asked: BTreeSet<StepKey>,
}

impl<'a> Life<'a> {
    pub fn new(plan: &'a Plan, hosts: &'a Hosts, is_attended: bool) -> Life<'a> {
        Life { plan, hosts, is_attended, gives_up: false, moments: Mutex::default(), asked: Mutex::default() }
    }

    /// From the first record to the last.
    pub async fn whole(&self, folder: &Path) -> Result<Ended> {
        let turn = Store::at(folder).create_run(self.plan, ADA, Clock::System)?;
        let dir = turn.dir.clone();
        self.moments.lock().unwrap().push(self.hosts.site());
        let state = self.turn(turn).await?;
        self.end(&dir, state).await
    }

    /// From the first record until it has succeeded.
    pub async fn there(&self, folder: &Path) -> Result<RunDir> {
        let turn = Store::at(folder).create_run(self.plan, ADA, Clock::System)?;
        let dir = turn.dir.clone();
        let state = self.turn(turn).await?;
        let state = self.until_it_has_ended(&dir, state).await?;
        assert_eq!(state.status, Status::Succeeded);
        Ok(dir)
    }

    /// One process that undoes it.
    pub async fn back(&self, dir: &RunDir) -> Result<RunState> {
        let (turn, _) = dir.take_turn(ADA, Clock::System)?;
        self.undo(turn).await
    }

    /// What is left of it, as other processes take it up.
    pub async fn rest(&self, dir: &RunDir) -> Result<Ended> {
        let state = dir.history()?.state().clone();
        self.end(dir, state).await
    }

    async fn end(&self, dir: &RunDir, state: RunState) -> Result<Ended> {
        let forward = self.until_it_has_ended(dir, state).await?;
        let (mut last, model) = (forward.clone(), self.hosts.model());
        if forward.status == Status::Succeeded {
            let (turn, _) = dir.take_turn(ADA, Clock::System)?;
            last = self.undo(turn).await?;
            last = self.until_it_has_ended(dir, last).await?;
        }
        // Who comes next gets every host, whatever the run could not give back.
        if !self.hosts.site().ledger.held().is_empty() {
            let next = plans::next();
            let hosts = Hosts::new(&next, self.hosts.site(), None);
            let root = dir.path.ancestors().nth(2).unwrap();
            let turn = Store::at(root).create_run(&next, ADA, Clock::System)?;
            let state = Box::pin(Life::new(&next, &hosts, false).turn(turn)).await?;
            assert_eq!(state.status, Status::Succeeded, "{:?} are still locked", hosts.site().ledger.held());
        }
        // What the disk holds says the same as what the last process knew.
        let history = dir.history()?;
        assert_eq!(*history.state(), last);
        let asked = self.asked.lock().unwrap().clone();
        Ok(Ended { forward, model, last, records: history.records, asked })
    }

    /// A person comes back again and again.
    async fn until_it_has_ended(&self, dir: &RunDir, mut state: RunState) -> Result<RunState> {
        for _ in 0..TURNS {
            if state.status.is_final() {
                break;
            }
            tokio::time::sleep(LATER).await;
            let (turn, _) = dir.take_turn(ADA, Clock::System)?;
            let is_given_up = self.gives_up && state.course == Course::Forward;
            state = if is_given_up { self.undo(turn).await? } else { self.turn(turn).await? };
        }
        Ok(state)
    }

    async fn undo(&self, turn: Turn) -> Result<RunState> {
        self.drive(turn, vec![Event::UndoRequested { by: ADA.to_owned() }]).await
    }

    /// One process: what a person says first, then the engine. How the run stands then.
    async fn turn(&self, turn: Turn) -> Result<RunState> {
        let state = turn.journal.state().clone();
        let mut decisions = Vec::new();
        if let Some(Rest::WaitingForPerson { step, .. }) = &state.rest {
            decisions.push(self.said_about(&state, step));
        }
        if state.approved_by.is_none() && state.course == Course::Forward {
            decisions.push(decision(Choice::ApprovePlan { plan: self.plan.digest() }));
        }
        if state.status.is_resting() {
            decisions.push(decision(Choice::Resume));
        }
        self.drive(turn, decisions).await
    }

    async fn drive(&self, mut turn: Turn, decisions: Vec<Event>) -> Result<RunState> {
        self.hosts.new_turn();
        let (cancel, vigil, person) = (self.hosts.cancel(), Vigil::default(), Ada { life: self });
        let tell = |signal: Signal| self.heard(&signal);
        let (plan, world) = (self.plan, self.hosts);
        let (cancel, vigil, tell) = (&*cancel, &vigil, &tell);
        let engine = Engine { plan, world, person: &person, cancel, operator: ADA, vigil, tell };
        let root = turn.dir.path.ancestors().nth(2).unwrap().to_owned();
        let terms = Terms { store: &Store::at(&root), lock_wait: Duration::ZERO, ends_what_was_left: false };
        let denied = engine.turn(&mut turn, decisions, &terms).await?;
        assert!(!matches!(denied, Some(Denied::Refused { .. } | Denied::Outrun { .. })), "{denied:?}");
        Ok(turn.journal.state().clone())
    }

    fn heard(&self, signal: &Signal) {
        if let Signal::Recorded(record) = signal {
            if let Event::RunRested { rest: Rest::WaitingForPerson { step, question } } = &record.event
                && question.contains("take effect")
            {
                self.asked.lock().unwrap().insert(step.clone());
            }
            self.moments.lock().unwrap().push(self.hosts.site());
        }
    }

    /// What a person says who looks at the hosts before answering.
    fn said_about(&self, state: &RunState, key: &StepKey) -> Event {
        let (step, seen) = (self.plan.step(key).unwrap(), state.step(key).unwrap());
        let step_key = key.clone();
        match (seen.status, state.course) {
            (StepStatus::Unknown, Course::Forward) => {
                let effect = Effect::of_task(&step.task);
                let has_happened = effect.is_some_and(|effect| self.hosts.model().stands(&effect));
                Event::StepObserved {
                    step: step_key,
                    attempt: seen.done.attempts,
                    phase: Phase::Do,
                    finding: if has_happened { Finding::Happened } else { Finding::MayRun },
                    by: Evidence::Person { by: ADA.to_owned(), reason: "looked".to_owned() },
                }
            }
            (_, Course::Forward) => {
                let containers = Some(self.hosts.model().snapshot(&step.touches));
                decision(Choice::ApproveStep { step: step_key, containers })
            }
            (_, Course::Back) => decision(Choice::UndoPast { step: step_key }),
        }
    }
}

fn decision(choice: Choice) -> Event {
    Event::Decision { by: ADA.to_owned(), choice, reason: None }
}

struct Ada<'a> {
    life: &'a Life<'a>,
}

impl Person for Ada<'_> {
    fn is_there(&self) -> bool {
        self.life.is_attended
    }

    fn answer(&self, question: &Question) -> Result<Option<Event>> {
        let approve = |step: &StepKey| decision(Choice::ApproveStep { step: step.clone(), containers: None });
        Ok(Some(match question {
            Question::ApprovePlan => decision(Choice::ApprovePlan { plan: self.life.plan.digest() }),
            Question::ApproveStep { step, .. } => approve(step),
            Question::UndoPast { step, .. } => decision(Choice::UndoPast { step: step.clone() }),
            Question::Settle { step, attempt, .. } => {
                self.life.asked.lock().unwrap().insert(step.clone());
                let effect = Effect::of_task(&self.life.plan.step(step).unwrap().task);
                let stands = effect.is_some_and(|effect| self.life.hosts.model().stands(&effect));
                Event::StepObserved {
                    step: step.clone(),
                    attempt: *attempt,
                    phase: Phase::Do,
                    finding: if stands { Finding::Happened } else { Finding::MayRun },
                    by: Evidence::Person { by: ADA.to_owned(), reason: "looked".to_owned() },
                }
            }
        }))
    }
}
