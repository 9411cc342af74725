//! What happened, in order, in a line each: the record for people.
//!
//! A step of a linked run stands at the time at which it happened, which may be before it was taken into the record. What only moves
//! messages along (that one is being sent, that it arrived) is not told; that one did not arrive is. What has to be done is no event, and
//! stands in a list of its own.

use std::time::Duration;

use serde::Serialize;

use super::event::{Event, Outcome, Record, Status};
use super::word;
use crate::base::clock::{Timestamp, elapsed};
use crate::base::nearest::listed;
use crate::model::channel::MessageKind;

/// Times that are nearer to each other are the same to a reader.
const SOON: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    pub at: Timestamp,
    /// Who said or did it.
    pub by: String,
    /// One line.
    pub text: String,
}

/// The entries in the order of time; of the same moment, in that of the record.
pub fn timeline(records: &[Record]) -> Vec<Entry> {
    let mut entries = Vec::new();
    if let Some(Event::Opened(opening)) = records.first().map(|record| &record.event) {
        let mut add = |at: Timestamp, text: &str| {
            entries.push(Entry { at, by: Record::ITSELF.to_owned(), text: text.to_owned() });
        };
        // What was noticed at once is told by its opening.
        let (began, noticed, opened) = (opening.started_at, opening.detected_at, records[0].at);
        if elapsed(began, opened) >= SOON {
            add(began, "it began to be wrong");
        }
        if elapsed(began, noticed) >= SOON && elapsed(noticed, opened) >= SOON {
            add(noticed, "it was noticed");
        }
    }
    entries.extend(records.iter().filter_map(entry));
    entries.sort_by_key(|entry| entry.at);
    entries
}

fn entry(record: &Record) -> Option<Entry> {
    let text = text(&record.event)?;
    let at = match &record.event {
        Event::Ran { happened_at, .. } => *happened_at,
        _ => record.at,
    };
    Some(Entry { at, by: word::line(&record.by), text: word::line(&text) })
}

fn text(event: &Event) -> Option<String> {
    Some(match event {
        Event::Opened(opening) => {
            let severity = word::severity(opening.severity);
            format!("opened: {} ({severity}, level {})", opening.title, opening.level)
        }
        Event::Alerted { alerts, .. } => {
            let of = |is_over: bool| {
                let chosen = alerts.iter().filter(|alert| alert.ended_at.is_some() == is_over);
                let mut names: Vec<&str> = chosen.map(|alert| alert.name.as_str()).collect();
                names.sort_unstable();
                names.dedup();
                names
            };
            match (of(false), of(true)) {
                (firing, _) if !firing.is_empty() => format!("alerts fire: {}", firing.join(", ")),
                (_, over) => format!("alerts are over: {}", over.join(", ")),
            }
        }
        Event::Triaged { findings, runbook, .. } => {
            let found = match findings.as_slice() {
                [] => "nothing".to_owned(),
                findings => findings.join("; "),
            };
            let runbook = runbook.as_ref().map(|runbook| format!("; `{runbook}` is meant for it"));
            format!("triage found {found}{}", runbook.unwrap_or_default())
        }
        Event::Linked { run, title, .. } => format!("run {} is about this: {title}", run.short()),
        Event::Ran { run, text, .. } => format!("run {}: {text}", run.short()),
        Event::Noted { text } => text.clone(),
        Event::StatusChanged { status, text } => with(&format!("status: {}", word::status(*status)), text),
        Event::SeverityChanged { severity, text } => {
            with(&format!("severity: {}", word::severity(*severity)), text)
        }
        Event::Acknowledged { who } => format!("{who} has it"),
        Event::Unacknowledged { why } => with("nobody has it any more", why),
        Event::Escalated { level, why } => with(&format!("escalated to {level}"), why),
        Event::Paged { level, round, who, .. } => format!("{level} paged: {who} (round {round})"),
        Event::HandedOff { from, to, text } => with(&format!("{from} gave it to {to}"), text),
        // Whom it pages is told by the decision that it is for.
        Event::Told { kind: MessageKind::Page, .. } => return None,
        Event::Told { kind, subject, channels, .. } => {
            let to = match channels.as_slice() {
                [] => "no channel takes it".to_owned(),
                channels => format!("to {}", listed(channels.iter().map(String::as_str))),
            };
            format!("{}: {subject} ({to})", word::kind(*kind))
        }
        Event::Delivered { message, channel, outcome } => match outcome {
            Outcome::Sent { .. } => return None,
            Outcome::Refused { why } => format!("message {message} did not go to `{channel}`: {why}"),
            Outcome::Later { why, .. } => format!("message {message} waits for `{channel}`: {why}"),
            Outcome::Unknown { why } => {
                format!("nobody knows whether message {message} reached `{channel}`: {why}")
            }
        },
        Event::Mitigated { text } => with("it works again", text),
        Event::Resolved { cause, resolution, forced, .. } => {
            let forced = forced.as_ref().map(|why| format!("; said while something was not well: {why}"));
            format!(
                "{}; cause: {cause}; resolution: {resolution}{}",
                word::status(Status::Resolved).to_lowercase(),
                forced.unwrap_or_default()
            )
        }
        Event::TaskDone { task, text } => with(&format!("task {task} is done"), text),
        Event::TaskWaived { task, why } => with(&format!("task {task} will not be done"), why),
        Event::Closed => "closed".to_owned(),
        Event::Reopened { why } => with("reopened", why),
        Event::Sending { .. } | Event::TaskSet { .. } => return None,
    })
}

fn with(what: &str, words: &str) -> String {
    if words.trim().is_empty() { what.to_owned() } else { format!("{what}: {words}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::sample;

    #[test]
    fn what_happened_is_told_in_the_order_in_which_it_happened() {
        let lines = timeline(&sample::records())
            .into_iter()
            .map(|entry| format!("{} {}: {}", entry.at.strftime("%H:%M:%S"), entry.by, entry.text));
        insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
    }
}
