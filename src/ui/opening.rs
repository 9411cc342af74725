//! How a turn at a run begins, in one line: who begins or resumes it, and what they approved.

use super::words::short;
use crate::run::event::{Choice, Event, Record};

/// Whether the event is part of the beginning, or only follows one.
pub fn belongs(event: &Event, is_first: bool) -> bool {
    match event {
        Event::RunCreated { .. } | Event::EpochStarted { .. } => true,
        // They come between, and are not worth a word.
        Event::LeaseTaken { .. } => !is_first,
        _ => !is_first && phrase(event).is_some(),
    }
}

/// What was done, and by whom. A reason is worth a line of its own.
fn phrase(event: &Event) -> Option<(String, &str)> {
    match event {
        Event::RunCreated { operator, .. } => Some(("begun".to_owned(), operator)),
        Event::EpochStarted { operator, .. } => Some(("taken up".to_owned(), operator)),
        Event::UndoRequested { by } => Some(("undo requested".to_owned(), by)),
        Event::Decision { by, choice, reason: None } => {
            let what = match choice {
                Choice::ApprovePlan { plan } => format!("plan {} approved", short(plan)),
                Choice::ApproveStep { step, .. } => format!("`{step}` approved"),
                Choice::Resume => "resumed".to_owned(),
                Choice::DeclineStep { .. } | Choice::UndoPast { .. } | Choice::Abandon => return None,
            };
            Some((what, by))
        }
        _ => None,
    }
}

/// `begun by erin@laptop, plan 4a7eaae6ad37 approved`.
pub fn text(records: &[Record]) -> String {
    let said: Vec<_> =
        records.iter().filter_map(|record| Some((&record.event, phrase(&record.event)?))).collect();
    // Whoever begins or resumes a run takes it up.
    let is_implied = |event: &Event, by: &str| {
        let does_more = |(other, (_, operator)): &(&Event, (String, &str))| {
            *operator == by && !matches!(other, Event::EpochStarted { .. })
        };
        matches!(event, Event::EpochStarted { .. }) && said.iter().any(does_more)
    };
    let (mut text, mut last) = (String::new(), None);
    for (_, (what, by)) in said.iter().filter(|(event, (_, by))| !is_implied(event, by)) {
        text.push_str(if text.is_empty() { "" } else { ", " });
        text.push_str(what);
        if last != Some(*by) {
            text.push_str(&format!(" by {by}"));
        }
        last = Some(*by);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::sample::{created, epoch, key, plan, records};

    fn decided(by: &str, choice: Choice) -> Event {
        Event::Decision { by: by.to_owned(), choice, reason: None }
    }

    #[test]
    fn who_begins_a_run_is_named_once() {
        let approved = || decided("erin@laptop", Choice::ApprovePlan { plan: plan().digest() });
        let step = decided("erin@laptop", Choice::ApproveStep { step: key("drop"), containers: None });
        let begun = text(&records([created(), epoch(), approved(), step]));
        assert_eq!(
            begun,
            format!("begun by erin@laptop, plan {} approved, `drop` approved", short(&plan().digest()))
        );
        assert_eq!(text(&records([created(), epoch()])), "begun by erin@laptop");
        assert_eq!(
            text(&records([epoch(), decided("erin@laptop", Choice::Resume)])),
            "resumed by erin@laptop"
        );
        assert_eq!(text(&records([epoch()])), "taken up by erin@laptop");
    }

    #[test]
    fn whoever_else_decides_is_named_too() {
        let other = decided("ada@desk", Choice::Resume);
        assert_eq!(text(&records([epoch(), other])), "taken up by erin@laptop, resumed by ada@desk");
    }

    #[test]
    fn what_comes_later_or_with_a_reason_has_its_own_line() {
        let approval = decided("erin@laptop", Choice::ApproveStep { step: key("drop"), containers: None });
        assert!(!belongs(&approval, true));
        assert!(belongs(&approval, false));
        let reason = Some("the dump is verified".to_owned());
        let Event::Decision { by, choice, .. } = approval else { unreachable!() };
        assert!(!belongs(&Event::Decision { by, choice, reason }, false));
    }
}
