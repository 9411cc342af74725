//! What can be typed next about a run, the likeliest first.

use serde_json::Value;

use crate::journal::store::RunDir;
use crate::model::operation::quoted;
use crate::model::plan::Plan;
use crate::run::event::Rest;
use crate::run::state::{RunState, Status, StepStatus};

pub fn commands(run: &RunDir, state: &RunState) -> Vec<String> {
    let run = run.id.short();
    let (resume, undo) = (format!("opsctl resume {run}"), format!("opsctl undo {run}"));
    let resolve = |step, how| format!("opsctl resolve {run} '{step}' {how}");
    match (&state.rest, state.status) {
        (Some(Rest::WaitingForPerson { step, .. }), _) => match state.step(step).map(|step| step.status) {
            Some(StepStatus::Unknown) => {
                vec![
                    resolve(step, "--happened --reason '...'"),
                    resolve(step, "--not-happened --reason '...'"),
                ]
            }
            Some(StepStatus::Pending) => vec![resolve(step, "--approve"), resolve(step, "--decline")],
            _ => vec![resolve(step, "--undo-past --reason '...'"), resume],
        },
        (Some(Rest::Stuck { step, .. }), _) => vec![resume, resolve(step, "--happened --reason '...'")],
        (Some(Rest::Failed { .. } | Rest::Cancelled { .. }), _) => vec![resume, undo],
        (Some(Rest::WaitingForHost { .. } | Rest::WaitingForApproval), _) => vec![resume],
        (None, status) if status.is_moving() => vec![resume],
        (None, Status::Succeeded) if !state.left_to_undo().is_empty() => {
            vec!["opsctl status".to_owned(), undo]
        }
        (None, _) => vec!["opsctl status".to_owned()],
    }
}

/// What shows the same plan as it would be made now.
pub fn plan(plan: &Plan) -> String {
    let value = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let params = plan.params.iter().map(|(name, given)| format!("{name}={}", value(given)));
    let words = ["opsctl", "plan", &plan.runbook].map(str::to_owned).into_iter().chain(params);
    words.map(|word| quoted(&word)).collect::<Vec<_>>().join(" ")
}
