//! What a message about an incident may name: all that opsctl knows of it, so that nobody has to type it.
//!
//! What is not known is not there, so that a template that asks for it is refused; only lists may be empty. Everything that came from
//! outside is made one line of plain text first: a title cannot pass for a line of the message.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::compose::{Parts, Words};
use super::envelope::Page;
use super::event::Status;
use super::state::{IncidentState, TaskState};
use super::{time, word};
use crate::base::clock::{Timestamp, elapsed};
use crate::model::template::Scope;

/// Whom, when and how a message is for.
#[derive(Debug, Clone, Copy)]
pub struct Occasion<'a> {
    pub now: Timestamp,
    /// When the next message comes, in words.
    pub next_update: &'a str,
    pub page: Option<&'a Page>,
    /// It says that all is over, as it is or is about to be.
    pub is_end: bool,
}

pub fn facts(state: &IncidentState, words: &Words, parts: Parts<'_>, occasion: Occasion<'_>) -> Scope {
    let Occasion { now, next_update, page, is_end } = occasion;
    let mut facts = Facts { scope: Scope::new(), zone: parts.zone };
    facts.of_incident(state, now);
    facts.of_work(state);
    let status = if is_end { Status::Resolved } else { state.status };
    facts.line("status", word::status(status));
    facts.line("next_update", next_update);
    let text = words.text.as_ref().or(state.text.as_ref()).map(|text| word::plain(text));
    facts.overview(text.as_deref());
    facts.some("text", text);
    facts.some("next_steps", Some(words.next_steps.clone().unwrap_or_else(|| next_steps(state, status))));
    facts.lines("reasons", words.text.clone().filter(|_| page.is_some()).into_iter());
    facts.some("from", words.from.clone());
    facts.some("to", words.to.clone());
    if let Some(Page { level, round, who }) = page {
        let responder = parts.inventory.escalation.responder(*level);
        let within = &responder.within;
        facts.line("level", &level.to_string());
        facts.line("round", &round.to_string());
        facts.line("who", who);
        facts.line(
            "within",
            &if within.0.is_zero() { "immediately".to_owned() } else { format!("within {within}") },
        );
    }
    if is_end {
        facts.of_end(state, words, now);
    }
    facts.scope
}

struct Facts<'a> {
    scope: Scope,
    zone: &'a TimeZone,
}

impl Facts<'_> {
    fn of_incident(&mut self, state: &IncidentState, now: Timestamp) {
        let opening = &state.opening;
        self.line("site", &opening.site);
        self.line("incident", &opening.incident.short());
        self.line("title", &opening.title);
        self.line("severity", word::severity(state.severity));
        self.line("level", &state.level.to_string());
        let services = opening.services.join(", ");
        self.line("services", if services.is_empty() { "not known yet" } else { &services });
        self.time("began", opening.started_at);
        self.time("detected", opening.detected_at);
        self.time("now", now);
        let holder = state.held.as_ref().map_or("nobody yet", |held| held.who.as_str());
        self.line("holder", holder);
        let firing = state.alerts.values().flatten().filter(|alert| alert.ended_at.is_none());
        let firing = firing.map(|alert| match alert.about.trim() {
            "" => alert.name.clone(),
            about => format!("{}: {about}", alert.name),
        });
        self.lines("alerts", firing);
    }

    /// What was found, and what is done about it.
    fn of_work(&mut self, state: &IncidentState) {
        let findings = state.triage.iter().flat_map(|triage| triage.findings.iter().cloned());
        self.lines("findings", findings);
        let runbook = state.triage.as_ref().and_then(|triage| triage.runbook.clone());
        self.lines("runbooks", runbook.into_iter());
        let runs = |is_ended: bool| {
            let runs = state.runs.iter().filter(move |(_, run)| run.is_ended == is_ended);
            runs.map(|(id, run)| format!("{} (run {})", run.title, id.short()))
        };
        self.lines("done", runs(true));
        self.lines("running", runs(false));
        let open = state.tasks.iter().filter(|task| task.state == TaskState::Open);
        self.lines("open_tasks", open.map(|task| task.text.clone()));
    }

    /// For those who decide: what it is in one sentence, and whom it hits.
    fn overview(&mut self, text: Option<&str>) {
        let of = |name: &str| self.scope.get(name).cloned().unwrap_or_default();
        let findings = match of("findings") {
            Value::Array(findings) => {
                findings.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; ")
            }
            _ => String::new(),
        };
        let title = of("title");
        let what = [text.unwrap_or_default(), &findings, title.as_str().unwrap_or_default()]
            .into_iter()
            .find(|what| !what.is_empty())
            .unwrap_or_default()
            .to_owned();
        let overview = format!("{what}; affected: {}", of("services").as_str().unwrap_or_default());
        self.line("overview", &overview);
    }

    fn of_end(&mut self, state: &IncidentState, words: &Words, now: Timestamp) {
        let ended = state.milestones.resolved_at.unwrap_or(now);
        self.time("ended", ended);
        self.line("duration", &time::length(elapsed(state.opening.started_at, ended)));
        let known = state.resolution.as_ref();
        self.some("root_cause", words.cause.clone().or(known.map(|known| known.cause.clone())));
        self.some("resolution", words.resolution.clone().or(known.map(|known| known.resolution.clone())));
        let follow_up = match words.follow_up.as_slice() {
            [] => known.map(|known| known.follow_up.as_slice()).unwrap_or_default(),
            follow_up => follow_up,
        };
        self.some("follow_up", Some(follow_up.join("; ")));
    }

    fn line(&mut self, name: &str, text: &str) {
        self.scope.insert(name.to_owned(), Value::from(word::line(text)));
    }

    fn lines(&mut self, name: &str, all: impl Iterator<Item = String>) {
        self.scope.insert(name.to_owned(), json!(all.map(|text| word::line(&text)).collect::<Vec<_>>()));
    }

    fn time(&mut self, name: &str, at: Timestamp) {
        self.line(name, &time::text(at, self.zone));
    }

    /// Nothing, or the dots of a hint that was pasted as it stands, is a blank.
    fn some(&mut self, name: &str, text: Option<String>) {
        let text = text.map(|text| word::plain(&text));
        if let Some(text) = text.filter(|text| !text.trim_matches(['.', '…']).is_empty()) {
            self.scope.insert(name.to_owned(), Value::from(text));
        }
    }
}

/// What comes next, as far as how it stands tells.
fn next_steps(state: &IncidentState, status: Status) -> String {
    let running = state.runs.values().filter(|run| !run.is_ended).map(|run| word::line(&run.title));
    let running: Vec<_> = running.collect();
    match status {
        _ if !running.is_empty() => format!("finish what is under way: {}", running.join("; ")),
        Status::Investigating => "find out what is wrong".to_owned(),
        Status::Identified => "mend it".to_owned(),
        Status::Monitoring => "watch that it stays well".to_owned(),
        Status::Resolved => "the review, and what follows from it".to_owned(),
    }
}
