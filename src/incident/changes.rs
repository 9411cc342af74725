//! What a run changed, in the words of its steps.

use indexmap::IndexMap;

use crate::model::plan::{Effect, Plan, PlannedStep};
use crate::run::state::{RunState, StepState, StepStatus};

/// The titles of the steps that changed something, in order, with the items of each: `Restart each instance (argus-1, argus-2)`.
/// Steps that were not needed, and those that only read, are not among them.
pub fn changes(plan: &Plan, state: &RunState) -> String {
    let mut items_by_title: IndexMap<&str, Vec<&str>> = IndexMap::new();
    for step in &plan.steps {
        if state.step(&step.key).is_some_and(|state| has_changed(step, state)) {
            let items = items_by_title.entry(step.title.trim()).or_default();
            items.extend(item(step).filter(|item| !step.title.contains(item)));
        }
    }
    let changes = items_by_title.into_iter().map(|(title, items)| match items.as_slice() {
        [] => title.to_owned(),
        items => format!("{title} ({})", items.join(", ")),
    });
    let changes = changes.collect::<Vec<_>>().join("; ");
    if changes.is_empty() { "nothing had to be changed".to_owned() } else { changes }
}

fn has_changed(step: &PlannedStep, state: &StepState) -> bool {
    step.task.effect > Effect::Reads && state.may_have_changed && state.status == StepStatus::Succeeded
}

/// The item of a `for_each` that the step is for.
fn item(step: &PlannedStep) -> Option<&str> {
    let of = step.group.as_ref()?.of.as_str();
    step.key.as_str().strip_prefix(of)?.strip_prefix('[')?.strip_suffix(']')
}
