//! Whether a run's record is what was written: which line was edited, removed, put in or moved, and what is missing.
//!
//! Each record names the digest of the one before it, so an edit is told by the next record, and a gap by the numbers. Nobody
//! follows the last record, and whoever can write here could compute a whole new chain; against both there are *anchors*:
//! hosts keep the digest of the journal's head in their receipts and leases. A record that an anchor names, and every record
//! before it, can be changed only where the host is changed, too.
//!
//! It is a pure function of the bytes. It does not stop at the first fault, and guesses as little as it can: what it says of
//! a record follows from two witnesses, or it says which two records disagree.

mod anchors;
mod folder;
mod line;
mod link;
mod order;

use std::fmt;

use serde::Serialize;

use crate::base::id::RunId;
use crate::model::plan::{Digest, Plan};
use crate::run::event::Event;
use crate::run::lease::Head;
use crate::run::state::RunState;

use super::elsewhere::Elsewhere;
use order::{Ordered, Placed};

/// What somebody else remembers of a journal: its record `seq` has this digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Anchor {
    /// Who remembers, such as "`app` (lease 3)".
    pub from: String,
    pub seq: u64,
    pub digest: Digest,
}

/// What there is of a run.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The run that it is said to be.
    pub run: RunId,
    pub plan: &'a [u8],
    pub journal: &'a [u8],
    pub anchors: &'a [Anchor],
    pub elsewhere: &'a Elsewhere,
}

/// What became of an output that a record names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    Kept,
    Missing,
    Changed,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// How many records there are.
    pub records: u64,
    /// By where they are in the journal.
    pub faults: Vec<Fault>,
    /// How many anchors were found to hold.
    pub anchors: usize,
    /// How many bytes at the end are no whole line. A death in the middle of a write leaves some; nothing relied on them.
    pub torn: u64,
    /// The first record that a newer opsctl wrote. What it means was not checked, nor what comes after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newer: Option<u64>,
    /// Records whose outputs are on the machine that they came from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<u64>,
}

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The number of the record; 0 is the plan. Of something that is not a record: of the one before it.
    pub record: u64,
    /// The byte of the journal where it begins, or where it would have to.
    pub byte: u64,
    #[serde(flatten)]
    pub damage: Damage,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Damage {
    /// The line is no record. It stands for the records up to `last`.
    Unreadable {
        last: u64,
        why: String,
    },
    /// The record is not the one that its witness saw.
    Edited {
        witness: Witness,
    },
    /// The record and the one after it do not belong together: one of the two was edited.
    Disputed {
        next: u64,
    },
    /// The records from here up to `last` are missing.
    Removed {
        last: u64,
    },
    /// It stands behind a later record.
    Moved {
        behind: u64,
    },
    /// The line was put in behind the record.
    Inserted,
    /// It hangs together with the others, and cannot have happened.
    Illegal {
        why: String,
    },
    /// One of the records from `since` on up to this one was edited, and the chain was computed anew.
    Rewritten {
        since: u64,
        from: String,
    },
    /// There was this record, and the journal ends after record `last`.
    Truncated {
        last: u64,
        from: String,
    },
    /// There is no record at all: even a run that did nothing has one.
    Empty,
    /// The output that the record names is missing, or not what was kept.
    OutputMissing {
        output: Digest,
    },
    OutputChanged {
        output: Digest,
    },
}

/// On what it stands that a record was edited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Witness {
    /// The record itself, whose number is another.
    Number,
    /// What is before it is as it was, and the record does not belong to that.
    Before,
    /// Another record, which belongs to it or says so.
    Record {
        seq: u64,
    },
    Anchor {
        name: String,
    },
}

