//! PagerDuty, Events API v2: `trigger`, `acknowledge` and `resolve`, all under the incident's own id as the dedup key.
//!
//! The key is known before the first event is sent, so that an event that is sent again is taken once. A page triggers; every other message
//! brings PagerDuty to how the incident stands. Whom PagerDuty calls again, and when, is its own escalation policy.

use serde_json::{Value, json};

use super::text::{cut, utf16};
use super::{Ask, Method, below};
use crate::incident::envelope::Envelope;
use crate::incident::event::Status;
use crate::incident::word;
use crate::model::channel::MessageKind;
use crate::model::thresholds::Severity;

/// Of `summary`, in characters.
const LONGEST_SUMMARY: usize = 1024;

/// Of the text among the details; an event may have 512 KB as a whole.
const LONGEST_TEXT: usize = 20_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Trigger,
    Acknowledge,
    Resolve,
}

/// What PagerDuty is to do for a message. It acknowledges and resolves whether or not a page is known to have arrived: one of which nobody
/// knows may have, and what PagerDuty has no alert for it drops.
pub fn action(envelope: &Envelope) -> Option<Action> {
    let is_over = envelope.kind == MessageKind::Resolution || envelope.status == Status::Resolved;
    match envelope.kind {
        MessageKind::Page => Some(Action::Trigger),
        _ if is_over => Some(Action::Resolve),
        _ if envelope.is_acknowledged => Some(Action::Acknowledge),
        _ => None,
    }
}

pub fn ask(url: &str, key: &str, action: Action, envelope: &Envelope) -> Ask {
    let dedup_key = envelope.incident.to_string();
    let event = match action {
        Action::Trigger => trigger(key, &dedup_key, envelope),
        Action::Acknowledge => {
            json!({ "routing_key": key, "event_action": "acknowledge", "dedup_key": dedup_key })
        }
        Action::Resolve => json!({ "routing_key": key, "event_action": "resolve", "dedup_key": dedup_key }),
    };
    Ask::json(Method::Post, below(url, "v2/enqueue"), &event)
}

fn trigger(key: &str, dedup_key: &str, envelope: &Envelope) -> Value {
    let written = |text: &str, most| cut(text, most, utf16, |c| c.to_string());
    let page = envelope.page.as_ref();
    json!({
        "routing_key": key,
        "event_action": "trigger",
        "dedup_key": dedup_key,
        "client": "opsctl",
        "payload": {
            "summary": written(&word::line(&envelope.subject), LONGEST_SUMMARY),
            "source": written(&word::line(&envelope.site), LONGEST_SUMMARY),
            "severity": severity(envelope.severity),
            "timestamp": envelope.started_at,
            "component": written(&envelope.services.join(", "), LONGEST_SUMMARY),
            "class": word::kind(envelope.kind),
            "custom_details": {
                "incident": envelope.incident.short(),
                "status": word::status(envelope.status),
                "level": page.map(|page| page.level),
                "round": page.map(|page| page.round),
                "who": page.map(|page| &page.who),
                "next_update_at": envelope.next_update_at,
                "text": written(&word::plain(&envelope.text), LONGEST_TEXT),
            },
        },
    })
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Notice => "info",
        Severity::Warning => "warning",
        Severity::Critical | Severity::Emergency => "critical",
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{envelope, page, wild};
    use super::*;
    use crate::model::escalation::Level;

    fn sent(action: Action, envelope: &Envelope) -> Value {
        let ask = ask("https://events.pagerduty.com/", "k".repeat(32).as_str(), action, envelope);
        assert_eq!(ask.url, "https://events.pagerduty.com/v2/enqueue");
        serde_json::from_str(&ask.body.unwrap()).unwrap()
    }

    #[test]
    fn a_page_triggers_and_the_rest_follows_how_it_stands() {
        assert_eq!(action(&page(Level::L2, 1)), Some(Action::Trigger));
        assert_eq!(action(&envelope(MessageKind::Update)), None);
        let held = Envelope { is_acknowledged: true, ..envelope(MessageKind::Update) };
        assert_eq!(action(&held), Some(Action::Acknowledge));
        let over = Envelope { status: Status::Resolved, ..held };
        assert_eq!(action(&over), Some(Action::Resolve));
        assert_eq!(action(&envelope(MessageKind::Resolution)), Some(Action::Resolve));
    }

    #[test]
    fn every_event_of_an_incident_has_the_same_key() {
        let message = page(Level::L2, 1);
        let id = message.incident.to_string();
        for action in [Action::Trigger, Action::Acknowledge, Action::Resolve] {
            assert_eq!(sent(action, &message)["dedup_key"], id.as_str(), "{action:?}");
        }
    }

    #[test]
    fn a_summary_of_any_length_is_within_the_limit() {
        let message = Envelope { subject: wild(), text: wild().repeat(20), ..page(Level::L2, 1) };
        let event = sent(Action::Trigger, &message);
        let summary = event["payload"]["summary"].as_str().unwrap();
        assert!((1_000..=1_024).contains(&summary.encode_utf16().count()));
        assert!(summary.starts_with("🔥 \"argus\" `rm -rf` *down*") && summary.ends_with('…'));
        assert!(event.to_string().len() < 512 * 1024);
    }
}
