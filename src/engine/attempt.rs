//! One try at a step: perform its task, judge the result, take its outputs, wait for its expectations.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::await_check::{Asking, Verdict};
use super::deferred::Outputs;
use super::task::prepare;
use super::world::{Request, World};
use crate::host::failure::Failure;
use crate::model::plan::{Effect, Plan, PlannedStep, PlannedUndo, Task};
use crate::run::event::{Outcome, Phase};
use crate::run::signal::Signal;

/// What an attempt left: how it ended, and what was written, for the journal's blobs.
pub struct Attempt {
    pub outcome: Outcome,
    pub log: String,
}

/// What an attempt is made with.
pub struct Trying<'a> {
    pub plan: &'a Plan,
    pub world: &'a dyn World,
    pub step: &'a PlannedStep,
    pub phase: Phase,
    pub outputs: &'a Outputs,
    pub tell: &'a (dyn Fn(Signal) + Send + Sync),
}

/// How an attempt fell short; the time it took is added by [`Trying::run`].
enum Short {
    Failed { message: String, may_have_changed: bool },
    Unknown { message: String },
}

impl Trying<'_> {
    pub async fn run(&self) -> Attempt {
        let started = Instant::now();
        let log = Mutex::new(String::new());
        let result = self.attempt(&log).await;
        let ms = started.elapsed().as_millis() as u64;
        let outcome = match result {
            Ok(outputs) => Outcome::Succeeded { outputs, log: None, ms },
            Err(Short::Failed { message, may_have_changed }) => {
                Outcome::Failed { message, may_have_changed, log: None, ms }
            }
            Err(Short::Unknown { message }) => Outcome::Unknown { message, ms },
        };
        Attempt { outcome, log: log.into_inner().unwrap_or_default() }
    }

    async fn attempt(&self, log: &Mutex<String>) -> Result<BTreeMap<String, Value>, Short> {
        let Some(task) = self.task() else { return Ok(BTreeMap::new()) };
        let ready = prepare(task, self.plan, self.outputs).map_err(Short::before_anything)?;
        let changes = task.effect > Effect::Reads;
        let mut output = |stream, line: &str| {
            if let Ok(mut log) = log.lock() {
                log.push_str(line);
                log.push('\n');
            }
            (self.tell)(Signal::Output {
                step: self.step.key.clone(),
                phase: self.phase,
                stream,
                line: line.to_owned(),
            });
        };
        let request = Request {
            host: task.host.as_deref(),
            operation: &ready.operation,
            timeout: self.timeout(),
            output: &mut output,
        };
        let observation =
            self.world.perform(request).await.map_err(|failure| Short::of(&failure, changes))?;
        (ready.entry.judge)(&ready.operation, &observation.value)
            .map_err(|message| Short::Failed { message, may_have_changed: changes })?;
        if self.phase == Phase::Undo {
            return Ok(BTreeMap::new());
        }
        self.expectations(changes).await?;
        self.step
            .outputs
            .iter()
            .map(|(name, extract)| match extract.apply(&observation.value) {
                Ok(value) => Ok((name.clone(), value)),
                Err(why) => Err(Short::Failed {
                    message: format!("the output `{name}` cannot be taken: {why}"),
                    may_have_changed: changes,
                }),
            })
            .collect()
    }

    async fn expectations(&self, changes: bool) -> Result<(), Short> {
        let asking = Asking {
            plan: self.plan,
            world: self.world,
            step: &self.step.key,
            outputs: self.outputs,
            tell: self.tell,
        };
        for check in &self.step.expect {
            let verdict = asking.until_it_holds(check).await;
            let message = verdict.describe(check);
            match verdict {
                Verdict::Holds => {}
                Verdict::Fails { .. } => return Err(Short::Failed { message, may_have_changed: changes }),
                Verdict::Unasked(_) if changes => return Err(Short::Unknown { message }),
                Verdict::Unasked(_) => return Err(Short::Failed { message, may_have_changed: false }),
            }
        }
        Ok(())
    }

    fn task(&self) -> Option<&Task> {
        match (self.phase, &self.step.undo) {
            (Phase::Do, _) => Some(&self.step.task),
            (Phase::Undo, PlannedUndo::Task(task)) => Some(task),
            (Phase::Undo, PlannedUndo::None | PlannedUndo::Irreversible) => None,
        }
    }

    fn timeout(&self) -> Option<Duration> {
        self.step.timeout.map(Duration::from)
    }
}

impl Short {
    fn before_anything(message: String) -> Short {
        Short::Failed { message, may_have_changed: false }
    }

    /// After a dispatch, a failure of the way to the host says nothing about the command. A read has no effect to lose.
    fn of(failure: &Failure, changes: bool) -> Short {
        let message = failure.to_string();
        if failure.is_dispatched && changes {
            Short::Unknown { message }
        } else {
            Short::Failed { message, may_have_changed: false }
        }
    }
}
