//! Gives every message that waits to its channel.
//!
//! Before a message is given to a channel the record says so, and afterwards what became of it. A message that was begun and has no end is
//! one whose process died: whether it arrived, nobody knows. It is sent again where the channel takes a thing once by its name; elsewhere
//! only a page is, marked as what may be a repetition, since one that is missed costs more than one that comes twice.
//!
//! Channels are served at the same time, each in the order of its messages. A message that a channel does not take holds up those behind it,
//! except pages: of them one more is tried.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;

use super::desk::Hand;
use super::envelope::Envelope;
use super::event::{Event, Outcome};
use super::office::Office;
use super::state::{Delivery, IncidentState, Message};
use crate::base::Result;
use crate::base::clock::Timestamp;
use crate::model::channel::MessageKind;

/// What became of the messages that waited.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Flushed {
    /// Taken by their channels.
    pub sent: Vec<Posted>,
    /// Not taken; they are tried again.
    pub waiting: Vec<Posted>,
    /// They will never be taken.
    pub refused: Vec<Posted>,
    /// Nobody knows whether they were taken.
    pub unknown: Vec<Posted>,
    /// Nobody needs them any more, so they were not sent late.
    pub passed_over: Vec<Posted>,
}

/// One message on one channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Posted {
    pub message: u32,
    pub channel: String,
    /// Why it was not taken; empty where it was.
    pub why: String,
}

impl Flushed {
    /// Whether somebody was to be told and may not have been.
    pub fn is_short(&self) -> bool {
        !(self.waiting.is_empty() && self.refused.is_empty() && self.unknown.is_empty())
    }

    fn take(&mut self, message: u32, channel: &str, outcome: &Outcome) {
        // What was lost and then repeated is not lost.
        self.unknown.retain(|lost| (lost.message, lost.channel.as_str()) != (message, channel));
        let (list, why) = match outcome {
            Outcome::Sent { .. } => (&mut self.sent, ""),
            Outcome::Refused { why } => (&mut self.refused, why.as_str()),
            Outcome::Later { why, .. } => (&mut self.waiting, why.as_str()),
            Outcome::Unknown { why } => (&mut self.unknown, why.as_str()),
        };
        list.push(Posted { message, channel: channel.to_owned(), why: why.to_owned() });
    }
}

/// What is next on a channel.
enum Next {
    /// It is given to the channel.
    Send { message: u32, is_repetition: bool },
    /// It is not, because nobody needs it any more.
    PassOver { message: u32, why: String },
    /// It is not, and what is written about it in place of that.
    Settle { message: u32, outcome: Outcome },
    /// It is not time for it, or a message before it is not taken.
    Wait { message: u32, why: String },
}

/// Serves every channel until nothing is left that can be done at this moment.
///
/// # Errors
/// When the record cannot be written. What a channel answers is never an error.
pub async fn flush(hand: &mut Hand, office: &Office<'_>) -> Result<Flushed> {
    let mut flushed = Flushed::default();
    let channels: BTreeSet<String> =
        hand.state().messages.iter().flat_map(|message| message.deliveries.keys().cloned()).collect();
    let mut posts: FuturesUnordered<BoxFuture<'_, (Turn, Outcome)>> = FuturesUnordered::new();
    let mut turns: Vec<Turn> = channels.into_iter().map(Turn::new).collect();
    loop {
        for mut turn in turns.drain(..) {
            if let Some(envelope) = turn.next(hand, office, &mut flushed)? {
                posts.push(Box::pin(async move {
                    let outcome = office.post.post(&turn.channel, envelope).await;
                    (turn, outcome)
                }));
            }
        }
        let Some((mut turn, outcome)) = posts.next().await else { break };
        turn.ended(hand, outcome, &mut flushed)?;
        turns.push(turn);
    }
    Ok(flushed)
}

/// The way through the messages of one channel.
struct Turn {
    channel: String,
    /// The message to look at next, from 1.
    at: u32,
    /// Why the messages behind have to wait, once one was not taken.
    held_up: Option<String>,
    /// Pages have to wait, too: one was not taken just now.
    holds_pages: bool,
}

