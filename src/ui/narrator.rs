//! Signals as lines: the time since the start, the step, what happened. Both displays show these same lines.

use std::collections::BTreeMap;

use super::outline::Outline;
use super::paint::{Ink, clean, hang};
use super::watch::{Watch, of_check};
use super::words::{About, Said, Tone, of_event};
use crate::base::clock::{Clock, Timestamp, elapsed};
use crate::base::id::StepKey;
use crate::run::event::{Event, Finding, Outcome, Record};
use crate::run::signal::{Signal, Stream};

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Volume {
    /// Only failures, and how the run ends.
    Quiet,
    Normal,
    /// Also every try of a check, and what steps hand on to later ones.
    Verbose,
}

/// Steps named in one break of the silence; the others are counted.
const NAMED: usize = 4;

#[derive(Debug)]
pub struct Narrator {
    outline: Outline,
    volume: Volume,
    clock: Clock,
    /// The zero of the time column: the first record, or what came before it.
    origin: Option<Timestamp>,
    /// What each check last said, so that the same is not said every second.
    checks: BTreeMap<(StepKey, String), (bool, String)>,
}

impl Narrator {
    pub fn new(outline: Outline, volume: Volume, clock: Clock) -> Narrator {
        Narrator { outline, volume, clock, origin: None, checks: BTreeMap::new() }
    }

    /// The lines for a signal; none when it is not worth one. Each is painted and ends without a newline.
    pub fn lines(&mut self, signal: &Signal) -> Vec<String> {
        match signal {
            Signal::Recorded(record) => self.record(record),
            _ if self.volume == Volume::Quiet => Vec::new(),
            Signal::Opened { run } => {
                let resume = Ink::Command.on(format!("opsctl resume {run}"));
                vec![format!("run {run}, if anything interrupts it: {resume}")]
            }
            Signal::Output { step, stream, line, .. } => {
                let stream = match stream {
                    Stream::Out => "out",
                    Stream::Err => "err",
                };
                let text = Ink::Dim.on(format!("  {stream} | {}", clean(line)));
                vec![self.line(self.clock.now(), step.as_str(), Tone::Plain, &text)]
            }
            Signal::Checked { step, check, holds, saw, streak, needed } => {
                if !self.is_news(step, check, *holds, saw, *streak <= *needed) {
                    return Vec::new();
                }
                let text = format!("  {}", of_check(check, *holds, saw, *streak, *needed));
                vec![self.line(self.clock.now(), step.as_str(), Tone::Plain, &text)]
            }
            Signal::Waiting { what, at_most } => {
                let limit = at_most.map(|limit| format!(", at most {limit}")).unwrap_or_default();
                let text = format!("waiting for {}{limit}", clean(what));
                vec![self.line(self.clock.now(), "run", Tone::Plain, &text)]
            }
        }
    }

    /// What breaks a silence: one line for each step that runs, and what else is waited for.
    pub fn still(&mut self, watch: &Watch) -> Vec<String> {
        let now = self.clock.now();
        let mut lines = Vec::new();
        for (step, underway) in watch.running().take(NAMED) {
            let text = Ink::Dim.on(format!("still {}", underway.describe(now)));
            lines.push(self.line(now, step.as_str(), Tone::Plain, &text));
        }
        let unnamed = watch.running().count().saturating_sub(NAMED);
        let others = (unnamed > 0).then(|| format!("{unnamed} more steps running"));
        for text in others.into_iter().chain(watch.rest_of_run(now)) {
            lines.push(self.line(now, "run", Tone::Plain, &Ink::Dim.on(format!("still {text}"))));
        }
        lines
    }

    fn record(&mut self, record: &Record) -> Vec<String> {
        if let Event::StepStarted { step, .. } = &record.event {
            self.checks.retain(|(of, _), _| of != step);
        }
        let said = of_event(&record.event, &self.outline);
        if self.volume == Volume::Quiet && !is_for_the_quiet(&record.event) {
            // The time column counts from the first event all the same.
            self.origin.get_or_insert(record.at);
            return Vec::new();
        }
        let Said { about, tone, text } = said;
        let about = match &about {
            About::Run => "run".to_owned(),
            About::Host(host) => format!("host {host}"),
            About::Step(step) => step.to_string(),
        };
        let mut lines = vec![self.line(record.at, &about, tone, &text)];
        if self.volume == Volume::Verbose
            && let Event::StepFinished { outcome: Outcome::Succeeded { outputs, .. }, .. } = &record.event
        {
            for (name, value) in outputs {
                let text = Ink::Dim.on(format!("  output {name} = {}", clean(&value.to_string())));
                lines.push(self.line(record.at, &about, Tone::Plain, &text));
            }
        }
        lines
    }

    /// Whether a check says something new: how far it is, or something else than last time.
    fn is_news(&mut self, step: &StepKey, check: &str, holds: bool, saw: &str, is_counting: bool) -> bool {
        let last = self.checks.insert((step.clone(), check.to_owned()), (holds, saw.to_owned()));
        let is_same = last.is_some_and(|last| last == (holds, saw.to_owned()));
        !is_same || (holds && is_counting) || self.volume == Volume::Verbose
    }

    fn line(&mut self, at: Timestamp, about: &str, tone: Tone, text: &str) -> String {
        let offset = clock_face(elapsed(*self.origin.get_or_insert(at), at).as_secs());
        let width = self.outline.width();
        let mark = tone.ink().on(tone.mark());
        // Column of the text: the offset, the key, the mark and the spaces between them.
        let column = offset.len() + 1 + width.max(about.chars().count()) + 3;
        let text = match tone {
            Tone::Plain => hang(text, column),
            _ => tone.ink().on(hang(text, column)),
        };
        format!("{} {} {mark} {text}", Ink::Dim.on(&offset), Ink::Bold.on(format!("{about:width$}")))
            .trim_end()
            .to_owned()
    }
}

fn is_for_the_quiet(event: &Event) -> bool {
    match event {
        Event::StepFinished { outcome, .. } => !matches!(outcome, Outcome::Succeeded { .. }),
        Event::StepObserved { finding, .. } => matches!(finding, Finding::Failed { .. }),
        Event::RunRested { .. } | Event::RunEnded { .. } => true,
        Event::RunCreated { .. }
        | Event::EpochStarted { .. }
        | Event::LeaseTaken { .. }
        | Event::LeaseReleased { .. }
        | Event::StepStarted { .. }
        | Event::StepSkipped { .. }
        | Event::Decision { .. }
        | Event::UndoRequested { .. } => false,
    }
}

/// `01:07`, and `2:01:07` after the first hour.
fn clock_face(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes:02}:{seconds:02}")
    }
}
