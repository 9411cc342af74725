//! Grafana's annotations: its HTTP API with what is in its database.

use std::sync::{Arc, Mutex};

use opsctl::incident::event::Outcome;
use opsctl::model::channel::MessageKind;
use serde_json::{Value, json};

use crate::scene::{Scene, message, wild};
use crate::schema::{Checked, is, list, object, text};
use crate::server::{Reply, Request, Server};

type Annotations = Arc<Mutex<Vec<Value>>>;

fn answer(request: &Request, annotations: &Annotations) -> Checked<Value> {
    let is_ours = request.headers.get("authorization").is_some_and(|word| word == "Bearer glsa_secret");
    is(is_ours, "invalid API key")?;
    let mut annotations = annotations.lock().unwrap();
    match (request.method.as_str(), request.path.split('?').next().unwrap_or_default()) {
        ("GET", "/api/annotations") => {
            let query = reqwest::Url::parse(&format!("http://x{}", request.path)).unwrap();
            let tags: Vec<_> = query
                .query_pairs()
                .filter(|(name, _)| name == "tags")
                .map(|(_, tag)| tag.into_owned())
                .collect();
            is(!tags.is_empty(), "everything is asked for")?;
            let has = |annotation: &Value, tag: &String| {
                annotation["tags"].as_array().unwrap().contains(&json!(tag))
            };
            Ok(annotations
                .iter()
                .filter(|annotation| tags.iter().all(|tag| has(annotation, tag)))
                .cloned()
                .collect())
        }
        ("POST", "/api/annotations") => {
            let mut body = request.json()?;
            let fields = object(&body, &["text"], &["dashboardUID", "panelId", "time", "timeEnd", "tags"])?;
            check(fields)?;
            list(&fields["tags"])?.iter().try_for_each(|tag| text(tag, 100).map(drop))?;
            is(fields["time"].is_i64(), "a time that is no number")?;
            body["id"] = (annotations.len() + 1).into();
            annotations.push(body);
            Ok(json!({ "message": "Annotation added", "id": annotations.len() }))
        }
        ("PATCH", path) => {
            let id = path
                .strip_prefix("/api/annotations/")
                .and_then(|id| id.parse::<i64>().ok())
                .ok_or("no id")?;
            let body = request.json()?;
            let fields = object(&body, &[], &["text", "time", "timeEnd", "tags"])?;
            check(fields)?;
            let place =
                annotations.iter_mut().find(|annotation| annotation["id"] == id).ok_or("not found")?;
            for (name, value) in fields {
                place[name] = value.clone();
            }
            Ok(json!({ "message": "Annotation patched" }))
        }
        _ => Err("no such place".to_owned()),
    }
}

/// The text is shown as HTML.
fn check(fields: &serde_json::Map<String, Value>) -> Checked<()> {
    let text = text(&fields["text"], 65_535)?;
    is(!text.contains(['<', '>']), "a text with markup")?;
    is(fields.get("timeEnd").is_none_or(Value::is_i64), "an end that is no number")
}

fn server(annotations: &Annotations) -> Server {
    let kept = annotations.clone();
    Server::start(move |request| match answer(request, &kept) {
        Ok(value) => Reply::json(200, &value),
        Err(why) => Reply::json(400, &json!({ "message": why })),
    })
}

fn scene(url: &str) -> Scene {
    Scene::with(
        &format!("{{ grafana: {{ url: \"{url}\", token: {{ file: token }} }} }}"),
        &[("token", "glsa_secret\n")],
    )
}

#[tokio::test]
async fn an_incident_is_one_annotation_from_its_beginning_to_its_end() {
    let annotations = Annotations::default();
    let server = server(&annotations);
    let mut scene = scene(&server.url);
    use MessageKind::{Alert, Resolution, Update};
    for (number, kind) in [(1, Alert), (2, Update), (2, Update), (3, Resolution)] {
        let outcome = scene.send(message(number, kind)).await;
        scene.took(&outcome);
    }
    let annotations = annotations.lock().unwrap();
    assert_eq!(annotations.len(), 1);
    assert_eq!(annotations[0]["text"], "Resolved: argus is down");
    assert!(annotations[0]["time"].as_i64() < annotations[0]["timeEnd"].as_i64());
}

#[tokio::test]
async fn an_annotation_whose_answer_was_lost_is_found_and_not_made_twice() {
    let annotations = Annotations::default();
    let kept = annotations.clone();
    let lossy = Server::start(move |request| {
        let answer = answer(request, &kept);
        if request.method == "POST" { Reply::Reset } else { Reply::json(200, &answer.unwrap()) }
    });
    let mut scene = scene(&lossy.url);
    let outcome = scene.send(message(1, MessageKind::Alert)).await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    let outcome = scene.send(message(1, MessageKind::Alert)).await;
    scene.took(&outcome);
    assert_eq!(annotations.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_title_of_any_kind_is_text_within_its_limits() {
    let annotations = Annotations::default();
    let server = server(&annotations);
    let mut scene = scene(&server.url);
    let outcome = scene.send(wild(1, MessageKind::Alert)).await;
    scene.took(&outcome);
    let text = annotations.lock().unwrap()[0]["text"].as_str().unwrap().to_owned();
    assert!(text.contains("&lt;b&gt;html&lt;/b&gt; &amp;amp;"), "{text}");
}
