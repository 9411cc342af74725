//! The append-only truth of a run, and where runs are kept.

pub mod blob;
pub mod chain;
pub mod folder;
pub mod follow;
pub mod history;
#[allow(clippy::module_inception)]
pub mod journal;
pub mod lock;
pub mod store;

pub use history::History;
pub use journal::Journal;
pub use lock::Lock;
pub use store::{RunDir, Store};

#[cfg(test)]
mod tests;
