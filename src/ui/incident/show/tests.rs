use std::time::Duration;

use super::*;
use crate::incident::event::Record;
use crate::incident::sample;
use crate::ui::look::Look;

fn incident(records: Vec<Record>) -> Incident {
    Incident { state: sample::fold(&records).unwrap(), records }
}

fn shown(incident: &Incident, after: u64) -> String {
    let now = incident.state.changed_at + Duration::from_secs(after);
    Look::PLAIN.fit(&text(incident, &TimeZone::UTC, now))
}

#[test]
fn an_incident_that_is_watched_says_who_has_it_and_when_the_next_word_is_due() {
    insta::assert_snapshot!(shown(&incident(sample::records()), 60));
}

#[test]
fn an_incident_that_is_over_says_what_has_to_be_done() {
    insta::assert_snapshot!(shown(&incident(sample::resolved()), 60));
}

#[test]
fn what_nobody_has_and_what_is_overdue_stands_out_with_what_to_type() {
    let records: Vec<_> = sample::records().into_iter().take(4).collect();
    let mut incident = incident(records);
    incident.state.messages[0].deliveries[0] = Delivery::Later {
        why: "no connection".to_owned(),
        retry_at: incident.state.changed_at,
        tries: 1,
        is_doubtful: false,
    };
    let text = shown(&incident, 1_300);
    for line in [
        "who has it    nobody",
        "✘ overdue for 1 minute",
        "1. alert to `ops` waits: no connection",
        "opsctl incident ack 5eed0001",
        "opsctl incident update 'how it stands' --incident 5eed0001",
        "opsctl failover argus --plan",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn a_program_reads_all_of_it() {
    let incident = incident(sample::resolved());
    let json: Value = serde_json::from_str(&json(&incident, incident.state.changed_at)).unwrap();
    assert_eq!((json["kind"].as_str(), json["status"].as_str()), (Some("incident"), Some("resolved")));
    assert_eq!(json["seconds"], serde_json::json!({ "mttd": 60, "mtta": 60, "mttm": 240, "mttr": 1_500 }));
    assert_eq!(
        json["messages"][0]["deliveries"][0],
        serde_json::json!({ "channel": "ops", "state": "sent", "why": null })
    );
    assert_eq!(json["tasks"].as_array().unwrap().len(), 6);
    assert_eq!(json["timeline"].as_array().unwrap().len(), timeline(&incident.records).len());
}
