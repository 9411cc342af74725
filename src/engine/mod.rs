//! Load, decide, perform, append, fold.

pub mod catalog;
pub mod deferred;
mod fill;
pub mod locate;
pub mod plan;
