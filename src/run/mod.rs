//! What a run is: its events, the states they fold into, and what is to be done next. Pure: no I/O, no clock.

pub mod event;
pub mod signal;
