//! A message about a run: what its plan and its journal know, and what a person adds, filled into a template.
//!
//! Nothing is ever made up. What opsctl cannot know (the root cause) is given by a person, or the message is refused; and no
//! message says "resolved" of a run that did not end in checks that held.

use jiff::tz::TimeZone;
use serde_json::Value;

use super::changes::changes;
use super::time;
use crate::base::amount::Span;
use crate::base::clock::{Timestamp, elapsed};
use crate::model::plan::Plan;
use crate::model::runbook::Risk;
use crate::model::template::{self, Scope};
use crate::run::state::{RunState, Status};

/// The template for a run that has not resolved anything yet.
pub const ALERT: &str = "alert";
/// The template for a run that succeeded.
pub const RESOLUTION: &str = "resolution";

/// After which time the next message is promised.
const UPDATE_AFTER: Span = Span::secs(15 * 60);

/// What only a run that succeeded can say.
const OF_A_RESOLUTION: [&str; 3] = ["ended", "duration", "resolution"];

/// What a message is about, and when it is written.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    pub plan: &'a Plan,
    pub state: &'a RunState,
    pub told: &'a Told,
    pub now: Timestamp,
    /// Where the reader is.
    pub zone: &'a TimeZone,
}

/// What a person says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    pub root_cause: Option<String>,
    pub follow_up: Option<String>,
    /// In place of the services that the plan's parameters lead to.
    pub services: Option<String>,
    /// When it began to be wrong. Without it: when the run was begun.
    pub began: Option<Timestamp>,
}

/// What a template asks for and nobody has said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blank {
    RootCause,
    FollowUp,
    Services,
}

/// Why there is no message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It says how something ended that has not ended well, or that was only looked at.
    NotResolved,
    Unfilled(Vec<Blank>),
    /// In words, what is wrong with the template.
    Template(String),
}

impl Blank {
    const ALL: [Blank; 3] = [Blank::RootCause, Blank::FollowUp, Blank::Services];

    /// As templates call it.
    pub fn name(self) -> &'static str {
        match self {
            Blank::RootCause => "root_cause",
            Blank::FollowUp => "follow_up",
            Blank::Services => "services",
        }
    }
}

/// The template that fits how the run stands.
pub fn fitting(plan: &Plan, state: &RunState) -> &'static str {
    if has_resolved(plan, state) { RESOLUTION } else { ALERT }
}

/// The message, without a newline at its end.
///
/// # Errors
/// Why there can be none.
pub fn render(template: &str, subject: Subject<'_>) -> Result<String, Refusal> {
    let names = template::names(template).map_err(Refusal::Template)?;
    let asks = |name: &str| names.iter().any(|asked| asked.split('.').next() == Some(name));
    if OF_A_RESOLUTION.into_iter().any(asks) && !has_resolved(subject.plan, subject.state) {
        return Err(Refusal::NotResolved);
    }
    let facts = facts(subject);
    let is_blank = |blank: &Blank| asks(blank.name()) && !facts.contains_key(blank.name());
    let blanks: Vec<_> = Blank::ALL.into_iter().filter(is_blank).collect();
    if !blanks.is_empty() {
        return Err(Refusal::Unfilled(blanks));
    }
    let text = template::render_text(template, &facts).map_err(Refusal::Template)?;
    Ok(text.trim_end().to_owned())
}

/// "Resolved" means checked: a run that succeeded did so by its checks, and one that only looked resolved nothing.
fn has_resolved(plan: &Plan, state: &RunState) -> bool {
    state.status == Status::Succeeded && plan.risk != Risk::ReadOnly
}

/// What a template may name. What is not known is not there, so that a template that asks for it is refused.
fn facts(subject: Subject<'_>) -> Scope {
    let Subject { plan, state, told, now, zone } = subject;
    let began = told.began.or(state.created_at);
    let services = plan.affects.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let mut facts = Scope::new();
    let mut add = |name: &str, text: Option<String>| {
        if let Some(text) = text.as_deref().map(str::trim).filter(|text| !is_empty(text)) {
            facts.insert(name.to_owned(), Value::from(text));
        }
    };
    add("site", Some(plan.site.clone()));
    add("run", state.run.map(|run| run.to_string()));
    add("runbook", Some(plan.runbook.clone()));
    add("title", Some(plan.title.clone()));
    add("operator", state.operator.clone());
    add("severity", Some(plan.severity.word().to_owned()));
    add("services", told.services.clone().or(Some(services)));
    add("began", began.map(|began| time::text(began, zone)));
    add("now", Some(time::text(now, zone)));
    add("next_update", Some(time::text(now + UPDATE_AFTER.0, zone)));
    add("root_cause", told.root_cause.clone());
    add("follow_up", told.follow_up.clone());
    if let (true, Some(began), Some(ended)) = (has_resolved(plan, state), began, state.changed_at) {
        let length = time::length(elapsed(began, ended));
        // When it began to be wrong is not in the journal: what is measured without it is the run.
        let length = if told.began.is_some() { length } else { format!("{length} (the recovery itself)") };
        add("ended", Some(time::text(ended, zone)));
        add("duration", Some(length));
        add("resolution", Some(changes(plan, state)));
    }
    facts
}

/// Nothing, or the dots of a hint that was pasted as it stands.
fn is_empty(text: &str) -> bool {
    text.trim_matches(['.', '…']).is_empty()
}

#[cfg(test)]
mod tests;