/// Verifies a run. `output` says what became of one that a record names.
pub fn audit(evidence: Evidence<'_>, output: impl Fn(&Digest) -> Output) -> Report {
    let Evidence { run, plan, journal, anchors, elsewhere } = evidence;
    let digest = Digest::of(plan);
    let (lines, torn) = line::read(journal);
    let mut faults = Vec::new();
    if lines.is_empty() {
        faults.push(Fault { record: 1, byte: 0, damage: Damage::Empty });
    }
    let ordered = Ordered::of(&lines, &digest, &mut faults);
    link::check(&ordered, &digest, anchors, &mut faults);
    let held = anchors::check(&ordered, anchors, &mut faults);
    if faults.is_empty() {
        faults.extend(illegal(&ordered, run, plan, &digest));
    }
    let newer = ordered.records.iter().find(|record| record.line.is_newer()).map(|record| record.number);
    let mut report = Report { records: lines.len() as u64, anchors: held, torn, newer, ..Report::default() };
    let is_here = |head: &Head| ordered.get(head.seq).is_some_and(|record| record.line.digest == head.digest);
    for Placed { number, line, .. } in &ordered.records {
        let Some(name) = line.output() else { continue };
        let damage = match output(name) {
            Output::Kept => continue,
            Output::Missing if elsewhere.covers(*number, is_here) => {
                report.elsewhere.push(*number);
                continue;
            }
            Output::Missing => Damage::OutputMissing { output: name.clone() },
            Output::Changed => Damage::OutputChanged { output: name.clone() },
        };
        faults.push(Fault { record: *number, byte: line.byte, damage });
    }
    faults.sort_by_key(|fault| (fault.byte, fault.record));
    report.faults = faults;
    report
}

/// The first record that could not have followed those before it.
fn illegal(ordered: &Ordered<'_>, run: RunId, plan: &[u8], digest: &Digest) -> Option<Fault> {
    let plan: Plan = match serde_json::from_slice(plan) {
        Ok(plan) => plan,
        Err(error) => {
            let damage = Damage::Unreadable { last: 0, why: error.to_string() };
            return Some(Fault { record: 0, byte: 0, damage });
        }
    };
    let mut state = RunState::new(&plan);
    for Placed { number, line, .. } in &ordered.records {
        let record = line.record.as_ref()?;
        let why = match &record.event {
            Event::RunCreated { run: created, .. } if *created != run => {
                format!("it begins the run {created}")
            }
            Event::RunCreated { plan, .. } if plan != digest => "it begins a run of another plan".to_owned(),
            _ => match state.apply(record) {
                Ok(()) => continue,
                Err(illegal) => format!("it cannot follow: {} ({})", illegal.why, illegal.state),
            },
        };
        return Some(Fault { record: *number, byte: line.byte, damage: Damage::Illegal { why } });
    }
    None
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Witness::Number => f.write_str("its number is another"),
            Witness::Before => f.write_str("it does not belong to what is before it"),
            Witness::Record { seq } => write!(f, "it is not the one that record {seq} belongs to"),
            Witness::Anchor { name } => write!(f, "it is not the one that {name} remembers"),
        }
    }
}

impl fmt::Display for Fault {
    /// What is wrong with which record, without where.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = self.record;
        let what = if record == 0 { "the plan".to_owned() } else { format!("record {record}") };
        let all = |last: &u64| {
            if record < *last { format!("records {record} to {last} were") } else { format!("{what} was") }
        };
        match &self.damage {
            Damage::Unreadable { last, why } => {
                write!(f, "{} edited: it cannot be read: {why}", all(last))
            }
            Damage::Edited { witness } => write!(f, "{what} was edited: {witness}"),
            Damage::Disputed { next } => {
                write!(
                    f,
                    "{what} was edited, or what record {next} says of it: the two do not belong together"
                )
            }
            Damage::Removed { last } => write!(f, "{} removed", all(last)),
            Damage::Moved { behind } => write!(f, "{what} was moved: it stands behind record {behind}"),
            Damage::Inserted => write!(f, "a line was put in behind {what}"),
            Damage::Illegal { why } => write!(f, "{what} is wrong: {why}"),
            Damage::Rewritten { since, from } if *since == record => {
                write!(f, "{what} was edited: it is not the one that {from} remembers")
            }
            Damage::Rewritten { since, from } => write!(
                f,
                "one of the records {since} to {record} was edited, and the chain computed anew: {from} remembers another record {record}"
            ),
            Damage::Truncated { last, from } => write!(
                f,
                "the journal was cut off after record {last}, or went on elsewhere: {from} remembers record {record}"
            ),
            Damage::Empty => f.write_str("the journal is empty"),
            Damage::OutputMissing { output } => write!(f, "the output of {what} is missing: `{output}`"),
            Damage::OutputChanged { output } => write!(f, "the output of {what} was changed: `{output}`"),
        }
    }
}
