//! A silence in Alertmanager (API v2) for as long as somebody has the incident: begun when it is acknowledged, drawn out with every message
//! after that, ended when it is resolved or nobody has it any more.
//!
//! What is there is looked at first, each time. So a silence whose answer was lost is found, and none is made twice.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::text::{cut, said, utf16};
use super::{Answer, Ask, Method, Trouble, below};
use crate::base::amount::Span;
use crate::base::clock::Timestamp;
use crate::base::url::url_encoded;
use crate::incident::envelope::Envelope;
use crate::incident::event::Status;
use crate::incident::word;
use crate::model::channel::MessageKind;

/// Who makes the silences, by which they are found again.
const AUTHOR: &str = "opsctl";

const LONGEST_COMMENT: usize = 1_000;

/// What is to be so after a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aim {
    Silenced,
    Heard,
}

pub fn aim(envelope: &Envelope) -> Aim {
    let is_over = envelope.kind == MessageKind::Resolution || envelope.status == Status::Resolved;
    match envelope.is_acknowledged && !is_over && !envelope.alerts.is_empty() {
        true => Aim::Silenced,
        false => Aim::Heard,
    }
}

/// Which silences there are; those of others are left out by [`ours`].
pub fn look(url: &str) -> Ask {
    Ask::get(below(url, "api/v2/silences"))
}

/// The silences of this incident that are in force, or will be.
pub fn ours(answer: &Answer, envelope: &Envelope) -> Result<Vec<String>, Trouble> {
    // Looking changes nothing: what cannot be read now is looked at again.
    let unread = || Trouble::later(format!("its list of silences cannot be read: {}", said(&answer.body)));
    let listed = answer.value().map_err(|_| unread())?;
    let mark = mark(envelope);
    let is_ours = |silence: &&Value| {
        silence["createdBy"] == AUTHOR
            && silence["status"]["state"] != "expired"
            && silence["comment"].as_str().is_some_and(|comment| comment.starts_with(&mark))
    };
    let name = |silence: &Value| Some(silence["id"].as_str()?.to_owned());
    Ok(listed.as_array().ok_or_else(unread)?.iter().filter(is_ours).filter_map(name).collect())
}

/// Silences what fires from now on; `id` is the silence that is drawn out, where there is one.
pub fn silence(url: &str, id: Option<&str>, length: Span, envelope: &Envelope, now: Timestamp) -> Ask {
    let end = now.checked_add(length.0).unwrap_or(Timestamp::MAX);
    let comment = format!("{} {}", mark(envelope), word::line(&envelope.title));
    let mut silence = json!({
        "matchers": matchers(&envelope.alerts),
        "startsAt": now,
        "endsAt": end,
        "createdBy": AUTHOR,
        "comment": cut(&comment, LONGEST_COMMENT, utf16, |c| c.to_string()),
    });
    if let Some(id) = id {
        silence["id"] = id.into();
    }
    Ask::json(Method::Post, below(url, "api/v2/silences"), &silence)
}

pub fn expire(url: &str, id: &str) -> Ask {
    let url = below(url, &format!("api/v2/silence/{}", url_encoded(id)));
    Ask { method: Method::Delete, url, headers: Vec::new(), body: None }
}

/// The beginning of the comment, by which a silence is known to be this incident's.
fn mark(envelope: &Envelope) -> String {
    format!("opsctl incident {}:", envelope.incident)
}

/// Matchers that hold for each of the alerts: for every label the values that it has among them. A label that some lack may be missing.
fn matchers(alerts: &[BTreeMap<String, String>]) -> Value {
    let names: BTreeSet<&String> = alerts.iter().flat_map(BTreeMap::keys).collect();
    let matcher = |name: &String| {
        let values: BTreeSet<&str> =
            alerts.iter().map(|labels| labels.get(name).map_or("", String::as_str)).collect();
        let mut values = values.into_iter();
        match (values.next(), values.next()) {
            (Some(only), None) => json!({ "name": name, "value": only, "isRegex": false, "isEqual": true }),
            (first, second) => {
                let all = first.into_iter().chain(second).chain(values).map(escaped);
                let pattern = all.collect::<Vec<_>>().join("|");
                json!({ "name": name, "value": format!("(?:{pattern})"), "isRegex": true, "isEqual": true })
            }
        }
    };
    names.into_iter().map(matcher).collect()
}

