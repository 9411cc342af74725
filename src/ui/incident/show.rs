//! One incident: how it stands, who has it, what happened, what did not arrive, what is left to do.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::due::due;
use super::list::{of_severity, row, status};
use super::next::commands;
use crate::base::clock::Timestamp;
use crate::incident::desk::Incident;
use crate::incident::envelope::Page;
use crate::incident::measure::Measure;
use crate::incident::state::{Delivery, IncidentState, TaskState};
use crate::incident::timeline::timeline;
use crate::incident::{time, word};
use crate::ui::field::Fields;
use crate::ui::paint::{Ink, visible};
use crate::ui::table::{Cell, Table};

pub fn text(incident: &Incident, zone: &TimeZone, now: Timestamp) -> String {
    let state = &incident.state;
    let mut text = format!("{}\n", Ink::Bold.on(word::line(&state.opening.title)));
    text.push_str(&fields(state, zone, now));
    let part = |title: &str, lines: String| match lines.is_empty() {
        true => String::new(),
        false => format!("\n{}\n{lines}", Ink::Bold.on(title)),
    };
    text.push_str(&part("what happened", happened(incident)));
    text.push_str(&part("what did not arrive", astray(state)));
    text.push_str(&part("what has to be done", tasks(state)));
    let next: String = commands(state, now)
        .iter()
        .map(|command| format!("  {}\n", Ink::Command.on(visible(command))))
        .collect();
    text.push_str(&part("next", next));
    text
}

fn fields(state: &IncidentState, zone: &TimeZone, now: Timestamp) -> String {
    let opening = &state.opening;
    let mut fields = Fields::new(2, 14);
    let id = format!("{} of {}, opened by {}", opening.incident.short(), opening.site, state.opened_by);
    fields.add("incident", Ink::Plain, &word::line(&id));
    let severity = word::severity(state.severity).to_lowercase();
    let ink = if state.is_resolved() { Ink::Good } else { of_severity(state.severity) };
    fields.add("status", ink, &format!("{}, {severity}, level {}", status(state), state.level));
    if let Some(text) = &state.text {
        fields.add("", Ink::Plain, &visible(text));
    }
    if !opening.services.is_empty() {
        fields.add("services", Ink::Plain, &word::line(&opening.services.join(", ")));
    }
    fields.add("began", Ink::Plain, &time::text(opening.started_at, zone));
    match &state.held {
        Some(held) => {
            let since = time::text(held.since, zone);
            fields.add("who has it", Ink::Plain, &format!("{}, since {since}", word::line(&held.who)));
        }
        None if state.is_resolved() => {}
        None => fields.add("who has it", Ink::Warn, "nobody"),
    }
    if let Some((ink, due)) = due(state, now) {
        fields.add("update", ink, &due);
    }
    for measure in Measure::ALL {
        if let Some(length) = measure.of(state) {
            fields.add(measure.word(), Ink::Plain, &format!("after {}", time::length(length)));
        }
    }
    fields.into_text()
}

fn happened(incident: &Incident) -> String {
    let mut table = Table::new(&[]);
    let mut day = None;
    for entry in timeline(&incident.records) {
        let date = entry.at.strftime("%Y-%m-%d").to_string();
        // The day is said where it changes.
        let at = match day.as_ref() == Some(&date) {
            true => entry.at.strftime("           %H:%M:%S").to_string(),
            false => entry.at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        };
        day = Some(date);
        table.row([Cell::new(Ink::Dim, at), entry.by.into(), entry.text.into()]);
    }
    table.lines().into_iter().map(|line| format!("  {line}\n")).collect()
}

