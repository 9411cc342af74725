//! Which event can follow in which state: every other is refused before it is written, and found in a record that has it.

use super::{Delivery, IncidentState, TaskState};
use crate::incident::event::{Event, Outcome, Status};
use crate::model::channel::MessageKind;

/// # Errors
/// Why it cannot follow, in words for the person who asked for it.
pub fn check(state: &IncidentState, event: &Event) -> Result<(), String> {
    let must = |holds: bool, why: &str| if holds { Ok(()) } else { Err(why.to_owned()) };
    let is_open = !state.is_resolved();
    if state.is_closed {
        // What was on its way when it was closed still arrives, and people may add a word.
        return must(
            matches!(
                event,
                Event::Noted { .. }
                    | Event::Sending { .. }
                    | Event::Delivered { .. }
                    | Event::Reopened { .. }
            ),
            "the incident is closed",
        )
        .and_then(|()| delivery(state, event));
    }
    match event {
        Event::Opened(_) => Err("the incident is open already".to_owned()),
        Event::Alerted { .. }
        | Event::Triaged { .. }
        | Event::Noted { .. }
        | Event::SeverityChanged { .. } => Ok(()),
        Event::Linked { run, .. } => must(!state.runs.contains_key(run), "the run is linked already"),
        Event::Ran { run, record, .. } => match state.runs.get(run) {
            None => Err("the run is not linked".to_owned()),
            Some(linked) => must(*record > linked.told_to, "that step of the run is in the record already"),
        },
        Event::StatusChanged { status, .. } => {
            must(is_open, "the incident is resolved")?;
            must(*status != Status::Resolved, "an incident is resolved with its cause, not by a status")
        }
        Event::Acknowledged { .. } | Event::Mitigated { .. } => must(is_open, "the incident is resolved"),
        Event::Unacknowledged { .. } => must(state.held.is_some(), "nobody has the incident"),
        Event::HandedOff { from, .. } => match &state.held {
            None => Err("nobody has the incident".to_owned()),
            Some(held) => must(held.who == *from, &format!("`{}` has the incident, not `{from}`", held.who)),
        },
        Event::Escalated { level, .. } => {
            must(is_open, "the incident is resolved")?;
            must(*level > state.level, &format!("{} was called already", state.level))
        }
        Event::Paged { level, round, message, .. } => {
            must(*level <= state.level, &format!("{level} was not asked for"))?;
            let paged = state.pages.get(level).map_or(0, Vec::len) as u32;
            must(*round == paged + 1, &format!("round {round} of {level} does not follow round {paged}"))?;
            let page = state.message(*message).filter(|message| message.kind == MessageKind::Page);
            let page = page.ok_or_else(|| format!("message {message} is no page"))?;
            must(page.page.is_none(), &format!("message {message} pages somebody already"))
        }
        Event::Told { message, .. } => {
            let next = state.messages.len() as u32 + 1;
            must(*message == next, &format!("message {message} does not follow message {}", next - 1))
        }
        Event::Sending { .. } | Event::Delivered { .. } => delivery(state, event),
        Event::Resolved { .. } => must(is_open, "the incident is resolved already"),
        Event::TaskSet { task, .. } => {
            let next = state.tasks.len() as u32 + 1;
            must((1..=next).contains(task), &format!("task {task} does not follow task {}", next - 1))
        }
        Event::TaskDone { task, .. } | Event::TaskWaived { task, .. } => {
            let found = (*task as usize).checked_sub(1).and_then(|at| state.tasks.get(at));
            let found = found.ok_or_else(|| format!("there is no task {task}"))?;
            must(found.state == TaskState::Open, &format!("task {task} is settled already"))
        }
        Event::Closed => {
            must(!is_open, "the incident is not resolved")?;
            let is_settled = state.tasks.iter().all(|task| task.state != TaskState::Open);
            must(is_settled, "tasks are open")
        }
        Event::Reopened { .. } => must(!is_open, "the incident is open already"),
    }
}

/// What may happen to a message on a channel.
fn delivery(state: &IncidentState, event: &Event) -> Result<(), String> {
    let (message, channel) = match event {
        Event::Sending { message, channel } | Event::Delivered { message, channel, .. } => (message, channel),
        _ => return Ok(()),
    };
    let nowhere = || format!("message {message} does not go to `{channel}`");
    let now = state.message(*message).and_then(|told| told.deliveries.get(channel)).ok_or_else(nowhere)?;
    let holds = match (now, event) {
        (Delivery::Sent | Delivery::Refused { .. }, _) => false,
        (_, Event::Sending { .. }) | (Delivery::Sending { .. }, _) => true,
        // What was not tried can only be passed over.
        (_, Event::Delivered { outcome, .. }) => matches!(outcome, Outcome::Refused { .. }),
        _ => false,
    };
    if holds {
        Ok(())
    } else {
        Err(format!("that cannot become of message {message} on `{channel}`: it is {now:?}"))
    }
}
