//! What must not be said, and what is better not said: a look at each message before it goes out.
//!
//! Whoever writes at three in the morning writes "resolved" because they want it to be. What is refused here is either untrue (it is not
//! resolved as long as nothing says that it works), or of no use (a blank, no word on when the next message comes), or a danger (a secret). What
//! is only warned of may be meant.

use std::sync::LazyLock;

use regex::Regex;

use super::compose::{Composed, Words, promises};
use super::event::Status;
use super::state::IncidentState;
use super::{secrets, word};
use crate::base::nearest::listed;
use crate::base::{Error, Kind, Result};
use crate::model::address::Address;
use crate::model::channel::MessageKind;
use crate::model::inventory::Inventory;

/// What stands where a secret stood.
const MASK: &str = "***";

/// Something that is wrong with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Otherwise it is only warned of.
    pub is_refused: bool,
    pub what: String,
}

/// Whether anything says that it works again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    Green,
    Red,
}

impl Gate {
    /// As the record has it: its checks held, and nothing that was begun is still under way.
    pub fn of(state: &IncidentState) -> Gate {
        let is_well = state.milestones.mitigated_at.is_some() && state.runs.values().all(|run| run.is_ended);
        if is_well || state.status == Status::Resolved { Gate::Green } else { Gate::Red }
    }
}

/// What a message is looked at with.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    pub inventory: &'a Inventory,
    pub words: &'a Words,
    pub gate: Gate,
    /// Whether people outside read it.
    pub is_public: bool,
    pub secrets: &'a [String],
}

/// What is wrong with it, the refused first.
pub fn faults(kind: MessageKind, composed: &Composed, scene: Scene<'_>) -> Vec<Fault> {
    let whole = format!("{}\n{}", composed.subject, composed.text);
    let mut faults = Vec::new();
    let mut refuse = |what: String| faults.push(Fault { is_refused: true, what });
    if scene.gate == Gate::Red && claims_end(&whole) {
        refuse("it says \"resolved\", and nothing says that it works again".to_owned());
    }
    if promises(kind) && !composed.text.contains(&composed.next_update) {
        refuse("it does not say when the next update comes".to_owned());
    }
    if let Some(blank) = BLANK.find(&whole) {
        refuse(format!("there is a blank in it: `{}`", blank.as_str()));
    }
    if masked(&whole, scene.secrets) != whole {
        refuse("there is a secret in it".to_owned());
    }
    if scene.is_public {
        let hosts = hosts(&whole, scene.inventory);
        if !hosts.is_empty() {
            let hosts = listed(hosts.iter().map(String::as_str));
            faults.push(Fault {
                is_refused: false,
                what: format!("people outside read it, and it names {hosts}"),
            });
        }
        if let Some(promise) = promise(scene.words) {
            let what = format!("people outside read it, and it promises a time: `{promise}`");
            faults.push(Fault { is_refused: false, what });
        }
    }
    faults
}

/// The error for a message that is refused.
pub fn refused(faults: &[Fault]) -> Option<Error> {
    let mut all = faults.iter().filter(|fault| fault.is_refused).map(|fault| fault.what.as_str());
    let first = all.next()?;
    let error = Error::new(Kind::Refused, format!("the message is not sent: {first}"));
    Some(
        all.fold(error, Error::cause)
            .hint("opsctl incident render --help # shows a message before it is sent"),
    )
}

/// What a person wrote, as it may stand in a record: as plain text, with something in it, and without a secret.
///
/// # Errors
/// When it is empty, or there is a secret in it. `what` is what it is called.
pub fn fit(what: &str, text: &str, inventory: &Inventory) -> Result<String> {
    let text = word::plain(text);
    if text.trim_matches(['.', '…']).is_empty() {
        return Err(Error::usage(format!("{what} says nothing")));
    }
    match masked(&text, &secrets::within_reach(inventory)) == text {
        true => Ok(text),
        false => Err(Error::new(Kind::Refused, format!("there is a secret in {what}"))
            .hint("say where it is kept in its place: what is in the record stays in it")),
    }
}

/// Without any secret that is known, or that looks like one.
pub fn masked(text: &str, secrets: &[String]) -> String {
    let text = secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, MASK));
    SECRET.replace_all(&text, MASK).into_owned()
}

/// The blanks of the document, those of a template, and those that people leave.
static BLANK: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"\[(?:TIMESTAMP|Time|List|Critical/Warning|X minutes|Brief description|What was done|Any post-incident actions)\]",
        r"|\{\{.*?\}\}|\{%.*?%\}|\b(?:TODO|TBD|FIXME|XXX)\b",
    ))
});

/// Keys by the marks that their makers give them, passwords by what stands before them.
static SECRET: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
        r"|\bAKIA[0-9A-Z]{16}\b",
        r"|\bxox[abeprs]-[0-9A-Za-z-]{10,}",
        r"|\bhooks\.slack\.com/services/[0-9A-Za-z/]+",
        r"|\bgh[opsu]_[0-9A-Za-z]{20,}",
        r"|\bglpat-[0-9A-Za-z_-]{16,}",
        r"|\bwhsec_[0-9A-Za-z+/=]{16,}",
        r"|\beyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]+",
        r"|(?i:\b[a-z][a-z0-9+.-]*://[^\s/:@]+:[^\s/@]+@)",
        r"|(?i:\b(?:password|passwd|secret|api[_-]?key|token)\s*[=:]\s*[^\s,;]{4,})",
    ))
});

/// In the words of a person: `back within 10 minutes`, `by 15:00`, `ETA 20m`.
static PROMISE: LazyLock<Regex> = LazyLock::new(|| {
    regex(concat!(
        r"(?i)\b(?:in|within|by|until|before|eta)\b:?\s+(?:about|around|roughly|the\s+next\s+)?\s*",
        r"(?:\d{1,2}:\d\d|(?:\d+|an?|(?:a\s+)?few|(?:a\s+)?couple\s+of)\s*(?:s|secs?|seconds?|m|mins?|minutes?|h|hours?|days?)\b)",
    ))
});

static ADDRESS: LazyLock<Regex> = LazyLock::new(|| regex(r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b"));

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("it is one of this file, and a test uses it")
}

/// Whether it says that it is over. `not resolved`, `until it is resolved` and `to be resolved` do not.
fn claims_end(text: &str) -> bool {
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let denies = |word: &String| {
        ["not", "isn't", "never", "until", "once", "when", "be", "if"].contains(&word.as_str())
    };
    words
        .iter()
        .enumerate()
        .any(|(place, word)| word == "resolved" && !words[place.saturating_sub(3)..place].iter().any(denies))
}

fn promise(words: &Words) -> Option<String> {
    let said = [&words.text, &words.next_steps, &words.resolution].into_iter().flatten();
    said.chain(&words.follow_up).find_map(|text| PROMISE.find(text).map(|found| found.as_str().to_owned()))
}

/// The hosts that are named, by their names, and the addresses of any.
fn hosts(text: &str, inventory: &Inventory) -> Vec<String> {
    let is_part = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    let words: Vec<&str> = text.split(|c: char| !is_part(c)).map(|word| word.trim_end_matches('.')).collect();
    let names = inventory.hosts.iter().flat_map(|(name, host)| {
        let address = match &host.address {
            Address::Local => None,
            Address::Ssh { host, .. } => Some(host.clone()),
        };
        std::iter::once(name.clone()).chain(address)
    });
    let mut found: Vec<String> = names.filter(|name| words.contains(&name.as_str())).collect();
    found.extend(ADDRESS.find_iter(text).map(|address| address.as_str().to_owned()));
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests;
