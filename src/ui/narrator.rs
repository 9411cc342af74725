//! Signals as lines: the time since the start, the step, what happened. Both displays show these same lines.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::Duration;

use super::drift;
use super::opening;
use super::outline::Outline;
use super::outlook;
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
    /// Also every try of a check, what was not needed, the locks, and what steps hand on to later ones.
    Verbose,
}

/// A silence of this length needs no word.
const SHORT: Duration = Duration::from_secs(3);

/// Lines that a step may write before the rest is left to its record: of tens of thousands nobody reads one.
const READ: usize = 40;

/// Steps named in one break of the silence; the others are counted.
const NAMED: usize = 4;

/// How a line that a step writes is shown.
enum Reading {
    Whole,
    /// Words stand for it and all that come.
    Ends,
    Not,
}

#[derive(Debug)]
pub struct Narrator {
    outline: Outline,
    volume: Volume,
    clock: Clock,
    /// The zero of the time column: the first record, or what came before it.
    origin: Option<Timestamp>,
    /// What each check last said, so that the same is not said every second.
    checks: BTreeMap<(StepKey, String), (bool, String)>,
    /// How many lines each step has written.
    written: BTreeMap<StepKey, usize>,
    /// How the turn began, as long as more of it may come.
    opening: Vec<Record>,
    /// What goes on meanwhile.
    pub watch: Watch,
}

impl Narrator {
    pub fn new(outline: Outline, volume: Volume, clock: Clock) -> Narrator {
        Narrator {
            outline,
            volume,
            clock,
            origin: None,
            checks: BTreeMap::new(),
            written: BTreeMap::new(),
            opening: Vec::new(),
            watch: Watch::default(),
        }
    }

    /// The lines for a signal; none when it is not worth one. Each is painted and ends without a newline.
    pub fn lines(&mut self, signal: &Signal) -> Vec<String> {
        self.watch.signal(signal, self.clock.now());
        if let Signal::Recorded(record) = signal
            && self.volume == Volume::Normal
            && opening::belongs(&record.event, self.opening.is_empty())
        {
            self.opening.push(record.clone());
            return Vec::new();
        }
        let mut lines = self.held();
        lines.extend(self.said(signal));
        lines
    }

    /// The line that waited for more to say. To be asked for when a silence is broken, and before a pause.
    pub fn held(&mut self) -> Vec<String> {
        let records = std::mem::take(&mut self.opening);
        let Some(first) = records.first() else { return Vec::new() };
        vec![self.line(first.at, "run", Tone::Plain, &opening::text(&records))]
    }

    fn said(&mut self, signal: &Signal) -> Vec<String> {
        match signal {
            Signal::Recorded(record) => self.record(record),
            Signal::Lapsed { step, drift } => {
                let about = step.as_ref().map_or("run", |step| step.as_str());
                let head = self.line(self.clock.now(), about, Tone::Unsure, "the approval has lapsed");
                std::iter::once(head).chain(drift::lines(drift)).collect()
            }
            Signal::Warned { what } => vec![self.line(self.clock.now(), "run", Tone::Unsure, &clean(what))],
            _ if self.volume == Volume::Quiet => Vec::new(),
            Signal::Opened { run } => {
                let run = run.short();
                let resume = Ink::Command.on(format!("opsctl resume {run}"));
                vec![format!("run {run}, if anything interrupts it: {resume}")]
            }
            Signal::Outlook(steps) => outlook::lines(steps),
            Signal::Output { step, stream, line, .. } => {
                let (stream, text) = match (stream, self.reading(step, *stream)) {
                    (_, Reading::Not) => return Vec::new(),
                    (_, Reading::Ends) => {
                        ("out", "... and more, kept beside the journal of the run".to_owned())
                    }
                    (Stream::Out, Reading::Whole) => ("out", clean(line)),
                    (Stream::Err, Reading::Whole) => ("err", clean(line)),
                };
                let text = Ink::Dim.on(format!("  {stream} | {text}"));
                vec![self.line(self.clock.now(), step.as_str(), Tone::Plain, &text)]
            }
            Signal::Checked { step, check, holds, saw, streak, needed } => {
                if !self.is_news(step, check, *holds, saw) {
                    return Vec::new();
                }
                let text = format!("  {}", of_check(check, *holds, saw, *streak, *needed));
                vec![self.line(self.clock.now(), step.as_str(), Tone::Plain, &text)]
            }
            // Over before anybody could wonder.
            Signal::Waiting { at_most: Some(most), .. }
                if self.volume < Volume::Verbose && most.0 <= SHORT =>
            {
                Vec::new()
            }
            Signal::Waiting { what, at_most } => {
                let limit = at_most.map(|limit| format!(", at most {limit}")).unwrap_or_default();
                let text = format!("waiting for {}{limit}", clean(what));
                vec![self.line(self.clock.now(), "run", Tone::Plain, &text)]
            }
        }
    }

    /// What breaks a silence: one line for each step that runs, and what else is waited for.
    pub fn still(&mut self) -> Vec<String> {
        let (now, watch) = (self.clock.now(), self.watch.clone());
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
        if let Event::StepStarted { step, .. }
        | Event::StepObserved { step, finding: Finding::Followed, .. } = &record.event
        {
            self.checks.retain(|(of, _), _| of != step);
            self.written.remove(step);
        }
        if !self.is_told(&record.event) {
            // The time column counts from the first event all the same.
            self.origin.get_or_insert(record.at);
            return Vec::new();
        }
        let Said { about, tone, text } = of_event(&record.event, &self.outline);
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

    fn is_told(&self, event: &Event) -> bool {
        match self.volume {
            Volume::Quiet => is_for_the_quiet(event),
            Volume::Normal => match event {
                Event::StepSkipped { step, why } => self.outline.is_missed(step, why),
                Event::LeaseTaken { .. } | Event::LeaseReleased { .. } | Event::LeaseKept { .. } => false,
                _ => true,
            },
            Volume::Verbose => true,
        }
    }

    /// Whether a check says something new. That one holds is not news: the end of its step will say so. Nor is what is seen
    /// before a step begins: that it begins, or is skipped, says it.
    /// What becomes of a line. Errors are few, or say how far it is.
    fn reading(&mut self, step: &StepKey, stream: Stream) -> Reading {
        if self.volume == Volume::Verbose || stream == Stream::Err {
            return Reading::Whole;
        }
        let written = self.written.entry(step.clone()).or_default();
        *written += 1;
        match (*written).cmp(&(READ + 1)) {
            Ordering::Less => Reading::Whole,
            Ordering::Equal => Reading::Ends,
            Ordering::Greater => Reading::Not,
        }
    }

    fn is_news(&mut self, step: &StepKey, check: &str, holds: bool, saw: &str) -> bool {
        let now = (holds, saw.to_owned());
        let last = self.checks.insert((step.clone(), check.to_owned()), now.clone());
        let is_new = !holds && self.watch.is_running(step) && last != Some(now);
        is_new || self.volume == Volume::Verbose
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
        | Event::LeaseKept { .. }
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
