//! What can be typed next about a run, the likeliest first.

use serde_json::Value;

use crate::journal::store::RunDir;
use crate::model::operation::quoted;
use crate::model::param::written;
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
    let given = |(name, value): (&String, &Value)| quoted(&format!("{name}={}", written(value)));
    match plan.runbook.as_str() {
        // They have a command of their own, which takes the values in this order; or none, of all services.
        name @ ("deploy" | "rollback") => {
            let values = ["service", "version"].iter().filter_map(|name| plan.params.get(*name));
            let values = values.map(|value| quoted(&written(value)));
            ["opsctl".to_owned(), name.to_owned()]
                .into_iter()
                .chain(values)
                .chain(["--plan".to_owned()])
                .collect::<Vec<_>>()
                .join(" ")
        }
        // What could go was written into it: another look may find something else.
        "cleanup-disk" => {
            let host = plan.params.get("host").map(written).unwrap_or_default();
            format!("opsctl cleanup disk --host {} --plan", quoted(&host))
        }
        name => {
            let words = ["opsctl", "plan", name].map(quoted).into_iter();
            words.chain(plan.params.iter().map(given)).collect::<Vec<_>>().join(" ")
        }
    }
}
