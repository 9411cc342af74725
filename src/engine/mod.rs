//! Load, decide, perform, append, fold.

pub mod deferred;
mod fill;
pub mod plan;