impl Turn {
    fn new(channel: String) -> Turn {
        Turn { channel, at: 1, held_up: None, holds_pages: false }
    }

    /// The next message to give to the channel, once the record says that it is. What is not to be given is settled on the way.
    fn next(
        &mut self,
        hand: &mut Hand,
        office: &Office<'_>,
        flushed: &mut Flushed,
    ) -> Result<Option<Envelope>> {
        while let Some(message) = hand.state().message(self.at) {
            let now = hand.clock().now();
            let view = View { state: hand.state(), message, number: self.at, channel: &self.channel };
            match view.next(office, self, now) {
                None => {}
                Some(Next::Send { message, is_repetition }) => {
                    hand.append(Event::Sending { message, channel: self.channel.clone() })?;
                    return Ok(envelope(hand.state(), message, &self.channel, is_repetition));
                }
                Some(Next::PassOver { message, why }) => {
                    flushed.passed_over.push(Posted {
                        message,
                        channel: self.channel.clone(),
                        why: why.clone(),
                    });
                    self.write(hand, message, Outcome::Refused { why })?;
                }
                Some(Next::Settle { message, outcome }) => {
                    flushed.take(message, &self.channel, &outcome);
                    let is_asked_again = matches!(outcome, Outcome::Unknown { .. });
                    self.write(hand, message, outcome)?;
                    // A page that may have been lost is due at once.
                    if is_asked_again {
                        continue;
                    }
                }
                Some(Next::Wait { message, why }) => {
                    let is_page =
                        hand.state().message(message).is_some_and(|told| told.kind == MessageKind::Page);
                    if !is_page {
                        self.held_up.get_or_insert(why.clone());
                    }
                    flushed.waiting.push(Posted { message, channel: self.channel.clone(), why });
                }
            }
            self.at += 1;
        }
        Ok(None)
    }

    fn ended(&mut self, hand: &mut Hand, outcome: Outcome, flushed: &mut Flushed) -> Result<()> {
        let message = self.at;
        self.at += 1;
        let told = hand.state().message(message);
        let tries = told.and_then(|told| told.deliveries.get(&self.channel)).map_or(1, Delivery::tries);
        let is_page = told.is_some_and(|told| told.kind == MessageKind::Page);
        if let Outcome::Later { why, .. } | Outcome::Unknown { why } = &outcome {
            self.held_up.get_or_insert(why.clone());
            self.holds_pages |= is_page;
        }
        let outcome = match outcome {
            Outcome::Later { why, retry_at } => {
                Outcome::Later { why, retry_at: retry_at.max(hand.clock().now() + backoff(tries)) }
            }
            other => other,
        };
        flushed.take(message, &self.channel, &outcome);
        self.write(hand, message, outcome)
    }

    fn write(&self, hand: &mut Hand, message: u32, outcome: Outcome) -> Result<()> {
        hand.append(Event::Delivered { message, channel: self.channel.clone(), outcome })
    }
}

/// A message as one channel has it.
struct View<'a> {
    state: &'a IncidentState,
    message: &'a Message,
    number: u32,
    channel: &'a str,
}

