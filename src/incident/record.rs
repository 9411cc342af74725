//! An incident's record as a file: lines that are tied together, each durable before anything is done on the strength of it.
//!
//! A line holds its number and the digest of the line before it (the first: of the incident's name). A line that was changed, removed or
//! moved is found by the line after it, and one that could not have followed is found by folding. Only an unterminated last line is passed
//! over: its writer died within it, and nothing was done on the strength of it.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::event::{Event, Opening, Record};
use super::state::IncidentState;
use crate::base::clock::Timestamp;
use crate::base::id::IncidentId;
use crate::base::{Error, Kind, Result};
use crate::journal::disk::{self, File};
use crate::model::plan::Digest;

pub const FILE: &str = "record.jsonl";

/// A record up to some line, which is at least its first.
#[derive(Debug, Clone)]
pub struct Chain {
    state: IncidentState,
    records: Vec<Record>,
    last: Digest,
}

/// A line that can follow.
struct Next {
    record: Record,
    digest: Digest,
}

impl Chain {
    fn begin(incident: IncidentId, line: &[u8]) -> Result<Chain> {
        let record = parse(line, 1)?;
        if record.prev != Digest::of(incident.to_string().as_bytes()) {
            return Err(corrupt(1, "it does not follow the incident's name"));
        }
        let state = IncidentState::begin(&record).map_err(|illegal| corrupt(1, illegal.0))?;
        if state.opening.incident != incident {
            return Err(corrupt(1, "it begins another incident"));
        }
        Ok(Chain { state, records: vec![record], last: Digest::of(line) })
    }

    pub fn state(&self) -> &IncidentState {
        &self.state
    }

    pub fn records(&self) -> &[Record] {
        &self.records
    }

    pub fn into_parts(self) -> (IncidentState, Vec<Record>) {
        (self.state, self.records)
    }

    fn next(&self, line: &[u8]) -> Result<Next> {
        let number = self.records.len() as u64 + 1;
        let record = parse(line, number)?;
        if record.prev != self.last {
            return Err(corrupt(number, "it does not follow the line before it, which was changed"));
        }
        self.state.check(&record).map_err(|illegal| corrupt(number, illegal.0))?;
        Ok(Next { record, digest: Digest::of(line) })
    }

    fn accept(&mut self, next: Next) {
        self.state.take(&next.record);
        self.records.push(next.record);
        self.last = next.digest;
    }

    /// The chain that is in an incident's folder, and how many bytes it takes: what comes after them is a torn line.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] with the line, when it was changed or is not there; [`Kind::Internal`] when it cannot be read.
    pub fn read(incident: IncidentId, folder: &Path) -> Result<(Chain, u64)> {
        let path = folder.join(FILE);
        let bytes = disk::read(&path).map_err(|error| {
            let kind = if error.kind() == ErrorKind::NotFound { Kind::Corrupt } else { Kind::Internal };
            Error::new(kind, format!("cannot read `{}`", path.display())).caused_by(&error)
        })?;
        Chain::of(incident, &bytes).map_err(|error| error.cause(format!("in `{}`", path.display())))
    }

    fn of(incident: IncidentId, bytes: &[u8]) -> Result<(Chain, u64)> {
        let whole = &bytes[..bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1)];
        let mut lines = whole.split_inclusive(|byte| *byte == b'\n').map(|line| &line[..line.len() - 1]);
        let first = lines.next().ok_or_else(|| Error::new(Kind::Corrupt, "the record has no line"))?;
        let mut chain = Chain::begin(incident, first)?;
        for line in lines {
            chain.accept(chain.next(line)?);
        }
        Ok((chain, whole.len() as u64))
    }
}

/// The line's record, whatever comes before it.
fn parse(line: &[u8], number: u64) -> Result<Record> {
    let wrong = |error: serde_json::Error| corrupt(number, error.to_string());
    let Version { v } = serde_json::from_slice(line).map_err(wrong)?;
    if v > Record::VERSION {
        let message = format!("line {number} of the record has format {v}: a newer opsctl wrote it");
        return Err(Error::new(Kind::Refused, message).hint("install the newest opsctl on this machine"));
    }
    let record: Record = serde_json::from_slice(line).map_err(wrong)?;
    match record.seq == number {
        true => Ok(record),
        false => Err(corrupt(number, format!("it says that it is line {}", record.seq))),
    }
}

fn corrupt(number: u64, why: impl fmt::Display) -> Error {
    Error::new(Kind::Corrupt, format!("line {number} of the record is wrong: {why}"))
}

