//! A task of the plan, ready to be performed: its action found, and what uses earlier outputs filled in.

use super::deferred::{self, Outputs};
use crate::action::registry::{self, Entry};
use crate::model::operation::Operation;
use crate::model::plan::{Plan, PlannedCheck, Task};

pub struct Ready {
    pub entry: &'static Entry,
    pub operation: Operation,
}

/// # Errors
/// In words, when the action is not one of this opsctl (the plan was made by another version), or when what it uses of
/// earlier outputs does not fit.
pub fn prepare(task: &Task, plan: &Plan, outputs: &Outputs) -> Result<Ready, String> {
    let operation = deferred::complete(task, outputs, plan.basis.site())?;
    Ok(Ready { entry: find(task)?, operation })
}

/// As [`prepare`], with the condition of the check.
///
/// # Errors
/// As [`prepare`].
pub fn prepare_check(
    check: &PlannedCheck,
    plan: &Plan,
    outputs: &Outputs,
) -> Result<(Ready, Option<String>), String> {
    let (operation, that) = deferred::complete_check(check, outputs, plan.basis.site())?;
    Ok((Ready { entry: find(&check.task)?, operation }, that))
}

fn find(task: &Task) -> Result<&'static Entry, String> {
    registry::find(&task.action).ok_or_else(|| {
        format!("this opsctl has no action `{}`: the plan was made by another version", task.action)
    })
}
