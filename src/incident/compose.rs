//! A message about an incident: what its record knows, and what a person adds, filled into a template.
//!
//! Pure: the same record, words and moment always give the same message, so what was previewed is what is sent. Nothing is made up: what only
//! a person can know is said by one, or there is no message.

use jiff::tz::TimeZone;

use super::cadence;
use super::envelope::Page;
use super::facts::{Occasion, facts};
use super::state::IncidentState;
use super::{time, word};
use crate::base::clock::Timestamp;
use crate::base::nearest::listed;
use crate::base::{Error, Kind};
use crate::engine::templates::Templates;
use crate::model::channel::MessageKind;
use crate::model::inventory::Inventory;
use crate::model::template::{self, Scope};

/// What a message is made with, besides the record.
#[derive(Clone, Copy)]
pub struct Parts<'a> {
    pub inventory: &'a Inventory,
    pub templates: &'a Templates,
    /// Where the readers are.
    pub zone: &'a TimeZone,
}

/// What a person says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words {
    pub text: Option<String>,
    pub cause: Option<String>,
    pub resolution: Option<String>,
    pub follow_up: Vec<String>,
    /// In place of those that follow from how it stands.
    pub next_steps: Option<String>,
    /// Of a handoff.
    pub from: Option<String>,
    pub to: Option<String>,
    /// Nobody is there who could mend the message: it goes out as it is.
    pub is_unattended: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// One line.
    pub subject: String,
    pub text: String,
    /// By when the next one is promised, of a message that promises one.
    pub next_update_at: Option<Timestamp>,
    /// When that is, as the message is to give it.
    pub next_update: String,
}

/// Why there is no message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// What the template asks for and nobody has said, as templates call it.
    Unfilled { template: String, blanks: Vec<String> },
    /// In words, what is wrong with the template.
    Template { template: String, file: String, why: String },
    /// There is none.
    Missing(Error),
}

/// What only a person can know, as templates call it.
const BLANKS: [&str; 6] = ["text", "root_cause", "resolution", "follow_up", "from", "to"];

/// The message as it is at this moment, without a newline at its end.
///
/// # Errors
/// Why there can be none.
pub fn compose(
    kind: MessageKind,
    state: &IncidentState,
    words: &Words,
    parts: Parts<'_>,
    now: Timestamp,
    page: Option<&Page>,
) -> Result<Composed, Refusal> {
    let next_update_at = promised(kind, state, parts, now);
    let next_update = next_update(state, next_update_at, parts, now);
    let is_end = kind == MessageKind::Resolution;
    let facts = facts(state, words, parts, Occasion { now, next_update: &next_update, page, is_end });
    let text = fill(word::kind(kind), &facts, parts.templates)?;
    Ok(Composed { subject: subject(kind, state, page), text, next_update_at, next_update })
}

impl Composed {
    /// What can be said of any incident.
    pub fn without_template(
        kind: MessageKind,
        state: &IncidentState,
        parts: Parts<'_>,
        now: Timestamp,
        page: Option<&Page>,
    ) -> Composed {
        let subject = subject(kind, state, page);
        let next_update_at = promised(kind, state, parts, now);
        let next_update = next_update(state, next_update_at, parts, now);
        let text = format!(
            "{subject}\nTime: {}\nSeverity: {}\nStatus: {}\nNext Update: {next_update}\nShow: opsctl incident show {}",
            time::text(now, parts.zone),
            word::severity(state.severity),
            word::status(state.status),
            state.opening.incident.short(),
        );
        Composed { subject, text, next_update_at, next_update }
    }
}

/// What everybody gets promises the next one. A summary and a handoff are for a few, and put nothing off for the others.
fn promised(kind: MessageKind, state: &IncidentState, parts: Parts<'_>, now: Timestamp) -> Option<Timestamp> {
    let is_for_all = matches!(kind, MessageKind::Alert | MessageKind::Update);
    (is_for_all && !state.is_resolved()).then(|| cadence::next_update(state, &parts.inventory.incidents, now))
}

/// When the next message comes, in words.
pub fn next_update(
    state: &IncidentState,
    promised: Option<Timestamp>,
    parts: Parts<'_>,
    now: Timestamp,
) -> String {
    match promised.or(state.next_update_at) {
        None => "none is due".to_owned(),
        Some(due) if due < now => format!("overdue since {}", time::text(due, parts.zone)),
        Some(due) => time::text(due, parts.zone),
    }
}

/// Whether a message says when the next one comes. A page is answered, and after a resolution nothing is owed.
pub fn promises(kind: MessageKind) -> bool {
    !matches!(kind, MessageKind::Page | MessageKind::Resolution)
}

/// Fills in a template by its name.
///
/// # Errors
/// When there is none, when it is malformed, and when it asks for what is not known.
pub fn fill(name: &str, facts: &Scope, templates: &Templates) -> Result<String, Refusal> {
    let found = templates.get(name).map_err(Refusal::Missing)?;
    let wrong =
        |why: String| Refusal::Template { template: name.to_owned(), file: found.file.to_string(), why };
    let names = template::names(&found.text).map_err(wrong)?;
    let asks = |name: &str| names.iter().any(|asked| asked.split('.').next() == Some(name));
    let is_blank = |blank: &&str| asks(blank) && !facts.contains_key(*blank);
    let blanks: Vec<String> = BLANKS.iter().copied().filter(is_blank).map(str::to_owned).collect();
    if !blanks.is_empty() {
        return Err(Refusal::Unfilled { template: name.to_owned(), blanks });
    }
    let text = template::render_text(&found.text, facts).map_err(wrong)?;
    Ok(text.trim_end().to_owned())
}

fn subject(kind: MessageKind, state: &IncidentState, page: Option<&Page>) -> String {
    let mark = match (kind, page) {
        (MessageKind::Page, Some(page)) => format!("PAGE {}", page.level),
        (MessageKind::Page, None) => "PAGE".to_owned(),
        (MessageKind::Alert, _) => "INCIDENT".to_owned(),
        (MessageKind::Update, _) => "UPDATE".to_owned(),
        (MessageKind::Resolution, _) => "RESOLVED".to_owned(),
        (MessageKind::Handoff, _) => "HANDOFF".to_owned(),
        (MessageKind::Summary, _) => "SUMMARY".to_owned(),
    };
    word::line(&format!("[{mark}] {}: {}", state.opening.site, state.opening.title))
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Error {
        match refusal {
            Refusal::Unfilled { template, blanks } => {
                let names = listed(blanks.iter().map(String::as_str));
                Error::new(
                    Kind::Usage,
                    format!("the message `{template}` has blanks that only you can fill in: {names}"),
                )
                .hint(format!("opsctl template show {template} # what it asks for"))
            }
            Refusal::Template { template, file, why } => {
                Error::invalid(format!("the template `{template}` cannot be filled in: {why}"))
                    .cause(format!("in `{file}`"))
                    .hint("opsctl incident render --check")
            }
            Refusal::Missing(error) => error,
        }
    }
}

#[cfg(test)]
mod tests;
