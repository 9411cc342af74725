//! Puts a message into the record, with the channels that it goes to. Sending it is the outbox's work: what is in the record is not forgotten.

use super::comms::{self, Fault, Gate, Scene};
use super::compose::{Composed, Parts, Refusal, Words, compose};
use super::desk::Hand;
use super::envelope::Page;
use super::event::Event;
use super::office::Office;
use super::secrets;
use super::state::IncidentState;
use crate::base::Result;
use crate::base::clock::Timestamp;
use crate::model::channel::MessageKind;

/// A message before it is in the record: for a person to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub composed: Composed,
    /// Where it would go, in the inventory's order.
    pub channels: Vec<String>,
    /// What is wrong with it, the refused first.
    pub faults: Vec<Fault>,
}

/// What a message is about, and when it is written.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub kind: MessageKind,
    pub state: &'a IncidentState,
    pub words: &'a Words,
    pub page: Option<&'a Page>,
    /// Whether it works again, as the record has it or as somebody has just seen.
    pub gate: Gate,
    pub now: Timestamp,
}

impl Office<'_> {
    pub fn parts(&self) -> Parts<'_> {
        Parts { inventory: self.inventory, templates: self.templates, zone: &self.zone }
    }
}

/// The message as it would be sent now.
///
/// # Errors
/// Why there can be none.
pub fn draft(subject: Subject<'_>, parts: Parts<'_>) -> Result<Draft, Refusal> {
    let Subject { kind, state, words, page, gate, now } = subject;
    let composed = compose(kind, state, words, parts, now, page)?;
    let channels = channels(kind, page, parts);
    let is_public = channels.iter().any(|name| parts.inventory.channels[name].public);
    let secrets = secrets::within_reach(parts.inventory);
    let scene = Scene { inventory: parts.inventory, words, gate, is_public, secrets: &secrets };
    Ok(Draft { faults: comms::faults(kind, &composed, scene), composed, channels })
}

/// Composes a message and puts it into the record. Gives its number.
///
/// A page, and every message that nobody is there to mend, goes out whatever is wrong with it: without what would be a secret, and in a few
/// plain words where its template cannot be filled in.
///
/// # Errors
/// When there can be no message, when it is refused, and when the record cannot be written.
pub fn tell(
    hand: &mut Hand,
    office: &Office<'_>,
    kind: MessageKind,
    words: &Words,
    page: Option<Page>,
) -> Result<u32> {
    let (state, now) = (hand.state(), hand.clock().now());
    let subject = Subject { kind, state, words, page: page.as_ref(), gate: Gate::of(state), now };
    let must_go = words.is_unattended || kind == MessageKind::Page;
    let draft = match draft(subject, office.parts()) {
        Err(_) if must_go => in_plain_words(subject, office),
        draft => draft?,
    };
    let Draft { mut composed, channels, faults } = draft;
    if must_go {
        let secrets = secrets::within_reach(office.inventory);
        composed.subject = comms::masked(&composed.subject, &secrets);
        composed.text = comms::masked(&composed.text, &secrets);
    } else if let Some(error) = comms::refused(&faults) {
        return Err(error);
    }
    let message = state.messages.len() as u32 + 1;
    let Composed { subject, text, next_update_at, .. } = composed;
    hand.append(Event::Told { message, kind, subject, text, next_update_at, channels })?;
    Ok(message)
}

/// What can be said without a template.
fn in_plain_words(subject: Subject<'_>, office: &Office<'_>) -> Draft {
    let composed =
        Composed::without_template(subject.kind, subject.state, office.parts(), subject.now, subject.page);
    Draft { composed, channels: channels(subject.kind, subject.page, office.parts()), faults: Vec::new() }
}

/// Where a message goes, in the inventory's order.
fn channels(kind: MessageKind, page: Option<&Page>, parts: Parts<'_>) -> Vec<String> {
    let level = page.map(|page| page.level);
    let taking = parts.inventory.channels.iter().filter(|(_, channel)| channel.takes(kind, level));
    taking.map(|(name, _)| name.clone()).collect()
}

#[cfg(test)]
mod tests;
