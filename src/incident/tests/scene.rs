//! A desk with a clock that is moved by hand, and channels that do what a test says.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use jiff::tz::TimeZone;
use serde_json::Map;
use tempfile::TempDir;

use crate::base::Result;
use crate::base::clock::{Clock, Timestamp};
use crate::base::id::IncidentId;
use crate::engine::templates::Templates;
use crate::incident::compose::Words;
use crate::incident::desk::{Desk, Hand};
use crate::incident::envelope::Envelope;
use crate::incident::event::{Event, Opening, Outcome, Record};
use crate::incident::office::{Office, Post};
use crate::incident::record::Life;
use crate::incident::state::IncidentState;
use crate::incident::tell::tell;
use crate::incident::tick::{Ticked, tick};
use crate::model::channel::MessageKind;
use crate::model::escalation::Level;
use crate::model::inventory::Inventory;
use crate::model::source::Source;
use crate::model::thresholds::Severity;

/// Two channels for everything, of which `once` takes a thing once by its name.
pub const INVENTORY: &str = r#"
name: shop
hosts: { app: { address: local } }
channels:
  once: { to: { file: pages.jsonl } }
  often: { to: { stdout: {} } }
"#;

/// What the other side of a channel does with a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Take,
    Refuse,
    Later,
    /// It arrives, and nobody hears of that.
    Lose,
    /// It does not arrive, and nobody hears of that.
    Vanish,
    /// The process dies; the message has arrived, or has not.
    Die {
        has_arrived: bool,
    },
}

/// Channels that remember what arrived.
#[derive(Default)]
pub struct Channels {
    pub arrived: Mutex<Vec<(String, Envelope)>>,
    /// What comes next, by channel; `Take` where nothing is said.
    pub answers: Mutex<BTreeMap<String, VecDeque<Answer>>>,
    pub life: Life,
    clock: Clock,
}

impl Post for Channels {
    fn post<'a>(&'a self, channel: &'a str, envelope: Envelope) -> BoxFuture<'a, Outcome> {
        let answer = self.answers.lock().unwrap().get_mut(channel).and_then(VecDeque::pop_front);
        let answer = answer.unwrap_or(Answer::Take);
        let has_arrived = matches!(answer, Answer::Take | Answer::Lose | Answer::Die { has_arrived: true });
        if has_arrived {
            self.arrived.lock().unwrap().push((channel.to_owned(), envelope));
        }
        let why = "so the test says".to_owned();
        let outcome = match answer {
            Answer::Take => Outcome::Sent { memory: Map::new() },
            Answer::Refuse => Outcome::Refused { why },
            Answer::Later => Outcome::Later { why, retry_at: self.clock.now() },
            Answer::Lose | Answer::Vanish => Outcome::Unknown { why },
            Answer::Die { .. } => {
                self.life.store(0, std::sync::atomic::Ordering::SeqCst);
                Outcome::Sent { memory: Map::new() }
            }
        };
        async move { outcome }.boxed()
    }
}

pub struct Scene {
    _folder: TempDir,
    pub desk: Desk,
    pub clock: Clock,
    pub channels: Channels,
    pub id: IncidentId,
    pub inventory: Inventory,
    pub templates: Templates,
}

impl Scene {
    pub fn new() -> Scene {
        Scene::of(INVENTORY)
    }

    pub fn of(inventory: &str) -> Scene {
        // In memory where there is such a place: durability is not what is looked at.
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let folder = tempfile::tempdir_in(place).unwrap();
        let clock = Clock::fixed("2026-03-01T03:14:00Z".parse().unwrap());
        let life = Life::new(u32::MAX.into());
        Scene {
            desk: Desk::at(folder.path()),
            _folder: folder,
            channels: Channels { clock: clock.clone(), life, ..Channels::default() },
            clock,
            id: IncidentId::generate(),
            inventory: Inventory::read(&Source::new("opsctl.yaml", inventory)).unwrap(),
            templates: Templates::open(None).unwrap(),
        }
    }

    pub fn opening(&self, level: Level) -> Opening {
        let now = self.clock.now();
        Opening {
            incident: self.id,
            site: "shop".to_owned(),
            title: "argus is down".to_owned(),
            severity: Severity::Critical,
            services: vec!["argus".to_owned()],
            started_at: now,
            detected_at: now,
            level,
            group: None,
            inventory: "opsctl.yaml".to_owned(),
        }
    }

    pub fn open(&self, level: Level) -> Hand {
        let mut hand = self.desk.create(self.opening(level), Record::ITSELF, self.clock.clone()).unwrap();
        hand.lives(&self.channels.life);
        hand
    }

    pub fn office(&self) -> Office<'_> {
        Office {
            inventory: &self.inventory,
            templates: &self.templates,
            zone: TimeZone::UTC,
            post: &self.channels,
        }
    }

    pub fn take(&self, by: &str) -> Hand {
        let mut hand = self.desk.take(self.id, by, self.clock.clone()).unwrap();
        hand.lives(&self.channels.life);
        hand
    }

    pub fn wait(&self, time: Duration) {
        if let Clock::Fixed(at) = &self.clock {
            let mut at = at.lock().unwrap();
            *at += time;
        }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The process is another one: it lives.
    pub fn revive(&self) {
        self.channels.life.store(u32::MAX, std::sync::atomic::Ordering::SeqCst);
    }

    /// What `opsctl incident tick` does.
    pub fn try_tick(&self) -> Result<Ticked> {
        let mut hand = self.take(Record::ITSELF);
        tick(&mut hand, &self.office()).now_or_never().expect("nothing here waits")
    }

    pub fn tick(&self) -> Ticked {
        self.try_tick().unwrap()
    }

    pub fn does(&self, by: &str, event: Event) -> Result<()> {
        self.take(by).append(event)
    }

    pub fn tell(&self, kind: MessageKind) -> u32 {
        let words = Words { text: Some("we look into it".to_owned()), ..Words::default() };
        tell(&mut self.take("ada"), &self.office(), kind, &words, None).unwrap()
    }

    pub fn state(&self) -> IncidentState {
        self.desk.read(self.id).unwrap().state
    }

    pub fn answers(&self, channel: &str, answers: &[Answer]) {
        let mut all = self.channels.answers.lock().unwrap();
        all.insert(channel.to_owned(), answers.iter().cloned().collect());
    }

    /// The pages that arrived on a channel since this was asked last: `L1/1`, with `?` where it may be a repetition; other messages by
    /// their kind.
    pub fn arrived(&self, channel: &str) -> Vec<String> {
        let mut arrived = self.channels.arrived.lock().unwrap();
        let (here, elsewhere): (Vec<_>, Vec<_>) = arrived.drain(..).partition(|(name, _)| name == channel);
        *arrived = elsewhere;
        let shown = here.into_iter().map(|(_, envelope)| {
            let mark = if envelope.subject.ends_with("(may be a repetition)") { "?" } else { "" };
            match envelope.page {
                Some(page) => format!("{}/{}{mark}", page.level, page.round),
                None => format!("{:?}{mark}", envelope.kind).to_lowercase(),
            }
        });
        shown.collect()
    }
}

pub const MINUTE: Duration = Duration::from_secs(60);

pub fn minutes(count: u32) -> Duration {
    MINUTE * count
}
