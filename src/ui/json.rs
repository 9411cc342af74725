//! The display for a program: one JSON object a line on standard output for each signal, told apart by `kind`.

use std::io::Write;

use serde::Serialize;

use super::reporter::Reporter;
use crate::base::amount::Span;
use crate::base::clock::{Clock, Timestamp};
use crate::base::id::{RunId, StepKey};
use crate::model::drift::Drift;
use crate::run::event::{Phase, Record};
use crate::run::outlook::Open;
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
    Outlook {
        at: Timestamp,
        steps: &'a [Open],
    },
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
    Lapsed {
        at: Timestamp,
        /// Absent for the approval of the plan.
        #[serde(skip_serializing_if = "Option::is_none")]
        step: Option<&'a StepKey>,
        differences: &'a Drift,
    },
    Warning {
        at: Timestamp,
        what: &'a str,
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
            Signal::Outlook(steps) => Line::Outlook { at, steps },
            Signal::Output { step, phase, stream, line } => {
                Line::Output { at, step, phase: *phase, stream: *stream, line }
            }
            Signal::Checked { step, check, holds, saw, streak, needed } => {
                Line::Check { at, step, check, holds: *holds, saw, streak: *streak, needed: *needed }
            }
            Signal::Lapsed { step, drift } => Line::Lapsed { at, step: step.as_ref(), differences: drift },
            Signal::Waiting { what, at_most } => Line::Waiting { at, what, at_most: *at_most },
            Signal::Warned { what } => Line::Warning { at, what },
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

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::run::event::Record;
    use crate::ui::{sample, story};

    fn text() -> String {
        let mut reporter = JsonReporter::new(Vec::new(), Clock::fixed(sample::start()));
        story::everything().iter().for_each(|signal| reporter.signal(signal));
        reporter.finish();
        String::from_utf8(reporter.out).unwrap()
    }

    fn lines() -> Vec<Value> {
        text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn every_signal_is_one_line_with_its_kind() {
        let signals = story::everything();
        let lines = lines();
        assert_eq!(lines.len(), signals.len());
        for (line, signal) in lines.iter().zip(&signals) {
            let kind = match signal {
                Signal::Opened { .. } => "opened",
                Signal::Recorded(_) => "record",
                Signal::Outlook(_) => "outlook",
                Signal::Output { .. } => "output",
                Signal::Checked { .. } => "check",
                Signal::Lapsed { .. } => "lapsed",
                Signal::Waiting { .. } => "waiting",
                Signal::Warned { .. } => "warning",
            };
            assert_eq!(line["kind"], kind);
        }
    }

    #[test]
    fn a_record_is_given_as_it_stands_in_the_journal() {
        let is_record = |line: &Value| line["kind"] == "record";
        let read: Vec<Record> =
            lines().into_iter().filter(is_record).map(|line| serde_json::from_value(line).unwrap()).collect();
        let told: Vec<Record> = story::everything()
            .into_iter()
            .filter_map(|signal| match signal {
                Signal::Recorded(record) => Some(record),
                _ => None,
            })
            .collect();
        assert_eq!(read, told);
    }

    #[test]
    fn what_passes_in_between_is_given_in_full() {
        let text = text();
        let passing: Vec<&str> =
            text.lines().filter(|line| !line.contains("\"kind\":\"record\"")).take(6).collect();
        insta::assert_snapshot!(passing.join("\n"));
    }
}
