//! To whom a command's messages went, and what became of the others.

use serde_json::{Value, json};

use crate::base::amount::Span;
use crate::base::clock::{Timestamp, elapsed};
use crate::incident::cadence;
use crate::incident::comms::Fault;
use crate::incident::duty::Duty;
use crate::incident::outbox::{Flushed, Posted};
use crate::incident::state::IncidentState;
use crate::incident::tell::Draft;
use crate::incident::tick::Ticked;
use crate::incident::word;
use crate::ui::age;
use crate::ui::paint::{Ink, visible};

/// A line for each message on each channel.
pub fn text(state: &IncidentState, ticked: &Ticked) -> String {
    let Flushed { sent, waiting, refused, unknown, passed_over } = &ticked.flushed;
    let what = |posted: &Posted| {
        let kind = (posted.message as usize)
            .checked_sub(1)
            .and_then(|index| state.messages.get(index))
            .map_or("message", |message| word::kind(message.kind));
        format!("{kind} to `{}`", visible(&posted.channel))
    };
    let mut lines: Vec<String> = ticked.done.iter().filter_map(|duty| done(state, duty)).collect();
    lines.extend(sent.iter().map(|posted| format!("{} {}", Ink::Good.on("✔"), what(posted))));
    let mut short = |posted: &[Posted], ends: &str| {
        lines.extend(posted.iter().map(|posted| {
            format!("{} {} {ends}: {}", Ink::Warn.on("✘"), what(posted), visible(&posted.why))
        }));
    };
    short(waiting, "waits and is tried again");
    short(refused, "was refused");
    short(unknown, "may have arrived or not");
    lines.extend(passed_over.iter().map(|posted| {
        Ink::Dim.on(format!("– {} is not sent any more: {}", what(posted), visible(&posted.why)))
    }));
    if !waiting.is_empty() {
        lines
            .push("what waits goes out with `opsctl incident tick`, and with every later command".to_owned());
    }
    lines.into_iter().map(|line| format!("{line}\n")).collect()
}

/// What was done besides sending: who is called from now on, and whom nobody can call.
fn done(state: &IncidentState, duty: &Duty) -> Option<String> {
    match duty {
        Duty::Climb { level, why } => Some(format!("{level} is called, too: {}", visible(why))),
        Duty::Release { why } => Some(format!("nobody has it any more: {}", visible(why))),
        Duty::Page { level, round, .. } => {
            let paged = state.messages.iter().find(|message| {
                message.page.as_ref().is_some_and(|page| (page.level, page.round) == (*level, *round))
            });
            let is_mute = paged.is_some_and(|message| message.deliveries.is_empty());
            is_mute.then(|| {
                format!("{} {level} could not be called: no channel takes its pages", Ink::Warn.on("✘"))
            })
        }
    }
}

/// A message before it is sent: where it goes, what it says, and what is wrong with it.
pub fn draft(draft: &Draft) -> String {
    let to = match draft.channels.is_empty() {
        true => "nobody: the inventory has no channel for it".to_owned(),
        false => draft.channels.join(", "),
    };
    let text: String = draft
        .composed
        .text
        .lines()
        .map(|line| format!("  {}\n", visible(line)).replace("  \n", "\n"))
        .collect();
    format!(
        "{}\n\n{text}\n{}\n{}",
        Ink::Bold.on(visible(&draft.composed.subject)),
        Ink::Dim.on(format!("to {to}")),
        warnings(&draft.faults)
    )
}

/// What may be wrong with a message, a line each.
pub fn warnings(faults: &[Fault]) -> String {
    faults.iter().map(|fault| format!("{} {}\n", Ink::Warn.on("warning:"), visible(&fault.what))).collect()
}

/// What comes next: when the next message is due, and what to type.
pub fn next(state: &IncidentState, now: Timestamp) -> String {
    let short = state.opening.incident.short();
    let due = match (cadence::overdue(state, now), state.next_update_at) {
        (Some(length), _) => Ink::Bad.on(format!(", the next update is overdue for {}", age::words(length))),
        (None, Some(due)) if !state.is_resolved() => {
            format!(", the next update is due within {}", Span::rounded(elapsed(now, due)))
        }
        _ => String::new(),
    };
    let status = word::status(state.status).to_lowercase();
    let commands = super::next::commands(state, now);
    let commands = commands.iter().map(|line| format!("  {}\n", Ink::Command.on(line)));
    format!("incident {short} is {status}{due}\n{}", commands.collect::<String>())
}

/// One object.
pub fn json(state: &IncidentState, ticked: &Ticked) -> String {
    let Flushed { sent, waiting, refused, unknown, passed_over } = &ticked.flushed;
    let posted = |all: &[Posted]| -> Vec<Value> {
        let one = |Posted { message, channel, why }: &Posted| json!({ "message": message, "channel": channel, "why": (!why.is_empty()).then_some(why) });
        all.iter().map(one).collect()
    };
    let document = json!({
        "kind": "incident",
        "incident": state.opening.incident,
        "status": state.status,
        "next_update_at": state.next_update_at,
        "sent": posted(sent),
        "waiting": posted(waiting),
        "refused": posted(refused),
        "unknown": posted(unknown),
        "passed_over": posted(passed_over),
    });
    format!("{document}\n")
}
