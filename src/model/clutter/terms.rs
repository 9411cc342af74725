//! What a cleanup lets go of, as the inventory says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::amount::Span;
use crate::base::percent::Percent;
use crate::base::size::Size;

const DAY: u64 = 24 * 60 * 60;

/// What may go when a disk is full, and how much of it stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Cleanup {
    /// How much of each disk is to be free, in bytes and in inodes.
    pub until_free: Percent,
    /// Of how many of the last releases of each service the images stay. At least two: what runs, and what it would go back to.
    pub keep_releases: u32,
    /// How many of the newest verified backups of each database and cache stay, whatever else the inventory says.
    pub keep_verified: u32,
    /// For how long logs stay that rotation or the journal of the host has put aside.
    pub keep_logs: Span,
    /// How much of the end of a container's log stays.
    pub keep_of_log: Size,
    /// For how long a container that was stopped stays, and an image or a network that nothing uses.
    pub unused_for: Span,
    /// The folders in which there are files that nobody misses.
    pub temporary: Vec<String>,
    /// For how long those stay.
    pub temporary_for: Span,
}

impl Default for Cleanup {
    fn default() -> Cleanup {
        Cleanup {
            until_free: Percent(20.0),
            keep_releases: 3,
            keep_verified: 2,
            keep_logs: Span::secs(3 * DAY),
            keep_of_log: Size(1 << 20),
            unused_for: Span::secs(DAY),
            temporary: vec!["/tmp".to_owned(), "/var/tmp".to_owned()],
            temporary_for: Span::secs(7 * DAY),
        }
    }
}
