//! One try at a step: perform its task, judge the result, take its outputs, wait for its expectations.
//!
//! The first Ctrl-C never cuts off what changes something. It does cut off what only reads, and the wait for expectations, which
//! may take minutes: what took effect is said to have, and a resumed run looks at the expectations again.
//!
//! An attempt may be one that is followed: it was given to its host before, by this process or by another. Then nothing that
//! goes wrong on the way to the host says that nothing came of it.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

use serde_json::Value;

use super::await_check::{Asking, Verdict};
use super::cancel::{Cancel, Urgency};
use super::deferred::Outputs;
use super::dispatch::{Dispatch, Dispatched};
use super::idempotency;
use super::shown::Shown;
use super::task::{Ready, prepare};
use super::world::World;
use crate::base::crash;
use crate::host::failure::{Failure, FailureKind};
use crate::model::operation::{Command, Observation, Operation};
use crate::model::plan::{Effect, Plan, PlannedStep, PlannedUndo, Task};
use crate::run::event::{Outcome, Phase};
use crate::run::receipt::{Processes, ReceiptKey};
use crate::run::signal::Signal;

/// Bytes of output that are kept of an attempt, where its command does not want more. The rest was shown as it came.
const MOST_LOG: u64 = 4 << 20;

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
    pub key: &'a ReceiptKey,
    /// Whether it was begun before, and is only followed to its end.
    pub is_followed: bool,
    /// The attempt that made the request of which this one may be a repetition.
    pub first: u32,
    /// Whether the run goes back, and the step only has to come to its end.
    pub goes_back: bool,
    pub outputs: &'a Outputs,
    pub shown: &'a Shown,
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
        processes: Processes,
    },
    /// It took effect, and nobody knows whether what is expected of it holds.
    Unconfirmed {
        message: String,
        outputs: Taken,
    },
    /// The host is somebody else's by now: nothing of this may be written down.
    Fenced(Failure),
}

impl Trying<'_> {
    /// # Errors
    /// When the host refuses us, because somebody else has taken it over.
    pub async fn run(&self) -> Result<Attempt, Failure> {
        let started = Instant::now();
        let log = Mutex::new(String::new());
        let result = self.attempt(&log).await;
        let ms = started.elapsed().as_millis() as u64;
        let unknown = |message, took_effect, processes, outputs| Outcome::Unknown {
            message,
            took_effect,
            processes,
            outputs,
            log: None,
            ms,
        };
        let outcome = match result {
            Ok(outputs) => Outcome::Succeeded { outputs, log: None, ms },
            Err(Short::Failed { message, may_have_changed, unreachable }) => {
                Outcome::Failed { message, may_have_changed, unreachable, log: None, ms }
            }
            Err(Short::Unknown { message, processes }) => unknown(message, false, processes, Taken::new()),
            Err(Short::Unconfirmed { message, outputs }) => {
                unknown(message, true, Processes::Untouched, outputs)
            }
            Err(Short::Fenced(failure)) => return Err(failure),
        };
        Ok(Attempt { outcome, log: log.into_inner().unwrap_or_default() })
    }

    async fn attempt(&self, log: &Mutex<String>) -> Result<Taken, Short> {
        let Some(task) = self.task() else { return Ok(Taken::new()) };
        let mut ready = prepare(task, self.plan, self.outputs).map_err(|why| self.not_begun(why))?;
        if let Operation::Approve { .. } = ready.operation {
            // The step was not begun before it was approved: that decision is all there is to do.
            return Ok(Taken::new());
        }
        let changes = task.effect > Effect::Reads;
        if changes {
            let request = ReceiptKey { attempt: self.first, ..self.key.clone() };
            idempotency::mark(&mut ready.operation, &request);
        }
        let observation = self.perform(task, &ready, log).await?;
        crash::point("engine.performed");
        (ready.entry.judge)(&ready.operation, &observation.value)
            .map_err(|why| Short::failed(why, changes))?;
        if self.key.phase == Phase::Undo {
            return Ok(Taken::new());
        }
        let outputs = self.take(&observation.value).map_err(|why| Short::failed(why, changes))?;
        let unconfirmed = match self.goes_back && !self.step.expect.is_empty() {
            true => Some("the run goes back: what is expected of it was not waited for".to_owned()),
            false => self.unconfirmed(changes).await?,
        };
        match unconfirmed {
            None => Ok(outputs),
            Some(message) => Err(Short::Unconfirmed { message, outputs }),
        }
    }

    async fn perform(&self, task: &Task, ready: &Ready, log: &Mutex<String>) -> Result<Observation, Short> {
        let changes = task.effect > Effect::Reads;
        let mut fresh = self.shown.fresh(self.key);
        let most = match &ready.operation {
            Operation::Command(Command { keep: Some(keep), .. }) => keep.0.max(MOST_LOG),
            _ => MOST_LOG,
        };
        let mut output = |stream, line: &str| {
            if let Ok(mut log) = log.lock()
                && (log.len() as u64) < most
            {
                log.push_str(line);
                log.push('\n');
            }
            if fresh(stream) {
                (self.tell)(Signal::Output {
                    step: self.step.key.clone(),
                    phase: self.key.phase,
                    stream,
                    line: line.to_owned(),
                });
            }
        };
        let dispatch = Dispatch {
            world: self.world,
            cancel: self.cancel,
            tell: self.tell,
            host: task.host.as_deref(),
            operation: &ready.operation,
            timeout: self.step.timeout.map(Into::into),
            key: changes.then_some(self.key),
        };
        match dispatch.run(&mut output).await {
            Dispatched::Ended(observation) => Ok(observation),
            Dispatched::Failed(failure) if failure.kind == FailureKind::Fenced => Err(Short::Fenced(failure)),
            Dispatched::Failed(failure) if self.is_followed => Err(Short::lost(failure.to_string())),
            Dispatched::Failed(failure) => Err(Short::of(&failure, changes)),
            Dispatched::Cut { why, processes } => Err(Short::Unknown { message: why, processes }),
        }
    }

    /// It cannot even be built. Unless it was begun before, that is the end of it.
    fn not_begun(&self, why: String) -> Short {
        if self.is_followed { Short::lost(why) } else { Short::failed(why, false) }
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
                () = self.cancel.reached(Urgency::Gentle) => {
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
        match (self.key.phase, &self.step.undo) {
            (Phase::Do, _) => Some(&self.step.task),
            (Phase::Undo, PlannedUndo::Task(task)) => Some(task.as_ref()),
            (Phase::Undo, PlannedUndo::None | PlannedUndo::Irreversible) => None,
        }
    }
}

impl Short {
    fn failed(message: String, may_have_changed: bool) -> Short {
        Short::Failed { message, may_have_changed, unreachable: None }
    }

    fn lost(message: String) -> Short {
        Short::Unknown { message, processes: Processes::Untouched }
    }

    /// After a dispatch, a failure of the way to the host says nothing about the command. A read has no effect to lose.
    fn of(failure: &Failure, changes: bool) -> Short {
        if failure.is_dispatched && changes {
            return Short::lost(failure.to_string());
        }
        if failure.is_out_of_reach() {
            let (host, message) = (failure.host.clone(), failure.message.clone());
            return Short::Failed { message, may_have_changed: false, unreachable: Some(host) };
        }
        Short::failed(failure.to_string(), false)
    }
}
