//! A journal as it was found: for showing a run, and before going on with it.
//!
//! What is read is an exact prefix of what was written. Only an unterminated last line is passed over: its writer died within
//! it, or is writing it at this moment, and nothing was ever done on the strength of it. Everything else that is wrong is an
//! error that names the line.

use std::io::{self, ErrorKind};
use std::path::Path;

use super::chain::Chain;
use super::disk;
use crate::base::{Error, Kind, Result};
use crate::model::plan::{Digest, Plan};
use crate::run::event::Record;
use crate::run::state::RunState;

pub(super) const PLAN: &str = "plan.json";
pub(super) const JOURNAL: &str = "journal.jsonl";

#[derive(Debug)]
pub struct History {
    pub plan: Plan,
    pub records: Vec<Record>,
    pub(super) chain: Chain,
    /// How many bytes the records take: what comes after them is a torn line.
    pub(super) length: u64,
}

impl History {
    /// Reads and verifies the journal in a run's folder.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] with the line, when the plan or the journal were changed; [`Kind::Internal`] when they cannot be
    /// read.
    pub fn read(folder: &Path) -> Result<History> {
        let (plan, chain) = read_plan(folder)?;
        let bytes = read_file(folder, JOURNAL)?;
        History::gather(plan, chain, &bytes).map_err(|error| within(error, folder))
    }

    /// The journal that these bytes are, verified.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] with the line, when the plan or the journal were changed.
    pub fn of(plan: &[u8], journal: &[u8]) -> Result<History> {
        let (plan, chain) = plan_of(plan)
            .map_err(|error| Error::new(Kind::Corrupt, "the run has no plan").caused_by(&error))?;
        History::gather(plan, chain, journal)
    }

    fn gather(plan: Plan, mut chain: Chain, journal: &[u8]) -> Result<History> {
        let records = whole_lines(journal).map(|line| chain.accept(line)).collect::<Result<_>>()?;
        Ok(History { plan, records, chain, length: whole(journal).len() as u64 })
    }

    pub fn state(&self) -> &RunState {
        self.chain.state()
    }
}

/// The plan of a run, and its journal's chain before the first line.
pub(super) fn read_plan(folder: &Path) -> Result<(Plan, Chain)> {
    let bytes = read_file(folder, PLAN)?;
    plan_of(&bytes).map_err(|error| {
        let path = folder.join(PLAN);
        Error::new(Kind::Corrupt, format!("`{}` is not a plan", path.display())).caused_by(&error)
    })
}

fn plan_of(bytes: &[u8]) -> serde_json::Result<(Plan, Chain)> {
    let plan: Plan = serde_json::from_slice(bytes)?;
    let chain = Chain::new(&plan, Digest::of(bytes));
    Ok((plan, chain))
}

pub(super) fn read_file(folder: &Path, name: &str) -> Result<Vec<u8>> {
    let path = folder.join(name);
    disk::read(&path).map_err(|error| {
        let kind = if error.kind() == ErrorKind::NotFound { Kind::Corrupt } else { Kind::Internal };
        Error::new(kind, format!("cannot read `{}`", path.display())).caused_by(&error)
    })
}

/// The bytes of a file; none when it is missing, for those to whom that is damage like any other.
pub(super) fn present(folder: &Path, name: &str) -> io::Result<Vec<u8>> {
    match disk::read(&folder.join(name)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        read => read,
    }
}

/// The terminated lines, as they are.
pub(super) fn whole(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1)]
}

/// The terminated lines, without their newlines.
pub(super) fn whole_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    whole(bytes).split_inclusive(|byte| *byte == b'\n').map(|line| &line[..line.len() - 1])
}

pub(super) fn within(error: Error, folder: &Path) -> Error {
    error.cause(format!("in `{}`", folder.join(JOURNAL).display()))
}
