//! What an undo would take back, before anybody agrees to it.

use serde_json::{Value, json};

use super::paint::{Ink, visible};
use super::table::{Cell, Table};
use crate::base::id::StepKey;
use crate::model::operation::{Command, Operation, Program};
use crate::model::plan::{Form, Plan, PlannedUndo};

/// The steps in the order of the undo, painted.
pub fn text(plan: &Plan, left: &[&StepKey]) -> String {
    if left.is_empty() {
        return "there is nothing to take back\n".to_owned();
    }
    let mut table = Table::new(&["UNDO", "HOST", "COMMAND"]);
    for (step, host, command) in rows(plan, left, brief) {
        let ink = if command.is_some() { Ink::Command } else { Ink::Bad };
        let command = command.unwrap_or_else(|| "irreversible: the undo stops here".to_owned());
        table.row([Cell::new(Ink::Bold, visible(step)), host.into(), Cell::new(ink, visible(&command))]);
    }
    format!("{}\n", table.text())
}

/// The same as one JSON array in a line.
pub fn json(plan: &Plan, left: &[&StepKey]) -> String {
    let rows = rows(plan, left, Operation::to_string)
        .map(|(step, host, command)| json!({ "step": step, "host": host, "command": command }));
    format!("{}\n", Value::Array(rows.collect()))
}

/// As the plan has it: a script of opsctl's own is long, and is called by its name.
fn brief(operation: &Operation) -> String {
    match operation {
        Operation::Command(Command { program: Program::Script(script), .. }) => script.summary(),
        operation => operation.to_string(),
    }
}

fn rows<'a>(
    plan: &'a Plan,
    left: &'a [&StepKey],
    written: fn(&Operation) -> String,
) -> impl Iterator<Item = (&'a str, String, Option<String>)> {
    left.iter().filter_map(|key| plan.step(key)).map(move |step| match &step.undo {
        PlannedUndo::Task(task) => {
            let command = match &task.form {
                Form::Ready(operation) => written(operation),
                Form::Deferred { .. } => format!("{}, with this run's outputs", task.action),
            };
            (step.key.as_str(), task.host.clone().unwrap_or_default(), Some(command))
        }
        PlannedUndo::None | PlannedUndo::Irreversible => (step.key.as_str(), String::new(), None),
    })
}
