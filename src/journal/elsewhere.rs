//! Which records of a run came from another machine, without the outputs that they name.
//!
//! A journal travels, the outputs of its steps stay where they were kept. Without a note of that, an output that was never
//! here could not be told from one that somebody removed.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::disk;
use crate::run::lease::Head;

const FILE: &str = "elsewhere.json";

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Elsewhere {
    stretches: Vec<Stretch>,
}

/// Neighbouring records. It says nothing about a journal that has another record as its last one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stretch {
    after: u64,
    last: Head,
}

impl Elsewhere {
    /// What is noted in a run's folder. A note that cannot be read excuses nothing.
    pub fn read(run: &Path) -> Elsewhere {
        let noted = disk::read(&run.join(FILE)).ok();
        noted.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Notes, durably, that the records after `after` up to `last` came without their outputs.
    pub(super) fn note(run: &Path, after: u64, last: Head) -> std::io::Result<()> {
        let mut noted = Elsewhere::read(run);
        noted.stretches.push(Stretch { after, last });
        disk::write(run, FILE, &serde_json::to_vec(&noted)?)
    }

    /// Whether the output of a record may be elsewhere. `head` gives the records of the journal as they are.
    pub fn covers(&self, record: u64, is_in_journal: impl Fn(&Head) -> bool) -> bool {
        let covers = |stretch: &Stretch| stretch.after < record && record <= stretch.last.seq;
        self.stretches.iter().any(|stretch| covers(stretch) && is_in_journal(&stretch.last))
    }
}