fn to_line(record: &Record) -> Result<Vec<u8>> {
    serde_json::to_vec(record)
        .map_err(|error| Error::internal("a record cannot be written as JSON").caused_by(&error))
}

#[derive(serde::Deserialize)]
struct Version {
    v: u32,
}

/// Appends to a record. Whoever does so holds the incident's lock.
#[derive(Debug)]
pub struct Writer {
    file: File,
    chain: Chain,
    is_broken: bool,
    #[cfg(test)]
    life: Life,
}

/// How many more lines are written before the process dies, in a test; the last bit says whether it dies within a line.
#[cfg(test)]
pub type Life = std::sync::Arc<std::sync::atomic::AtomicU32>;

impl Writer {
    /// Begins a record in a folder that is there and empty. All of it is durable when this returns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(folder: &Path, opening: Opening, at: Timestamp, by: &str) -> Result<Writer> {
        let incident = opening.incident;
        let prev = Digest::of(incident.to_string().as_bytes());
        let event = Event::Opened(opening);
        let record = Record { v: Record::VERSION, seq: 1, prev, at, by: by.to_owned(), event };
        let mut line = to_line(&record)?;
        let chain = Chain::begin(incident, &line)?;
        line.push(b'\n');
        let begin = || {
            let mut file = File::create_new(&folder.join(FILE))?;
            file.write(&line)?;
            file.sync()?;
            disk::sync(folder)?;
            Ok(file)
        };
        let file = begin().map_err(|error: io::Error| {
            disk::failed(format!("cannot begin a record in `{}`", folder.display()), &error)
        })?;
        Ok(Writer::new(file, chain))
    }

    /// Opens a record to go on with it, and cuts off a torn last line.
    ///
    /// # Errors
    /// As [`Chain::read`], and when the file cannot be written.
    pub fn open(incident: IncidentId, folder: &Path) -> Result<Writer> {
        let (chain, length) = Chain::read(incident, folder)?;
        let path = folder.join(FILE);
        let open = || {
            let mut file = File::open(&path)?;
            file.cut(length)?;
            Ok(file)
        };
        let file = open()
            .map_err(|error: io::Error| disk::failed(format!("cannot write `{}`", path.display()), &error))?;
        Ok(Writer::new(file, chain))
    }

    fn new(file: File, chain: Chain) -> Writer {
        Writer {
            file,
            chain,
            is_broken: false,
            #[cfg(test)]
            life: Life::new(u32::MAX.into()),
        }
    }

    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    #[cfg(test)]
    pub fn lives(&mut self, life: &Life) {
        self.life = life.clone();
    }

    /// A line is about to be written; nothing is any more once the process is dead.
    #[cfg(test)]
    fn age(&mut self, line: &[u8]) -> Result<()> {
        use std::sync::atomic::Ordering::SeqCst;
        let left = self.life.load(SeqCst);
        if left >= 2 {
            self.life.store(left - 2, SeqCst);
            return Ok(());
        }
        if left == 1 {
            self.file.write(&line[..line.len() / 2]).map_err(|error| disk::failed("torn", &error))?;
            self.life.store(0, SeqCst);
        }
        self.is_broken = true;
        Err(Error::internal("the process is dead"))
    }

    /// Makes an event durable.
    ///
    /// # Errors
    /// [`Kind::Refused`] when the event cannot follow: then nothing was written. When it cannot be written: then nobody can say what the disk
    /// holds, and nothing can be appended any more.
    pub fn append(&mut self, at: Timestamp, by: &str, event: Event) -> Result<()> {
        if self.is_broken {
            return Err(Error::internal("the record could not be written before, and takes no more lines"));
        }
        let seq = self.chain.records.len() as u64 + 1;
        let prev = self.chain.last.clone();
        let record = Record { v: Record::VERSION, seq, prev, at, by: by.to_owned(), event };
        self.chain.state.check(&record).map_err(|illegal| Error::new(Kind::Refused, illegal.0))?;
        let mut line = to_line(&record)?;
        // What is read back is what was meant: the chain accepts the very bytes that are written.
        let next = self.chain.next(&line).map_err(|error| Error::internal(error.message))?;
        line.push(b'\n');
        let failed = |error: io::Error| disk::failed("the incident's record cannot be written", &error);
        #[cfg(test)]
        self.age(&line)?;
        self.is_broken = true;
        self.file.write(&line).map_err(failed)?;
        self.file.sync().map_err(failed)?;
        self.is_broken = false;
        self.chain.accept(next);
        Ok(())
    }
}