/// A value as a part of a regular expression of Go, which knows no `\\-` outside brackets but every escape of what has a meaning.
fn escaped(value: &str) -> String {
    let has_meaning = |c: char| "\\.+*?()|[]{}^$".contains(c);
    value.chars().flat_map(|c| has_meaning(c).then_some('\\').into_iter().chain([c])).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{envelope, labels, wild};
    use super::*;

    fn held() -> Envelope {
        let alerts = vec![
            labels(&[("alertname", "Down"), ("service", "argus"), ("instance", "argus-1:80")]),
            labels(&[("alertname", "Down"), ("service", "argus"), ("instance", "argus-2:80"), ("zone", "a")]),
        ];
        Envelope { is_acknowledged: true, alerts, ..envelope(MessageKind::Update) }
    }

    #[test]
    fn it_is_silent_from_the_acknowledgement_to_the_end() {
        assert_eq!(aim(&held()), Aim::Silenced);
        assert_eq!(aim(&Envelope { is_acknowledged: false, ..held() }), Aim::Heard);
        assert_eq!(aim(&Envelope { kind: MessageKind::Resolution, ..held() }), Aim::Heard);
        assert_eq!(aim(&Envelope { status: Status::Resolved, ..held() }), Aim::Heard);
        assert_eq!(aim(&Envelope { alerts: Vec::new(), ..held() }), Aim::Heard);
    }

    #[test]
    fn only_what_fires_is_silenced_and_every_value_is_text() {
        let expected = json!([
            { "name": "alertname", "value": "Down", "isRegex": false, "isEqual": true },
            { "name": "instance", "value": "(?:argus-1:80|argus-2:80)", "isRegex": true, "isEqual": true },
            { "name": "service", "value": "argus", "isRegex": false, "isEqual": true },
            { "name": "zone", "value": "(?:|a)", "isRegex": true, "isEqual": true },
        ]);
        assert_eq!(matchers(&held().alerts), expected);
    }

    #[test]
    fn a_silence_has_an_end_and_is_drawn_out_by_its_id() {
        let now = "2026-03-01T03:20:00Z".parse().unwrap();
        let ask = silence(
            "http://am:9093/",
            Some("s-1"),
            Span::secs(3600),
            &Envelope { title: wild(), ..held() },
            now,
        );
        assert_eq!(ask.url, "http://am:9093/api/v2/silences");
        let body: Value = serde_json::from_str(&ask.body.unwrap()).unwrap();
        assert_eq!(
            (&body["startsAt"], &body["endsAt"]),
            (&json!("2026-03-01T03:20:00Z"), &json!("2026-03-01T04:20:00Z"))
        );
        assert_eq!(body["id"], "s-1");
        assert!(
            body["comment"]
                .as_str()
                .unwrap()
                .starts_with("opsctl incident 019f0000-0000-7000-8000-00000000abcd: 🔥")
        );
    }

    #[test]
    fn silences_of_others_and_those_that_are_over_are_left_alone() {
        let silence = |id: &str, by: &str, state: &str, comment: String| json!({ "id": id, "createdBy": by, "status": { "state": state }, "comment": comment });
        let mark = mark(&held());
        let listed = json!([
            silence("mine", "opsctl", "active", format!("{mark} argus")),
            silence("over", "opsctl", "expired", format!("{mark} argus")),
            silence("anna", "anna", "active", format!("{mark} argus")),
            silence("other", "opsctl", "active", "opsctl incident 1: argus".to_owned()),
        ]);
        let answer = Answer { status: 200, retry_after: None, body: listed.to_string(), is_whole: true };
        assert_eq!(ours(&answer, &held()).unwrap(), ["mine"]);
        let broken = Answer { body: "<html>".to_owned(), ..answer };
        assert!(matches!(ours(&broken, &held()), Err(Trouble::Later { .. })));
    }
}
