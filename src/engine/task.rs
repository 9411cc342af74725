//! A task of the plan, ready to be performed: its action found, and what used earlier outputs filled in.

use serde_json::{Map, Value};

use crate::action::registry::{self, Entry};
use crate::model::operation::Operation;
use crate::model::plan::{Plan, Task};

pub struct Ready {
    pub entry: &'static Entry,
    pub operation: Operation,
}

/// # Errors
/// In words, when the action is not one of this opsctl (the plan was made by another version), or when what it uses of
/// earlier outputs does not fit.
pub fn prepare(task: &Task, plan: &Plan, outputs: &Map<String, Value>) -> Result<Ready, String> {
    let entry = registry::find(&task.action)
        .ok_or_else(|| format!("this opsctl has no action `{}`: the plan was made by another version", task.action))?;
    let operation = super::deferred::complete(task, plan, outputs)?;
    Ok(Ready { entry, operation })
}
