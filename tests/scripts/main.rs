//! Scripts of opsctl's own under every shell that a host may have: what they do to files.

mod backups;
mod cache;
mod cleanup;
mod cleanup_engine;
mod cleanup_logs;
mod cleanup_mounts;
mod releases;
mod scene;
