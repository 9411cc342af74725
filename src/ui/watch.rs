//! What is under way right now, and what it waits for: what the live rows show and what breaks a silence.

use std::time::Duration;

use indexmap::IndexMap;

use super::paint::clean;
use crate::base::amount::Span;
use crate::base::clock::{Timestamp, elapsed};
use crate::base::id::StepKey;
use crate::run::event::{Event, Finding, Phase};
use crate::run::signal::Signal;

#[derive(Debug, Clone, Default)]
pub struct Watch {
    running: IndexMap<StepKey, Underway>,
    waiting: Option<Awaited>,
    /// A look at a step that is not under way, and what it last saw.
    look: Option<String>,
    /// The last time that something was heard.
    heard: Option<Timestamp>,
    is_over: bool,
}

/// Between two steps there is always a moment: too short to be worth a word.
const MOMENT: Duration = Duration::from_secs(1);

/// A step that has been started and has not ended.
#[derive(Debug, Clone)]
pub struct Underway {
    phase: Phase,
    attempt: u32,
    since: Timestamp,
    check: Option<String>,
    /// The last line that its command wrote.
    pub last_line: Option<String>,
}

#[derive(Debug, Clone)]
struct Awaited {
    what: String,
    at_most: Option<Span>,
    since: Timestamp,
}

impl Watch {
    pub fn signal(&mut self, signal: &Signal, now: Timestamp) {
        (self.waiting, self.look) = (None, None);
        self.heard = Some(now);
        match signal {
            Signal::Opened { .. } | Signal::Outlook(_) | Signal::Lapsed { .. } | Signal::Warned { .. } => {}
            Signal::Recorded(record) => self.event(&record.event, record.at),
            Signal::Output { step, line, .. } => {
                if let Some(underway) = self.running.get_mut(step) {
                    underway.last_line = Some(clean(line)).filter(|line| !line.is_empty());
                }
            }
            Signal::Checked { step, check, holds, saw, streak, needed } => {
                let check = of_check(check, *holds, saw, *streak, *needed);
                match self.running.get_mut(step) {
                    Some(underway) => underway.check = Some(check),
                    // Before a step begins, or to settle one.
                    None => self.look = Some(format!("looking at `{step}`, {check}")),
                }
            }
            Signal::Waiting { what, at_most } => {
                self.waiting = Some(Awaited { what: clean(what), at_most: *at_most, since: now });
            }
        }
    }

    fn event(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::StepStarted { step, attempt, phase }
            | Event::StepObserved { step, attempt, phase, finding: Finding::Followed, .. } => {
                let underway =
                    Underway { phase: *phase, attempt: *attempt, since: at, check: None, last_line: None };
                self.running.insert(step.clone(), underway);
            }
            Event::StepFinished { step, .. }
            | Event::StepObserved { step, .. }
            | Event::StepSkipped { step, .. } => {
                self.running.shift_remove(step);
            }
            // What another process left running is not ours to wait for.
            Event::EpochStarted { .. } => {
                self.running.clear();
                self.is_over = false;
            }
            Event::RunRested { .. } | Event::RunEnded { .. } => {
                self.running.clear();
                self.is_over = true;
            }
            Event::RunCreated { .. }
            | Event::LeaseTaken { .. }
            | Event::LeaseReleased { .. }
            | Event::LeaseKept { .. }
            | Event::Decision { .. }
            | Event::UndoRequested { .. } => {}
        }
    }

    /// Whether the run has come to rest or to its end: nothing is to be expected any more.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    pub fn running(&self) -> impl Iterator<Item = (&StepKey, &Underway)> {
        self.running.iter()
    }

    pub fn is_running(&self, step: &StepKey) -> bool {
        self.running.contains_key(step)
    }

    /// What the run waits for besides its steps; what is said when no step runs either.
    pub fn rest_of_run(&self, now: Timestamp) -> Option<String> {
        match &self.waiting {
            Some(Awaited { what, at_most, since }) => {
                let so_far = Span::secs(elapsed(*since, now).as_secs());
                let limit = at_most.map(|limit| format!(" of at most {limit}")).unwrap_or_default();
                Some(format!("waiting for {what}, {so_far}{limit}"))
            }
            None if self.look.is_some() && self.is_idle(now) => self.look.clone(),
            None if self.is_idle(now) => Some("working, no step is running".to_owned()),
            None => None,
        }
    }
}

impl Watch {
    fn is_idle(&self, now: Timestamp) -> bool {
        let is_long = self.heard.is_none_or(|heard| elapsed(heard, now) >= MOMENT);
        self.running.is_empty() && !self.is_over && is_long
    }
}

impl Underway {
    /// For how long, which attempt, and what its check last saw.
    pub fn describe(&self, now: Timestamp) -> String {
        let so_far = elapsed(self.since, now).as_secs();
        let phase = match self.phase {
            Phase::Do => "running",
            Phase::Undo => "undoing",
        };
        let attempt = if self.attempt > 1 { format!(", attempt {}", self.attempt) } else { String::new() };
        let check = self.check.as_ref().map(|check| format!(", {check}")).unwrap_or_default();
        format!("{phase} for {}{attempt}{check}", Span::secs(so_far))
    }
}

/// How far a check is: what it asks, and what it saw or how often it held.
pub fn of_check(check: &str, holds: bool, saw: &str, streak: u32, needed: u32) -> String {
    let check = clean(check);
    match (holds, clean(saw)) {
        (false, saw) if saw.is_empty() => format!("waiting for {check}"),
        (false, saw) => format!("waiting for {check} (saw {saw})"),
        (true, _) if streak < needed => format!("waiting for {check} ({streak} of {needed} in a row)"),
        (true, _) if streak > needed => format!("{check} still holds"),
        (true, _) => format!("{check} holds"),
    }
}
