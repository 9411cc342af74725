//! What is due in an incident at a moment: who is to be called now, and whether it is taken from somebody who has gone silent.
//!
//! Pure, and nothing but the record decides: two processes that look at the same record find the same duties, and one that was done is not
//! found again. The rules are those of the escalation matrix. All levels up to the one that an incident is entered at are called at once. As
//! long as nobody answers, the next one is called after the time that the highest has to answer; the last one is called again and again. Once
//! somebody has it, nothing climbs, unless they are not heard of for too long.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::cadence;
use super::state::{Held, IncidentState};
use crate::base::amount::Span;
use crate::base::clock::{Timestamp, elapsed};
use crate::model::escalation::{Escalation, Level};
use crate::model::telling::Telling;
use crate::model::thresholds::Severity;

/// Nobody is called twice within this time, however fast they are to answer.
const AT_LEAST: Duration = Duration::from_secs(60);

/// How often the last level is called once it was called often.
const AFTER_ALL: Duration = Duration::from_secs(30 * 60);

const ROUNDS: u32 = 3;

const FORGOTTEN_AFTER: Duration = Duration::from_secs(30 * 60);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Duty {
    /// This level is called, for this time.
    Page { level: Level, round: u32, why: String },
    /// Nobody answered in time: the next level is called, too.
    Climb { level: Level, why: String },
    /// Whoever has it has not said a word for too long.
    Release { why: String },
}

/// What the inventory says about it.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    pub escalation: &'a Escalation,
    pub telling: &'a Telling,
    /// The one that quiet hours are meant in.
    pub zone: &'a TimeZone,
}

/// What is due now, in the order in which it is done. More may be due once it is done.
pub fn duties(state: &IncidentState, rules: Rules<'_>, now: Timestamp) -> Vec<Duty> {
    if state.is_closed || state.is_resolved() {
        return Vec::new();
    }
    let look = Look { state, rules, now };
    let calls = look.calls();
    if !calls.is_empty() {
        return calls;
    }
    look.silence().or_else(|| look.reminder()).or_else(|| look.climb()).into_iter().collect()
}

struct Look<'a> {
    state: &'a IncidentState,
    rules: Rules<'a>,
    now: Timestamp,
}

impl Look<'_> {
    /// The levels that were asked for and not called yet, the lowest first. What was asked for before somebody took it is theirs by now.
    fn calls(&self) -> Vec<Duty> {
        let is_owed = |level: &Level| {
            let is_answered = self.state.held.as_ref().is_some_and(|held| held.since > self.state.level_at);
            *level <= self.state.level
                && self.pages(*level).is_empty()
                && !is_answered
                && !self.is_quiet(*level)
        };
        let why = |level| match self.state.released_at {
            Some(_) => "nobody has it any more",
            None if level > self.state.opening.level => "it was escalated",
            None => "a new incident",
        };
        let owed = Level::ALL.into_iter().filter(is_owed);
        owed.map(|level| Duty::Page { level, round: 1, why: why(level).to_owned() }).collect()
    }

    /// Whoever has it is not heard of any more.
    fn silence(&self) -> Option<Duty> {
        let held = self.state.held.as_ref().filter(|_| !self.is_mitigated())?;
        let after = self.rules.telling.forget_after.map_or(FORGOTTEN_AFTER, Duration::from);
        let silent = elapsed(held.heard_at, self.now);
        let Held { who, .. } = held;
        (silent >= after)
            .then(|| Duty::Release { why: format!("{who} was not heard of for {}", Span::rounded(silent)) })
    }

    /// People wait for a word. Whoever has it is reminded, once for each word that is missing.
    fn reminder(&self) -> Option<Duty> {
        if self.state.held.is_none() && !self.is_mitigated() {
            return None;
        }
        cadence::overdue(self.state, self.now)?;
        let level = self.state.level;
        let is_reminded = self.pages(level).last() >= self.state.next_update_at.as_ref();
        (!is_reminded && !self.is_quiet(level)).then(|| self.again(level, "the update is overdue".to_owned()))
    }

    /// Nobody has answered.
    fn climb(&self) -> Option<Duty> {
        let state = self.state;
        if state.held.is_some() || self.is_mitigated() {
            return None;
        }
        let level = state.level;
        let last = self.pages(level).last()?;
        if state.called == 0 {
            return (!self.is_quiet(level)).then(|| self.again(level, "nobody has it any more".to_owned()));
        }
        let within = self.rules.escalation.responder(level).within.0.max(AT_LEAST);
        let silent = elapsed(*last, self.now);
        let why = || format!("nobody answered at {level} for {}", Span::rounded(silent));
        match level.next() {
            Some(next) => (silent >= within).then(|| Duty::Climb { level: next, why: why() }),
            None => {
                let is_often = state.called >= self.rules.telling.rounds.unwrap_or(ROUNDS);
                let interval = if is_often { within.max(AFTER_ALL) } else { within };
                (silent >= interval).then(|| self.again(level, why()))
            }
        }
    }

    fn again(&self, level: Level, why: String) -> Duty {
        Duty::Page { level, round: self.pages(level).len() as u32 + 1, why }
    }

    fn pages(&self, level: Level) -> &[Timestamp] {
        self.state.pages.get(&level).map_or(&[], Vec::as_slice)
    }

    /// The service is well again: there is no hurry any more.
    fn is_mitigated(&self) -> bool {
        self.state.milestones.mitigated_at.is_some()
    }

    /// Whether a page of that level waits for the end of its responder's quiet hours.
    fn is_quiet(&self, level: Level) -> bool {
        let quiet = self.rules.escalation.responder(level).quiet;
        level.may_be_quiet()
            && self.state.severity <= Severity::Warning
            && quiet.is_some_and(|quiet| quiet.holds(self.now, self.rules.zone))
    }
}
