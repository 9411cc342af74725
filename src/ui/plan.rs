//! A plan for the person who has to approve it: every step in order with its exact commands, then what it all touches.
//!
//! Every step is shown exactly once: one that mends another stands below that one, and one whose place cannot be found
//! stands at the end rather than nowhere.

use std::collections::{BTreeMap, BTreeSet};

use super::field::Fields;
use super::paint::{Ink, visible};
use super::step;
use super::words::short;
use crate::base::id::StepKey;
use crate::model::inventory::Become;
use crate::model::plan::{Effect, Plan, PlannedStep, PlannedUndo, Task, When};
use crate::model::runbook::Risk;

/// The column of the labels of the head and the foot.
const LABEL: usize = 9;

/// The plan, painted. With the next command to paste, it also says that nothing was changed.
pub fn text(plan: &Plan, next: Option<&str>) -> String {
    let mut drawing = Drawing { plan, numbers: BTreeMap::new(), text: head(plan) };
    for step in plan.steps.iter().filter(|step| step.rescues.is_none()) {
        drawing.text.push('\n');
        drawing.step(step, 0);
    }
    // A plan that was damaged or made by another version must not hide a step.
    for step in &plan.steps {
        if !drawing.numbers.contains_key(&step.key) {
            drawing.text.push('\n');
            drawing.step(step, 0);
        }
    }
    let Drawing { numbers, mut text, .. } = drawing;
    text.push('\n');
    text.push_str(&foot(plan, &numbers, next));
    text
}

/// The plan as `plan.json` holds it, in one line.
pub fn json(plan: &Plan) -> String {
    String::from_utf8_lossy(&plan.to_bytes()).into_owned() + "\n"
}

fn head(plan: &Plan) -> String {
    let title = format!("{}: {}", visible(&plan.runbook), visible(&plan.title));
    let mut fields = Fields::new(0, LABEL);
    fields.add("site", Ink::Plain, &visible(&plan.site));
    fields.add("runbook", Ink::Plain, &visible(&plan.origin));
    let (risk, ink) = match plan.risk {
        Risk::ReadOnly => ("read-only: changes nothing", Ink::Good),
        Risk::Disruptive => ("disruptive: interrupts something that can be started again", Ink::Warn),
        Risk::Destructive => ("destructive: can lose data", Ink::Bad),
    };
    fields.add("risk", ink, risk);
    if let Some(rto) = plan.rto {
        fields.add("RTO", Ink::Plain, &rto.to_string());
    }
    for (name, value) in &plan.params {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        fields.add("with", Ink::Plain, &format!("{}={}", visible(name), visible(&value)));
    }
    fields.add("plan", Ink::Plain, short(&plan.digest()));
    format!("{}\n{}", Ink::Bold.on(title), fields.into_text())
}

struct Drawing<'a> {
    plan: &'a Plan,
    /// The steps drawn so far, by the number that they are shown with.
    numbers: BTreeMap<StepKey, usize>,
    text: String,
}

impl Drawing<'_> {
    fn step(&mut self, step: &PlannedStep, indent: usize) {
        let number = self.numbers.len() + 1;
        if self.numbers.insert(step.key.clone(), number).is_some() {
            return;
        }
        let margin = " ".repeat(indent);
        let indent = indent + 3;
        self.group(step, &margin);
        if step.undo == PlannedUndo::Irreversible && !is_skipped(step) {
            let line = format!("!!! POINT OF NO RETURN: nothing takes back step {number} !!!");
            self.text.push_str(&format!("{margin}{}\n", Ink::Bad.on(line)));
        }
        let title = Ink::Bold.on(visible(&step.title));
        self.text.push_str(&format!("{margin}{number}. {title}\n{}", step::text(step, indent)));
        let (plan, before) = (self.plan, self.numbers.len());
        for rescue in plan.steps.iter().filter(|other| other.rescues.as_ref() == Some(&step.key)) {
            if self.numbers.contains_key(&rescue.key) {
                continue;
            }
            let is_first = self.numbers.len() == before;
            let lead = Ink::Warn.on(format!("if step {number} fails:"));
            self.text.push_str(&if is_first { format!("{margin}   {lead}\n") } else { "\n".to_owned() });
            self.step(rescue, indent + 3);
        }
        if self.numbers.len() > before {
            self.text.push_str(&format!("{margin}   then step {number} is tried once more\n"));
        }
    }

    /// Before the first item of a `for_each`: how its items go together.
    fn group(&mut self, step: &PlannedStep, margin: &str) {
        let Some(group) = &step.group else { return };
        let mut items = self.plan.steps.iter().filter(|other| other.group.as_ref() == Some(group));
        let is_first = items.next().is_some_and(|first| first.key == step.key);
        let others = items.count();
        if !is_first || others == 0 {
            return;
        }
        let pace = match group.parallel {
            0 | 1 => "one at a time".to_owned(),
            parallel => format!("{parallel} at a time"),
        };
        let limit = match group.max_failures {
            0 => "after one has failed".to_owned(),
            most => format!("after more than {most} have failed"),
        };
        let line = format!("the next {} steps, {pace}; {limit}, no other is begun", others + 1);
        self.text.push_str(&format!("{margin}{}\n", Ink::Dim.on(line)));
    }
}

