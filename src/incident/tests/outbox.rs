use super::scene::{Answer, Scene, minutes};
use crate::incident::event::Event;
use crate::incident::state::Delivery;
use crate::model::channel::MessageKind;
use crate::model::escalation::Level;

/// An incident that was opened and whose first page was taken.
fn paged() -> Scene {
    let scene = Scene::new();
    drop(scene.open(Level::L1));
    scene.tick();
    scene.arrived("once");
    scene.arrived("often");
    scene
}

fn delivery(scene: &Scene, message: u32, channel: &str) -> Delivery {
    scene.state().message(message).unwrap().deliveries[channel].clone()
}

#[test]
fn a_channel_that_is_down_holds_up_its_messages_in_their_order_and_no_other_channel() {
    let scene = paged();
    scene.answers("once", &[Answer::Later, Answer::Later]);
    scene.tell(MessageKind::Alert);
    scene.tell(MessageKind::Summary);
    let flushed = scene.tick().flushed;
    assert_eq!((flushed.sent.len(), flushed.waiting.len(), flushed.is_short()), (2, 2, true));
    assert_eq!(scene.arrived("often"), ["alert", "summary"]);
    // 5 seconds, then 10.
    scene.wait(std::time::Duration::from_secs(5));
    scene.tick();
    scene.wait(std::time::Duration::from_secs(9));
    scene.tick();
    assert_eq!(scene.arrived("once"), [""; 0]);
    scene.wait(std::time::Duration::from_secs(1));
    assert!(!scene.tick().flushed.is_short());
    assert_eq!(scene.arrived("once"), ["alert", "summary"]);
}

#[test]
fn a_page_does_not_wait_behind_other_messages() {
    let scene = paged();
    scene.answers("once", &[Answer::Later]);
    scene.tell(MessageKind::Alert);
    scene.does("ada", Event::Escalated { level: Level::L2, why: "help".to_owned() }).unwrap();
    scene.tick();
    assert_eq!(scene.arrived("once"), ["L2/1"]);
}

#[test]
fn what_is_refused_is_said_once_and_never_sent_again() {
    let scene = paged();
    scene.answers("once", &[Answer::Refuse]);
    scene.tell(MessageKind::Alert);
    assert_eq!(scene.tick().flushed.refused.len(), 1);
    scene.wait(minutes(60));
    scene.does("ada", Event::Mitigated { text: String::new() }).unwrap();
    assert!(!scene.tick().flushed.is_short());
    assert_eq!(scene.arrived("once").iter().filter(|kind| *kind == "alert").count(), 0);
}

#[test]
fn a_message_of_a_process_that_died_is_sent_again_where_that_does_no_harm() {
    for has_arrived in [true, false] {
        let scene = paged();
        scene.tell(MessageKind::Alert);
        scene.answers("once", &[Answer::Die { has_arrived }]);
        scene.try_tick().unwrap_err();
        scene.revive();
        let before = scene.arrived("once").len();
        let flushed = scene.tick().flushed;
        assert_eq!(
            (before, scene.arrived("once").as_slice()),
            (usize::from(has_arrived), &["alert".to_owned()][..])
        );
        assert!(flushed.unknown.iter().all(|lost| lost.channel == "often"));
        assert_eq!(delivery(&scene, 2, "once"), Delivery::Sent);
    }
}

#[test]
fn a_message_that_may_have_been_lost_comes_again_only_where_it_calls_somebody_and_says_so() {
    let scene = Scene::of(
        "name: shop\nhosts: { app: { address: local } }\nchannels: { often: { to: { stdout: {} } } }\n",
    );
    drop(scene.open(Level::L1));
    scene.answers("often", &[Answer::Die { has_arrived: true }]);
    scene.try_tick().unwrap_err();
    scene.revive();
    assert_eq!(scene.arrived("often"), ["l1/1".to_uppercase()]);
    let flushed = scene.tick().flushed;
    assert_eq!((flushed.sent.len(), flushed.is_short()), (1, false), "it was repeated");
    assert_eq!(scene.arrived("often"), ["L1/1?"]);

    scene.tell(MessageKind::Alert);
    scene.answers("often", &[Answer::Die { has_arrived: false }]);
    scene.try_tick().unwrap_err();
    scene.revive();
    let flushed = scene.tick().flushed;
    assert_eq!(flushed.unknown.len(), 1, "it is said");
    scene.wait(minutes(4));
    assert!(!scene.tick().flushed.is_short());
    assert_eq!(scene.arrived("often"), [""; 0]);
}

#[test]
fn what_nobody_needs_any_more_is_passed_over() {
    let scene = paged();
    scene.answers("once", &[Answer::Later, Answer::Later]);
    scene.tell(MessageKind::Update);
    scene.does("ada", Event::Escalated { level: Level::L2, why: "help".to_owned() }).unwrap();
    scene.tick();
    scene.wait(minutes(1));
    scene.does("ada", Event::Acknowledged { who: "ada".to_owned() }).unwrap();
    scene.tell(MessageKind::Update);
    let flushed = scene.tick().flushed;
    assert_eq!((flushed.passed_over.len(), flushed.is_short()), (2, false), "{flushed:?}");
    assert_eq!(scene.arrived("once"), ["update"]);
}

#[test]
fn a_channel_that_left_the_inventory_is_told_of_and_not_waited_for() {
    let mut scene = paged();
    scene.tell(MessageKind::Alert);
    scene.inventory.channels.shift_remove("often");
    let flushed = scene.tick().flushed;
    assert_eq!(flushed.refused[0].channel, "often");
    assert!(!scene.tick().flushed.is_short());
}

#[test]
fn a_page_that_was_written_and_not_decided_on_is_not_sent() {
    let scene = paged();
    scene.wait(minutes(5));
    // Both lines of the climb, and the message; not whom it calls.
    scene.channels.life.store(2 * 2, std::sync::atomic::Ordering::SeqCst);
    scene.try_tick().unwrap_err();
    scene.revive();
    assert_eq!(scene.state().messages.len(), 2);
    let flushed = scene.tick().flushed;
    assert_eq!((flushed.passed_over.len(), flushed.sent.len()), (2, 2));
    assert_eq!(scene.arrived("once"), ["L2/1"]);
}

#[test]
fn what_a_channel_gave_is_given_back_to_it() {
    let scene = paged();
    let mut hand = scene.take("ada");
    let memory = serde_json::from_str(r#"{ "ts": "1" }"#).unwrap();
    let message = hand.state().messages.len() as u32 + 1;
    let told = |message| Event::Told {
        message,
        kind: MessageKind::Alert,
        subject: "s".to_owned(),
        text: "t".to_owned(),
        next_update_at: None,
        channels: vec!["once".to_owned()],
    };
    let channel = || "once".to_owned();
    hand.append(told(message)).unwrap();
    hand.append(Event::Sending { message, channel: channel() }).unwrap();
    let outcome = crate::incident::event::Outcome::Sent { memory };
    hand.append(Event::Delivered { message, channel: channel(), outcome }).unwrap();
    hand.append(told(message + 1)).unwrap();
    drop(hand);
    scene.tick();
    let arrived = scene.channels.arrived.lock().unwrap();
    assert_eq!(arrived.last().unwrap().1.memory["ts"], "1");
}
