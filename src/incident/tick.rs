//! Does what is due in an incident: pages whoever is to be called now, and sends what waits.
//!
//! A page is decided on in two lines of the record: the message, and then whom it calls, which makes it valid. A process that dies between
//! them leaves a message that is never sent, and the next one decides anew; one that dies after them leaves a page that waits in the outbox.
//! So no level is called twice for one round, and none is forgotten.

use super::compose::Words;
use super::desk::Hand;
use super::duty::{Duty, Rules, duties};
use super::envelope::Page;
use super::event::Event;
use super::office::Office;
use super::outbox::{self, Flushed};
use super::tell::tell;
use crate::base::Result;
use crate::model::channel::MessageKind;
use crate::model::escalation::Level;

/// What was done.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ticked {
    pub done: Vec<Duty>,
    pub flushed: Flushed,
}

impl Ticked {
    /// Whether nothing was due and nothing waited.
    pub fn is_empty(&self) -> bool {
        *self == Ticked::default()
    }
}

/// Does what is due by the record's clock. It keeps nothing in mind: what was done is in the record, so that it may be called any number of
/// times, from anywhere.
///
/// # Errors
/// When the record cannot be written, and when a page cannot be composed.
pub async fn tick(hand: &mut Hand, office: &Office<'_>) -> Result<Ticked> {
    let rules = Rules {
        escalation: &office.inventory.escalation,
        telling: &office.inventory.incidents,
        zone: &office.zone,
    };
    let now = hand.clock().now();
    let mut done = Vec::new();
    // What is done makes more due: somebody is released, levels are climbed, each is called. No more than that happens at one moment, even
    // where the clock is set back meanwhile.
    for _ in 0..2 * Level::ALL.len() {
        let due = duties(hand.state(), rules, now);
        if due.is_empty() {
            break;
        }
        for duty in due {
            perform(hand, office, &duty)?;
            done.push(duty);
        }
    }
    Ok(Ticked { done, flushed: outbox::flush(hand, office).await? })
}

fn perform(hand: &mut Hand, office: &Office<'_>, duty: &Duty) -> Result<()> {
    match duty {
        Duty::Page { level, round, why } => page(hand, office, *level, *round, why),
        Duty::Climb { level, why } => hand.append(Event::Escalated { level: *level, why: why.clone() }),
        Duty::Release { why } => hand.append(Event::Unacknowledged { why: why.clone() }),
    }
}

fn page(hand: &mut Hand, office: &Office<'_>, level: Level, round: u32, why: &str) -> Result<()> {
    let who = office.inventory.escalation.responder(level).who;
    let words = Words { text: Some(why.to_owned()), is_unattended: true, ..Words::default() };
    let page = Page { level, round, who: who.clone() };
    let message = tell(hand, office, MessageKind::Page, &words, Some(page))?;
    hand.append(Event::Paged { level, round, who, message })
}
