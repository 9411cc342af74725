//! How a run ended, for the person who has to go on from there: the state, what changed, what is left, the next command.

use std::time::Duration;

use super::ending::{Ending, Entry, Fate, State};
use super::field::Fields;
use super::outline::Outline;
use super::paint::{Ink, clean, visible};
use super::step;
use super::table::{Cell, Table};
use super::words::{Tone, of_end, of_rest, of_skip};
use crate::base::amount::Span;
use crate::model::plan::{Plan, PlannedUndo, When};
use crate::run::event::{End, Record, Rest};

/// The column of the labels.
const LABEL: usize = 9;

/// What only the caller knows.
#[derive(Debug, Clone, Default)]
pub struct Extra {
    /// More to say, as label (each once) and text: `("outage", "41s, from 03:14:07 to 03:14:48")`.
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
    add_undo_by_hand(&mut fields, &ending);
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
        State::Interrupted => (Tone::Unsure, "interrupted: no process holds the run".to_owned()),
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
            (Fate::Succeeded, PlannedUndo::Irreversible) => "cannot be taken back",
            (Fate::Succeeded, _) => "",
            (Fate::UndoFailed, _) => "undo failed",
            (Fate::UndoUnknown, _) => "undo unknown",
            _ => "perhaps",
        };
        let took = Span::rounded(entry.took).to_string();
        let Place { key, host, title } = Place::of(entry);
        table.row([key, host, took.into(), Cell::new(Ink::Warn, note), title]);
    }
    table
}

fn undone(ending: &Ending<'_>) -> Table {
    let mut table = Table::new(&[]);
    for entry in ending.steps.iter().filter(|entry| entry.fate == Fate::Undone) {
        let Place { key, host, title } = Place::of(entry);
        table.row([key, host, title]);
    }
    table
}

/// The cells that say which step it is.
struct Place {
    key: Cell,
    host: Cell,
    title: Cell,
}

impl Place {
    fn of(entry: &Entry<'_>) -> Place {
        let host = entry.step.task.host.as_ref().map(|host| format!("on {host}")).unwrap_or_default();
        Place {
            key: Cell::new(Ink::Bold, entry.step.key.as_str()),
            host: host.into(),
            title: entry.step.title.as_str().into(),
        }
    }
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
    if !matches!(ending.state, State::Ended(_)) && !ending.is_going_back {
        for entry in ending.steps.iter().filter(|entry| is_still_to_do(entry)) {
            table.row([Cell::new(Ink::Bold, entry.step.key.as_str()), "not begun".into()]);
        }
    }
    table
}

/// What would take back what is in effect, in order, when opsctl does not do it any more.
fn add_undo_by_hand(fields: &mut Fields, ending: &Ending<'_>) {
    if !matches!(ending.state, State::Rests(Rest::Stuck { .. }) | State::Ended(End::Abandoned)) {
        return;
    }
    for (entry, task) in ending.to_undo() {
        let host = task.host.as_ref().map(|host| format!(", on {host}")).unwrap_or_default();
        fields.add("by hand", Ink::Plain, &format!("{}{host}:", entry.step.key));
        step::add_task(fields, "by hand", task);
    }
}

fn of_loose_end(entry: &Entry<'_>) -> Option<(Tone, String)> {
    let said = |failure: &Option<String>| clean(failure.as_deref().unwrap_or_default());
    let message = said(&entry.failure);
    match entry.fate {
        Fate::Failed => Some((Tone::Bad, format!("failed: {message}"))),
        Fate::Unknown if message.is_empty() => {
            Some((Tone::Unsure, "unknown: nobody knows whether it took effect".into()))
        }
        Fate::Unknown => {
            Some((Tone::Unsure, format!("unknown, nobody knows whether it took effect: {message}")))
        }
        Fate::Running => Some((Tone::Unsure, "unknown: it was started, and nobody saw it end".to_owned())),
        Fate::UndoFailed => Some((Tone::Bad, format!("its undo failed: {}", said(&entry.undo_failure)))),
        Fate::UndoUnknown => {
            Some((Tone::Unsure, "unknown: its undo was started, and nobody saw it end".to_owned()))
        }
        Fate::Pending | Fate::Succeeded | Fate::Skipped(_) | Fate::Undone => None,
    }
}

