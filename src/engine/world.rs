//! The one seam between the engine and everything it cannot take back.
//!
//! The engine decides, appends and folds; whatever touches a host goes through a [`World`]. The real one is
//! [`Hosts`](super::hosts::Hosts). Tests put a simulated one in its place, so that every failure at every step can be made.

use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::base::id::RunId;
use crate::host::failure::Failure;
use crate::model::operation::{Observation, Operation};
use crate::run::event::Record;
use crate::run::lease::{Folder, Lease};
use crate::run::receipt::{Processes, Receipt, ReceiptKey};
use crate::run::signal::Stream;

pub struct Request<'a> {
    /// Absent for what no host takes part in.
    pub host: Option<&'a str>,
    pub operation: &'a Operation,
    pub timeout: Option<Duration>,
    /// Is told each line of output as it comes.
    pub output: &'a mut (dyn FnMut(Stream, &str) + Send),
    /// Under which the host is given it; absent for what only reads. The same key again attaches to what runs, or gives what
    /// came of it.
    pub key: Option<&'a ReceiptKey>,
}

/// For which run a host is taken.
pub struct Claim<'a> {
    pub run: RunId,
    pub epoch: u64,
    pub operator: &'a str,
    /// The store that the run's journal is in: see [`Store::seat`](crate::journal::store::Store::seat).
    pub seat: &'a str,
    /// What the run is for: the runbook and what it is applied to.
    pub why: &'a str,
    /// The plan's bytes as they are kept.
    pub plan: &'a [u8],
    /// All lines of the journal so far, with their newlines.
    pub journal: &'a [u8],
}

/// What came of taking a host.
#[derive(Debug, Clone, PartialEq)]
pub enum Taken {
    /// It is ours, under this fence.
    Held { fence: u64, folder: Folder },
    /// It is somebody else's.
    Refused { by: Lease },
    /// The run went on elsewhere: the host holds records of it that this journal does not have.
    Outrun { records: u64 },
}

pub trait World: Send + Sync {
    /// # Errors
    /// When the way to the host failed. What ran and failed is an observation.
    fn perform<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Observation, Failure>>;

    /// What the host knows of a command that it was given under this key.
    fn receipt<'a>(&'a self, host: &'a str, key: &'a ReceiptKey) -> BoxFuture<'a, Result<Receipt, Failure>>;

    /// Ends the process group of a command that the host was given under this key.
    fn end<'a>(&'a self, host: &'a str, key: &'a ReceiptKey) -> BoxFuture<'a, Processes>;

    /// Takes a host for a turn at a run, and raises its fence.
    fn take<'a>(&'a self, host: &'a str, claim: &'a Claim<'a>) -> BoxFuture<'a, Result<Taken, Failure>>;

    /// Whether a host that was taken still is ours; [`Fenced`](crate::host::FailureKind::Fenced) when it is not.
    fn holds<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<(), Failure>>;

    /// Gives a host back, with all records that it has not got yet.
    fn release<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<(), Failure>>;

    /// A record is durable. Every host that is taken gets it, before its next command begins.
    fn note(&self, record: &Record);
}
