//! A plan for the person who has to approve it: every step in order with its exact commands, then what it all touches.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::drift;
use super::field::Fields;
use super::paint::{Ink, visible};
use super::steps::{self, is_skipped};
use super::words::short;
use crate::base::id::StepKey;
use crate::model::inventory::Become;
use crate::model::param::written;
use crate::model::plan::{Effect, Plan, PlannedStep, PlannedUndo, Task};
use crate::model::runbook::Risk;

/// The column of the labels of the head and the foot.
const LABEL: usize = 9;

/// The plan, painted. With the next command to paste, it also says that nothing was changed.
pub fn text(plan: &Plan, next: Option<&str>, is_verbose: bool) -> String {
    let (steps, numbers) = steps::draw(plan, is_verbose);
    format!("{}\n{steps}\n{}", head(plan), foot(plan, &numbers, next))
}

/// The plan as `plan.json` holds it, in one line, told apart from other lines by its `kind`.
pub fn json(plan: &Plan) -> String {
    #[derive(Serialize)]
    #[serde(tag = "kind", rename = "plan")]
    struct Line<'a> {
        #[serde(flatten)]
        plan: &'a Plan,
    }
    let line = serde_json::to_string(&Line { plan }).expect("a plan is made of maps with string keys");
    format!("{line}\n")
}

/// What came of trying its checks before anything is changed.
pub fn preflight(tried: usize, hold: usize) -> String {
    format!("before anything is changed, each check was tried once: {hold} of {tried} held\n\n")
}

fn head(plan: &Plan) -> String {
    let name = format!("{} ({})", visible(&plan.runbook), visible(&plan.origin));
    let title = Ink::Bold.on(format!("{name}: {}", visible(&plan.title)));
    let mut of = visible(&plan.site);
    for (name, value) in plan.params.iter().filter(|(_, value)| !is_empty(value)) {
        of.push_str(&format!(", {}={}", visible(name), visible(&written(value))));
    }
    let (risk, ink) = match plan.risk {
        Risk::ReadOnly => ("read-only: changes nothing", Ink::Good),
        Risk::Disruptive => ("disruptive: interrupts something that can be started again", Ink::Warn),
        Risk::Destructive => ("destructive: can lose data", Ink::Bad),
    };
    let rto = plan.rto.map(|rto| format!(", RTO {rto}")).unwrap_or_default();
    let mut fields = Fields::new(0, LABEL);
    fields.add("plan", Ink::Plain, &format!("{} for {of}", short(&plan.digest())));
    fields.add("risk", Ink::Plain, &format!("{}{rto}", ink.on(risk)));
    format!("{title}\n{}", fields.into_text())
}

/// Whether nothing was given.
fn is_empty(value: &Value) -> bool {
    matches!(value, Value::String(text) if text.is_empty())
        || matches!(value, Value::Array(items) if items.is_empty())
}

fn foot(plan: &Plan, numbers: &BTreeMap<StepKey, usize>, next: Option<&str>) -> String {
    let steps: Vec<&PlannedStep> = plan.steps.iter().filter(|step| !is_skipped(step)).collect();
    let mut fields = Fields::new(0, LABEL);
    add_hosts(&mut fields, plan, &steps);
    fields.add("changes", Ink::Plain, &of_changes(&steps, plan.steps.len()));
    if steps.iter().any(|step| step.task.effect != Effect::Reads) {
        add_undo(&mut fields, &steps, numbers);
        let text = "the run halts at the step, unless that says otherwise, and can be resumed";
        fields.add("failure", Ink::Plain, text);
    }
    if let Some(basis) = drift::basis(plan) {
        fields.add("state", Ink::Plain, &basis);
    }
    let mut text = fields.into_text();
    if let Some(next) = next {
        let done = Ink::Good.on("nothing was changed: this is only a plan");
        text.push_str(&format!("\n{done}\nnext: {}\n", Ink::Command.on(visible(next))));
    }
    text
}

fn add_hosts(fields: &mut Fields, plan: &Plan, steps: &[&PlannedStep]) {
    let mut changed: BTreeMap<&str, bool> = BTreeMap::new();
    for task in steps.iter().flat_map(|step| tasks(step)) {
        if let Some(host) = &task.host {
            *changed.entry(host).or_default() |= task.effect != Effect::Reads;
        }
    }
    if changed.is_empty() {
        fields.add("hosts", Ink::Plain, "none");
    }
    for (host, is_changed) in changed {
        let how = if is_changed { "changed" } else { "only read" };
        let (address, root) = match plan.hosts.get(host) {
            Some(known) => {
                let root = match known.escalation {
                    Some(Become::Sudo) => ", as root with sudo",
                    None => "",
                };
                (format!(" ({})", known.address), root)
            }
            None => (String::new(), ""),
        };
        fields.add("hosts", Ink::Plain, &format!("{}{address}: {how}{root}", visible(host)));
    }
}

/// All that a step may do, its checks and its undo included.
fn tasks(step: &PlannedStep) -> impl Iterator<Item = &Task> {
    let checks = step.done_when.iter().chain(&step.expect).map(|check| &check.task);
    std::iter::once(&step.task).chain(checks).chain(step.undo.task())
}

