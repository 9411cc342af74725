//! What triage found: the causes, what shows them, who is called and what to type.

use serde_json::json;

use super::paint::{Ink, clean, visible};
use super::table::{Cell, Table};
use crate::base::amount::Span;
use crate::model::escalation::Responder;
use crate::model::runbook::Risk;
use crate::model::thresholds::Severity;
use crate::triage::finding::Finding;
use crate::triage::rules::Cause;
use crate::triage::subject::Subject;
use crate::triage::survey::Survey;

/// The runbook that mends a cause.
#[derive(Debug, Clone, PartialEq)]
pub struct Remedy {
    pub runbook: String,
    pub risk: Risk,
    pub rto: Option<Span>,
    pub of: Subject,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub survey: Survey,
    /// For each cause, where there is one.
    pub remedies: Vec<Option<Remedy>>,
    /// Who is called.
    pub responder: Option<Responder>,
    pub took: Span,
}

impl Report {
    pub fn text(&self) -> String {
        let Survey { seen, causes, level, .. } = &self.survey;
        let things = if seen.len() == 1 { "thing" } else { "things" };
        let looked = format!("looked at {} {things} in {}", seen.len(), self.took);
        if causes.is_empty() {
            return format!("{} nothing is wrong: {looked}\n", Ink::Good.on("✔"));
        }
        let mut text = String::new();
        for (cause, remedy) in causes.iter().zip(&self.remedies) {
            text.push_str(&of_cause(cause, remedy.as_ref()));
        }
        if let (Some(level), Some(responder)) = (level, &self.responder) {
            text.push_str(&format!(
                "{} {}\n",
                Ink::Bold.on(format!("escalation {level}:")),
                visible(&responder.describe())
            ));
        }
        text.push_str(&format!("{looked}\n"));
        text
    }

    /// The same, in the place of what was shown before.
    pub fn in_place(&self) -> String {
        const HOME_AND_CLEAR: &str = "\x1b[H\x1b[2J";
        format!("{HOME_AND_CLEAR}{}", self.text())
    }

    /// Part of the public interface.
    pub fn json(&self) -> String {
        let Survey { findings, causes, level, .. } = &self.survey;
        let causes = causes.iter().zip(&self.remedies).map(|(cause, remedy)| {
            json!({
                "scenario": cause.scenario,
                "subject": cause.subject,
                "severity": cause.severity,
                "why": cause.why(),
                "shown_by": cause.shown_by,
                "explains": cause.explains,
                "runbook": remedy.as_ref().map(|remedy| json!({
                    "name": remedy.runbook,
                    "risk": remedy.risk,
                    "rto": remedy.rto,
                    "command": command(remedy),
                })),
            })
        });
        let responder = self.responder.as_ref();
        let document = json!({
            "kind": "triage",
            "well": self.survey.is_well(),
            "findings": findings,
            "causes": causes.collect::<Vec<_>>(),
            "escalation": level.map(|level| json!({
                "level": level,
                "who": responder.map(|responder| &responder.who),
                "within": responder.map(|responder| responder.within),
            })),
            "took": self.took,
        });
        format!("{document}\n")
    }
}

fn command(remedy: &Remedy) -> String {
    let target = match &remedy.of {
        Subject::Service(name) | Subject::Instance(name) | Subject::Host(name) => name.clone(),
        Subject::Database(name) => format!("database/{name}"),
        Subject::Cache(name) => format!("cache/{name}"),
        other => other.name().to_owned(),
    };
    format!("opsctl failover {target}")
}

fn of_cause(cause: &Cause, remedy: Option<&Remedy>) -> String {
    let ink = match cause.severity {
        Severity::Notice => Ink::Dim,
        Severity::Warning => Ink::Warn,
        Severity::Critical | Severity::Emergency => Ink::Bad,
    };
    let name = cause.scenario.as_deref().unwrap_or("unexplained");
    let mut text =
        format!("{} {}\n", ink.on(format!("✘ {name}:")), Ink::Bold.on(visible(&cause.subject.label())));
    let mut table = Table::new(&[]);
    for finding in cause.shown_by.iter().chain(&cause.explains) {
        table.row(line(finding));
    }
    for line in table.lines() {
        text.push_str(&format!("  {line}\n"));
    }
    match remedy {
        Some(remedy) => {
            let rto = remedy.rto.map(|rto| format!(", back within {rto}")).unwrap_or_default();
            text.push_str(&format!(
                "  next: {}   ({}, {}{rto})\n\n",
                Ink::Command.on(command(remedy)),
                remedy.runbook,
                remedy.risk.word()
            ));
        }
        None => text.push_str("  next: no runbook mends this; a person has to look\n\n"),
    }
    text
}

fn line(finding: &Finding) -> Vec<Cell> {
    let since = finding.since.map(|since| format!("since {since:.0}")).unwrap_or_default();
    vec![
        Cell::from(finding.severity.word()),
        Cell::from(finding.subject.label()),
        Cell::from(clean(&finding.evidence)),
        Cell::from(since),
    ]
}
