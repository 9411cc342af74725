//! What people are told about a failure: the incident, its record, its messages, and the ways on which they go out.

pub mod cadence;
pub mod calendar;
mod changes;
pub mod channel;
pub mod comms;
pub mod compose;
pub mod desk;
pub mod document;
pub mod duty;
pub mod envelope;
pub mod event;
mod facts;
pub mod follow;
pub mod inbox;
pub mod intake;
pub mod measure;
pub mod message;
pub mod notice;
pub mod office;
pub mod outbox;
pub mod post;
pub mod proposal;
pub mod record;
pub mod review;
pub mod sample;
mod secrets;
pub mod state;
pub mod stats;
pub mod tell;
pub mod tick;
pub mod time;
pub mod timeline;
pub mod untold;
pub mod word;

#[cfg(test)]
mod tests;
