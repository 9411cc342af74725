//! What a run is: its events, the states they fold into, and what is to be done next. Pure: no I/O, no clock.

pub mod decide;
pub mod event;
mod fold;
pub mod known;
mod lane;
mod layout;
mod settle;
pub mod signal;
pub mod state;
pub mod transition;
mod unwind;

#[cfg(test)]
mod tests;
