//! The steps of a plan, numbered in the order in which they are shown.
//!
//! Every step is shown exactly once: one that mends another stands below that one, and one whose place cannot be found stands
//! at the end rather than nowhere. What was said already is not said again: the items of a `for_each` share a heading, and
//! steps that mend as others did are named with the numbers of those others.

use std::collections::BTreeMap;

use super::paint::{Ink, hang, visible};
use super::step::{Teller, Telling, host};
use crate::base::id::StepKey;
use crate::model::plan::{Effect, Form, Group, Plan, PlannedFailure, PlannedStep, PlannedUndo, Task, When};

struct Steps<'a> {
    plan: &'a Plan,
    is_verbose: bool,
    /// Of the widest number.
    width: usize,
    /// The steps drawn so far, by the number that they are shown with.
    numbers: BTreeMap<StepKey, usize>,
    /// What mends a step, as often as it was shown in full.
    mends: Vec<Vec<&'a PlannedStep>>,
    text: String,
}

/// What stands above a step and need not be said again.
#[derive(Debug, Clone, Default)]
struct Above {
    indent: usize,
    notes: Vec<String>,
    /// Whether the title stands there, or is of no use.
    is_titled: bool,
}

/// All steps, painted, and the number of each.
pub fn draw(plan: &Plan, is_verbose: bool) -> (String, BTreeMap<StepKey, usize>) {
    let width = plan.steps.len().to_string().len();
    let mut steps =
        Steps { plan, is_verbose, width, numbers: BTreeMap::new(), mends: Vec::new(), text: String::new() };
    let own: Vec<_> = plan.steps.iter().filter(|step| step.rescues.is_none()).collect();
    steps.neighbours(&own, &Above::default());
    // A plan that was damaged or made by another version must not hide a step.
    for step in &plan.steps {
        steps.step(step, &Above::default());
    }
    (steps.text, steps.numbers)
}

pub fn is_skipped(step: &PlannedStep) -> bool {
    matches!(step.when, Some(When::Fixed { holds: false, .. }))
}

