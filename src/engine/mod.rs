//! Load, decide, perform, append, fold.

pub mod catalog;
pub mod lint;
pub mod locate;
pub mod schema;
