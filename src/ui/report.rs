//! How a run ended, for the person who has to go on from there: the state, what changed, what is left, the next command.

use std::time::Duration;

use super::ending::{Ending, Entry, Fate, State};
use super::field::Fields;
use super::outline::Outline;
use super::paint::{Ink, clean, visible};
use super::table::{Cell, Table};
use super::words::{Tone, of_end, of_rest, of_skip};
use crate::base::amount::Span;
use crate::model::operation::Operation;
use crate::model::plan::{Form, Plan, PlannedUndo, Task};
use crate::run::event::{End, Record, Rest};

/// The column of the labels.
const LABEL: usize = 9;

/// What only the caller knows.
#[derive(Debug, Clone, Default)]
pub struct Extra {
    /// More to say, as label and text: `("outage", "41s, from 03:14:07 to 03:14:48")`.
    pub lines: Vec<(String, String)>,
    /// What to paste next, the likeliest first.
    pub next: Vec<String>,
}

/// The report, painted.
pub fn text(plan: &Plan, records: &[Record], extra: &Extra) -> String {
    let ending = Ending::of(plan, records);
    let outline = Outline::of(plan);
    let (tone, state) = of_state(&ending.state);
    let head = tone.ink().on(format!("{} {state}", tone.mark()));
    let mut fields = Fields::new(0, LABEL);
    fields.add("runbook", Ink::Plain, &format!("{}: {}", visible(&plan.runbook), visible(&plan.title)));
    if let Some(run) = ending.run {
        fields.add("run", Ink::Plain, &run.to_string());
    }
    fields.add("took", Ink::Plain, &of_time(&ending));
    add_cause(&mut fields, &ending);
    add_table(&mut fields, "changed", &changed(&ending), Some("nothing"));
    add_table(&mut fields, "undone", &undone(&ending), None);
    add_table(&mut fields, "skipped", &skipped(&ending, &outline), None);
    add_table(&mut fields, "left", &left(&ending), Some("nothing"));
    for (label, text) in &extra.lines {
        fields.add(label, Ink::Plain, &visible(text));
    }
    for next in &extra.next {
        fields.add("next", Ink::Command, &visible(next));
    }
    format!("{head}\n{}", fields.into_text())
}

fn of_state(state: &State) -> (Tone, String) {
    match state {
        State::Ended(end) => {
            let (tone, text) = of_end(*end);
            (tone, text.to_owned())
        }
        State::Rests(rest) => of_rest(rest),
        State::Interrupted => {
            (Tone::Unsure, "interrupted: it moved, and no process holds it any more".to_owned())
        }
    }
}

/// The time against the goal: met or not when the run succeeded, still open while it rests, void when it gave up.
fn of_time(ending: &Ending<'_>) -> String {
    let took = ending.took;
    let shown = Span::rounded(took);
    let against = |rto: Span| match took.checked_sub(rto.0) {
        Some(over) if over > Duration::ZERO => format!(", {} over the RTO of {rto}", Span::rounded(over)),
        _ => format!(", within the RTO of {rto}"),
    };
    match (&ending.state, ending.plan.rto) {
        (State::Ended(End::Succeeded), Some(rto)) => format!("{shown}{}", against(rto)),
        (State::Rests(_) | State::Interrupted, Some(rto)) => format!("{shown} so far{}", against(rto)),
        (State::Rests(_) | State::Interrupted, None) => format!("{shown} so far"),
        (State::Ended(_), _) => shown.to_string(),
    }
}

/// Why a run was taken back or left: the state alone does not say it.
fn add_cause(fields: &mut Fields, ending: &Ending<'_>) {
    if !matches!(
        ending.state,
        State::Ended(End::Undone | End::Abandoned)
            | State::Rests(Rest::Stuck { .. } | Rest::Cancelled { .. })
    ) {
        return;
    }
    for Entry { step, failure, .. } in ending.steps.iter().filter(|entry| entry.failure.is_some()) {
        let message = clean(failure.as_deref().unwrap_or_default());
        fields.add("because", Ink::Bad, &format!("`{}` failed: {message}", step.key));
    }
}

fn add_table(fields: &mut Fields, label: &str, table: &Table, otherwise: Option<&str>) {
    for line in table.lines() {
        fields.add(label, Ink::Plain, &line);
    }
    if let (true, Some(text)) = (table.is_empty(), otherwise) {
        fields.add(label, Ink::Plain, text);
    }
}

