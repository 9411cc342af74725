//! opsctl as a person meets it: whole commands, whole outputs, exit codes. The host is this machine, and the steps are
//! commands, so that no Docker is needed; what needs real hosts is in `tests/lab`.

mod actions;
mod alerts;
mod asking;
mod auditing;
mod backups;
mod channels;
mod cleanup;
mod docker;
mod drift;
mod incidents;
mod locks;
mod messages;
mod mistakes;
mod oncall;
mod releases;
mod running;
mod scene;
mod surviving;
mod telling;
mod triage;
mod undoing;
