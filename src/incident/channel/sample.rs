//! A message for the tests of all ways.

use std::collections::BTreeMap;

use serde_json::Map;

use crate::base::id::IncidentId;
use crate::incident::envelope::{Envelope, Page};
use crate::incident::event::Status;
use crate::model::channel::MessageKind;
use crate::model::escalation::Level;
use crate::model::thresholds::Severity;

/// What nobody would choose as a title, and what a title may be all the same.
pub fn wild() -> String {
    "🔥 \"argus\" `rm -rf` *down* _now_ ~x~ <!channel> <@U1> <b>html</b> &amp; [a](http://b) 👩\u{200d}👩\u{200d}👧 é漢\\ | # > "
        .chars()
        .cycle()
        .take(5_000)
        .collect()
}

pub fn envelope(kind: MessageKind) -> Envelope {
    let text = "Time: 2026-03-01 03:14 UTC\nStatus: Investigating".to_owned();
    Envelope {
        incident: IncidentId::parse("019f0000-0000-7000-8000-00000000abcd").unwrap(),
        message: 3,
        kind,
        site: "opareta".to_owned(),
        title: "argus is down".to_owned(),
        severity: Severity::Critical,
        status: Status::Investigating,
        services: vec!["argus".to_owned(), "hermes".to_owned()],
        subject: "argus is down".to_owned(),
        text,
        started_at: "2026-03-01T03:10:00Z".parse().unwrap(),
        at: "2026-03-01T03:14:00Z".parse().unwrap(),
        next_update_at: Some("2026-03-01T03:34:00Z".parse().unwrap()),
        page: None,
        is_acknowledged: false,
        alerts: Vec::new(),
        memory: Map::new(),
    }
}

pub fn page(level: Level, round: u32) -> Envelope {
    let page = Some(Page { level, round, who: "senior engineer".to_owned() });
    Envelope { page, ..envelope(MessageKind::Page) }
}

pub fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