fn changed(ending: &Ending<'_>) -> Table {
    let mut table = Table::new(&[]);
    for entry in ending.steps.iter().filter(|entry| entry.is_in_effect) {
        let note = match (&entry.fate, &entry.step.undo) {
            (Fate::Succeeded | Fate::Pending, PlannedUndo::Irreversible) => "cannot be taken back",
            (Fate::Succeeded, _) => "",
            _ => "perhaps",
        };
        row(&mut table, entry, Tone::Plain, Span::rounded(entry.took).to_string(), note);
    }
    table
}

fn undone(ending: &Ending<'_>) -> Table {
    let mut table = Table::new(&[]);
    for entry in ending.steps.iter().filter(|entry| entry.fate == Fate::Undone) {
        row(&mut table, entry, Tone::Plain, "taken back".to_owned(), "");
    }
    table
}

fn row(table: &mut Table, entry: &Entry<'_>, tone: Tone, what: String, note: &str) {
    let host = entry.step.task.host.as_ref().map(|host| format!("on {host}")).unwrap_or_default();
    table.row([
        Cell::new(Ink::Bold, entry.step.key.as_str()),
        host.into(),
        Cell::new(tone.ink(), what),
        Cell::new(Ink::Warn, note),
        entry.step.title.as_str().into(),
    ]);
}

fn skipped(ending: &Ending<'_>, outline: &Outline) -> Table {
    let mut table = Table::new(&[]);
    for entry in &ending.steps {
        if let Fate::Skipped(why) = &entry.fate {
            table.row([entry.step.key.as_str().into(), of_skip(&entry.step.key, why, outline).into()]);
        }
    }
    table
}

/// What a person still has to look at, and what would take back what is in effect.
fn left(ending: &Ending<'_>) -> Table {
    let mut table = Table::new(&[]);
    for entry in &ending.steps {
        if let Some((tone, text)) = of_loose_end(entry) {
            table.row([Cell::new(Ink::Bold, entry.step.key.as_str()), Cell::new(tone.ink(), text)]);
        }
    }
    if !matches!(ending.state, State::Ended(_)) {
        for entry in ending.steps.iter().filter(|entry| is_still_to_do(entry)) {
            table.row([Cell::new(Ink::Bold, entry.step.key.as_str()), "not begun".into()]);
        }
    }
    if matches!(ending.state, State::Rests(Rest::Stuck { .. }) | State::Ended(End::Abandoned)) {
        for (entry, task) in ending.to_undo() {
            let command = Cell::new(Ink::Command, of_undo(task));
            table.row([Cell::new(Ink::Bold, entry.step.key.as_str()), "by hand:".into(), command]);
        }
    }
    table
}

fn of_loose_end(entry: &Entry<'_>) -> Option<(Tone, String)> {
    let message = clean(entry.failure.as_deref().unwrap_or_default());
    match entry.fate {
        Fate::Failed => Some((Tone::Bad, format!("failed: {message}"))),
        Fate::Unknown if message.is_empty() => {
            Some((Tone::Unsure, "unknown: nobody knows whether it took effect".into()))
        }
        Fate::Unknown => {
            Some((Tone::Unsure, format!("unknown, nobody knows whether it took effect: {message}")))
        }
        Fate::Running => Some((Tone::Unsure, "unknown: it was started, and nobody saw it end".to_owned())),
        Fate::UndoFailed => Some((Tone::Bad, format!("its undo failed: {message}"))),
        Fate::UndoUnknown => {
            Some((Tone::Unsure, "unknown: its undo was started, and nobody saw it end".to_owned()))
        }
        Fate::Pending | Fate::Succeeded | Fate::Skipped(_) | Fate::Undone => None,
    }
}

/// A step that mends another is not missed when it was not needed.
fn is_still_to_do(entry: &Entry<'_>) -> bool {
    entry.fate == Fate::Pending && entry.step.rescues.is_none()
}

fn of_undo(task: &Task) -> String {
    let on = task.host.as_ref().map(|host| format!("  (on {host})")).unwrap_or_default();
    let what = match &task.form {
        Form::Ready(operation @ Operation::Command(_)) => operation.to_string(),
        Form::Ready(operation) => format!("{}: {operation}", task.action),
        Form::Deferred { .. } => format!("{}, with this run's outputs", task.action),
    };
    format!("{what}{on}")
}
