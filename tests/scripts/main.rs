//! Scripts of opsctl's own under every shell that a host may have: what they do to files.

mod backups;
mod cache;
mod releases;
mod scene;
