//! The alerts that fire, and what to type for each.

use serde_json::json;

use super::paint::{Ink, clean, visible};
use crate::model::thresholds::Severity;
use crate::triage::alert::Alert;

/// An alert with the runbook that is meant for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub alert: Alert,
    pub next: Option<Next>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Next {
    pub runbook: String,
    pub command: String,
}

pub fn text(rows: &[Row]) -> String {
    if rows.is_empty() {
        return format!("{} no alert fires\n", Ink::Good.on("✔"));
    }
    rows.iter().map(of_row).collect()
}

fn of_row(Row { alert, next }: &Row) -> String {
    let (mark, ink) = match alert.severity {
        _ if alert.is_silenced => ("–", Ink::Dim),
        Severity::Notice => ("–", Ink::Dim),
        Severity::Warning => ("✘", Ink::Warn),
        Severity::Critical | Severity::Emergency => ("✘", Ink::Bad),
    };
    let since = alert.since.map(|since| format!(", since {since:.0}")).unwrap_or_default();
    let silenced = if alert.is_silenced { ", silenced" } else { "" };
    let name = visible(&alert.name);
    let mut text =
        format!("{} {}{since}{silenced}\n", ink.on(format!("{mark} {name}:")), alert.severity.word());
    if !alert.about.is_empty() {
        text.push_str(&format!("  {}\n", clean(&alert.about)));
    }
    match next {
        Some(next) => text.push_str(&format!(
            "  next: {}   ({})\n\n",
            Ink::Command.on(visible(&next.command)),
            next.runbook
        )),
        None => text.push_str("  next: no runbook names this alert; `opsctl triage` looks at everything\n\n"),
    }
    text
}

/// Part of the public interface.
pub fn json(rows: &[Row]) -> String {
    let alerts = rows.iter().map(|Row { alert, next }| {
        let mut row = json!(alert);
        row["runbook"] = json!(next.as_ref().map(|next| &next.runbook));
        row["command"] = json!(next.as_ref().map(|next| &next.command));
        row
    });
    format!("{}\n", json!({ "kind": "alerts", "alerts": alerts.collect::<Vec<_>>() }))
}
