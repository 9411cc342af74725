//! Alert rules beside the runbooks for them.

use serde_json::json;

use super::paint::{Ink, visible};
use super::table::{Cell, Table};
use crate::triage::coverage::{AlertRule, Firing};

/// A rule with the runbooks that name its alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Covered {
    pub rule: AlertRule,
    pub runbooks: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub covered: Vec<Covered>,
    /// Each alert that a runbook names and no rule has, with that runbook.
    pub unknown: Vec<(String, String)>,
}

impl Covered {
    fn place(&self) -> String {
        format!("{}:{}", self.rule.file, self.rule.line)
    }
}

impl Report {
    /// Whether each alert leads to a runbook and may fire.
    pub fn is_well(&self) -> bool {
        self.bare() == 0 && self.vain() == 0
    }

    fn bare(&self) -> usize {
        self.covered.iter().filter(|covered| covered.runbooks.is_empty()).count()
    }

    fn vain(&self) -> usize {
        self.covered.iter().filter(|covered| matches!(covered.rule.firing, Firing::Never(_))).count()
    }

    pub fn text(&self) -> String {
        let mut table = Table::new(&["ALERT", "SEVERITY", "RUNBOOK", "FIRES", "RULE"]);
        for covered in &self.covered {
            let runbook = match covered.runbooks.join(", ") {
                none if none.is_empty() => Cell::new(Ink::Bad, "✘ none"),
                names => Cell::from(names),
            };
            let fires = match &covered.rule.firing {
                Firing::Possible => Cell::from("may"),
                Firing::Never(_) => Cell::new(Ink::Bad, "✘ never"),
                Firing::Unknown(_) => Cell::new(Ink::Warn, "?"),
            };
            let severity = covered.rule.severity.clone().unwrap_or_default();
            table.row([
                Cell::new(Ink::Bold, &covered.rule.alert),
                severity.into(),
                runbook,
                fires,
                covered.place().into(),
            ]);
        }
        let mut text = if table.is_empty() { String::new() } else { format!("{}\n", table.text()) };
        for covered in &self.covered {
            let (ink, what, why) = match &covered.rule.firing {
                Firing::Possible => continue,
                Firing::Never(vain) => (Ink::Bad, "can never fire", &vain.why),
                Firing::Unknown(why) => (Ink::Warn, "cannot be read", why),
            };
            let alert = visible(&covered.rule.alert);
            text.push_str(&format!(
                "{} ({})\n  {}\n",
                ink.on(format!("{alert} {what}")),
                covered.place(),
                visible(why)
            ));
            if let Firing::Never(vain) = &covered.rule.firing
                && let Some(mend) = &vain.mend
            {
                text.push_str(&format!("  write: {}\n", Ink::Command.on(visible(mend))));
            }
            text.push('\n');
        }
        if !self.unknown.is_empty() {
            let named = self.unknown.iter().map(|(alert, runbook)| format!("{alert} ({runbook})"));
            text.push_str(&format!(
                "a runbook names, and no rule has: {}\n",
                named.collect::<Vec<_>>().join(", ")
            ));
        }
        let rules = if self.covered.len() == 1 { "alert rule" } else { "alert rules" };
        text.push_str(&format!(
            "{} {rules}: {} without a runbook, {} that can never fire\n",
            self.covered.len(),
            self.bare(),
            self.vain()
        ));
        text
    }

    /// Part of the public interface.
    pub fn json(&self) -> String {
        let rules = self.covered.iter().map(|Covered { rule, runbooks }| {
            let (fires, why, mend) = match &rule.firing {
                Firing::Possible => ("may", None, None),
                Firing::Never(vain) => ("never", Some(&vain.why), vain.mend.as_ref()),
                Firing::Unknown(why) => ("unknown", Some(why), None),
            };
            json!({
                "alert": rule.alert, "severity": rule.severity, "file": rule.file, "line": rule.line,
                "runbooks": runbooks, "fires": fires, "why": why, "mend": mend,
            })
        });
        let unknown =
            self.unknown.iter().map(|(alert, runbook)| json!({ "alert": alert, "runbook": runbook }));
        let document = json!({
            "kind": "coverage",
            "well": self.is_well(),
            "rules": rules.collect::<Vec<_>>(),
            "without_rule": unknown.collect::<Vec<_>>(),
        });
        format!("{document}\n")
    }
}