/// A step that mends another is not missed when it was not needed, nor one whose condition was false from the start.
fn is_still_to_do(entry: &Entry<'_>) -> bool {
    let is_ruled_out = matches!(entry.step.when, Some(When::Fixed { holds: false, .. }));
    entry.fate == Fate::Pending && entry.step.rescues.is_none() && !is_ruled_out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::event::{Event, Outcome, Phase, Skip};
    use crate::ui::look::Look;
    use crate::ui::sample::{created, failed, finished, key, plan, records, skipped, started, succeeded};

    /// Events from the creation on, and how the report of them reads.
    fn report<const N: usize>(events: [Event; N], next: &str) -> String {
        let [created] = records([created()]);
        let records: Vec<_> = std::iter::once(created).chain(records(events)).collect();
        let outage = ("outage".to_owned(), "41s, from 03:14:07 to 03:14:48".to_owned());
        let extra = Extra { lines: vec![outage], next: vec![next.to_owned()] };
        Look::PLAIN.fit(&text(&plan(), &records, &extra))
    }

    fn done(step: &str, ms: u64) -> [Event; 2] {
        [started(step, 1, Phase::Do), finished(step, Phase::Do, succeeded(ms))]
    }

    fn lost() -> Outcome {
        Outcome::Unknown { message: "the connection to host `app` was lost".to_owned(), ms: 12_000 }
    }

    #[test]
    fn a_run_that_succeeded() {
        let [a, b] = done("database", 31);
        let [c, d] = done("tag", 120);
        let [e, f] = done("restart[argus-1]", 4_267);
        let [g, h] = done("drop", 900);
        let mended = skipped("database/start", Skip::NotNeeded);
        let flush = skipped("flush", Skip::Condition { text: "cache.disposable".to_owned() });
        let end = Event::RunEnded { end: End::Succeeded };
        insta::assert_snapshot!(report([a, b, mended, c, d, e, f, flush, g, h, end], "opsctl status"));
    }

    #[test]
    fn a_run_that_halted() {
        let [a, b] = done("tag", 120);
        let begun = started("restart[argus-1]", 1, Phase::Do);
        let broken = finished("restart[argus-1]", Phase::Do, failed("exit code 1: no such service", true));
        let rest = Rest::Failed {
            step: key("restart[argus-1]"),
            message: "exit code 1: no such service".to_owned(),
        };
        insta::assert_snapshot!(report(
            [a, b, begun, broken, Event::RunRested { rest }],
            "opsctl resume latest"
        ));
    }

    #[test]
    fn a_run_that_waits_for_a_host() {
        let begun = started("tag", 1, Phase::Do);
        let unknown = finished("tag", Phase::Do, lost());
        let rest = Rest::WaitingForHost { host: "app".to_owned(), message: "no answer within 5s".to_owned() };
        insta::assert_snapshot!(report([begun, unknown, Event::RunRested { rest }], "opsctl resume latest"));
    }

    #[test]
    fn a_run_that_waits_for_a_person() {
        let [a, b] = done("tag", 120);
        let rest = Rest::WaitingForPerson {
            step: key("drop"),
            question: "drop `argus_db_old` for good?".to_owned(),
        };
        insta::assert_snapshot!(report([a, b, Event::RunRested { rest }], "opsctl resume latest"));
    }

    #[test]
    fn a_run_that_was_cancelled() {
        let [a, b] = done("tag", 120);
        let rest = Rest::Cancelled { by: "erin@laptop".to_owned() };
        insta::assert_snapshot!(report([a, b, Event::RunRested { rest }], "opsctl resume latest"));
    }

    #[test]
    fn a_run_that_is_stuck_says_what_to_do_by_hand() {
        let [a, b] = done("tag", 120);
        let [c, d] = done("restart[argus-1]", 4_000);
        let asked = Event::UndoRequested { by: "erin@laptop".to_owned() };
        let undo = started("tag", 1, Phase::Undo);
        let broken = finished("tag", Phase::Undo, failed("exit code 1: no `.env.old`", false));
        let rest = Rest::Stuck { step: key("tag"), message: "exit code 1: no `.env.old`".to_owned() };
        insta::assert_snapshot!(report(
            [a, b, c, d, asked, undo, broken, Event::RunRested { rest }],
            "opsctl undo latest"
        ));
    }

    #[test]
    fn a_run_that_failed_and_was_undone() {
        let begun = started("tag", 1, Phase::Do);
        let broken = finished("tag", Phase::Do, failed("exit code 1: disk full", true));
        let undo = started("tag", 1, Phase::Undo);
        let undone = finished("tag", Phase::Undo, succeeded(80));
        let end = Event::RunEnded { end: End::Undone };
        insta::assert_snapshot!(report([begun, broken, undo, undone, end], "opsctl status"));
    }

    #[test]
    fn a_run_that_was_abandoned() {
        let [a, b] = done("tag", 120);
        let begun = started("restart[argus-1]", 1, Phase::Do);
        let end = Event::RunEnded { end: End::Abandoned };
        insta::assert_snapshot!(report([a, b, begun, end], "opsctl status"));
    }

    #[test]
    fn a_run_whose_process_died() {
        let [a, b] = done("tag", 120);
        let begun = started("restart[argus-1]", 1, Phase::Do);
        insta::assert_snapshot!(report([a, b, begun], "opsctl resume latest"));
    }

    #[test]
    fn the_time_is_held_against_the_goal() {
        let plan = plan();
        let [first, mut last] = records([created(), Event::RunEnded { end: End::Succeeded }]);
        let mut taking = |seconds| {
            last.at = first.at + Duration::from_secs(seconds);
            let records = [first.clone(), last.clone()];
            of_time(&Ending::of(&plan, &records))
        };
        assert_eq!(taking(72), "1m12s, within the RTO of 10m");
        assert_eq!(taking(600), "10m, within the RTO of 10m");
        assert_eq!(taking(723), "12m3s, 2m3s over the RTO of 10m");
    }

    #[test]
    fn a_retry_that_changed_nothing_does_not_hide_what_the_first_attempt_changed() {
        let plan = plan();
        let events = [
            started("tag", 1, Phase::Do),
            finished("tag", Phase::Do, failed("exit code 1", true)),
            started("tag", 2, Phase::Do),
            finished("tag", Phase::Do, failed("host `app` refused the connection", false)),
            started("restart[argus-1]", 1, Phase::Do),
            finished("restart[argus-1]", Phase::Do, failed("no such container", false)),
        ];
        let records = records(events);
        let ending = Ending::of(&plan, &records);
        let in_effect: Vec<_> = ending.steps.iter().filter(|entry| entry.is_in_effect).collect();
        assert_eq!(in_effect.len(), 1);
        assert_eq!(in_effect[0].step.key, key("tag"));
    }
}
