//! What a run is: its events, the states they fold into, and what is to be done next. Pure: no I/O, no clock.

mod approval;
pub mod decide;
pub mod event;
mod fold;
pub mod known;
mod lane;
mod latest;
mod layout;
pub mod lease;
pub mod outlook;
pub mod receipt;
mod settle;
pub mod signal;
pub mod state;
mod trail;
pub mod transition;
mod unwind;

#[cfg(test)]
mod tests;