fn astray(state: &IncidentState) -> String {
    let mut lines = String::new();
    for (message, number) in state.messages.iter().zip(1..) {
        for (channel, delivery) in &message.deliveries {
            let (ink, what) = match delivery {
                Delivery::Sent => continue,
                Delivery::Waiting | Delivery::Sending { .. } => (Ink::Dim, "waits".to_owned()),
                Delivery::Later { why, .. } => (Ink::Warn, format!("waits: {}", word::line(why))),
                Delivery::Refused { why } => (Ink::Bad, format!("not taken: {}", word::line(why))),
                Delivery::Unknown { why, .. } => {
                    (Ink::Warn, format!("may not have arrived: {}", word::line(why)))
                }
            };
            let number: u32 = number;
            let kind = word::kind(message.kind);
            let to = visible(channel);
            lines.push_str(&format!("  {}\n", ink.on(format!("{number}. {kind} to `{to}` {what}"))));
        }
    }
    lines
}

fn tasks(state: &IncidentState) -> String {
    let mut table = Table::new(&[]);
    for (task, number) in state.tasks.iter().zip(1..) {
        let number: u32 = number;
        let (ink, mark, note) = match &task.state {
            TaskState::Open => (Ink::Warn, "open", String::new()),
            TaskState::Done { text } => (Ink::Good, "✔ done", word::line(text)),
            TaskState::Waived { why } => (Ink::Dim, "– waived", word::line(why)),
        };
        let due = task.due.map(|due| format!("until {due}")).unwrap_or_default();
        let owner = task.owner.as_deref().unwrap_or_default();
        table.row([
            format!("{number}.").into(),
            Cell::new(ink, mark),
            word::line(&task.text).into(),
            owner.into(),
            due.into(),
            note.into(),
        ]);
    }
    table.lines().into_iter().map(|line| format!("  {line}\n")).collect()
}

/// Part of the public interface.
pub fn json(incident: &Incident, now: Timestamp) -> String {
    let state = &incident.state;
    let mut document = row(state, now);
    let messages = state.messages.iter().zip(1..).map(|(message, number): (_, u32)| {
        let deliveries = message.deliveries.iter().map(|(channel, delivery)| {
            let (word, why) = match delivery {
                Delivery::Waiting | Delivery::Sending { .. } => ("waiting", None),
                Delivery::Sent => ("sent", None),
                Delivery::Refused { why } => ("refused", Some(why)),
                Delivery::Later { why, .. } => ("waiting", Some(why)),
                Delivery::Unknown { why, .. } => ("unknown", Some(why)),
            };
            json!({ "channel": channel, "state": word, "why": why })
        });
        let page = message.page.as_ref();
        json!({
            "message": number,
            "kind": message.kind,
            "subject": message.subject,
            "text": message.text,
            "at": message.at,
            "page": page.map(|Page { level, round, who }| json!({ "level": level, "round": round, "who": who })),
            "deliveries": deliveries.collect::<Vec<_>>(),
        })
    });
    let tasks = state.tasks.iter().zip(1..).map(|(task, number): (_, u32)| {
        let (word, note) = match &task.state {
            TaskState::Open => ("open", None),
            TaskState::Done { text } => ("done", Some(text)),
            TaskState::Waived { why } => ("waived", Some(why)),
        };
        json!({ "task": number, "text": task.text, "owner": task.owner, "due": task.due, "state": word, "note": note })
    });
    let seconds = Measure::ALL.into_iter().map(|measure| {
        (measure.abbreviation().to_lowercase(), json!(measure.of(state).map(|length| length.as_secs())))
    });
    let runs = state.runs.iter().map(|(run, linked)| {
        json!({ "run": run, "runbook": linked.runbook, "title": linked.title, "is_ended": linked.is_ended })
    });
    let resolution = state.resolution.as_ref().map(|known| {
        json!({
            "cause": known.cause,
            "resolution": known.resolution,
            "follow_up": known.follow_up,
            "forced": known.forced,
        })
    });
    document["kind"] = json!("incident");
    document["seconds"] = Value::Object(seconds.collect());
    document["resolution"] = json!(resolution);
    document["alerts"] = json!(state.alerts);
    document["runs"] = Value::Array(runs.collect());
    document["messages"] = Value::Array(messages.collect());
    document["tasks"] = Value::Array(tasks.collect());
    document["timeline"] = json!(timeline(&incident.records));
    document["next"] = json!(commands(state, now));
    format!("{document}\n")
}

#[cfg(test)]
mod tests;
