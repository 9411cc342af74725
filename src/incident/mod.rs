//! What people are told about a run. Pure: nothing here reads the clock, and nothing is sent.

mod changes;
pub mod message;
mod time;
