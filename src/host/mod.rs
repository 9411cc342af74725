//! A machine, as opsctl reaches it: its commands, its Docker, the ports that only it can see.

pub mod failure;
