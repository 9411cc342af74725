//! A whole life of a run: begun, interrupted, resumed by a person until it ends, then undone until that ends.
//!
//! The engine, the journal and the person's commands are the real ones; only the hosts and the time are not.

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use opsctl::base::Result;
use opsctl::base::clock::Clock;
use opsctl::base::id::StepKey;
use opsctl::engine::drive::{Engine, Person};
use opsctl::journal::store::{RunDir, Store, Turn};
use opsctl::model::plan::Plan;
use opsctl::run::decide::Question;
use opsctl::run::event::{Choice, Event, Evidence, Finding, Phase, Record, Rest};
use opsctl::run::signal::Signal;
use opsctl::run::state::{Course, RunState, Status, StepStatus};

use crate::model::{Effect, Model};
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
    pub moments: Mutex<Vec<Model>>,
}

/// How it ended, before and after the undo.
pub struct Ended {
    pub forward: RunState,
    pub model: Model,
    pub last: RunState,
    pub records: Vec<Record>,
}

impl<'a> Life<'a> {
    pub fn new(plan: &'a Plan, hosts: &'a Hosts, is_attended: bool) -> Life<'a> {
        Life { plan, hosts, is_attended, gives_up: false, moments: Mutex::default() }
    }

    /// From the first record to the last.
    pub async fn whole(&self, folder: &Path) -> Result<Ended> {
        let turn = Store::at(folder).create_run(self.plan, ADA, Clock::System)?;
        let dir = turn.dir.clone();
        self.moments.lock().unwrap().push(self.hosts.model());
        let state = self.turn(turn).await?;
        self.end(&dir, state).await
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
        // What the disk holds says the same as what the last process knew.
        let history = dir.history()?;
        assert_eq!(*history.state(), last);
        Ok(Ended { forward, model, last, records: history.records })
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

    async fn undo(&self, mut turn: Turn) -> Result<RunState> {
        self.begin(&mut turn)?;
        self.append(&mut turn, Event::UndoRequested { by: ADA.to_owned() })?;
        self.drive(&mut turn).await?;
        Ok(turn.journal.state().clone())
    }

    /// One process: what a person says first, then the engine. How the run stands then.
    async fn turn(&self, mut turn: Turn) -> Result<RunState> {
        self.begin(&mut turn)?;
        let state = turn.journal.state().clone();
        if let Some(Rest::WaitingForPerson { step, .. }) = &state.rest {
            self.append(&mut turn, self.said_about(&state, step))?;
        }
        if state.approved_by.is_none() && state.course == Course::Forward {
            self.append(&mut turn, decision(Choice::ApprovePlan { plan: self.plan.digest() }))?;
        }
        if state.status.is_resting() {
            self.append(&mut turn, decision(Choice::Resume))?;
        }
        self.drive(&mut turn).await?;
        Ok(turn.journal.state().clone())
    }

    fn begin(&self, turn: &mut Turn) -> Result<()> {
        self.hosts.new_turn();
        self.append(turn, Event::EpochStarted { operator: ADA.to_owned(), pid: 1 })
    }

    fn append(&self, turn: &mut Turn, event: Event) -> Result<()> {
        let record = turn.journal.append(event)?;
        self.heard(&Signal::Recorded(record));
        Ok(())
    }

    async fn drive(&self, turn: &mut Turn) -> Result<()> {
        let person = Ada { life: self };
        let cancel = self.hosts.cancel();
        let tell = |signal: Signal| self.heard(&signal);
        let (plan, world) = (self.plan, self.hosts);
        Engine { plan, world, person: &person, cancel: &cancel, operator: ADA, tell: &tell }.drive(turn).await
    }

    fn heard(&self, signal: &Signal) {
        if let Signal::Recorded(record) = signal {
            self.hosts.note(&record.event);
            self.moments.lock().unwrap().push(self.hosts.model());
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
            (_, Course::Forward) => decision(Choice::ApproveStep { step: step_key }),
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
        let approve = |step: &StepKey| decision(Choice::ApproveStep { step: step.clone() });
        Ok(Some(match question {
            Question::ApprovePlan => decision(Choice::ApprovePlan { plan: self.life.plan.digest() }),
            Question::ApproveStep { step, .. } => approve(step),
            Question::UndoPast { step, .. } => decision(Choice::UndoPast { step: step.clone() }),
            Question::Settle { step, attempt, .. } => {
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
