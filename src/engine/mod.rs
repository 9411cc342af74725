//! Load, decide, perform, append, fold.

mod attempt;
mod await_check;
pub mod cancel;
pub mod catalog;
pub mod deferred;
pub mod drive;
mod fill;
pub mod hosts;
pub mod lint;
pub mod locate;
mod look;
pub mod plan;
pub mod schema;
pub mod shelf;
mod task;
pub mod templates;
pub mod world;

#[cfg(test)]
mod tests;
