//! Load, decide, perform, append, fold.

mod attempt;
mod await_check;
pub mod backups;
pub mod cancel;
pub mod catalog;
pub mod cleanup;
pub mod deferred;
mod dispatch;
pub mod drift;
pub mod drive;
mod fill;
mod held;
pub mod hosts;
mod idempotency;
mod insist;
pub mod leases;
pub mod leftover;
pub mod lint;
pub mod locate;
mod look;
mod outlook;
pub mod plan;
pub mod preflight;
pub mod rollout;
pub mod schema;
pub mod shelf;
mod shown;
mod task;
pub mod templates;
mod turn;
pub mod vigil;
pub mod world;

#[cfg(test)]
mod tests;
