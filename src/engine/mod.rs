//! Load, decide, perform, append, fold.

pub mod catalog;
pub mod locate;
