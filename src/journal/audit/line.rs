//! The lines of a journal, each by itself.

use std::ops::RangeInclusive;

use serde::Deserialize;

use super::super::history::{whole, whole_lines};
use crate::model::plan::Digest;
use crate::run::event::{Event, Outcome, Record};

/// The numbers that a record can have.
const NUMBERS: RangeInclusive<u64> = 1..=u32::MAX as u64;

/// A whole line, whatever is in it.
#[derive(Debug)]
pub struct Line<'a> {
    pub byte: u64,
    /// Without its newline.
    pub text: &'a [u8],
    pub digest: Digest,
    /// Why it is no record, where it is none.
    pub header: Result<Header, String>,
    /// Absent when it is none, or a newer opsctl wrote it.
    pub record: Option<Record>,
}

/// What a record has in every format.
#[derive(Debug, Deserialize)]
pub struct Header {
    pub v: u32,
    pub seq: u64,
    pub prev: Digest,
}

/// All lines, and how many bytes come after them.
pub fn read(journal: &[u8]) -> (Vec<Line<'_>>, u64) {
    let mut byte = 0;
    let lines = whole_lines(journal).map(|text| {
        let line = Line::new(text, byte);
        byte += text.len() as u64 + 1;
        line
    });
    (lines.collect(), (journal.len() - whole(journal).len()) as u64)
}

impl<'a> Line<'a> {
    fn new(text: &'a [u8], byte: u64) -> Line<'a> {
        let (header, record) = match read_line(text) {
            Ok((header, record)) if NUMBERS.contains(&header.seq) => (Ok(header), record),
            Ok((header, _)) => (Err(format!("no journal has a record {}", header.seq)), None),
            Err(error) => (Err(error.to_string()), None),
        };
        Line { byte, text, digest: Digest::of(text), header, record }
    }

    pub fn is_newer(&self) -> bool {
        self.header.as_ref().is_ok_and(|header| header.v > Record::VERSION)
    }

    /// The output that the record names.
    pub fn output(&self) -> Option<&Digest> {
        match &self.record.as_ref()?.event {
            Event::StepFinished { outcome, .. } => match outcome {
                Outcome::Succeeded { log, .. }
                | Outcome::Failed { log, .. }
                | Outcome::Unknown { log, .. } => log.as_ref(),
            },
            _ => None,
        }
    }
}

fn read_line(text: &[u8]) -> serde_json::Result<(Header, Option<Record>)> {
    let record = serde_json::from_slice::<Record>(text);
    if let Ok(Record { v: ..=Record::VERSION, .. }) = record {
        return record.map(|record| (Header::of(&record), Some(record)));
    }
    // A newer opsctl may write what this one cannot read.
    let header: Header = serde_json::from_slice(text)?;
    if header.v > Record::VERSION {
        return Ok((header, None));
    }
    record.map(|record| (header, Some(record)))
}

impl Header {
    fn of(record: &Record) -> Header {
        Header { v: record.v, seq: record.seq, prev: record.prev.clone() }
    }
}
