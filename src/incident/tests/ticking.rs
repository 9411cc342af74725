use super::scene::{MINUTE, Scene, minutes};
use crate::incident::event::{Event, Status};
use crate::model::channel::MessageKind;
use crate::model::escalation::Level;

fn acknowledged(who: &str) -> Event {
    Event::Acknowledged { who: who.to_owned() }
}

/// What arrives while the clock goes on, a tick a minute: the minute and the page.
fn pages(scene: &Scene, lasting: u32) -> Vec<(u32, String)> {
    let mut pages = Vec::new();
    for minute in 0..lasting {
        scene.tick();
        pages.extend(scene.arrived("once").into_iter().map(|page| (minute, page)));
        scene.wait(MINUTE);
    }
    pages
}

fn said(pages: &[(u32, String)]) -> Vec<String> {
    pages.iter().map(|(minute, page)| format!("{minute} {page}")).collect()
}

#[test]
fn an_unanswered_page_climbs_by_the_times_of_the_matrix_and_the_last_level_is_called_for_ever() {
    let scene = Scene::new();
    drop(scene.open(Level::L2));
    let pages = said(&pages(&scene, 100));
    assert_eq!(pages, ["0 L1/1", "0 L2/1", "10 L3/1", "25 L4/1", "26 L4/2", "27 L4/3", "57 L4/4", "87 L4/5"]);
}

#[test]
fn all_levels_up_to_a_complete_outage_are_called_at_once() {
    let scene = Scene::new();
    drop(scene.open(Level::L4));
    assert_eq!(said(&pages(&scene, 3)), ["0 L1/1", "0 L2/1", "0 L3/1", "0 L4/1", "1 L4/2", "2 L4/3"]);
}

#[test]
fn a_tick_that_comes_again_does_nothing() {
    let scene = Scene::new();
    drop(scene.open(Level::L1));
    assert_eq!(scene.tick().done.len(), 1);
    let before = scene.state();
    for _ in 0..10 {
        assert_eq!(scene.tick().done, []);
    }
    assert_eq!(scene.state(), before);
}

#[test]
fn once_somebody_has_it_nothing_climbs() {
    let scene = Scene::new();
    drop(scene.open(Level::L1));
    assert_eq!(said(&pages(&scene, 4)), ["0 L1/1"]);
    scene.does("ada", acknowledged("ada")).unwrap();
    assert_eq!(said(&pages(&scene, 29)), [""; 0]);
}

#[test]
fn whoever_has_it_can_call_others() {
    let scene = Scene::new();
    drop(scene.open(Level::L1));
    scene.tick();
    scene.wait(MINUTE);
    scene.does("ada", acknowledged("ada")).unwrap();
    scene.wait(MINUTE);
    scene.does("ada", Event::Escalated { level: Level::L3, why: "help".to_owned() }).unwrap();
    scene.arrived("once");
    assert_eq!(said(&pages(&scene, 20)), ["0 L2/1", "0 L3/1"]);
}

#[test]
fn who_is_not_heard_of_has_it_no_longer_and_the_level_that_was_reached_is_called_again() {
    let scene = Scene::new();
    drop(scene.open(Level::L1));
    scene.tick();
    scene.arrived("once");
    scene.wait(MINUTE);
    scene.does("ada", acknowledged("ada")).unwrap();
    scene.wait(minutes(20));
    scene.does("ada", Event::Noted { text: "still at it".to_owned() }).unwrap();
    assert_eq!(said(&pages(&scene, 36)), ["30 L1/2", "35 L2/1"]);
    assert_eq!(scene.state().held, None);
}

#[test]
fn what_is_given_back_is_called_out_again_at_once() {
    let scene = Scene::new();
    drop(scene.open(Level::L1));
    scene.tick();
    scene.arrived("once");
    scene.does("ada", acknowledged("ada")).unwrap();
    scene.does("ada", Event::Unacknowledged { why: "no time".to_owned() }).unwrap();
    assert_eq!(said(&pages(&scene, 2)), ["0 L1/2"]);
}

#[test]
fn an_update_that_is_overdue_is_asked_for_once() {
    let scene = Scene::of(
        "name: shop\n\
         hosts: { app: { address: local } }\n\
         incidents: { forget_after: 10h }\n\
         channels: { once: { to: { file: pages.jsonl }, for: [page] } }\n",
    );
    drop(scene.open(Level::L1));
    scene.tick();
    scene.wait(MINUTE);
    scene.does("ada", acknowledged("ada")).unwrap();
    scene.tell(MessageKind::Update);
    scene.arrived("once");
    assert_eq!(said(&pages(&scene, 60)), ["21 L1/2"]);
    scene.tell(MessageKind::Update);
    assert_eq!(said(&pages(&scene, 60)), ["21 L1/3"]);
}

#[test]
fn a_service_that_is_well_again_calls_nobody() {
    let scene = Scene::new();
    drop(scene.open(Level::L1));
    scene.tick();
    scene.does("opsctl", Event::Mitigated { text: "it answers".to_owned() }).unwrap();
    scene.arrived("once");
    assert_eq!(said(&pages(&scene, 60)), [""; 0]);
    let status = Event::StatusChanged { status: Status::Investigating, text: "it is back".to_owned() };
    scene.does("opsctl", status).unwrap();
    assert_eq!(said(&pages(&scene, 1)), ["0 L2/1"]);
}

#[test]
fn a_warning_waits_for_the_morning_where_the_responder_may_sleep() {
    let quiet = |severity: &str| {
        let scene = Scene::of(
            "name: shop\n\
             hosts: { app: { address: local } }\n\
             escalation: { L1: { who: ada, within: 5m, quiet: \"22:00-04:00\" } }\n\
             incidents: { zone: UTC }\n\
             channels: { once: { to: { file: pages.jsonl }, for: [page] } }\n",
        );
        let mut opening = scene.opening(Level::L1);
        opening.severity = serde_json::from_value(severity.into()).unwrap();
        drop(scene.desk.create(opening, "opsctl", scene.clock.clone()).unwrap());
        said(&pages(&scene, 52))
    };
    assert_eq!(quiet("warning"), ["46 L1/1", "51 L2/1"]);
    assert_eq!(quiet("critical")[0], "0 L1/1");
}

#[test]
fn what_is_resolved_calls_nobody_and_what_is_opened_again_does() {
    let scene = Scene::new();
    drop(scene.open(Level::L1));
    scene.tick();
    let resolved = Event::Resolved {
        cause: "a full disk".to_owned(),
        resolution: "cleaned up".to_owned(),
        follow_up: Vec::new(),
        forced: None,
    };
    scene.does("ada", resolved).unwrap();
    scene.arrived("once");
    assert_eq!(said(&pages(&scene, 60)), [""; 0]);
    scene.does("opsctl", Event::Reopened { why: "it is back".to_owned() }).unwrap();
    assert_eq!(said(&pages(&scene, 6)), ["0 L1/2", "5 L2/1"]);
}

#[test]
fn a_clock_that_is_set_back_makes_no_tick_endless() {
    let scene = Scene::new();
    drop(scene.open(Level::L1));
    scene.tick();
    scene.does("ada", acknowledged("ada")).unwrap();
    scene.does("ada", Event::Unacknowledged { why: "no time".to_owned() }).unwrap();
    if let crate::base::clock::Clock::Fixed(at) = &scene.clock {
        *at.lock().unwrap() -= minutes(60);
    }
    assert_eq!(scene.tick().done.len(), 1);
    assert_eq!(scene.tick().done.len(), 0);
}
