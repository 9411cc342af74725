//! How a run ended, for the person who has to go on from there: the state, what changed, what is left, the next command.

use std::time::Duration;

use super::ending::{Ending, Entry};
use super::field::Fields;
use super::outline::Outline;
use super::paint::{Ink, clean, visible};
use super::step;
use super::table::{Cell, Table};
use super::words::{Tone, of_end, of_rest, of_skip};
use crate::base::amount::Span;
use crate::base::id::StepKey;
use crate::model::plan::{Plan, PlannedFailure, PlannedUndo, When};
use crate::run::event::{End, Phase, Record, Rest, Skip};
use crate::run::state::{Course, Status, StepStatus};

/// The column of the labels.
const LABEL: usize = 9;

/// What only the caller knows.
#[derive(Debug, Clone, Default)]
pub struct Extra {
    /// Whether a process has the run in its hands: then a run that moves is not an interrupted one.
    pub is_held: bool,
    /// What to paste next, the likeliest first.
    pub next: Vec<String>,
}

/// The report, painted. The records are those of a journal that was checked when it was read.
pub fn text(plan: &Plan, records: &[Record], extra: &Extra) -> String {
    let ending = Ending::of(plan, records);
    let outline = Outline::of(plan);
    let (tone, state) = of_state(&ending, extra.is_held);
    let head = tone.ink().on(format!("{} {state}", tone.mark()));
    let mut fields = Fields::new(0, LABEL);
    let name = ending.state.run.map(|run| format!("{} of ", run.short())).unwrap_or_default();
    let title = format!("{name}{}: {}", visible(&plan.runbook), visible(&plan.title));
    fields.add("run", Ink::Plain, &title);
    fields.add("took", Ink::Plain, &of_time(&ending));
    add_cause(&mut fields, &ending);
    add_table(&mut fields, "changed", &changed(&ending), Some("nothing"));
    add_table(&mut fields, "undone", &undone(&ending), None);
    add_table(&mut fields, "skipped", &skipped(&ending, &outline), None);
    add_table(&mut fields, "left", &left(&ending), None);
    add_logs(&mut fields, &ending);
    add_not_begun(&mut fields, &ending);
    add_undo_by_hand(&mut fields, &ending);
    add_move(&mut fields, &ending);
    for next in &extra.next {
        fields.add("next", Ink::Command, &visible(next));
    }
    format!("{head}\n{}", fields.into_text())
}

fn of_state(ending: &Ending<'_>, is_held: bool) -> (Tone, String) {
    let end = |end| {
        let (tone, text) = of_end(end);
        (tone, text.to_owned())
    };
    match (&ending.state.rest, ending.state.status) {
        (Some(rest), Status::Waiting | Status::Halted | Status::Stuck) => of_rest(rest),
        (_, Status::Succeeded) => end(End::Succeeded),
        (_, Status::Undone) => end(End::Undone),
        (_, Status::Abandoned) => end(End::Abandoned),
        (_, status) if status.is_moving() && !is_held => {
            (Tone::Unsure, "interrupted: no process holds the run".to_owned())
        }
        (_, status) => (Tone::Begun, status.word().to_owned()),
    }
}

/// The time against the goal: met or not when the run succeeded, still open while it may succeed, void when it gave up.
fn of_time(ending: &Ending<'_>) -> String {
    let took = ending.took;
    let shown = Span::rounded(took);
    let against = ending.plan.rto.map(|rto| match took.checked_sub(rto.0) {
        Some(over) if over > Duration::ZERO => format!(", {} over the RTO of {rto}", Span::rounded(over)),
        _ => format!(", within the RTO of {rto}"),
    });
    match ending.state.status {
        Status::Succeeded => format!("{shown}{}", against.unwrap_or_default()),
        Status::Undone | Status::Abandoned => shown.to_string(),
        _ if ending.state.course == Course::Back => format!("{shown} so far"),
        _ => format!("{shown} so far{}", against.unwrap_or_default()),
    }
}

/// Why a run goes or went back: its state does not say it, and what was taken back does not show it.
fn add_cause(fields: &mut Fields, ending: &Ending<'_>) {
    let (Course::Back, Some(by)) = (ending.state.course, &ending.state.undo_requested_by) else { return };
    if ending.plan.step(&StepKey::new(by)).is_none() {
        fields.add("because", Ink::Plain, &format!("{} asked for it", visible(by)));
    }
    for entry in ending.entries().filter(|entry| entry.step.on_failure != PlannedFailure::Continue) {
        if let Some(message) = &entry.past.failure {
            fields.add("because", Ink::Bad, &format!("`{}`: {}", entry.step.key, clean(message)));
        }
    }
}

