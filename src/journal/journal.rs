//! Appending to the truth of a run.
//!
//! A record that [`Journal::append`] gave back is on the disk. It is one write and one sync. When either fails,
//! nobody can say what the disk holds (after a failed sync the kernel may call the same pages clean), so it is never tried
//! again: the journal refuses everything from then on, and the next process reads what is really there.
//!
//! An event that cannot follow is refused before a byte is written. Whoever appends holds the run's [`Lock`](super::Lock).

use std::path::Path;

use super::chain::Chain;
use super::disk::{self, File};
use super::history::{History, JOURNAL, PLAN};
use crate::base::clock::Clock;
use crate::base::{Error, Result, crash};
use crate::model::plan::{Digest, Plan};
use crate::run::event::{Event, Record};
use crate::run::state::RunState;

#[derive(Debug)]
pub struct Journal {
    file: File,
    chain: Chain,
    clock: Clock,
    is_broken: bool,
}

impl Journal {
    /// Begins the journal of a plan in a folder that is there and empty. All of it is durable when this returns.
    ///
    /// # Errors
    /// When the folder cannot be written, or has a journal already.
    pub fn create(folder: &Path, plan: &Plan, clock: Clock) -> Result<Journal> {
        let bytes = plan.to_bytes();
        let begin = || {
            disk::write(folder, PLAN, &bytes)?;
            let mut file = File::create_new(&folder.join(JOURNAL))?;
            file.sync()?;
            disk::sync(folder)?;
            Ok(file)
        };
        let file = begin().map_err(|error: std::io::Error| {
            disk::failed(format!("cannot begin a journal in `{}`", folder.display()), &error)
        })?;
        Ok(Journal { file, chain: Chain::new(plan, Digest::of(&bytes)), clock, is_broken: false })
    }

    /// Opens the journal to go on with it, and cuts off a torn last line.
    ///
    /// # Errors
    /// As [`History::read`], and when the file cannot be written.
    pub fn open(folder: &Path, clock: Clock) -> Result<(Journal, History)> {
        let history = History::read(folder)?;
        let path = folder.join(JOURNAL);
        let open = || {
            let mut file = File::open(&path)?;
            file.cut(history.length)?;
            Ok(file)
        };
        let file = open().map_err(|error: std::io::Error| {
            disk::failed(format!("cannot write `{}`", path.display()), &error)
        })?;
        let journal = Journal { file, chain: history.chain.clone(), clock, is_broken: false };
        Ok((journal, history))
    }

    /// What the durable records fold into.
    pub fn state(&self) -> &RunState {
        self.chain.state()
    }

    /// Makes an event durable.
    ///
    /// # Errors
    /// When the event cannot follow: then nothing was written, and the journal can be used on. When it cannot be written:
    /// then the process is to end, because nothing can be appended any more.
    pub fn append(&mut self, event: Event) -> Result<Record> {
        if self.is_broken {
            return Err(Error::internal(
                "the journal could not be written before, and takes no more records",
            ));
        }
        let state = self.chain.state();
        let record = Record {
            v: Record::VERSION,
            seq: state.records + 1,
            prev: self.chain.last().clone(),
            at: self.clock.now(),
            epoch: state.epoch + u64::from(matches!(event, Event::EpochStarted { .. })),
            event,
        };
        let mut line = serde_json::to_vec(&record)
            .map_err(|error| Error::internal("a record cannot be written as JSON").caused_by(&error))?;
        // What is read back is what was meant: the chain accepts the very bytes that are written.
        let mut chain = self.chain.clone();
        let record = chain.accept(&line).map_err(|error| Error::internal(error.message))?;
        line.push(b'\n');
        let failed = |error: std::io::Error| {
            disk::failed("the journal cannot be written: nothing more is done", &error)
        };
        crash::point("journal.append");
        self.is_broken = true;
        self.file.write(&line).map_err(failed)?;
        crash::point("journal.written");
        self.file.sync().map_err(failed)?;
        crash::point("journal.synced");
        self.is_broken = false;
        self.chain = chain;
        Ok(record)
    }

    /// From here on the records go to another file: to one that fails, in a test.
    #[cfg(test)]
    pub(crate) fn write_to(&mut self, file: std::fs::File) {
        self.file = File::from(file);
    }
}
