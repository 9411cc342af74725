//! What could not be filled in when the plan was made, because an earlier step's output was not there yet.
//!
//! Everything else is in the plan: the same outputs give the same operation, in the first turn at a run and in a resumed
//! one, whatever has become of the runbook and the inventory.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::fill;
use crate::action::registry;
use crate::base::id::StepKey;
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::{Form, Plan, PlannedCheck, PlannedUndo, Task, When};
use crate::model::template::{self, Scope};

/// What the steps gave so far, as templates see it: `outputs.STEP.NAME`, `outputs.STEP.ITEM.NAME` of a `for_each`, and
/// `outputs.STEP.ITS-STEP.NAME` of a runbook that is included.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outputs {
    tree: Map<String, Value>,
}

impl Outputs {
    pub fn of<'a>(all: impl IntoIterator<Item = (&'a StepKey, &'a BTreeMap<String, Value>)>) -> Outputs {
        let mut tree = Map::new();
        for (key, outputs) in all {
            let mut place = &mut tree;
            for name in path(key) {
                place = branch(place, name);
            }
            place.extend(outputs.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        Outputs { tree }
    }

    /// As a step of the runbook sees them that `within` includes, or of the plan's own runbook.
    fn seen_from(&self, within: Option<&StepKey>) -> Map<String, Value> {
        let mut place = &self.tree;
        for name in within.map(path).unwrap_or_default() {
            match place.get(name) {
                Some(Value::Object(below)) => place = below,
                _ => return Map::new(),
            }
        }
        place.clone()
    }

    fn scope(&self, scope: &Scope, within: Option<&StepKey>) -> Scope {
        let mut scope = scope.clone();
        scope.insert(fill::OUTPUTS.to_owned(), Value::Object(self.seen_from(within)));
        scope
    }
}

/// The fields of that name in `place`, made when it is missing.
fn branch<'a>(place: &'a mut Map<String, Value>, name: &str) -> &'a mut Map<String, Value> {
    let below = place.entry(name.to_owned()).or_insert(Value::Null);
    if !below.is_object() {
        *below = Value::Object(Map::new());
    }
    match below {
        Value::Object(below) => below,
        _ => unreachable!("it was made an object above"),
    }
}

/// `database/restart[argus-2]` as `database`, `restart`, `argus-2`. An item's name may hold a `/`, but no bracket.
fn path(key: &StepKey) -> Vec<&str> {
    let text = key.as_str();
    let mut names = Vec::new();
    let (mut start, mut is_item) = (0, false);
    for (at, c) in text.char_indices() {
        match c {
            '[' => is_item = true,
            ']' => is_item = false,
            '/' if !is_item => {}
            _ => continue,
        }
        if at > start {
            names.push(&text[start..at]);
        }
        start = at + 1;
    }
    if start < text.len() {
        names.push(&text[start..]);
    }
    names
}

/// The operation of a task, once the outputs that it uses are there.
///
/// # Errors
/// In words, when an output is missing or what comes of it makes no sense.
pub fn complete(task: &Task, outputs: &Outputs, site: Site<'_>) -> Result<Operation, String> {
    let (args, scope, within) = match &task.form {
        Form::Ready(operation) => return Ok(operation.clone()),
        Form::Deferred { args, scope, within } => (args, scope, within.as_ref()),
    };
    let entry =
        registry::find(&task.action).ok_or_else(|| format!("there is no action `{}`", task.action))?;
    let args = fill::all(entry, args, &outputs.scope(scope, within))?;
    let built = (entry.build)(&args, site)?;
    if built.host.is_some() && built.host != task.host {
        // An output must not move a step to a host that the approved plan does not show for it.
        let planned = task.host.as_deref().unwrap_or("none");
        return Err(format!(
            "it came out for host `{}`, planned was `{planned}`",
            built.host.unwrap_or_default()
        ));
    }
    Ok(built.operation)
}

/// The plan as far as it can be told by now: with the operations whose outputs are there, for who reads it.
pub fn filled(plan: &Plan, outputs: &Outputs) -> Plan {
    let mut filled = plan.clone();
    for step in &mut filled.steps {
        let undo = match &mut step.undo {
            PlannedUndo::Task(task) => Some(task.as_mut()),
            PlannedUndo::None | PlannedUndo::Irreversible => None,
        };
        for task in std::iter::once(&mut step.task).chain(undo) {
            if let Ok(operation) = complete(task, outputs, plan.basis.site()) {
                task.form = Form::Ready(operation);
            }
        }
    }
    filled
}

/// As [`complete`], with the condition of the check.
///
/// # Errors
/// As [`complete`].
pub fn complete_check(
    check: &PlannedCheck,
    outputs: &Outputs,
    site: Site<'_>,
) -> Result<(Operation, Option<String>), String> {
    let operation = complete(&check.task, outputs, site)?;
    let that = match (&check.that, &check.task.form) {
        (Some(that), Form::Deferred { scope, within, .. }) => {
            Some(template::render_condition(that, &outputs.scope(scope, within.as_ref()))?)
        }
        (that, _) => that.clone(),
    };
    Ok((operation, that))
}

/// Whether a step's condition holds.
///
/// # Errors
/// In words, when an output is missing that it names.
pub fn holds(when: &When, outputs: &Outputs) -> Result<bool, String> {
    match when {
        When::Fixed { holds, .. } => Ok(*holds),
        When::Deferred { text, scope, within } => {
            template::holds(text, &outputs.scope(scope, within.as_ref()))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn outputs() -> Outputs {
        let given = [
            (StepKey::new("look"), json!({ "image": "argus:v1" })),
            (StepKey::new("pull").item("a/b"), json!({ "size": 3 })),
            (StepKey::new("pull").item("c"), json!({ "size": 4 })),
            (StepKey::new("database").child(&StepKey::new("look")), json!({ "rows": 7 })),
        ];
        let given = given.map(|(key, outputs)| (key, serde_json::from_value(outputs).unwrap()));
        Outputs::of(given.iter().map(|(key, outputs)| (key, outputs)))
    }

    #[test]
    fn outputs_are_seen_by_step_by_item_and_by_included_step() {
        let seen = Value::Object(outputs().seen_from(None));
        assert_eq!(
            seen,
            json!({
                "look": { "image": "argus:v1" },
                "pull": { "a/b": { "size": 3 }, "c": { "size": 4 } },
                "database": { "look": { "rows": 7 } },
            })
        );
    }

    #[test]
    fn a_step_of_an_included_runbook_sees_the_outputs_of_that_runbook() {
        let within = StepKey::new("database");
        let when = When::Deferred {
            text: "outputs.look.rows > 5".to_owned(),
            scope: Map::new(),
            within: Some(within),
        };
        assert_eq!(holds(&when, &outputs()), Ok(true));
        assert_eq!(holds(&when, &Outputs::default()), Err("`outputs` has no `look`".to_owned()));
    }
}