impl<'a> Steps<'a> {
    /// Steps that stand side by side; those of one `for_each` below a heading.
    fn neighbours(&mut self, steps: &[&'a PlannedStep], above: &Above) {
        for chunk in steps.chunk_by(|one, next| one.group.is_some() && one.group == next.group) {
            let above = match (chunk, &chunk[0].group) {
                ([_, _, ..], Some(group)) => self.heading(chunk, group, above),
                _ => above.clone(),
            };
            for step in chunk {
                self.step(step, &above);
            }
        }
    }

    /// What the items of a `for_each` have in common.
    fn heading(&mut self, items: &[&PlannedStep], group: &Group, above: &Above) -> Above {
        let tellings: Vec<_> =
            items.iter().filter(|item| !is_skipped(item)).map(|item| self.tell(item)).collect();
        let mut notes = tellings.first().map(|first| first.notes.clone()).unwrap_or_default();
        notes.retain(|note| tellings.iter().all(|telling| telling.notes.contains(note)));
        let is_titled = items.iter().all(|item| item.title == items[0].title);
        let title = if is_titled { visible(&items[0].title) } else { visible(group.of.as_str()) };

        let mut shown: Vec<_> = notes.iter().filter(|note| !above.notes.contains(note)).cloned().collect();
        shown.extend(of_pace(group, items));
        let margin = " ".repeat(above.indent);
        self.text.push_str(&format!("{margin}{title}{}\n", Ink::Dim.on(in_brackets(&shown))));
        notes.extend(above.notes.iter().cloned());
        Above { indent: above.indent, notes, is_titled }
    }

    fn step(&mut self, step: &'a PlannedStep, above: &Above) {
        if self.numbers.contains_key(&step.key) {
            return;
        }
        let telling = self.tell(step);
        let number = self.number(step);
        let margin = " ".repeat(above.indent);
        let name = visible(step.key.as_str());
        let head = format!("{margin}{number:>width$}. {}", Ink::Bold.on(&name), width = self.width);
        if let Some(When::Fixed { holds: false, text }) = &step.when {
            // What is certain not to run is not shown as if it did.
            let why = Ink::Dim.on(format!("– skipped: `{}` is false", visible(text)));
            self.text.push_str(&format!("{head}  {why}\n"));
            return;
        }
        if step.undo == PlannedUndo::Irreversible {
            let line = format!("!!! POINT OF NO RETURN: nothing takes back step {number} !!!");
            self.text.push_str(&format!("{margin}{}\n", Ink::Bad.on(line)));
        }
        let Telling { mut notes, mut lines } = telling;
        notes.retain(|note| !above.notes.contains(note));
        let notes = in_brackets(&notes);
        let indent = above.indent + self.width + 2;
        // Of what only looks while something is mended, the command says more than the title.
        let is_a_look = step.rescues.is_some() && step.task.effect == Effect::Reads && lines.len() == 1;
        if (above.is_titled || is_a_look) && !lines.is_empty() {
            // Behind a command, a note could be taken for a part of it.
            let column = indent + name.chars().count() + notes.chars().count() + 2;
            let first = hang(&lines.remove(0), column);
            self.text.push_str(&format!("{head}{}  {first}\n", Ink::Dim.on(notes)));
        } else {
            self.text.push_str(&format!("{head}  {}{}\n", visible(&step.title), Ink::Dim.on(notes)));
        }
        for line in lines {
            self.text.push_str(&format!("{}{}\n", " ".repeat(indent), hang(&line, indent)));
        }
        self.rescue(step, indent);
    }

    /// What mends the step.
    fn rescue(&mut self, step: &'a PlannedStep, indent: usize) {
        let is_new = |other: &&PlannedStep| {
            other.rescues.as_ref() == Some(&step.key) && !self.numbers.contains_key(&other.key)
        };
        let rescues: Vec<_> = self.plan.steps.iter().filter(is_new).collect();
        if rescues.is_empty() {
            return;
        }
        let margin = " ".repeat(indent);
        if let Some(shown) = self.twin(&rescues) {
            let numbers: Vec<_> = rescues.iter().map(|rescue| self.number(rescue)).collect();
            let line = format!(
                "if it fails: {}, the same as {}; then once more",
                of_steps(&numbers),
                of_steps(&shown)
            );
            self.text.push_str(&format!("{margin}{}\n", Ink::Warn.on(line)));
            return;
        }
        self.text.push_str(&format!("{margin}{}\n", Ink::Warn.on("if it fails, then once more:")));
        let notes = host(step).iter().map(|host| format!("on {}", visible(host))).collect();
        self.neighbours(&rescues, &Above { indent, notes, is_titled: false });
        if !self.is_any_mended(&rescues) {
            self.mends.push(rescues);
        }
    }

    /// The numbers of steps that do exactly the same, if such were shown. Those that are mended themselves are always shown.
    fn twin(&self, steps: &[&PlannedStep]) -> Option<Vec<usize>> {
        if self.is_verbose || self.is_any_mended(steps) {
            return None;
        }
        let are_same = |shown: &&Vec<&PlannedStep>| {
            shown.len() == steps.len() && shown.iter().zip(steps).all(|(one, other)| do_the_same(one, other))
        };
        let shown = self.mends.iter().find(are_same)?;
        shown.iter().map(|step| self.numbers.get(&step.key).copied()).collect()
    }

    fn is_any_mended(&self, steps: &[&PlannedStep]) -> bool {
        let mended: Vec<_> = self.plan.steps.iter().filter_map(|step| step.rescues.as_ref()).collect();
        steps.iter().any(|step| mended.contains(&&step.key))
    }

    fn number(&mut self, step: &PlannedStep) -> usize {
        let number = self.numbers.len() + 1;
        self.numbers.insert(step.key.clone(), number);
        number
    }

    fn tell(&self, step: &PlannedStep) -> Telling {
        let asked_by = |task: &Task| self.asked_by(task);
        Teller { is_verbose: self.is_verbose, asked_by: &asked_by }.tell(step)
    }

    /// The step that does nothing but what `task` does.
    fn asked_by(&self, task: &Task) -> Option<usize> {
        let asks = |step: &&PlannedStep| {
            step.task == *task
                && step.expect.is_empty()
                && matches!(step.task.form, Form::Ready(_))
                && !is_skipped(step)
        };
        self.plan.steps.iter().filter(asks).find_map(|step| self.numbers.get(&step.key).copied())
    }
}

/// Whether two steps are the same but for what they are called.
fn do_the_same(one: &PlannedStep, other: &PlannedStep) -> bool {
    let renamed = PlannedStep { key: one.key.clone(), rescues: one.rescues.clone(), ..other.clone() };
    *one == renamed
}

/// How the items of a `for_each` go together, where it is not what anybody would expect.
fn of_pace(group: &Group, items: &[&PlannedStep]) -> Vec<String> {
    let together = group.parallel.max(1) as usize;
    let mut pace = match together {
        1 => vec!["one at a time".to_owned()],
        all if all >= items.len() => vec!["side by side".to_owned()],
        some => vec![format!("{some} at a time")],
    };
    let does_go_on = items.iter().any(|item| item.on_failure == PlannedFailure::Continue);
    match group.max_failures {
        0 if together < items.len() && does_go_on => pace.push("none is begun after one failed".to_owned()),
        0 => {}
        most => pace.push(format!("none is begun after more than {most} failed")),
    }
    pace
}

fn in_brackets(notes: &[String]) -> String {
    if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) }
}

/// `step 3`, `steps 3 and 4`, `steps 3 to 6`.
fn of_steps(numbers: &[usize]) -> String {
    match numbers {
        [] => "no step".to_owned(),
        [one] => format!("step {one}"),
        [one, two] => format!("steps {one} and {two}"),
        [first, .., last] => format!("steps {first} to {last}"),
    }
}