impl View<'_> {
    fn next(&self, office: &Office<'_>, turn: &Turn, now: Timestamp) -> Option<Next> {
        let message = self.number;
        let is_page = self.message.kind == MessageKind::Page;
        let delivery = self.message.deliveries.get(self.channel)?;
        let channel = office.inventory.channels.get(self.channel);
        let takes_once = channel.is_some_and(|channel| channel.to.takes_once());
        let is_lost = match delivery {
            Delivery::Sent | Delivery::Refused { .. } => return None,
            Delivery::Unknown { .. } if !takes_once && !is_page => return None,
            Delivery::Sending { .. } => !takes_once,
            Delivery::Waiting | Delivery::Later { .. } | Delivery::Unknown { .. } => false,
        };
        if is_lost {
            let why = "whoever was sending it died".to_owned();
            return Some(Next::Settle { message, outcome: Outcome::Unknown { why } });
        }
        if let Some(why) = self.is_of_no_use() {
            return Some(Next::PassOver { message, why: why.to_owned() });
        }
        if channel.is_none() {
            let why = "the inventory has no such channel any more".to_owned();
            return Some(Next::Settle { message, outcome: Outcome::Refused { why } });
        }
        if let Some(due) = due(delivery)
            && due > now
        {
            return Some(Next::Wait { message, why: why(delivery) });
        }
        match &turn.held_up {
            Some(why) if !is_page || turn.holds_pages => Some(Next::Wait { message, why: why.clone() }),
            _ => {
                let is_repetition = !takes_once && delivery.is_doubtful();
                Some(Next::Send { message, is_repetition })
            }
        }
    }

    /// Why nobody needs the message any more.
    fn is_of_no_use(&self) -> Option<&'static str> {
        let state = self.state;
        let later = state.messages.get(self.number as usize..).unwrap_or_default();
        let is_followed = |kinds: &[MessageKind]| {
            later
                .iter()
                .any(|later| kinds.contains(&later.kind) && later.deliveries.contains_key(self.channel))
        };
        match self.message.kind {
            MessageKind::Page => {
                let Some(page) = &self.message.page else {
                    return Some("whoever wrote it died before it was decided on");
                };
                if state.is_resolved() {
                    return Some("the incident is resolved");
                }
                if state.held.as_ref().is_some_and(|held| held.since > self.message.at) {
                    return Some("somebody has it by now");
                }
                let is_called_again = later.iter().any(|later| {
                    later.page.as_ref().is_some_and(|later| later.level == page.level)
                        && later.deliveries.contains_key(self.channel)
                });
                is_called_again.then_some("a newer page follows it")
            }
            MessageKind::Update => is_followed(&[MessageKind::Update, MessageKind::Resolution])
                .then_some("a newer message follows it"),
            MessageKind::Summary => {
                is_followed(&[MessageKind::Summary]).then_some("a newer message follows it")
            }
            MessageKind::Alert | MessageKind::Resolution | MessageKind::Handoff => None,
        }
    }
}

/// When it may be tried again; none where that is now.
fn due(delivery: &Delivery) -> Option<Timestamp> {
    match delivery {
        Delivery::Later { retry_at, .. } => Some(*retry_at),
        // The first repetition is due at once.
        Delivery::Unknown { at, tries, .. } if *tries > 1 => Some(*at + backoff(*tries)),
        _ => None,
    }
}

fn why(delivery: &Delivery) -> String {
    match delivery {
        Delivery::Later { why, .. } | Delivery::Unknown { why, .. } => why.clone(),
        _ => String::new(),
    }
}

/// 5 s, doubling to 5 minutes.
fn backoff(tries: u32) -> Duration {
    Duration::from_secs(5 << tries.saturating_sub(1).min(6)).min(Duration::from_secs(300))
}

fn envelope(state: &IncidentState, number: u32, channel: &str, is_repetition: bool) -> Option<Envelope> {
    let message = state.message(number)?;
    let mark = if is_repetition { " (may be a repetition)" } else { "" };
    let firing = state.alerts.values().flatten().filter(|alert| alert.ended_at.is_none());
    Some(Envelope {
        incident: state.opening.incident,
        message: number,
        kind: message.kind,
        site: state.opening.site.clone(),
        title: state.opening.title.clone(),
        severity: state.severity,
        status: state.status,
        services: state.opening.services.clone(),
        subject: format!("{}{mark}", message.subject),
        text: message.text.clone(),
        started_at: state.opening.started_at,
        at: message.at,
        next_update_at: state.next_update_at,
        page: message.page.clone(),
        is_acknowledged: state.held.is_some(),
        alerts: firing.map(|alert| alert.labels.clone()).collect(),
        memory: state.memories.get(channel).cloned().unwrap_or_default(),
    })
}
