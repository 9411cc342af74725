//! Every event in words. One place, so that the running lines and the end report say the same thing the same way.

use std::time::Duration;

use super::outline::Outline;
use super::paint::{Ink, clean};
use crate::base::amount::Span;
use crate::base::id::StepKey;
use crate::model::plan::Digest;
use crate::run::event::{Choice, End, Event, Evidence, Finding, Outcome, Phase, Rest, Skip};
use crate::run::receipt::Processes;

/// What an event is about, how it is meant, and what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    pub about: About,
    pub tone: Tone,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq)]
pub enum About {
    Run,
    Host(String),
    Step(StepKey),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Begun,
    Good,
    Bad,
    Unsure,
    Skipped,
    Undone,
}

impl Tone {
    /// Stands before a word that says the same.
    pub fn mark(self) -> char {
        match self {
            Tone::Plain => ' ',
            Tone::Begun => '▶',
            Tone::Good => '✔',
            Tone::Bad => '✘',
            Tone::Unsure => '?',
            Tone::Skipped => '–',
            Tone::Undone => '↩',
        }
    }

    pub fn ink(self) -> Ink {
        match self {
            Tone::Plain | Tone::Begun => Ink::Plain,
            Tone::Good | Tone::Undone => Ink::Good,
            Tone::Bad => Ink::Bad,
            Tone::Unsure => Ink::Warn,
            Tone::Skipped => Ink::Dim,
        }
    }
}

pub fn of_event(event: &Event, outline: &Outline) -> Said {
    let run = |tone, text| Said { about: About::Run, tone, text };
    let host = |host: &str, text| Said { about: About::Host(host.to_owned()), tone: Tone::Plain, text };
    let on = |step: &StepKey, tone, text| Said { about: About::Step(step.clone()), tone, text };
    match event {
        Event::RunCreated { plan, runbook, operator, .. } => {
            run(Tone::Plain, format!("created by {operator}: {runbook}, plan {}", short(plan)))
        }
        Event::EpochStarted { operator, pid } => {
            run(Tone::Plain, format!("taken up by {operator} (pid {pid})"))
        }
        Event::LeaseTaken { host: name, fence, .. } => {
            host(name, format!("locked for this run (fence {fence})"))
        }
        Event::LeaseReleased { host: name } => host(name, "lock released".to_owned()),
        Event::LeaseKept { host: name } => {
            host(name, "did not answer when its lock was released: it may still be locked".to_owned())
        }
        Event::StepStarted { step, attempt, phase } => {
            on(step, Tone::Begun, started(step, *attempt, *phase, outline))
        }
        Event::StepFinished { step, phase, outcome, .. } => {
            let (tone, text) = of_outcome(outcome, *phase);
            on(step, tone, text)
        }
        Event::StepObserved { step, phase, finding, by, .. } => {
            let (tone, text) = observed(finding, by, *phase);
            on(step, tone, text)
        }
        Event::StepSkipped { step, why } => {
            on(step, Tone::Skipped, format!("skipped: {}", of_skip(step, why, outline)))
        }
        Event::Decision { by, choice, reason } => {
            let said = |what: &str| decided(what, by, reason.as_deref());
            match choice {
                Choice::ApprovePlan { plan } => {
                    run(Tone::Plain, said(&format!("plan {} approved", short(plan))))
                }
                Choice::ApproveStep { step, .. } => on(step, Tone::Plain, said("approved")),
                Choice::DeclineStep { step } => on(step, Tone::Skipped, said("declined")),
                Choice::UndoPast { step } => on(step, Tone::Plain, said("undo past it allowed")),
                Choice::Resume => run(Tone::Plain, said("resumed")),
                Choice::Abandon => run(Tone::Plain, said("abandoned")),
            }
        }
        Event::UndoRequested { by } => {
            let is_step = !outline.title(&StepKey::new(by)).is_empty();
            let who = if is_step { format!("`{by}`, which failed") } else { by.clone() };
            run(Tone::Plain, format!("undo requested by {who}"))
        }
        Event::RunRested { rest } => {
            let (tone, text) = of_rest(rest);
            match rest {
                // What it said stands in the line of the step.
                Rest::Failed { step, .. } => run(tone, format!("halted, `{step}` failed")),
                Rest::Stuck { step, .. } => run(tone, format!("stuck, the undo of `{step}` failed")),
                _ => run(tone, text),
            }
        }
        Event::RunEnded { end } => {
            let (tone, text) = of_end(*end);
            run(tone, text.to_owned())
        }
    }
}

/// Of a digest, as much as a person compares.
pub fn short(digest: &Digest) -> &str {
    digest.as_str().get(..12).unwrap_or(digest.as_str())
}

pub fn milliseconds(ms: u64) -> Span {
    Span::rounded(Duration::from_millis(ms))
}

fn started(step: &StepKey, attempt: u32, phase: Phase, outline: &Outline) -> String {
    let verb = match phase {
        Phase::Do => "started",
        Phase::Undo => "undo started",
    };
    let host = outline.host(step).map(|host| format!(" on {host}")).unwrap_or_default();
    let title = match outline.title(step) {
        "" => String::new(),
        title => format!(": {title}"),
    };
    let attempt = if attempt > 1 { format!(" (attempt {attempt})") } else { String::new() };
    format!("{verb}{host}{title}{attempt}")
}

