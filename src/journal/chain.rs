//! What ties the lines of a journal together, and to their plan.
//!
//! A line holds its number, the digest of the line before it (the first: of the plan) and the turn it was written in. A line
//! that was changed, removed, inserted or moved is found by the line after it, and one that could not have followed is found
//! by folding. The last line has nobody after it; no chain without a secret can say more about it.

use crate::base::{Error, Kind, Result};
use crate::model::plan::{Digest, Plan};
use crate::run::event::Record;
use crate::run::state::RunState;

/// A journal up to some line.
#[derive(Debug, Clone)]
pub struct Chain {
    state: RunState,
    last: Digest,
}

impl Chain {
    /// The chain before its first line. `digest` is that of the plan's bytes as they are kept.
    pub fn new(plan: &Plan, digest: Digest) -> Chain {
        Chain { state: RunState::new(plan), last: digest }
    }

    pub fn state(&self) -> &RunState {
        &self.state
    }

    /// The `prev` of the next record.
    pub fn last(&self) -> &Digest {
        &self.last
    }

    /// Takes in one line, without its newline.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] when it is no record or cannot follow, [`Kind::Refused`] when a newer opsctl wrote it. The chain is
    /// unchanged then.
    pub fn accept(&mut self, line: &[u8]) -> Result<Record> {
        let number = self.state.records + 1;
        let corrupt =
            |why: String| Error::new(Kind::Corrupt, format!("line {number} of the journal is wrong: {why}"));
        let Version { v } = serde_json::from_slice(line).map_err(|error| corrupt(error.to_string()))?;
        if v > Record::VERSION {
            return Err(Error::new(
                Kind::Refused,
                format!("line {number} of the journal has format {v}: a newer opsctl wrote it"),
            )
            .hint("install the newest opsctl on this machine"));
        }
        let record: Record = serde_json::from_slice(line).map_err(|error| corrupt(error.to_string()))?;
        if record.prev != self.last {
            let before = if number == 1 { "plan" } else { "line before it" };
            return Err(corrupt(format!("it does not follow the {before}, which was changed")));
        }
        self.state.apply(&record).map_err(|illegal| corrupt(illegal.to_string()))?;
        self.last = Digest::of(line);
        Ok(record)
    }
}

#[derive(serde::Deserialize)]
struct Version {
    v: u32,
}
