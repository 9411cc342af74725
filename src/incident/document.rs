//! The two documents about an incident: how it stands, for whoever comes to help, and what there is to learn from it.
//!
//! Both are Markdown. Everything that fills them in is text: what anybody wrote is escaped, so that a title cannot become a heading or a link.

use serde_json::{Value, json};

use super::compose::{Parts, Refusal, Words, fill, next_update};
use super::desk::Incident;
use super::facts::{Occasion, facts};
use super::measure::Measure;
use super::state::{Delivery, IncidentState, Message, TaskState};
use super::timeline::timeline;
use super::{time, word};
use crate::base::clock::{Timestamp, elapsed};
use crate::model::channel::MessageKind;
use crate::model::template::Scope;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    State,
    PostMortem,
}

impl Document {
    /// As its template is called.
    pub fn name(self) -> &'static str {
        match self {
            Document::State => "state",
            Document::PostMortem => "postmortem",
        }
    }
}

/// The document as it is at this moment.
///
/// # Errors
/// When its template cannot be filled in.
pub fn write(
    document: Document,
    incident: &Incident,
    words: &Words,
    parts: Parts<'_>,
    now: Timestamp,
) -> Result<String, Refusal> {
    let state = &incident.state;
    let next_update = next_update(state, None, parts, now);
    // A post-mortem that is looked at early is as if it ended now.
    let is_end = state.is_resolved() || document == Document::PostMortem;
    let occasion = Occasion { now, next_update: &next_update, page: None, is_end };
    let mut scope = facts(state, words, parts, occasion);
    let shown = |at: Timestamp| time::text(at, parts.zone);
    scope.insert("measures".to_owned(), measures(state, &shown));
    scope.insert("impact".to_owned(), Value::from(impact(state, now)));
    scope.insert("timeline".to_owned(), entries(incident));
    scope.insert("tasks".to_owned(), tasks(state));
    scope.insert("messages".to_owned(), messages(state));
    scope.insert("runs".to_owned(), runs(state));
    scope.insert("all_alerts".to_owned(), alerts(state, &shown));
    fill(document.name(), &escaped(scope), parts.templates)
}

fn measures(state: &IncidentState, shown: &dyn Fn(Timestamp) -> String) -> Value {
    let rows = Measure::ALL.into_iter().map(|measure| {
        let at = measure.at(state).map_or_else(|| "not yet".to_owned(), shown);
        let after = measure.of(state).map_or_else(|| "–".to_owned(), time::length);
        json!({ "name": measure.abbreviation(), "what": measure.word(), "at": at, "after": after })
    });
    rows.collect()
}

/// Whom it hit, and for how long: until it worked again.
fn impact(state: &IncidentState, now: Timestamp) -> String {
    let services = match state.opening.services.as_slice() {
        [] => "no service that is known".to_owned(),
        services => services.join(", "),
    };
    let length = |end| time::length(elapsed(state.opening.started_at, end));
    match Measure::Mitigate.at(state) {
        Some(end) => format!("{services}, for {}", length(end)),
        None => format!("{services}, for {} so far", length(now)),
    }
}

fn entries(incident: &Incident) -> Value {
    let rows = timeline(&incident.records).into_iter().map(|entry| {
        let at = entry.at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
        json!({ "at": at, "by": entry.by, "text": entry.text })
    });
    rows.collect()
}

fn tasks(state: &IncidentState) -> Value {
    let rows = state.tasks.iter().zip(1..).map(|(task, number): (_, u32)| {
        let (mark, note) = match &task.state {
            TaskState::Open => (" ", String::new()),
            TaskState::Done { text } => ("x", word::line(text)),
            TaskState::Waived { why } => ("x", format!("not done: {}", word::line(why))),
        };
        let owner = task.owner.as_deref().map_or_else(|| "nobody yet".to_owned(), word::line);
        let due = task.due.map_or_else(|| "no date yet".to_owned(), |due| due.to_string());
        json!({ "number": number, "mark": mark, "text": word::line(&task.text), "owner": owner, "due": due, "note": note })
    });
    rows.collect()
}

/// What was said to whom, and what of it arrived.
fn messages(state: &IncidentState) -> Value {
    // A page that was never decided on was written by a process that died within it.
    let is_said = |message: &Message| message.kind != MessageKind::Page || message.page.is_some();
    let all = state.messages.iter().zip(1..).filter(|(message, _)| is_said(message));
    let rows = all.map(|(message, number): (_, u32)| {
        let channels = message.deliveries.iter().map(|(channel, delivery)| {
            let what = match delivery {
                Delivery::Sent => "",
                Delivery::Waiting | Delivery::Sending { .. } | Delivery::Later { .. } => " (waits)",
                Delivery::Refused { .. } => " (not taken)",
                Delivery::Unknown { .. } => " (may not have arrived)",
            };
            format!("{}{what}", word::line(channel))
        });
        let channels = channels.collect::<Vec<_>>().join(", ");
        json!({
            "number": number,
            "kind": word::kind(message.kind),
            "subject": word::line(&message.subject),
            "at": message.at.strftime("%H:%M:%S UTC").to_string(),
            "channels": if channels.is_empty() { "no channel takes it".to_owned() } else { channels },
        })
    });
    rows.collect()
}

fn runs(state: &IncidentState) -> Value {
    let rows = state.runs.iter().map(|(id, run)| {
        json!({
            "run": id.short(),
            "runbook": word::line(&run.runbook),
            "title": word::line(&run.title),
            "is_ended": run.is_ended,
        })
    });
    rows.collect()
}

fn alerts(state: &IncidentState, shown: &dyn Fn(Timestamp) -> String) -> Value {
    let rows = state.alerts.values().flatten().map(|alert| {
        json!({
            "name": word::line(&alert.name),
            "about": word::line(&alert.about),
            "from": shown(alert.started_at),
            "to": alert.ended_at.map_or_else(|| "it still fires".to_owned(), shown),
        })
    });
    rows.collect()
}

fn escaped(scope: Scope) -> Scope {
    scope.into_iter().map(|(name, value)| (name, escaped_value(value))).collect()
}

fn escaped_value(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(escape(&text)),
        Value::Array(items) => Value::Array(items.into_iter().map(escaped_value).collect()),
        Value::Object(map) => Value::Object(escaped(map)),
        plain => plain,
    }
}

/// Text as Markdown shows it: nothing in it is markup. In one line, as it stands in a list or a table.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    // What would begin a list or a rule: `- `, `+ `, `---`, `===`, `1. ` and `1) `.
    let number = text.bytes().take_while(u8::is_ascii_digit).count();
    let opens = |c: char| if number == 0 { "-+=".contains(c) } else { ".)".contains(c) };
    for (place, c) in text.char_indices() {
        match c {
            // Not by its words: a mark of a task may be a space.
            '\n' => escaped.push(' '),
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '>' | '|' | '~' | '#' | '$' => escaped.extend(['\\', c]),
            c if place == number && opens(c) => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
