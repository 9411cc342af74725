//! One step of a runbook as one step of a plan.

use indexmap::IndexMap;
use serde_json::Map;

use super::task::{self, Concrete, Hosts, Place};
use crate::base::id::StepKey;
use crate::model::check::Check;
use crate::model::operation::Operation;
use crate::model::plan::{Effect, Form, PlannedFailure, PlannedStep, PlannedUndo, Task, When};
use crate::model::runbook::{OnFailure, OnInterrupted, Step, Undo};
use crate::model::template::Scope;
use crate::model::touched::Touched;

/// A step that does something itself. Its condition, its group and what it mends are for those to say who know them.
///
/// # Errors
/// In words, with the field that is wrong.
pub(super) fn planned(place: Place<'_>, step: &Step, key: &StepKey) -> Result<PlannedStep, String> {
    let hosts = Hosts { on: step.on.as_deref(), otherwise: None };
    let Concrete { task, mut touches } = task::task(place, &step.action, hosts)?;
    let host = task.host.clone().map_or_else(|| said_host(place, step), |host| Ok(Some(host)))?;
    let check = |field: &str, check: &Check| {
        task::check(place, check, host.as_deref()).map_err(|why| format!("`{field}`: {why}"))
    };
    let mut expect = Vec::new();
    if let Some(until) = step.action.args.get("until").filter(|_| step.action.action == "wait") {
        let until: Check =
            serde_json::from_value(until.clone()).map_err(|error| format!("`until`: {error}"))?;
        expect.push(check("until", &until)?);
    }
    for expected in &step.expect {
        expect.push(check("expect", expected)?);
    }
    let done_when = step.done_when.as_ref().map(|done_when| check("done_when", done_when)).transpose()?;
    let undo = match (&step.undo, step.irreversible) {
        (Some(Undo::Action(_)), true) => return Err("it has an `undo` and is `irreversible`".to_owned()),
        (_, true) => PlannedUndo::Irreversible,
        (Some(Undo::Action(call)), false) => {
            // As for a check: what it names has its own host, and everything else is where the step was.
            let hosts = Hosts { on: None, otherwise: host.as_deref() };
            let undo = task::task(place, call, hosts).map_err(|why| format!("`undo`: {why}"))?;
            touches.extend(undo.touches);
            PlannedUndo::Task(Box::new(undo.task))
        }
        (Some(Undo::None) | None, false) => PlannedUndo::None,
    };
    for (name, extract) in &step.outputs {
        extract.validate().map_err(|why| format!("`outputs`: `{name}`: {why}"))?;
    }
    let text =
        |field: &str, text: &str| task::text(text, place.scope).map_err(|why| format!("`{field}`: {why}"));
    let approve = match (&step.approve, &task.form) {
        (Some(question), _) => Some(text("approve", question)?),
        // The action is nothing but a question: who approves the step has done it.
        (None, Form::Ready(Operation::Approve { question })) => Some(question.clone()),
        (None, Form::Deferred { .. }) if task.action == "approve" => {
            return Err("its `question` has to be known when the plan is made".to_owned());
        }
        (None, _) => None,
    };
    Ok(PlannedStep {
        key: key.clone(),
        title: text("title", &step.title)?,
        when: None,
        on_interrupted: on_interrupted(step, task.effect)?,
        task,
        done_when,
        expect,
        undo,
        touches: Touched::merged(&touches),
        approve,
        timeout: step.timeout,
        retry: step.retry.clone(),
        on_failure: match step.on_failure {
            OnFailure::Halt => PlannedFailure::Halt,
            OnFailure::Undo => PlannedFailure::Undo,
            OnFailure::Continue => PlannedFailure::Continue,
            OnFailure::Run { .. } => PlannedFailure::Rescue,
        },
        outputs: step.outputs.clone(),
        group: None,
        rescues: None,
    })
}

/// A step that is certainly not done. What it would do may be impossible to say, such as asking a database that there is
/// none of; it is in the plan all the same, so that the record says why it was passed over.
pub(super) fn passed_over(step: &Step, key: &StepKey, scope: &Scope, when: Option<When>) -> PlannedStep {
    let form = Form::Deferred { args: step.action.args.clone(), scope: Map::new(), within: None };
    PlannedStep {
        key: key.clone(),
        title: task::text(&step.title, scope).unwrap_or_else(|_| step.title.clone()),
        task: Task { action: step.action.action.clone(), effect: Effect::Reads, host: None, form },
        when,
        done_when: None,
        expect: Vec::new(),
        undo: PlannedUndo::None,
        touches: Vec::new(),
        approve: None,
        timeout: None,
        retry: None,
        on_failure: PlannedFailure::Halt,
        on_interrupted: OnInterrupted::Rerun,
        outputs: IndexMap::new(),
        group: None,
        rescues: None,
    }
}

/// The host that a step names although its action needs none: its checks may.
fn said_host(place: Place<'_>, step: &Step) -> Result<Option<String>, String> {
    let said = step.on.as_deref().map(|on| task::text(on, place.scope));
    said.transpose().map_err(|why| format!("`on`: {why}"))
}

fn on_interrupted(step: &Step, effect: Effect) -> Result<OnInterrupted, String> {
    match (step.on_interrupted, &step.done_when) {
        (Some(OnInterrupted::Probe), None) => Err("`on_interrupted: probe` needs a `done_when`".to_owned()),
        (Some(said), _) => Ok(said),
        (None, _) if effect <= Effect::Ensures => Ok(OnInterrupted::Rerun),
        (None, Some(_)) => Ok(OnInterrupted::Probe),
        (None, None) => Ok(OnInterrupted::Ask),
    }
}
