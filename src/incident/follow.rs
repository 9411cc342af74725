//! What happens in the runs of an incident, taken into its record.
//!
//! A run's own journal stays the truth about it. What is taken over is what people ask for afterwards: which step ended how, and when. Each
//! line says which line of the journal it came from, so that it is taken over once, whoever looks and however often.
//!
//! That a run succeeded is not yet that the service is well again: it may have mended something else. Whoever moved the run looks at the
//! service at its end, and says what was seen.

use std::collections::HashMap;

use super::desk::Hand;
use super::event::Event;
use crate::base::Result;
use crate::base::amount::Span;
use crate::base::id::{RunId, StepKey};
use crate::journal::History;
use crate::journal::store::Store;
use crate::model::plan::Plan;
use crate::run::event::{End, Event as RunEvent, Finding, Outcome, Record, Rest};

/// Takes over what is new. Whether anything was.
///
/// A run that is not on this machine, or cannot be read, is left for later: an incident is never held up by one.
///
/// # Errors
/// When the record cannot be written.
pub fn follow(hand: &mut Hand, store: &Store) -> Result<bool> {
    // What is closed is not added to.
    if hand.state().is_closed {
        return Ok(false);
    }
    let before = hand.state().records;
    let linked: Vec<(RunId, u64)> = hand
        .state()
        .runs
        .iter()
        .filter(|(_, linked)| !linked.is_ended)
        .map(|(run, linked)| (*run, linked.told_to))
        .collect();
    for (run, told_to) in linked {
        let history = store.find(&run.to_string()).and_then(|dir| dir.history());
        let Ok(history) = history else { continue };
        for event in told(&history, run, told_to) {
            hand.append(event)?;
        }
    }
    Ok(hand.state().records > before)
}

/// What the journal says after that line.
fn told(history: &History, run: RunId, told_to: u64) -> Vec<Event> {
    let titles: HashMap<&StepKey, &str> =
        history.plan.steps.iter().map(|step| (&step.key, step.title.trim())).collect();
    let new = history.records.iter().filter(|record| record.seq > told_to);
    let event = |record: &Record| {
        let (text, is_end) = words(&record.event, &titles, &history.plan)?;
        Some(Event::Ran { run, record: record.seq, happened_at: record.at, text, is_end })
    };
    new.filter_map(event).collect()
}

/// One line of a journal in words, and whether nothing can follow it.
fn words(event: &RunEvent, titles: &HashMap<&StepKey, &str>, plan: &Plan) -> Option<(String, bool)> {
    let title =
        |step: &StepKey| titles.get(step).map_or_else(|| step.to_string(), |title| (*title).to_owned());
    let text = match event {
        RunEvent::StepFinished { step, outcome, .. } => match outcome {
            Outcome::Succeeded { ms, .. } => format!("{}: done in {}", title(step), took(*ms)),
            Outcome::Failed { message, .. } => format!("{}: failed: {message}", title(step)),
            Outcome::Unknown { message, .. } => {
                format!("{}: nobody knows how it ended: {message}", title(step))
            }
        },
        RunEvent::StepObserved { step, finding, .. } => match finding {
            Finding::Happened => format!("{}: seen to be done", title(step)),
            Finding::Failed { message } => format!("{}: failed: {message}", title(step)),
            Finding::MayRun | Finding::Followed => return None,
        },
        RunEvent::UndoRequested { by } => format!("`{}` is undone, as {by} says", plan.runbook),
        RunEvent::RunRested { rest } => format!("`{}` rests: {}", plan.runbook, why(rest)),
        RunEvent::RunEnded { end } => {
            let ended = match end {
                End::Succeeded => "succeeded",
                End::Undone => "was undone",
                End::Abandoned => "was abandoned",
            };
            return Some((format!("`{}` {ended}", plan.runbook), true));
        }
        RunEvent::RunCreated { .. }
        | RunEvent::EpochStarted { .. }
        | RunEvent::LeaseTaken { .. }
        | RunEvent::LeaseReleased { .. }
        | RunEvent::LeaseKept { .. }
        | RunEvent::StepStarted { .. }
        | RunEvent::StepSkipped { .. }
        | RunEvent::Decision { .. } => return None,
    };
    Some((text, false))
}

fn took(ms: u64) -> Span {
    Span::rounded(std::time::Duration::from_millis(ms))
}

fn why(rest: &Rest) -> String {
    match rest {
        Rest::WaitingForApproval => "a person has to approve its plan".to_owned(),
        Rest::WaitingForPerson { question, .. } => question.clone(),
        Rest::WaitingForHost { host, message, .. } => format!("host `{host}` does not answer: {message}"),
        Rest::Failed { message, .. } => format!("a step failed: {message}"),
        Rest::Cancelled { by } => format!("it was interrupted by {by}"),
        Rest::Stuck { message, .. } => format!("an undo failed: {message}"),
    }
}

/// The service is well again, and is watched.
///
/// # Errors
/// When the record cannot be written.
pub fn monitor(hand: &mut Hand, text: &str) -> Result<()> {
    if hand.state().milestones.mitigated_at.is_some() {
        return Ok(());
    }
    hand.append(Event::Mitigated { text: text.to_owned() })
}

#[cfg(test)]
mod tests;
