//! One try at a step: perform its task, judge the result, take its outputs, wait for its expectations.
//!
//! Ctrl-C never cuts off what changes something. It does cut off what only reads, and the wait for expectations, which may take
//! minutes: what took effect is said to have, and a resumed run looks at the expectations again.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::await_check::{Asking, Verdict};
use super::cancel::Cancel;
use super::deferred::Outputs;
use super::task::{Ready, prepare};
use super::world::{Request, World};
use crate::host::failure::Failure;
use crate::model::operation::{Observation, Operation};
use crate::model::plan::{Effect, Plan, PlannedStep, PlannedUndo, Task};
use crate::run::event::{Outcome, Phase};
use crate::run::signal::Signal;

/// Bytes of output that are kept of an attempt. The rest was shown as it came.
const MOST_LOG: usize = 4 << 20;

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
    pub cancel: &'a Cancel,
}

/// What the steps that follow may use of a step.
type Taken = BTreeMap<String, Value>;

/// How an attempt fell short; the time it took is added by [`Trying::run`].
enum Short {
    Failed {
        message: String,
        may_have_changed: bool,
        /// The host, where nothing came of it because that cannot be reached.
        unreachable: Option<String>,
    },
    Unknown {
        message: String,
    },
    /// It took effect, and nobody knows whether what is expected of it holds.
    Unconfirmed {
        message: String,
        outputs: Taken,
    },
}

impl Trying<'_> {
    pub async fn run(&self) -> Attempt {
        let started = Instant::now();
        let log = Mutex::new(String::new());
        let result = self.attempt(&log).await;
        let ms = started.elapsed().as_millis() as u64;
        let unknown =
            |message, took_effect, outputs| Outcome::Unknown { message, took_effect, outputs, log: None, ms };
        let outcome = match result {
            Ok(outputs) => Outcome::Succeeded { outputs, log: None, ms },
            Err(Short::Failed { message, may_have_changed, unreachable }) => {
                Outcome::Failed { message, may_have_changed, unreachable, log: None, ms }
            }
            Err(Short::Unknown { message }) => unknown(message, false, Taken::new()),
            Err(Short::Unconfirmed { message, outputs }) => unknown(message, true, outputs),
        };
        Attempt { outcome, log: log.into_inner().unwrap_or_default() }
    }

    async fn attempt(&self, log: &Mutex<String>) -> Result<Taken, Short> {
        let Some(task) = self.task() else { return Ok(Taken::new()) };
        let ready = prepare(task, self.plan, self.outputs).map_err(|why| Short::failed(why, false))?;
        if let Operation::Approve { .. } = ready.operation {
            // The step was not begun before it was approved: that decision is all there is to do.
            return Ok(Taken::new());
        }
        let changes = task.effect > Effect::Reads;
        let performing = self.perform(task, &ready, log);
        let performed = if changes {
            performing.await
        } else {
            tokio::select! {
                biased;
                performed = performing => performed,
                () = self.cancel.requested() => {
                    return Err(Short::Unknown { message: "Ctrl-C came before it ended".to_owned() });
                }
            }
        };
        let observation = performed.map_err(|failure| Short::of(&failure, changes))?;
        (ready.entry.judge)(&ready.operation, &observation.value)
            .map_err(|why| Short::failed(why, changes))?;
        if self.phase == Phase::Undo {
            return Ok(Taken::new());
        }
        let outputs = self.take(&observation.value).map_err(|why| Short::failed(why, changes))?;
        match self.unconfirmed(changes).await? {
            None => Ok(outputs),
            Some(message) => Err(Short::Unconfirmed { message, outputs }),
        }
    }

    async fn perform(&self, task: &Task, ready: &Ready, log: &Mutex<String>) -> Result<Observation, Failure> {
        let mut output = |stream, line: &str| {
            if let Ok(mut log) = log.lock()
                && log.len() < MOST_LOG
            {
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
            timeout: self.step.timeout.map(Duration::from),
            output: &mut output,
        };
        self.world.perform(request).await
    }

    fn take(&self, result: &Value) -> Result<Taken, String> {
        let taken = self.step.outputs.iter().map(|(name, extract)| match extract.apply(result) {
            Ok(value) => Ok((name.clone(), value)),
            Err(why) => Err(format!("the output `{name}` cannot be taken: {why}")),
        });
        taken.collect()
    }

    /// Waits for the expectations, one after the other. Why nobody knows whether they hold, if nobody does.
    async fn unconfirmed(&self, changes: bool) -> Result<Option<String>, Short> {
        let asking = Asking {
            plan: self.plan,
            world: self.world,
            step: &self.step.key,
            outputs: self.outputs,
            tell: self.tell,
        };
        for check in &self.step.expect {
            let verdict = tokio::select! {
                biased;
                verdict = asking.until_it_holds(check) => verdict,
                () = self.cancel.requested() => {
                    return Ok(Some(format!("Ctrl-C came while `{}` was waited for", check.task.action)));
                }
            };
            let message = verdict.describe(check);
            match verdict {
                Verdict::Holds => {}
                Verdict::Fails { .. } => return Err(Short::failed(message, changes)),
                Verdict::Unasked(_) if changes => return Ok(Some(message)),
                Verdict::Unasked(failure) => return Err(Short::of(&failure, false)),
            }
        }
        Ok(None)
    }

    fn task(&self) -> Option<&Task> {
        match (self.phase, &self.step.undo) {
            (Phase::Do, _) => Some(&self.step.task),
            (Phase::Undo, PlannedUndo::Task(task)) => Some(task),
            (Phase::Undo, PlannedUndo::None | PlannedUndo::Irreversible) => None,
        }
    }
}

impl Short {
    fn failed(message: String, may_have_changed: bool) -> Short {
        Short::Failed { message, may_have_changed, unreachable: None }
    }

    /// After a dispatch, a failure of the way to the host says nothing about the command. A read has no effect to lose.
    fn of(failure: &Failure, changes: bool) -> Short {
        if failure.is_dispatched && changes {
            return Short::Unknown { message: failure.to_string() };
        }
        if failure.is_out_of_reach() {
            let (host, message) = (failure.host.clone(), failure.message.clone());
            return Short::Failed { message, may_have_changed: false, unreachable: Some(host) };
        }
        Short::failed(failure.to_string(), false)
    }
}
