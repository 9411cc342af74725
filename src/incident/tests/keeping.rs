use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use super::scene::Scene;
use crate::base::Kind;
use crate::base::clock::Clock;
use crate::base::id::IncidentId;
use crate::incident::event::Event;
use crate::incident::record;
use crate::model::escalation::Level;

fn noted(text: &str) -> Event {
    Event::Noted { text: text.to_owned() }
}

fn resolved() -> Event {
    let text = || "so it was".to_owned();
    Event::Resolved { cause: text(), resolution: text(), follow_up: Vec::new(), forced: None }
}

fn file(scene: &Scene) -> PathBuf {
    scene.desk.root().join(scene.id.to_string()).join(record::FILE)
}

#[test]
fn what_was_appended_is_read_back_by_another_process() {
    let scene = Scene::new();
    let mut hand = scene.open(Level::L1);
    hand.append(noted("a \"quoted\" line\nand another")).unwrap();
    let (state, records) = (hand.state().clone(), hand.records().to_vec());
    let read = scene.desk.read(scene.id).unwrap();
    assert_eq!((read.state, read.records), (state, records));
}

#[test]
fn a_torn_last_line_never_was_and_the_next_takes_its_place() {
    let scene = Scene::new();
    drop(scene.open(Level::L1));
    let whole = fs::read(file(&scene)).unwrap();
    for torn in [&b"{\"v\":1,\"seq\":2"[..], b"x", b"{\"v\":1,\"seq\":2}"] {
        fs::write(file(&scene), [&whole, torn].concat()).unwrap();
        assert_eq!(scene.state().records, 1);
        scene.does("ada", noted("after it")).unwrap();
        assert_eq!(scene.state().records, 2);
        fs::write(file(&scene), &whole).unwrap();
    }
}

#[test]
fn a_record_that_was_changed_is_found_at_its_line() {
    let scene = Scene::new();
    drop(scene.open(Level::L1));
    (1..=3).for_each(|number| scene.does("ada", noted(&format!("note {number}"))).unwrap());
    let text = fs::read_to_string(file(&scene)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let without_second = [lines[0], lines[2], lines[3]].join("\n") + "\n";
    let turned = [lines[0], lines[2], lines[1], lines[3]].join("\n") + "\n";
    for (edited, line) in [
        (text.replace("note 1", "note 9"), 3),
        (text.replace("argus is down", "nothing happened"), 2),
        (without_second, 2),
        (turned, 2),
        (text.replacen(&lines[0][..20], "no JSON", 1), 1),
        (text.replace("\"seq\":3", "\"seq\":4"), 3),
    ] {
        fs::write(file(&scene), &edited).unwrap();
        let error = scene.desk.read(scene.id).unwrap_err();
        assert_eq!(error.kind, Kind::Corrupt, "{edited}");
        assert!(error.message.starts_with(&format!("line {line} ")), "{line}: {error}");
        assert!(scene.desk.take(scene.id, "ada", Clock::System).is_err(), "nothing is written after it");
    }
    let newer = text.replacen("{\"v\":1,", "{\"v\":2,", 1);
    fs::write(file(&scene), newer).unwrap();
    assert_eq!(scene.desk.read(scene.id).unwrap_err().kind, Kind::Refused);
}

#[test]
fn a_record_of_another_incident_is_not_this_ones() {
    let scene = Scene::new();
    drop(scene.open(Level::L1));
    let other = scene.desk.root().join(IncidentId::generate().to_string());
    fs::create_dir(&other).unwrap();
    fs::copy(file(&scene), other.join(record::FILE)).unwrap();
    assert_eq!(scene.desk.list().unwrap_err().kind, Kind::Corrupt);
}

#[test]
fn what_cannot_follow_is_refused_and_not_written() {
    let scene = Scene::new();
    let mut hand = scene.open(Level::L1);
    let error = hand.append(Event::Closed).unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (Kind::Refused, "the incident is not resolved"));
    hand.append(noted("it goes on")).unwrap();
    assert_eq!(scene.state().records, 2);
}

#[test]
fn an_incident_is_meant_by_either_end_of_its_id_and_the_latest_is_one_that_is_open() {
    let mut scene = Scene::new();
    assert_eq!(scene.desk.find("latest").unwrap_err().kind, Kind::Usage);
    let mut ids = Vec::new();
    for _ in 0..2 {
        scene.id = IncidentId::generate();
        drop(scene.open(Level::L1));
        ids.push(scene.id);
    }
    let find = |name: &str| scene.desk.find(name);
    assert_eq!(find("latest"), Ok(ids[1]));
    assert_eq!(find(&ids[0].short()), Ok(ids[0]));
    assert_eq!(find(&ids[1].to_string()), Ok(ids[1]));
    let error = find(&ids[0].to_string()[..4]).unwrap_err();
    assert_eq!((error.kind, error.detail.unwrap().lines().count()), (Kind::Usage, 2));
    scene.does("ada", resolved()).unwrap();
    scene.does("ada", Event::Closed).unwrap();
    assert_eq!(find("latest"), Ok(ids[0]));
    scene.id = ids[0];
    scene.does("ada", resolved()).unwrap();
    scene.does("ada", Event::Closed).unwrap();
    assert_eq!(scene.desk.find("latest"), Ok(ids[1]));
}

#[test]
fn whoever_comes_second_waits_for_the_turn_of_the_first() {
    let scene = Scene::new();
    drop(scene.open(Level::L1));
    let written = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5 {
                    scene.does("ada", noted("mine")).unwrap();
                    written.fetch_add(1, SeqCst);
                }
            });
        }
    });
    assert_eq!((written.load(SeqCst), scene.state().records), (40, 41));
}

#[test]
fn a_process_that_dies_while_it_makes_an_incident_leaves_none() {
    let scene = Scene::new();
    fs::create_dir_all(scene.desk.root().join(format!(".{}.new", scene.id))).unwrap();
    assert_eq!(scene.desk.ids(), Ok(Vec::new()));
}

#[test]
fn the_time_of_the_last_tick_is_kept() {
    let scene = Scene::new();
    assert_eq!(scene.desk.ticked_at(), None);
    scene.desk.note_tick(scene.now()).unwrap();
    assert_eq!(scene.desk.ticked_at(), Some(scene.now()));
}
