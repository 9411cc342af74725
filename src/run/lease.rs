//! The lock on a host, as the host keeps it.
//!
//! Every lease has a number, the *fence*, one more than the lease before it. Whoever has taken a lease with a higher one has
//! made every older one harmless: the host refuses its commands.

use serde::{Deserialize, Serialize};

use crate::base::clock::Timestamp;
use crate::base::id::RunId;
use crate::model::plan::Digest;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The version of this format.
    pub v: u32,
    pub fence: u64,
    pub holder: Holder,
}

/// Who a lease belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Holder {
    /// A process's turn at a run.
    Run {
        run: RunId,
        epoch: u64,
        operator: String,
        /// What the run is for: the runbook and what it is applied to.
        why: String,
        since: Timestamp,
        /// The last record of the journal when the lease was taken: what the journal must still say.
        head: Head,
    },
    /// Nobody: a person broke the lease that was there before.
    Broken { by: String, reason: String, at: Timestamp },
    /// Nobody: the run gave it back.
    Released { run: RunId, operator: String, at: Timestamp, head: Head },
}

/// A place in a journal: the number of a record, and the sha256 of its line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub seq: u64,
    pub digest: Digest,
}

/// Where a host keeps the leases, and the receipts of a run. The id is made with the folder of that run's receipts: with another
/// id they are others, and what was begun before has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folder {
    pub path: String,
    pub id: String,
    /// The host had no room left on its disks. What is in there is lost when it restarts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_in_memory: bool,
}

impl Lease {
    pub const VERSION: u32 = 1;
}