pub fn of_outcome(outcome: &Outcome, phase: Phase) -> (Tone, String) {
    let undo = match phase {
        Phase::Do => "",
        Phase::Undo => "undo ",
    };
    match (outcome, phase) {
        (Outcome::Succeeded { ms, .. }, Phase::Do) => {
            (Tone::Good, format!("succeeded in {}", milliseconds(*ms)))
        }
        (Outcome::Succeeded { ms, .. }, Phase::Undo) => {
            (Tone::Undone, format!("undone in {}", milliseconds(*ms)))
        }
        (Outcome::Failed { message, unreachable: Some(host), ms, .. }, _) => {
            let text = format!(
                "{undo}failed after {}, host `{host}` cannot be reached: {}",
                milliseconds(*ms),
                clean(message)
            );
            (Tone::Bad, text)
        }
        (Outcome::Failed { message, may_have_changed, ms, .. }, _) => {
            let effect = if *may_have_changed { "may have changed something" } else { "changed nothing" };
            (Tone::Bad, format!("{undo}failed after {}, {effect}: {}", milliseconds(*ms), clean(message)))
        }
        (Outcome::Unknown { message, took_effect, processes, ms, .. }, _) => {
            let what = match took_effect {
                true => "it took effect, and nobody saw what is expected of it hold",
                false => "nobody knows whether it took effect",
            };
            let processes = match processes {
                Processes::Untouched => "",
                Processes::Ended => "; its processes were ended, and are gone",
                Processes::Unproved => "; its processes were told to end, and may go on",
            };
            let (after, message) = (milliseconds(*ms), clean(message));
            (Tone::Unsure, format!("{undo}unknown after {after}, {what}: {message}{processes}"))
        }
    }
}

fn observed(finding: &Finding, by: &Evidence, phase: Phase) -> (Tone, String) {
    let (tone, what) = match (finding, phase) {
        (Finding::Happened, Phase::Do) => (Tone::Good, "settled: it took effect"),
        (Finding::Happened, Phase::Undo) => (Tone::Undone, "settled: the undo took effect"),
        (Finding::MayRun, Phase::Do) => (Tone::Plain, "settled: it may be started again"),
        (Finding::MayRun, Phase::Undo) => (Tone::Plain, "settled: the undo may be started again"),
        (Finding::Followed, Phase::Do) => (Tone::Begun, "found on its host: followed to its end"),
        (Finding::Followed, Phase::Undo) => (Tone::Begun, "undo found on its host: followed to its end"),
        (Finding::Failed { .. }, Phase::Do) => (Tone::Bad, "failed"),
        (Finding::Failed { .. }, Phase::Undo) => (Tone::Bad, "undo failed"),
    };
    let why = match (by, finding) {
        (Evidence::Person { by, reason }, Finding::Failed { message }) => {
            format!("{}, {by} says so: {reason}", clean(message))
        }
        (_, Finding::Failed { message }) => return (tone, format!("{what}: {}", clean(message))),
        (Evidence::Receipt, Finding::MayRun) => {
            return (tone, "settled: it never began, its host has no receipt of it".to_owned());
        }
        (Evidence::Receipt, _) | (_, Finding::Followed) => return (tone, what.to_owned()),
        (Evidence::When, _) => "its `when` could not be worked out".to_owned(),
        (Evidence::DoneWhen, Finding::Happened) => "its `done_when` holds".to_owned(),
        (Evidence::Expect, _) => "it took effect, and what is expected of it holds".to_owned(),
        (Evidence::DoneWhen, Finding::MayRun) => "its `done_when` does not hold".to_owned(),
        (Evidence::Repeatable, _) => "doing it twice is the same as doing it once".to_owned(),
        (Evidence::Person { by, reason }, _) => format!("{by} says so: {reason}"),
    };
    (tone, format!("{what} ({why})"))
}

pub fn of_skip(step: &StepKey, why: &Skip, outline: &Outline) -> String {
    match why {
        Skip::Condition { text } => format!("`{text}` is false"),
        Skip::AlreadyDone => "already done".to_owned(),
        Skip::NotNeeded => match outline.mends(step) {
            Some(mended) => format!("not needed, `{mended}` did not fail"),
            None => "not needed".to_owned(),
        },
        Skip::TooManyFailures => match outline.group(step) {
            Some(group) => format!("too many items of `{group}` failed"),
            None => "too many failures".to_owned(),
        },
    }
}

fn decided(what: &str, by: &str, reason: Option<&str>) -> String {
    let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{what} by {by}{reason}")
}

pub fn of_rest(rest: &Rest) -> (Tone, String) {
    match rest {
        Rest::WaitingForApproval => {
            (Tone::Unsure, "waiting for a person: the plan is not approved".to_owned())
        }
        Rest::WaitingForPerson { step, question } => {
            (Tone::Unsure, format!("waiting for a person, at `{step}`: {}", clean(question)))
        }
        Rest::WaitingForHost { host, message, .. } => {
            (Tone::Unsure, format!("waiting for host `{host}`: {}", clean(message)))
        }
        Rest::Failed { step, message } => (Tone::Bad, format!("halted, `{step}` failed: {}", clean(message))),
        Rest::Cancelled { by } => (Tone::Unsure, format!("halted, cancelled by {by}")),
        Rest::Stuck { step, message } => {
            (Tone::Bad, format!("stuck, the undo of `{step}` failed: {}", clean(message)))
        }
    }
}

pub fn of_end(end: End) -> (Tone, &'static str) {
    match end {
        End::Succeeded => (Tone::Good, "succeeded"),
        End::Undone => (Tone::Undone, "undone: all that can be taken back was taken back"),
        End::Abandoned => (Tone::Skipped, "abandoned: left as it is, for good"),
    }
}