fn is_skipped(step: &PlannedStep) -> bool {
    matches!(step.when, Some(When::Fixed { holds: false, .. }))
}

fn foot(plan: &Plan, numbers: &BTreeMap<StepKey, usize>, next: Option<&str>) -> String {
    let steps: Vec<&PlannedStep> = plan.steps.iter().filter(|step| !is_skipped(step)).collect();
    let mut fields = Fields::new(0, LABEL);
    add_hosts(&mut fields, plan, &steps);
    fields.add("changes", Ink::Plain, &of_changes(&steps, plan.steps.len()));
    add_undo(&mut fields, &steps, numbers);
    if steps.iter().any(|step| step.task.effect != Effect::Reads) {
        fields.add(
            "failure",
            Ink::Plain,
            "where a step says nothing else, the run halts there and can be resumed",
        );
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
    let undo = match &step.undo {
        PlannedUndo::Task(task) => Some(task),
        PlannedUndo::None | PlannedUndo::Irreversible => None,
    };
    let checks = step.done_when.iter().chain(&step.expect).map(|check| &check.task);
    std::iter::once(&step.task).chain(checks).chain(undo)
}

fn of_changes(steps: &[&PlannedStep], all: usize) -> String {
    let count = |is: fn(&PlannedStep) -> bool| steps.iter().filter(|step| is(step)).count();
    let changing = count(|step| step.task.effect != Effect::Reads);
    let rescuing = count(|step| step.task.effect != Effect::Reads && step.rescues.is_some());
    let destroying = count(|step| step.task.effect == Effect::Destroys);
    if changing == 0 {
        return format!("nothing: all {all} steps only look");
    }
    let verb = if changing == 1 { "changes" } else { "change" };
    let mut text = format!("{changing} of {all} steps {verb} something");
    if rescuing > 0 {
        text.push_str(&format!(", {rescuing} of them only if another fails"));
    }
    if destroying > 0 {
        text.push_str(&format!(", {destroying} can lose data"));
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
    let what = match undoable.len() {
        0 => "nothing to take back".to_owned(),
        1 => format!("takes back step {}", list(&mut undoable.iter())),
        _ => format!("takes back steps {}, in that order", list(&mut undoable.iter().rev())),
    };
    fields.add("undo", Ink::Plain, &what);
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
    use crate::base::id::StepKey;
    use crate::ui::look::Look;
    use crate::ui::sample;

    fn plain(plan: &Plan, next: Option<&str>) -> String {
        Look::PLAIN.fit(&text(plan, next))
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
            let line = format!("step         {}\n", step.key);
            assert_eq!(shown.matches(&line).count(), 1, "{}", step.key);
        }
    }

    #[test]
    fn the_json_form_is_the_plan_itself_in_one_line() {
        let plan = sample::plan();
        let line = json(&plan);
        assert_eq!(line.matches('\n').count(), 1);
        assert_eq!(serde_json::from_str::<Plan>(&line).unwrap(), plan);
    }
}