fn of_changes(steps: &[&PlannedStep], all: usize) -> String {
    let count = |is: fn(&PlannedStep) -> bool| steps.iter().filter(|step| is(step)).count();
    let changing = count(|step| step.task.effect != Effect::Reads);
    let rescuing = count(|step| step.task.effect != Effect::Reads && step.rescues.is_some());
    let destroying = count(|step| step.task.effect == Effect::Destroys);
    if changing == 0 {
        return format!("nothing: all {all} steps only look");
    }
    let mut text = format!("{changing} of {all} steps ($)");
    if rescuing > 0 {
        text.push_str(&format!(", {rescuing} of them only if another fails"));
    }
    if destroying > 0 {
        text.push_str(&format!("; {destroying} can lose data (!)"));
    }
    if steps.iter().all(|step| !matches!(step.undo, PlannedUndo::Task(_))) {
        text.push_str("; undo takes nothing back");
    }
    text
}

fn add_undo(fields: &mut Fields, steps: &[&PlannedStep], numbers: &BTreeMap<StepKey, usize>) {
    let numbered = |is: fn(&PlannedUndo) -> bool| -> BTreeSet<usize> {
        let steps = steps.iter().filter(|step| is(&step.undo));
        steps.filter_map(|step| numbers.get(&step.key).copied()).collect()
    };
    let undoable = numbered(|undo| matches!(undo, PlannedUndo::Task(_)));
    let irreversible = numbered(|undo| matches!(undo, PlannedUndo::Irreversible));
    let list = |numbers: &mut dyn Iterator<Item = &usize>| {
        numbers.map(usize::to_string).collect::<Vec<_>>().join(", ")
    };
    match undoable.len() {
        0 => {}
        1 => fields.add("undo", Ink::Plain, &format!("takes back step {}", list(&mut undoable.iter()))),
        _ => {
            let steps = list(&mut undoable.iter().rev());
            fields.add("undo", Ink::Plain, &format!("takes back steps {steps}, in that order"));
        }
    }
    if !irreversible.is_empty() {
        let which = list(&mut irreversible.iter());
        let noun = if irreversible.len() == 1 { "step" } else { "steps" };
        fields.add(
            "undo",
            Ink::Bad,
            &format!("cannot take back {noun} {which}, and stops there unless you say so"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::plan::PlannedFailure;
    use crate::ui::look::Look;
    use crate::ui::sample;

    fn plain(plan: &Plan, next: Option<&str>) -> String {
        Look::PLAIN.fit(&text(plan, next, false))
    }

    #[test]
    fn a_plan_is_shown_with_every_exact_command_and_what_takes_it_back() {
        insta::assert_snapshot!(plain(&sample::plan(), Some("opsctl failover argus --yes")));
    }

    #[test]
    fn a_plan_to_be_approved_does_not_claim_to_be_only_a_plan() {
        assert!(!plain(&sample::plan(), None).contains("only a plan"));
    }

    #[test]
    fn a_plan_that_only_looks_says_so() {
        let mut plan = sample::plan();
        plan.steps.truncate(1);
        let shown = plain(&plan, None);
        assert!(shown.contains("changes  nothing: all 1 steps only look"), "{shown}");
        assert!(shown.contains("app (ssh://deploy@203.0.113.10:22): only read"), "{shown}");
    }

    #[test]
    fn every_step_is_shown_once_even_where_rescues_lead_nowhere_or_in_a_circle() {
        let mut plan = sample::plan();
        plan.steps[1].rescues = Some(StepKey::new("gone"));
        plan.steps[2].rescues = Some(plan.steps[3].key.clone());
        plan.steps[3].rescues = Some(plan.steps[2].key.clone());
        let shown = plain(&plan, None);
        for step in &plan.steps {
            let begin = format!(". {} ", step.key);
            assert_eq!(shown.matches(&begin).count(), 1, "{}: {shown}", step.key);
        }
    }

    #[test]
    fn steps_that_mend_as_others_did_are_named_and_not_shown_again_unless_the_person_wants_all() {
        let mut plan = sample::plan();
        for item in ["argus-1", "argus-2"] {
            let failing =
                plan.steps.iter_mut().find(|step| step.key == StepKey::new("restart").item(item)).unwrap();
            failing.on_failure = PlannedFailure::Rescue;
            let key = failing.key.clone();
            for name in ["df", "free"] {
                let task = sample::task("command", Effect::Reads, sample::command(name));
                let mut look = sample::step(name, "Look", task);
                (look.key, look.rescues) = (key.child(&StepKey::new(name)), Some(key.clone()));
                plan.steps.push(look);
            }
        }
        let shown = plain(&plan, None);
        assert_eq!(shown.matches("&& df").count(), 1, "{shown}");
        assert!(
            shown.contains("if it fails: steps 8 and 9, the same as steps 5 and 6; then once more"),
            "{shown}"
        );
        let all = Look::PLAIN.fit(&text(&plan, None, true));
        assert_eq!(all.matches("&& df").count(), 2, "{all}");

        plan.steps.last_mut().unwrap().undo = PlannedUndo::Irreversible;
        assert_eq!(plain(&plan, None).matches("&& df").count(), 2, "what differs is shown");
    }

    #[test]
    fn the_json_form_is_the_plan_itself_in_one_line_with_its_kind() {
        let plan = sample::plan();
        let line = json(&plan);
        assert_eq!(line.matches('\n').count(), 1);
        assert!(line.starts_with("{\"kind\":\"plan\","), "{line}");
        assert_eq!(serde_json::from_str::<Plan>(&line).unwrap(), plan);
    }
}
