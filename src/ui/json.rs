//! The display for a program: one JSON object a line on standard output for each signal, told apart by `kind`.

use std::io::Write;

use serde::Serialize;

use super::reporter::Reporter;
use crate::base::amount::Span;
use crate::base::clock::{Clock, Timestamp};
use crate::base::id::{RunId, StepKey};
use crate::run::event::{Phase, Record};
use crate::run::signal::{Signal, Stream};

/// What a line says. Part of the public interface.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Line<'a> {
    Opened {
        run: RunId,
    },
    /// The record as it stands in the journal.
    Record(&'a Record),
    Output {
        at: Timestamp,
        step: &'a StepKey,
        phase: Phase,
        stream: Stream,
        line: &'a str,
    },
    Check {
        at: Timestamp,
        step: &'a StepKey,
        check: &'a str,
        holds: bool,
        saw: &'a str,
        streak: u32,
        needed: u32,
    },
    Waiting {
        at: Timestamp,
        what: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        at_most: Option<Span>,
    },
}

#[derive(Debug)]
pub struct JsonReporter<W> {
    out: W,
    clock: Clock,
}

impl<W: Write + Send> JsonReporter<W> {
    pub fn new(out: W, clock: Clock) -> JsonReporter<W> {
        JsonReporter { out, clock }
    }
}

impl<W: Write + Send> Reporter for JsonReporter<W> {
    fn signal(&mut self, signal: &Signal) {
        let at = self.clock.now();
        let line = match signal {
            Signal::Opened { run } => Line::Opened { run: *run },
            Signal::Recorded(record) => Line::Record(record),
            Signal::Output { step, phase, stream, line } => {
                Line::Output { at, step, phase: *phase, stream: *stream, line }
            }
            Signal::Checked { step, check, holds, saw, streak, needed } => {
                Line::Check { at, step, check, holds: *holds, saw, streak: *streak, needed: *needed }
            }
            Signal::Waiting { what, at_most } => Line::Waiting { at, what, at_most: *at_most },
        };
        // A reader that went away is no reason to stop a recovery.
        if let Ok(text) = serde_json::to_string(&line) {
            let _ = writeln!(self.out, "{text}").and_then(|()| self.out.flush());
        }
    }

    fn tick(&mut self) {}

    fn pause(&mut self) {}

    fn finish(&mut self) {
        let _ = self.out.flush();
    }
}
