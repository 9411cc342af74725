//! Waiting until a check holds: so many times in a row, within a time, and still good after another.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::deferred::Outputs;
use super::task::{Ready, prepare_check};
use super::world::{Request, World};
use crate::base::amount::Span;
use crate::base::id::StepKey;
use crate::host::failure::{Failure, FailureKind};
use crate::model::check::Patience;
use crate::model::plan::{Plan, PlannedCheck};
use crate::model::template::{self, Scope};
use crate::run::signal::Signal;

/// For one try of a check that has no time limit of its own.
const TRY: Duration = Duration::from_secs(30);

/// How a check came out.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    Holds,
    /// It was tried to the end of its patience; `saw` is what the last try gave.
    Fails {
        saw: String,
    },
    /// It could not be asked, so nobody knows.
    Unasked(Failure),
}

/// What a check is asked against.
pub struct Asking<'a> {
    pub plan: &'a Plan,
    pub world: &'a dyn World,
    /// The step that it belongs to, for the screen.
    pub step: &'a StepKey,
    pub outputs: &'a Outputs,
    pub tell: &'a (dyn Fn(Signal) + Send + Sync),
}

impl Asking<'_> {
    /// Tries the check until it holds as its patience demands, or until that is over. A host that cannot be reached is asked
    /// again within the same patience: it may come back.
    pub async fn until_it_holds(&self, check: &PlannedCheck) -> Verdict {
        let Patience { within, every, successes, stays_good_for } = check.patience;
        let (ready, that) = match prepare_check(check, self.plan, self.outputs) {
            Ok(prepared) => prepared,
            Err(saw) => return Verdict::Fails { saw },
        };
        let deadline = Instant::now() + within.0;
        let mut streak = 0;
        let mut good_since = None;
        loop {
            let verdict = self.once(check, &ready, that.as_deref()).await;
            let holds = verdict == Verdict::Holds;
            streak = if holds { streak + 1 } else { 0 };
            self.tell_of(&ready, &verdict, streak, successes);
            if holds && streak >= successes {
                let since = *good_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= stays_good_for.0 {
                    return Verdict::Holds;
                }
            } else {
                if good_since.is_some() && !holds {
                    return match verdict {
                        Verdict::Fails { saw } => {
                            Verdict::Fails { saw: format!("it held, but not for {stays_good_for}: {saw}") }
                        }
                        other => other,
                    };
                }
                // A streak that has begun is let finish: being cut off one success before the end proves nothing.
                if !holds && Instant::now() + every.0 > deadline {
                    return verdict;
                }
            }
            tokio::time::sleep(every.0).await;
        }
    }

    async fn once(&self, check: &PlannedCheck, ready: &Ready, that: Option<&str>) -> Verdict {
        let request = Request {
            host: check.task.host.as_deref(),
            operation: &ready.operation,
            timeout: Some(TRY),
            output: &mut |_, _| {},
            key: None,
        };
        let observation = match self.world.perform(request).await {
            Ok(observation) => observation,
            // A container that is gone is an answer, and so is a command that hangs; a host that is gone is none.
            Err(failure) if failure.kind == FailureKind::Missing => {
                return Verdict::Fails { saw: failure.message };
            }
            Err(failure) if failure.kind == FailureKind::Timeout && failure.is_dispatched => {
                return Verdict::Fails { saw: failure.message };
            }
            Err(failure) => return Verdict::Unasked(failure),
        };
        match judge(ready, that, &observation.value) {
            Judged::Holds => Verdict::Holds,
            Judged::Fails { saw } | Judged::Unworkable { why: saw } => Verdict::Fails { saw },
        }
    }

    fn tell_of(&self, ready: &Ready, verdict: &Verdict, streak: u32, needed: u32) {
        let saw = match verdict {
            Verdict::Holds => String::new(),
            Verdict::Fails { saw } => saw.clone(),
            Verdict::Unasked(failure) => failure.to_string(),
        };
        (self.tell)(Signal::Checked {
            step: self.step.clone(),
            check: ready.operation.to_string(),
            holds: *verdict == Verdict::Holds,
            saw,
            streak,
            needed,
        });
    }
}

/// What a check makes of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Judged {
    Holds,
    Fails {
        saw: String,
    },
    /// Its condition cannot be worked out on this answer.
    Unworkable {
        why: String,
    },
}

pub(super) fn judge(ready: &Ready, that: Option<&str>, value: &Value) -> Judged {
    let Some(that) = that else {
        return match (ready.entry.judge)(&ready.operation, value) {
            Ok(()) => Judged::Holds,
            Err(saw) => Judged::Fails { saw },
        };
    };
    let Value::Object(fields) = value else {
        return Judged::Unworkable { why: "the result has no fields".to_owned() };
    };
    match template::holds(that, fields) {
        Ok(true) => Judged::Holds,
        Ok(false) => Judged::Fails { saw: brief(fields) },
        Err(error) => Judged::Unworkable { why: format!("`{that}` cannot be worked out: {error}") },
    }
}

/// The fields of a result that fit into a message. Without the time it took: what is otherwise the same should read the same.
fn brief(fields: &Scope) -> String {
    const MOST: usize = 60;
    let told = fields.iter().filter(|(name, value)| name.as_str() != "ms" && !value.is_null());
    let shown = told.filter_map(|(name, value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_owned());
        (text.chars().count() <= MOST && !text.is_empty()).then(|| format!("{name}={text}"))
    });
    shown.collect::<Vec<_>>().join(", ")
}

impl Verdict {
    /// For messages: how long was waited, and what was seen.
    pub fn describe(&self, check: &PlannedCheck) -> String {
        let waited = match check.patience.within {
            Span(zero) if zero.is_zero() => String::new(),
            within => format!(" within {within}"),
        };
        let that = check.that.as_deref().map(|that| format!(" with `{that}`")).unwrap_or_default();
        let action = &check.task.action;
        match self {
            Verdict::Holds => format!("`{action}`{that} holds"),
            Verdict::Fails { saw } => format!("`{action}`{that} did not hold{waited}: {saw}"),
            Verdict::Unasked(failure) => format!("`{action}` could not be asked{waited}: {failure}"),
        }
    }
}
