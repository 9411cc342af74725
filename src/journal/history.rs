//! A journal as it was found: for showing a run, and before going on with it.
//!
//! What is read is an exact prefix of what was written. Only an unterminated last line is passed over: its writer died within
//! it, or is writing it at this moment, and nothing was ever done on the strength of it. Everything else that is wrong is an
//! error that names the line.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::chain::Chain;
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
        let (plan, mut chain) = read_plan(folder)?;
        let bytes = read_file(folder, JOURNAL)?;
        let mut records = Vec::new();
        let mut length = 0;
        for line in whole_lines(&bytes) {
            records.push(chain.accept(line).map_err(|error| within(error, folder))?);
            length += line.len() as u64 + 1;
        }
        Ok(History { plan, records, chain, length })
    }

    pub fn state(&self) -> &RunState {
        self.chain.state()
    }
}

/// The plan of a run, and its journal's chain before the first line.
pub(super) fn read_plan(folder: &Path) -> Result<(Plan, Chain)> {
    let bytes = read_file(folder, PLAN)?;
    let plan: Plan = serde_json::from_slice(&bytes).map_err(|error| {
        let path = folder.join(PLAN);
        Error::new(Kind::Corrupt, format!("`{}` is not a plan", path.display())).caused_by(&error)
    })?;
    let chain = Chain::new(&plan, Digest::of(&bytes));
    Ok((plan, chain))
}

fn read_file(folder: &Path, name: &str) -> Result<Vec<u8>> {
    let path = folder.join(name);
    fs::read(&path).map_err(|error| {
        let kind = if error.kind() == ErrorKind::NotFound { Kind::Corrupt } else { Kind::Internal };
        Error::new(kind, format!("cannot read `{}`", path.display())).caused_by(&error)
    })
}

/// The terminated lines, without their newlines.
pub(super) fn whole_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    bytes[..end].split_inclusive(|byte| *byte == b'\n').map(|line| &line[..line.len() - 1])
}

pub(super) fn within(error: Error, folder: &Path) -> Error {
    error.cause(format!("in `{}`", folder.join(JOURNAL).display()))
}
