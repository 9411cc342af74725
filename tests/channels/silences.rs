//! Alertmanager's silences: what is concluded where its API misbehaves. What it does itself is tried on a real one.

use std::sync::{Arc, Mutex};

use opsctl::incident::envelope::Envelope;
use opsctl::incident::event::Outcome;
use opsctl::model::channel::MessageKind;
use serde_json::{Value, json};

use crate::scene::{Scene, alerts, message};
use crate::server::{Reply, Request, Server};

fn held(number: u32) -> Envelope {
    let alerts = alerts(&["argus-1"]);
    Envelope { is_acknowledged: true, alerts, ..message(number, MessageKind::Update) }
}

/// Keeps silences; a new one for every request that names none.
fn keep(request: &Request, silences: &Mutex<Vec<Value>>) -> Reply {
    let mut silences = silences.lock().unwrap();
    if request.method == "GET" {
        return Reply::json(200, &silences.iter().cloned().collect());
    }
    let mut silence = request.json().unwrap();
    if silence["id"].is_null() {
        silence["id"] = format!("s-{}", silences.len() + 1).into();
        silence["status"] = json!({ "state": "active" });
        silences.push(silence.clone());
    }
    Reply::json(200, &json!({ "silenceID": silence["id"] }))
}

#[tokio::test]
async fn a_silence_whose_answer_was_lost_is_found_and_not_made_twice() {
    let silences = Arc::new(Mutex::new(Vec::new()));
    let kept = silences.clone();
    let mut is_first = true;
    let server = Server::start(move |request| {
        let reply = keep(request, &kept);
        let is_lost = request.method == "POST" && std::mem::take(&mut is_first);
        if is_lost { Reply::Reset } else { reply }
    });
    let mut scene = Scene::new(&format!("{{ alertmanager: {{ url: \"{}\" }} }}", server.url));
    let outcome = scene.send(held(1)).await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    let outcome = scene.send(held(1)).await;
    scene.took(&outcome);
    assert_eq!(silences.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn nothing_is_silenced_where_the_silences_cannot_be_seen() {
    let server = Server::always(|| Reply::Text(200, "<html>".to_owned()));
    let mut scene = Scene::new(&format!("{{ alertmanager: {{ url: \"{}\" }} }}", server.url));
    let outcome = scene.send(held(1)).await;
    assert!(matches!(outcome, Outcome::Later { .. }), "{outcome:?}");
    assert_eq!(server.asked(), ["GET /api/v2/silences"]);
}
