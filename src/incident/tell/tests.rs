use futures_util::future::BoxFuture;
use jiff::tz::TimeZone;
use serde_json::Map;

use super::*;
use crate::base::clock::Clock;
use crate::base::{Error, Kind};
use crate::engine::templates::Templates;
use crate::incident::desk::Desk;
use crate::incident::envelope::Envelope;
use crate::incident::event::{Event, Outcome};
use crate::incident::office::Post;
use crate::incident::sample;
use crate::model::escalation::Level;
use crate::model::inventory::Inventory;
use crate::model::source::Source;

const SITE: &str = "name: opareta\nhosts: { app: { address: local } }\nchannels:\n  phone: { to: { file: phone.jsonl }, for: [page], levels: [L2] }\n  ops: { to: { file: ops.jsonl }, for: [alert, update, resolution] }\n";

struct Nobody;

impl Post for Nobody {
    fn post<'a>(&'a self, _: &'a str, _: Envelope) -> BoxFuture<'a, Outcome> {
        Box::pin(std::future::ready(Outcome::Sent { memory: Map::new() }))
    }
}

struct Scene {
    folder: tempfile::TempDir,
    inventory: Inventory,
    templates: Templates,
    clock: Clock,
}

impl Scene {
    fn new(templates: &[(&str, &str)]) -> Scene {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("templates")).unwrap();
        for (name, text) in templates {
            std::fs::write(folder.path().join(format!("templates/{name}.txt")), text).unwrap();
        }
        Scene {
            inventory: Inventory::read(&Source::new("opsctl.yaml", SITE)).unwrap(),
            templates: Templates::open(Some(folder.path())).unwrap(),
            clock: Clock::fixed(sample::records()[0].at),
            folder,
        }
    }

    fn hand(&self) -> Hand {
        let Event::Opened(opening) = sample::records().remove(0).event else { panic!() };
        Desk::at(self.folder.path()).create(opening, "ada", self.clock.clone()).unwrap()
    }

    fn tell(&self, hand: &mut Hand, kind: MessageKind, words: Words, page: Option<Page>) -> Result<u32> {
        let office = Office {
            inventory: &self.inventory,
            templates: &self.templates,
            zone: TimeZone::UTC,
            post: &Nobody,
        };
        tell(hand, &office, kind, &words, page)
    }
}

fn saying(text: &str) -> Words {
    Words { text: Some(text.to_owned()), ..Words::default() }
}

fn page(level: Level) -> Option<Page> {
    Some(Page { level, round: 1, who: "on-call engineer".to_owned() })
}

#[test]
fn a_message_is_in_the_record_with_the_channels_that_take_it() {
    let scene = Scene::new(&[]);
    let mut hand = scene.hand();
    assert_eq!(scene.tell(&mut hand, MessageKind::Alert, Words::default(), None).unwrap(), 1);
    assert_eq!(scene.tell(&mut hand, MessageKind::Page, Words::default(), page(Level::L1)).unwrap(), 2);
    assert_eq!(scene.tell(&mut hand, MessageKind::Page, Words::default(), page(Level::L2)).unwrap(), 3);
    let to =
        |message: u32| hand.state().message(message).unwrap().deliveries.keys().cloned().collect::<Vec<_>>();
    assert_eq!([1, 2, 3].map(to), [vec!["ops".to_owned()], vec![], vec!["phone".to_owned()]]);
    let due = hand.state().next_update_at.unwrap();
    assert_eq!(due, scene.clock.now() + std::time::Duration::from_secs(20 * 60));
}

#[test]
fn a_message_that_is_refused_is_not_in_the_record() {
    let scene = Scene::new(&[]);
    let mut hand = scene.hand();
    let mut refused =
        |text: &str| -> Error { scene.tell(&mut hand, MessageKind::Update, saying(text), None).unwrap_err() };
    let error = refused("it is resolved, password=hunter2");
    assert_eq!((error.kind, error.causes.len()), (Kind::Refused, 1));
    assert!(error.message.contains("\"resolved\"") && !format!("{error:?}").contains("hunter2"), "{error:?}");
    let error = scene.tell(&mut hand, MessageKind::Update, Words::default(), None).unwrap_err();
    assert!(error.kind == Kind::Usage && error.message.contains("`text`"), "{error:?}");
    assert_eq!(hand.records().len(), 1);
}

#[test]
fn a_page_goes_out_whatever_is_wrong_with_it() {
    let scene = Scene::new(&[("page", "{{ nobody_knows }}"), ("update", "{{ text }}")]);
    let mut hand = scene.hand();
    scene.tell(&mut hand, MessageKind::Page, Words::default(), page(Level::L2)).unwrap();
    let told = hand.state().message(1).unwrap();
    assert!(
        told.text.contains("opsctl incident show 5eed0001") && told.subject.starts_with("[PAGE L2]"),
        "{told:?}"
    );
    let words = Words { is_unattended: true, ..saying("TODO: token=abcdef, it is resolved") };
    scene.tell(&mut hand, MessageKind::Update, words, None).unwrap();
    assert_eq!(hand.state().message(2).unwrap().text, "TODO: ***, it is resolved");
}
