//! Leases and receipts on a real host: an sshd of the test's own, under every shell that a host may have.

#[path = "../common/mod.rs"]
mod common;

mod full;
mod leases;
mod once;
mod output;
mod places;
mod processes;
mod scene;
