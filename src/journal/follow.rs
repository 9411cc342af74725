//! Reading a journal while another process writes it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::chain::Chain;
use super::disk;
use super::history::{JOURNAL, read_plan, whole_lines, within};
use crate::base::{Error, Result};
use crate::model::plan::Plan;
use crate::run::event::Record;
use crate::run::state::RunState;

/// How long a record may be durable before a follower shows it.
const PAUSE: Duration = Duration::from_millis(200);

/// A reader that has read so far. A line is given once it is complete, verified like any other.
#[derive(Debug)]
pub struct Follower {
    folder: PathBuf,
    plan: Plan,
    chain: Chain,
    read: u64,
}

impl Follower {
    /// Begins before the first record.
    ///
    /// # Errors
    /// As [`History::read`](super::History::read).
    pub fn new(folder: &Path) -> Result<Follower> {
        let (plan, chain) = read_plan(folder)?;
        Ok(Follower { folder: folder.to_owned(), plan, chain, read: 0 })
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What the records given so far fold into.
    pub fn state(&self) -> &RunState {
        self.chain.state()
    }

    /// The records that have come since the last call; none is no error. A torn line is read again from its start, because
    /// the next writer replaces it.
    ///
    /// # Errors
    /// As [`History::read`](super::History::read).
    pub fn poll(&mut self) -> Result<Vec<Record>> {
        let path = self.folder.join(JOURNAL);
        let bytes = disk::read_from(&path, self.read).map_err(|error| {
            Error::internal(format!("cannot read `{}`", path.display())).caused_by(&error)
        })?;
        let mut records = Vec::new();
        for line in whole_lines(&bytes) {
            records.push(self.chain.accept(line).map_err(|error| within(error, &self.folder))?);
            self.read += line.len() as u64 + 1;
        }
        Ok(records)
    }

    /// Waits for the next records. Whether any will come is the caller's to judge, by [`Follower::state`] and
    /// [`Lock::holder`](super::Lock::holder); waiting can be given up at any time without losing one.
    ///
    /// # Errors
    /// As [`History::read`](super::History::read).
    pub async fn next(&mut self) -> Result<Vec<Record>> {
        loop {
            let records = self.poll()?;
            if !records.is_empty() {
                return Ok(records);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
