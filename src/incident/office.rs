//! What is needed to look after an incident, besides its record: the inventory, the words, the readers' clock, and the post.

use futures_util::future::BoxFuture;
use jiff::tz::TimeZone;

use super::envelope::Envelope;
use super::event::Outcome;
use crate::engine::templates::Templates;
use crate::model::inventory::Inventory;

pub struct Office<'a> {
    pub inventory: &'a Inventory,
    pub templates: &'a Templates,
    /// That of the readers: messages give their times in it, and quiet hours are meant in it.
    pub zone: TimeZone,
    pub post: &'a dyn Post,
}

/// The one seam between an incident and those who are told of it. Tests put their own in its place, so that every failure at every message
/// can be made.
pub trait Post: Send + Sync {
    /// Gives a message to a channel of the inventory. It ends within a deadline, whatever the other side does.
    fn post<'a>(&'a self, channel: &'a str, envelope: Envelope) -> BoxFuture<'a, Outcome>;
}
