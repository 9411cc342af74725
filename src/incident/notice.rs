//! What Alertmanager sends, read: the alerts of one group as they stand.
//!
//! The format is that of its webhook receiver, version 4. Version 3 has a number for a group's key and no fingerprints, and a later one
//! may have fields that nobody here knows: all of them are taken, as long as the alerts have labels and a time. What is missing is worked
//! out from the labels, so that the same alert always has the same name.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::event::Alert;
use crate::base::clock::Timestamp;
use crate::model::thresholds::Severity;
use crate::triage::alert::{Labels, severity_of};

/// The alerts of one group at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// What tells this group from every other, for as long as Alertmanager's configuration stays as it is.
    pub group: String,
    pub alerts: Vec<Alert>,
    /// How many more there are that were not sent.
    pub left_out: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    /// A number in version 3.
    #[serde(default)]
    group_key: Value,
    #[serde(default)]
    group_labels: Labels,
    #[serde(default)]
    truncated_alerts: u64,
    alerts: Vec<GivenAlert>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GivenAlert {
    #[serde(default)]
    status: String,
    labels: Labels,
    #[serde(default)]
    annotations: Labels,
    starts_at: Timestamp,
    /// Before 1970 where it has not ended.
    #[serde(default)]
    ends_at: Option<Timestamp>,
    #[serde(default)]
    fingerprint: String,
}

impl Notice {
    /// # Errors
    /// In words, when it is none, or names no alert.
    pub fn read(body: &[u8]) -> Result<Notice, String> {
        let given: Given = serde_json::from_slice(body)
            .map_err(|error| format!("it is no message of Alertmanager's webhook: {error}"))?;
        if given.alerts.is_empty() {
            return Err("it names no alert".to_owned());
        }
        let group = match given.group_key {
            Value::String(key) if !key.is_empty() => key,
            Value::Number(key) => key.to_string(),
            _ => name_of(&given.group_labels),
        };
        let alerts = given.alerts.into_iter().map(GivenAlert::read).collect();
        Ok(Notice { group, alerts, left_out: given.truncated_alerts })
    }

    /// Whether something still fires.
    pub fn is_firing(&self) -> bool {
        self.left_out > 0 || self.alerts.iter().any(|alert| alert.ended_at.is_none())
    }

    pub fn firing(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.iter().filter(|alert| alert.ended_at.is_none())
    }

    /// The worst that its alerts say of themselves.
    pub fn severity(&self) -> Severity {
        self.alerts.iter().map(|alert| severity_of(&alert.labels)).max().unwrap_or(Severity::Warning)
    }

    /// When the first of them began.
    pub fn started_at(&self) -> Option<Timestamp> {
        self.alerts.iter().map(|alert| alert.started_at).min()
    }
}

impl GivenAlert {
    fn read(self) -> Alert {
        let GivenAlert { status, labels, mut annotations, starts_at, ends_at, fingerprint } = self;
        let ended_at = ends_at.filter(|ended| *ended > Timestamp::UNIX_EPOCH);
        Alert {
            fingerprint: if fingerprint.is_empty() { name_of(&labels) } else { fingerprint },
            name: labels.get("alertname").cloned().unwrap_or_default(),
            about: annotations
                .remove("summary")
                .or_else(|| annotations.remove("description"))
                .unwrap_or_default(),
            started_at: starts_at,
            // Some senders give an end that lies ahead to what fires: until then, unless they send again.
            ended_at: match status.as_str() {
                "resolved" => Some(ended_at.unwrap_or(starts_at)),
                _ => None,
            },
            labels,
        }
    }
}

