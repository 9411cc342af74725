//! What several tests need.

pub mod sshd;
