//! A cleanup of a host's disks: what is there, and the procedure that makes room, written down as a runbook.
//!
//! [`look`] asks the host, [`judge`](crate::model::clutter::judge) decides, and [`compose`] writes the procedure. Only the first does I/O.

pub mod compose;
pub mod look;