/// A name that the same labels always give.
fn name_of(labels: &BTreeMap<String, String>) -> String {
    let mut digest = Sha256::new();
    for text in labels.iter().flat_map(|(name, value)| [name, value]) {
        digest.update(text.len().to_be_bytes());
        digest.update(text);
    }
    digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(message: &Value) -> Notice {
        Notice::read(message.to_string().as_bytes()).unwrap()
    }

    /// As Alertmanager 0.28 sends it.
    fn message() -> Value {
        json!({
            "receiver": "opsctl", "status": "firing", "version": "4", "truncatedAlerts": 0,
            "groupKey": "{}:{alertname=\"ServiceCompletelyDown\", service=\"argus\"}",
            "groupLabels": { "alertname": "ServiceCompletelyDown", "service": "argus" },
            "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://alertmanager:9093",
            "alerts": [{
                "status": "firing", "startsAt": "2026-03-01T03:14:15.123Z", "endsAt": "0001-01-01T00:00:00Z",
                "labels": { "alertname": "ServiceCompletelyDown", "service": "argus", "severity": "critical" },
                "annotations": { "summary": "no instance of argus serves" },
                "generatorURL": "http://prometheus:9090/graph?g0.expr=up", "fingerprint": "d8b0f1c2a3e4b5c6"
            }]
        })
    }

    #[test]
    fn what_alertmanager_sends_is_read() {
        let notice = read(&message());
        assert_eq!(notice.group, "{}:{alertname=\"ServiceCompletelyDown\", service=\"argus\"}");
        assert!(notice.is_firing());
        assert_eq!(notice.severity(), Severity::Critical);
        let alert = &notice.alerts[0];
        assert_eq!(
            (alert.name.as_str(), alert.about.as_str()),
            ("ServiceCompletelyDown", "no instance of argus serves")
        );
        assert_eq!((alert.fingerprint.as_str(), alert.ended_at), ("d8b0f1c2a3e4b5c6", None));
        assert_eq!(notice.started_at().unwrap().to_string(), "2026-03-01T03:14:15.123Z");
    }

    #[test]
    fn a_group_fires_until_each_of_its_alerts_is_resolved_and_none_was_left_out() {
        let mut message = message();
        message["status"] = json!("resolved");
        message["alerts"][0]["status"] = json!("resolved");
        message["alerts"][0]["endsAt"] = json!("2026-03-01T03:20:00Z");
        let notice = read(&message);
        assert!(!notice.is_firing());
        assert_eq!(notice.alerts[0].ended_at.unwrap().to_string(), "2026-03-01T03:20:00Z");
        message["truncatedAlerts"] = json!(3);
        assert!(read(&message).is_firing());
    }

    #[test]
    fn an_older_message_has_a_number_for_its_group_and_no_fingerprints() {
        let mut older = message();
        older["version"] = json!("3");
        older["groupKey"] = json!(13_394_826_847_u64);
        older.as_object_mut().unwrap().remove("truncatedAlerts");
        older["alerts"][0].as_object_mut().unwrap().remove("fingerprint");
        let notice = read(&older);
        assert_eq!(notice.group, "13394826847");
        assert_eq!(notice.alerts[0].fingerprint.len(), 16);
        assert_eq!(notice, read(&older), "the same alert has the same name");
        older["alerts"][0]["labels"]["service"] = json!("hermes");
        assert_ne!(notice.alerts[0].fingerprint, read(&older).alerts[0].fingerprint);
    }

    #[test]
    fn a_newer_message_may_have_more_and_lack_the_key() {
        let mut newer = message();
        newer["version"] = json!("5");
        newer["notificationReason"] = json!({ "is": "new" });
        newer["alerts"][0]["silencedBy"] = json!([]);
        newer.as_object_mut().unwrap().remove("groupKey");
        let group = read(&newer).group;
        newer["alerts"][0]["labels"]["instance"] = json!("argus-1:3000");
        assert_eq!(read(&newer).group, group, "it is that of the group's labels");
        newer["groupLabels"] = json!({ "alertname": "Other" });
        assert_ne!(read(&newer).group, group);
    }

    #[test]
    fn what_fires_may_have_an_end_that_lies_ahead() {
        let mut message = message();
        message["alerts"][0]["endsAt"] = json!("2026-03-01T03:18:15Z");
        assert!(read(&message).is_firing());
    }

    #[test]
    fn what_is_no_message_is_refused_in_words() {
        for (body, why) in [
            ("", "it is no message of Alertmanager's webhook: EOF"),
            ("[]", "it is no message of Alertmanager's webhook: "),
            (r#"{"alerts":[]}"#, "it names no alert"),
            (r#"{"alerts":[{"labels":{}}]}"#, "missing field `startsAt`"),
        ] {
            let said = Notice::read(body.as_bytes()).unwrap_err();
            assert!(said.contains(why), "{body}: {said}");
        }
    }
}
