//! The append-only truth of a run, and where runs are kept.

pub mod audit;
pub mod blob;
pub mod chain;
pub mod disk;
pub mod elsewhere;
pub mod follow;
pub mod history;
pub mod import;
#[allow(clippy::module_inception)]
pub mod journal;
pub mod lock;
pub mod store;
pub mod travel;

pub use history::History;
pub use journal::Journal;
pub use lock::Lock;
pub use store::{RunDir, Store};

#[cfg(test)]
mod tests;
