//! PagerDuty, Events API v2, as its reference describes an event.

use opsctl::incident::envelope::Envelope;
use opsctl::incident::event::Outcome;
use opsctl::model::channel::MessageKind;

use crate::scene::{Scene, message, wild};
use crate::schema::{Checked, is, moment, object, one_of, text};
use crate::server::{Reply, Request, Server};

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn check(request: &Request) -> Checked<String> {
    is(request.method == "POST" && request.path == "/v2/enqueue", "not the place for events")?;
    is(request.body.len() <= 512 * 1024, "an event of more than 512 KB")?;
    let body = request.json()?;
    let optional = ["dedup_key", "payload", "client", "client_url", "links", "images"];
    let event = object(&body, &["routing_key", "event_action"], &optional)?;
    is(event["routing_key"] == KEY, "not the key")?;
    one_of(&event["event_action"], &["trigger", "acknowledge", "resolve"])?;
    if event["event_action"] != "trigger" {
        return text(&body["dedup_key"], 255).map(str::to_owned);
    }
    let optional = ["timestamp", "component", "group", "class", "custom_details"];
    let payload = object(&body["payload"], &["summary", "source", "severity"], &optional)?;
    text(&payload["summary"], 1024)?;
    text(&payload["source"], 1024)?;
    one_of(&payload["severity"], &["critical", "error", "warning", "info"])?;
    moment(&payload["timestamp"])?;
    is(payload["custom_details"].is_object(), "details that are no object")?;
    text(&body["dedup_key"], 255).map(str::to_owned)
}

fn server() -> Server {
    Server::start(|request| match check(request) {
        Ok(key) => Reply::json(
            202,
            &serde_json::json!({ "status": "success", "message": "Event processed", "dedup_key": key }),
        ),
        Err(why) => Reply::json(
            400,
            &serde_json::json!({ "status": "invalid event", "message": "Event object is invalid", "errors": [why] }),
        ),
    })
}

fn scene(server: &Server) -> Scene {
    let to = format!("{{ pagerduty: {{ key: {{ file: key }}, url: \"{}\" }} }}", server.url);
    Scene::with(&to, &[("key", KEY)])
}

#[tokio::test]
async fn an_incident_is_triggered_acknowledged_and_resolved_under_one_key() {
    let server = server();
    let mut scene = scene(&server);
    let held = Envelope { is_acknowledged: true, ..message(3, MessageKind::Update) };
    for message in [
        message(1, MessageKind::Page),
        message(2, MessageKind::Page),
        held,
        message(4, MessageKind::Resolution),
    ] {
        let outcome = scene.send(message).await;
        scene.took(&outcome);
    }
    let events: Vec<_> = server.seen().iter().map(|request| request.json().unwrap()).collect();
    let actions: Vec<_> = events.iter().map(|event| event["event_action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["trigger", "trigger", "acknowledge", "resolve"]);
    assert!(events.iter().all(|event| event["dedup_key"] == "019f0000-0000-7000-8000-00000000abcd"));
}

#[tokio::test]
async fn a_page_that_may_have_arrived_is_resolved_all_the_same() {
    let server = Server::start(|request| match check(request) {
        Ok(_) if request.body.contains("\"trigger\"") => Reply::Reset,
        Ok(_) => Reply::Text(202, "{}".to_owned()),
        Err(why) => Reply::Text(400, why),
    });
    let mut scene = scene(&server);
    let outcome = scene.send(message(1, MessageKind::Page)).await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    let outcome = scene.send(message(2, MessageKind::Resolution)).await;
    scene.took(&outcome);
    assert_eq!(server.seen()[1].json().unwrap()["event_action"], "resolve");
}

#[tokio::test]
async fn an_update_before_anybody_has_it_changes_nothing_there() {
    let server = server();
    let mut scene = scene(&server);
    let outcome = scene.send(message(1, MessageKind::Update)).await;
    scene.took(&outcome);
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_title_of_any_kind_is_an_event_within_its_limits() {
    let server = server();
    let mut scene = scene(&server);
    let outcome = scene.send(wild(1, MessageKind::Page)).await;
    scene.took(&outcome);
    let event = server.seen()[0].json().unwrap();
    let summary = event["payload"]["summary"].as_str().unwrap();
    assert!(
        summary.starts_with("🔥 \"argus\" 'x' `rm -rf` *down* _now_ ~x~ <!channel> <@U1> <b>html</b> &amp;")
    );
}