/// What the inventory has to say from now on.
fn add_move(fields: &mut Fields, ending: &Ending<'_>) {
    let (Some(lost), Status::Succeeded) = (&ending.plan.lost, ending.state.status) else { return };
    let standby = ending.plan.basis.inventory.hosts.get(lost).and_then(|host| host.standby.as_deref());
    let text = format!(
        "in {}: add `lost: true` to host `{lost}`; what was on it is on `{}`",
        ending.plan.inventory,
        standby.unwrap_or_default()
    );
    fields.add("write", Ink::Plain, &visible(&text));
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
    for entry in ending.entries().filter(|entry| entry.is_in_effect()) {
        let note = match (entry.state.status, &entry.step.undo) {
            (StepStatus::Succeeded, PlannedUndo::Irreversible) => "cannot be taken back",
            (StepStatus::Succeeded, _) => "",
            (StepStatus::UndoFailed, _) => "undo failed",
            _ => "perhaps",
        };
        let took = entry.past.took;
        let took = if took.is_zero() { String::new() } else { Span::rounded(took).to_string() };
        let Place { key, host, title } = Place::of(entry);
        table.row([key, host, took.into(), title, Cell::new(Ink::Warn, note)]);
    }
    table
}

fn undone(ending: &Ending<'_>) -> Table {
    let mut table = Table::new(&[]);
    for entry in ending.entries().filter(|entry| entry.state.status == StepStatus::Undone) {
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
    fn of(entry: Entry<'_>) -> Place {
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
    for entry in ending.entries() {
        let missed = |why: &&Skip| outline.is_missed(&entry.step.key, why);
        if let Some(why) = entry.state.skip.as_ref().filter(missed) {
            table.row([entry.step.key.as_str().into(), of_skip(&entry.step.key, why, outline).into()]);
        }
    }
    table
}

/// What a person still has to look at.
fn left(ending: &Ending<'_>) -> Table {
    let mut table = Table::new(&[]);
    // What the run rests for was said at the top.
    let said = match &ending.state.rest {
        Some(Rest::Failed { message, .. } | Rest::Stuck { message, .. }) => Some(message),
        _ => None,
    };
    for entry in ending.entries() {
        let message = entry.state.message.as_ref().filter(|message| said != Some(message));
        if let Some((tone, text)) = of_loose_end(entry, message) {
            table.row([Cell::new(Ink::Bold, entry.step.key.as_str()), Cell::new(tone.ink(), text)]);
        }
    }
    table
}

/// What containers wrote before their steps were taken back: it is gone with them.
fn add_logs(fields: &mut Fields, ending: &Ending<'_>) {
    if ending.state.status == Status::Succeeded {
        return;
    }
    for entry in ending.entries().filter(|entry| entry.step.task.action == "container.logs") {
        for lines in entry.state.outputs.values().filter_map(|lines| lines.as_str()) {
            lines.lines().for_each(|line| fields.add("logs", Ink::Plain, &clean(line)));
        }
    }
}

fn add_not_begun(fields: &mut Fields, ending: &Ending<'_>) {
    if ending.state.status.is_final() || ending.state.course == Course::Back {
        return;
    }
    let steps = ending.entries().filter(|entry| is_still_to_do(*entry));
    let keys: Vec<_> = steps.map(|entry| visible(entry.step.key.as_str())).collect();
    if !keys.is_empty() {
        fields.add("left", Ink::Plain, &format!("not begun: {}", keys.join(", ")));
    }
}

/// What would take back what is in effect, in order, when opsctl does not do it any more.
fn add_undo_by_hand(fields: &mut Fields, ending: &Ending<'_>) {
    if !matches!(ending.state.status, Status::Stuck | Status::Abandoned) {
        return;
    }
    for (key, task) in ending.to_undo() {
        let host = task.host.as_ref().map(|host| format!(", on {host}")).unwrap_or_default();
        fields.add("by hand", Ink::Plain, &format!("{key}{host}:"));
        fields.add("by hand", Ink::Command, &step::call(task));
    }
}

fn of_loose_end(entry: Entry<'_>, message: Option<&String>) -> Option<(Tone, String)> {
    let message = message.map(|message| format!(": {}", clean(message))).unwrap_or_default();
    match (entry.state.status, entry.state.phase) {
        (StepStatus::Failed, _) => Some((Tone::Bad, format!("failed{message}"))),
        (StepStatus::UndoFailed, _) => Some((Tone::Bad, format!("its undo failed{message}"))),
        (StepStatus::Unknown, Phase::Do) => {
            Some((Tone::Unsure, format!("unknown, nobody knows whether it took effect{message}")))
        }
        (StepStatus::Unknown, Phase::Undo) => {
            Some((Tone::Unsure, format!("unknown, nobody knows whether it was taken back{message}")))
        }
        (StepStatus::Running, _) => Some((Tone::Unsure, "started, and not seen to end".to_owned())),
        (StepStatus::Undoing, _) => {
            Some((Tone::Unsure, "its undo was started, and not seen to end".to_owned()))
        }
        (StepStatus::Pending | StepStatus::Succeeded | StepStatus::Skipped | StepStatus::Undone, _) => None,
    }
}

/// A step that mends another is not missed when it was not needed, nor one whose condition was false from the start.
fn is_still_to_do(entry: Entry<'_>) -> bool {
    let is_ruled_out = matches!(entry.step.when, Some(When::Fixed { holds: false, .. }));
    entry.state.status == StepStatus::Pending && entry.step.rescues.is_none() && !is_ruled_out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::event::{Choice, Event};
    use crate::ui::look::Look;
    use crate::ui::sample;
    use crate::ui::sample::{attempted, failed, finished, journal, key, plan, skipped, started, succeeded};

    /// How the report of a run with these events reads.
    fn report(events: &[&[Event]], next: &str) -> String {
        let records = journal(events);
        let plan = plan();
        assert_eq!(Ending::of(&plan, &records).state.records, records.len() as u64, "no such journal can be");
        let extra = Extra { is_held: false, next: vec![next.to_owned()] };
        Look::PLAIN.fit(&text(&plan, &records, &extra))
    }

    fn done(step: &str, ms: u64) -> [Event; 2] {
        [started(step, 1, Phase::Do), finished(step, Phase::Do, succeeded(ms))]
    }

    fn broken(step: &str, message: &str) -> [Event; 2] {
        [started(step, 1, Phase::Do), finished(step, Phase::Do, failed(message, true))]
    }

    fn rested(rest: Rest) -> [Event; 1] {
        [Event::RunRested { rest }]
    }

    fn undo() -> [Event; 2] {
        [Event::UndoRequested { by: "tag".to_owned() }, started("tag", 1, Phase::Undo)]
    }

    fn lost(step: &str) -> [Event; 2] {
        let outcome = sample::lost("the connection to host `app` was lost", false);
        [started(step, 1, Phase::Do), finished(step, Phase::Do, outcome)]
    }

    #[test]
    fn a_run_that_succeeded() {
        let approved = Event::Decision {
            by: "erin@laptop".to_owned(),
            choice: Choice::ApproveStep { step: key("drop"), containers: None },
            reason: None,
        };
        let events: &[&[Event]] = &[
            &done("database", 31),
            &[skipped("database/start", Skip::NotNeeded)],
            &done("tag", 120),
            &done("restart[argus-1]", 4_267),
            &[skipped("restart[argus-2]", Skip::AlreadyDone)],
            &[skipped("flush", Skip::Condition { text: "cache.disposable".to_owned() })],
            &[approved],
            &done("drop", 900),
            &[Event::RunEnded { end: End::Succeeded }],
        ];
        insta::assert_snapshot!(report(events, "opsctl status"));
    }

    #[test]
    fn a_run_that_halted() {
        let message = "exit code 1: no such service";
        let rest = Rest::Failed { step: key("restart[argus-1]"), message: message.to_owned() };
        let events: &[&[Event]] =
            &[&done("database", 31), &done("tag", 120), &broken("restart[argus-1]", message), &rested(rest)];
        insta::assert_snapshot!(report(events, "opsctl resume latest"));
    }

    #[test]
    fn a_run_that_waits_for_a_host() {
        let rest = Rest::WaitingForHost {
            step: None,
            host: "app".to_owned(),
            message: "no answer within 5s".to_owned(),
        };
        insta::assert_snapshot!(report(&[&lost("tag"), &rested(rest)], "opsctl resume latest"));
    }

    #[test]
    fn a_run_that_waits_for_a_person() {
        let question = "drop `argus_db_old` for good?".to_owned();
        let rest = Rest::WaitingForPerson { step: key("drop"), question };
        insta::assert_snapshot!(report(&[&done("tag", 120), &rested(rest)], "opsctl resume latest"));
    }

    #[test]
    fn a_run_whose_plan_nobody_approved() {
        insta::assert_snapshot!(report(&[&rested(Rest::WaitingForApproval)], "opsctl resume latest --yes"));
    }

    #[test]
    fn a_run_that_was_cancelled() {
        let rest = Rest::Cancelled { by: "erin@laptop".to_owned() };
        insta::assert_snapshot!(report(&[&done("tag", 120), &rested(rest)], "opsctl resume latest"));
    }

    #[test]
    fn a_run_that_is_stuck_says_what_to_do_by_hand() {
        let message = "exit code 1: no `.env.old`";
        let events: &[&[Event]] = &[
            &done("restart[argus-1]", 4_000),
            &broken("tag", "exit code 1: disk full"),
            &undo(),
            &[finished("tag", Phase::Undo, failed(message, false))],
            &rested(Rest::Stuck { step: key("tag"), message: message.to_owned() }),
        ];
        insta::assert_snapshot!(report(events, "opsctl resume latest"));
    }

    #[test]
    fn a_run_that_failed_and_was_undone() {
        let events: &[&[Event]] = &[
            &broken("tag", "exit code 1: disk full"),
            &undo(),
            &[finished("tag", Phase::Undo, succeeded(80)), Event::RunEnded { end: End::Undone }],
        ];
        insta::assert_snapshot!(report(events, "opsctl status"));
    }

    #[test]
    fn a_run_that_succeeded_and_was_undone_by_a_person_is_not_blamed_on_a_failure_that_was_mended() {
        let asked = Event::UndoRequested { by: "erin@laptop".to_owned() };
        let again = [
            started("tag", 2, Phase::Do),
            attempted("tag", 2, Phase::Do, succeeded(120)),
            asked,
            started("tag", 1, Phase::Undo),
            finished("tag", Phase::Undo, succeeded(80)),
            Event::RunEnded { end: End::Undone },
        ];
        let shown = report(&[&broken("tag", "exit code 1: disk full"), &again], "opsctl status");
        assert!(shown.contains("because  erin@laptop asked for it"), "{shown}");
        assert!(!shown.contains("disk full"), "{shown}");
    }

    #[test]
    fn a_run_that_was_abandoned() {
        let choice = Choice::Abandon;
        let reason = Some("rebuilt by hand".to_owned());
        let events: &[&[Event]] = &[
            &done("tag", 120),
            &lost("restart[argus-1]"),
            &[Event::Decision { by: "erin@laptop".to_owned(), choice, reason }],
            &[Event::RunEnded { end: End::Abandoned }],
        ];
        insta::assert_snapshot!(report(events, "opsctl status"));
    }

    #[test]
    fn a_run_whose_process_died() {
        let begun = [started("restart[argus-1]", 1, Phase::Do)];
        insta::assert_snapshot!(report(&[&done("tag", 120), &begun], "opsctl resume latest"));
    }

    #[test]
    fn a_run_that_a_process_still_holds_is_not_called_interrupted() {
        let extra = Extra { is_held: true, ..Extra::default() };
        let shown = Look::PLAIN.fit(&text(&plan(), &journal(&[&done("tag", 120)]), &extra));
        assert!(shown.starts_with("▶ running\n"), "{shown}");
    }

    #[test]
    fn the_time_is_held_against_the_goal() {
        let plan = plan();
        let mut ending = Ending::of(&plan, &[]);
        ending.state.status = Status::Succeeded;
        let mut taking = |seconds| {
            ending.took = Duration::from_secs(seconds);
            of_time(&ending)
        };
        assert_eq!(taking(72), "1m12s, within the RTO of 10m");
        assert_eq!(taking(600), "10m, within the RTO of 10m");
        assert_eq!(taking(723), "12m3s, 2m3s over the RTO of 10m");
    }

    #[test]
    fn a_retry_that_changed_nothing_does_not_hide_what_the_first_attempt_changed() {
        let plan = plan();
        let records = journal(&[
            &broken("tag", "exit code 1"),
            &[started("tag", 2, Phase::Do)],
            &[attempted("tag", 2, Phase::Do, failed("host `app` refused the connection", false))],
            &[started("restart[argus-1]", 1, Phase::Do)],
            &[finished("restart[argus-1]", Phase::Do, failed("no such container", false))],
        ]);
        let ending = Ending::of(&plan, &records);
        let in_effect: Vec<_> = ending.entries().filter(|entry| entry.is_in_effect()).collect();
        assert_eq!(in_effect.len(), 1);
        assert_eq!(in_effect[0].step.key, key("tag"));
        assert_eq!(in_effect[0].past.took, Duration::from_millis(4_680));
    }
}
