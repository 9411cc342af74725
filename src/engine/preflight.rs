//! Every check of a plan, tried once before anything is changed: one that is broken itself is found while that harms nobody.
//!
//! In an outage many checks do not hold, and that is what the run is for. Broken is only what no outage explains: a condition that
//! cannot be worked out on an answer that is well, and a command that is not there.

use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use serde_json::Value;

use super::await_check::{Judged, judge};
use super::deferred::Outputs;
use super::task::{Ready, prepare_check};
use super::world::{Request, World};
use crate::base::id::StepKey;
use crate::model::operation::Operation;
use crate::model::plan::{Effect, Form, Plan, PlannedCheck, When};
use crate::model::result::ResultKind;

/// For one try. What hangs does not hold yet.
const TRY: Duration = Duration::from_secs(3);

/// After this nobody waits for it any more; a command was given the time to be ended on its host.
const GIVEN_UP: Duration = Duration::from_secs(4);

/// As many are tried at once.
const AT_ONCE: usize = 8;

/// What a shell says of a command that it does not find, and of one that it may not run.
const NOT_FOUND: i64 = 127;
const NOT_RUN: i64 = 126;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preflight {
    /// How many checks there are to try, each once however many steps have it.
    pub tried: usize,
    pub hold: usize,
    /// In the order of the plan.
    pub broken: Vec<Broken>,
}

/// A check that cannot work, whatever the run does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The first step that has it.
    pub step: StepKey,
    pub check: String,
    pub why: String,
}

/// Tries the checks of a plan that changes something. Those that use an output are not known yet, and left out.
pub async fn preflight(plan: &Plan, world: &dyn World) -> Preflight {
    if plan.steps.iter().all(|step| step.task.effect == Effect::Reads) {
        return Preflight::default();
    }
    let trials = trials(plan);
    let verdicts = stream::iter(&trials).map(|trial| trial.judged(world)).buffered(AT_ONCE);
    let verdicts: Vec<Option<Judged>> = verdicts.collect().await;
    let mut preflight = Preflight { tried: trials.len(), ..Preflight::default() };
    for (trial, judged) in trials.iter().zip(verdicts) {
        match judged {
            Some(Judged::Holds) => preflight.hold += 1,
            Some(Judged::Unworkable { why }) => preflight.broken.push(Broken {
                step: trial.step.clone(),
                check: trial.ready.operation.to_string(),
                why,
            }),
            Some(Judged::Fails { .. }) | None => {}
        }
    }
    preflight
}

/// One check, and where it is asked.
struct Trial<'a> {
    step: &'a StepKey,
    host: Option<&'a str>,
    ready: Ready,
    that: Option<String>,
}

fn trials(plan: &Plan) -> Vec<Trial<'_>> {
    let mut trials: Vec<Trial<'_>> = Vec::new();
    let nothing = Outputs::default();
    let is_passed_over = |when: &Option<When>| matches!(when, Some(When::Fixed { holds: false, .. }));
    for step in plan.steps.iter().filter(|step| !is_passed_over(&step.when)) {
        let is_known = |check: &&PlannedCheck| matches!(check.task.form, Form::Ready(_));
        for check in step.done_when.iter().chain(&step.expect).filter(is_known) {
            let Ok((ready, that)) = prepare_check(check, plan, &nothing) else { continue };
            let host = check.task.host.as_deref();
            let is_same = |other: &Trial<'_>| {
                (other.host, &other.ready.operation, &other.that) == (host, &ready.operation, &that)
            };
            if !trials.iter().any(is_same) {
                trials.push(Trial { step: &step.key, host, ready, that });
            }
        }
    }
    trials
}

impl Trial<'_> {
    /// Nothing when it could not be asked: the run itself will ask again, and wait for it.
    async fn judged(&self, world: &dyn World) -> Option<Judged> {
        let Trial { host, ready, that, .. } = self;
        let (host, operation) = (*host, &ready.operation);
        let request = Request { host, operation, timeout: Some(TRY), output: &mut |_, _| {}, key: None };
        let value = tokio::time::timeout(GIVEN_UP, world.perform(request)).await.ok()?.ok()?.value;
        if ready.entry.gives == ResultKind::Command
            && let Some(code) = value["status"].as_i64().filter(|code| is_no_command(operation, *code))
        {
            return Some(Judged::Unworkable { why: no_command(code, &value) });
        }
        Some(match judge(ready, that.as_deref(), &value) {
            // What is down may answer anything.
            Judged::Unworkable { why } if (ready.entry.judge)(operation, &value).is_err() => {
                Judged::Fails { saw: why }
            }
            judged => judged,
        })
    }
}

/// Docker says that it may not run a command also of a container that is about to end.
fn is_no_command(operation: &Operation, code: i64) -> bool {
    code == NOT_FOUND || (code == NOT_RUN && !matches!(operation, Operation::Exec(_)))
}

fn no_command(code: i64, value: &Value) -> String {
    let said = value["stderr"].as_str().and_then(|text| text.lines().next()).unwrap_or_default().trim();
    if said.is_empty() { format!("exit code {code}") } else { format!("exit code {code}: {said}") }
}
