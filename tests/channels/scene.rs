//! An inventory with one channel, and messages that go that way.

use std::collections::BTreeMap;
use std::fs;

use opsctl::base::id::IncidentId;
use opsctl::engine::locate::Site;
use opsctl::incident::envelope::{Envelope, Page};
use opsctl::incident::event::{Outcome, Status};
use opsctl::incident::office::Post;
use opsctl::incident::post::Couriers;
use opsctl::model::channel::MessageKind;
use opsctl::model::escalation::Level;
use opsctl::model::thresholds::Severity;
use serde_json::{Map, Value};

pub struct Scene {
    pub folder: tempfile::TempDir,
    couriers: Couriers,
    memory: Map<String, Value>,
}

impl Scene {
    /// The channel `ops` leads there: YAML, in which secrets are in files of the folder.
    pub fn new(to: &str) -> Scene {
        Scene::with(to, &[])
    }

    pub fn with(to: &str, files: &[(&str, &str)]) -> Scene {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let inventory = format!(
            "name: opareta\nhosts: {{ app: {{ address: local }} }}\nchannels: {{ ops: {{ to: {to} }} }}\n"
        );
        let path = folder.path().join("opsctl.yaml");
        fs::write(&path, inventory).unwrap();
        let site = Site::load(&path).unwrap_or_else(|error| panic!("{error}: {:?}", error.detail));
        let couriers = Couriers::new(&site.inventory, site.folder());
        Scene { folder, couriers, memory: Map::new() }
    }

    /// Sends a message with what the channel gave for those before it, as the outbox does.
    pub async fn send(&mut self, message: Envelope) -> Outcome {
        let message = Envelope { memory: self.memory.clone(), ..message };
        let outcome = self.couriers.post("ops", message).await;
        if let Outcome::Sent { memory } = &outcome {
            self.memory.extend(memory.clone());
        }
        outcome
    }

    #[track_caller]
    pub fn took(&self, outcome: &Outcome) {
        assert!(matches!(outcome, Outcome::Sent { .. }), "{outcome:?}");
    }
}

pub fn message(number: u32, kind: MessageKind) -> Envelope {
    let page = Page { level: Level::L2, round: 1, who: "senior engineer".to_owned() };
    let status = if kind == MessageKind::Resolution { Status::Resolved } else { Status::Investigating };
    Envelope {
        incident: IncidentId::parse("019f0000-0000-7000-8000-00000000abcd").unwrap(),
        message: number,
        kind,
        site: "opareta".to_owned(),
        title: "argus is down".to_owned(),
        severity: Severity::Critical,
        status,
        services: vec!["argus".to_owned()],
        subject: "argus is down".to_owned(),
        text: "Time: 03:14\nStatus: Investigating".to_owned(),
        started_at: "2026-03-01T03:10:00Z".parse().unwrap(),
        at: "2026-03-01T03:14:00Z".parse().unwrap(),
        next_update_at: Some("2026-03-01T03:34:00Z".parse().unwrap()),
        page: (kind == MessageKind::Page).then_some(page),
        is_acknowledged: false,
        alerts: Vec::new(),
        memory: Map::new(),
    }
}

/// A message whose every text is one of 5,000 characters that nobody would choose.
pub fn wild(number: u32, kind: MessageKind) -> Envelope {
    let text = wild_text();
    Envelope {
        site: text.clone(),
        title: text.clone(),
        subject: text.clone(),
        text: text.repeat(12),
        services: vec![text.clone(), text],
        ..message(number, kind)
    }
}

pub fn wild_text() -> String {
    "🔥 \"argus\" 'x' `rm -rf` *down* _now_ ~x~ <!channel> <@U1> <b>html</b> &amp; [a](http://b) 👩\u{200d}👩\u{200d}👧 é漢\\ | # > "
        .chars()
        .cycle()
        .take(5_000)
        .collect()
}

pub fn alerts(instances: &[&str]) -> Vec<BTreeMap<String, String>> {
    let labels = |instance: &&str| {
        [("alertname", "ServiceDown"), ("service", "argus"), ("instance", instance)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    };
    instances.iter().map(labels).collect()
}

/// The words of an outcome that is none.
pub fn why(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Sent { .. } => panic!("it was sent"),
        Outcome::Refused { why } | Outcome::Unknown { why } | Outcome::Later { why, .. } => why,
    }
}
