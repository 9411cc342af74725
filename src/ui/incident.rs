//! Incidents: all of them, one of them, and what was said to whom.

pub mod due;
pub mod list;
pub mod next;
pub mod sent;
pub mod show;
pub mod stats;
