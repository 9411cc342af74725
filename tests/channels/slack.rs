//! Slack: an incoming webhook, and the Web API with the messages of a channel.

use std::sync::{Arc, Mutex};

use opsctl::incident::event::Outcome;
use opsctl::model::channel::MessageKind;
use serde_json::{Value, json};

use crate::scene::{Scene, message, why, wild};
use crate::schema::{Checked, is, list, object, one_of, text};
use crate::server::{Reply, Request, Server};

const TOKEN: &str = "xoxb-000000000000-abcdefghijklmnop";
const HOOK: &str = "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX";

/// The parts of a message that webhook and Web API share.
fn check_message(message: &Value) -> Checked<()> {
    text(&message["text"], 40_000)?;
    is(!markup(message["text"].as_str().unwrap_or_default()), "a text with a control sequence")?;
    let blocks = list(&message["blocks"])?;
    is(blocks.len() <= 50, "more than 50 blocks")?;
    let mut whole = 0;
    for block in blocks {
        let block = object(block, &["type", "text"], &["block_id"])?;
        one_of(&block["type"], &["header", "section"])?;
        let most = if block["type"] == "header" { 150 } else { 3_000 };
        let plain = object(&block["text"], &["type", "text"], &["emoji"])?;
        one_of(&plain["type"], &["plain_text"])?;
        whole += text(&plain["text"], most)?.encode_utf16().count();
    }
    is(whole <= 13_000, "msg_blocks_too_long")
}

/// Whether something of it would be a link, a mention or a command: `<` begins each of them.
fn markup(text: &str) -> bool {
    let entities = ["&amp;", "&lt;", "&gt;"].iter().map(|entity| text.matches(entity).count()).sum::<usize>();
    text.contains(['<', '>']) || text.matches('&').count() != entities
}

fn webhook() -> Server {
    let check = |request: &Request| {
        is(request.method == "POST" && request.path == HOOK, "no_service")?;
        let body = request.json()?;
        object(&body, &["text"], &["blocks", "mrkdwn"])?;
        check_message(&body)
    };
    Server::start(move |request| match check(request) {
        Ok(()) => Reply::Text(200, "ok".to_owned()),
        Err(why) => Reply::Text(400, format!("invalid_payload: {why}")),
    })
}

/// What is in the channel: for each message its time, the message that it is under, and its body.
type Said = Arc<Mutex<Vec<(String, Option<String>, Value)>>>;

fn api(request: &Request, said: &Said) -> Checked<Value> {
    let is_ours = request.headers.get("authorization").is_some_and(|word| word == &format!("Bearer {TOKEN}"));
    is(is_ours, "invalid_auth")?;
    let body = request.json()?;
    let mut said = said.lock().unwrap();
    let is_there = |ts: &str| said.iter().any(|(there, _, _)| there == ts);
    is(body["channel"] == "C0123456789", "channel_not_found")?;
    match request.path.as_str() {
        "/api/chat.postMessage" => {
            let optional =
                ["blocks", "mrkdwn", "unfurl_links", "unfurl_media", "thread_ts", "reply_broadcast"];
            object(&body, &["channel", "text"], &optional)?;
            check_message(&body)?;
            let parent = body["thread_ts"].as_str().map(str::to_owned);
            is(parent.as_deref().is_none_or(is_there), "thread_not_found")?;
            let ts = format!("1772334840.{:06}", said.len() + 1);
            said.push((ts.clone(), parent, body));
            Ok(json!({ "ok": true, "channel": "C0123456789", "ts": ts, "message": {} }))
        }
        "/api/chat.update" => {
            object(&body, &["channel", "ts", "text"], &["blocks", "mrkdwn"])?;
            check_message(&body)?;
            let ts = body["ts"].as_str().unwrap_or_default().to_owned();
            let place = said.iter_mut().find(|(there, _, _)| *there == ts).ok_or("message_not_found")?;
            place.2 = body;
            Ok(json!({ "ok": true, "channel": "C0123456789", "ts": ts, "text": "" }))
        }
        _ => Err("unknown_method".to_owned()),
    }
}

fn bot() -> (Server, Said) {
    let said = Said::default();
    let kept = said.clone();
    let server = Server::start(move |request| {
        let answer = api(request, &kept).unwrap_or_else(|error| json!({ "ok": false, "error": error }));
        Reply::json(200, &answer)
    });
    (server, said)
}

fn by_webhook(server: &Server) -> Scene {
    let url = format!("{}{HOOK}", server.url);
    Scene::with("{ slack: { webhook: { file: url } } }", &[("url", &url)])
}

fn by_bot(server: &Server) -> Scene {
    let to =
        format!("{{ slack: {{ token: {{ file: token }}, channel: C0123456789, url: \"{}\" }} }}", server.url);
    Scene::with(&to, &[("token", TOKEN)])
}

#[tokio::test]
async fn a_webhook_takes_messages_of_any_kind_and_length() {
    let server = webhook();
    let mut scene = by_webhook(&server);
    for message in [message(1, MessageKind::Alert), wild(2, MessageKind::Update)] {
        let outcome = scene.send(message).await;
        scene.took(&outcome);
    }
    let shown = server.seen()[1].json().unwrap()["blocks"][1]["text"]["text"].as_str().unwrap().to_owned();
    assert!(
        shown.contains(
            "*down* _now_ ~x~ &lt;!channel&gt; &lt;@U1&gt; &lt;b&gt;html&lt;/b&gt; &amp;amp; [a](http://b)"
        ),
        "{shown}"
    );
}

#[tokio::test]
async fn a_webhook_that_was_removed_is_final_and_its_url_stays_unknown() {
    let server = Server::start(|request| Reply::Text(404, format!("no_service at {}", request.path)));
    let outcome = by_webhook(&server).send(message(1, MessageKind::Alert)).await;
    assert!(matches!(outcome, Outcome::Refused { .. }), "{outcome:?}");
    assert!(!why(&outcome).contains("XXXXXXXXXXXXXXXXXXXXXXXX"), "{outcome:?}");
}

#[tokio::test]
async fn a_bot_keeps_one_message_to_the_state_and_puts_the_rest_under_it() {
    let (server, said) = bot();
    let mut scene = by_bot(&server);
    let update = opsctl::incident::envelope::Envelope {
        subject: "the cause is known".to_owned(),
        ..message(2, MessageKind::Update)
    };
    for message in [
        message(1, MessageKind::Alert),
        update,
        message(3, MessageKind::Page),
        wild(4, MessageKind::Resolution),
    ] {
        let outcome = scene.send(message).await;
        scene.took(&outcome);
    }
    let calls: Vec<_> = server.asked().iter().map(|call| call.replace("POST /api/chat.", "")).collect();
    assert_eq!(calls, ["postMessage", "update", "postMessage", "postMessage", "update", "postMessage"]);
    let said = said.lock().unwrap();
    let first = &said[0];
    assert!(first.1.is_none());
    assert!(said[1..].iter().all(|(_, parent, _)| parent.as_ref() == Some(&first.0)));
    assert_eq!(said[1].2["blocks"][0]["text"]["text"], "the cause is known");
    let broadcast: Vec<_> = said[1..].iter().map(|(_, _, body)| body["reply_broadcast"] == true).collect();
    assert_eq!(broadcast, [false, true, true]);
    assert!(first.2["text"].as_str().unwrap().starts_with("🔥"), "the first message shows how it stands");
}

#[tokio::test]
async fn a_message_that_somebody_deleted_is_begun_anew() {
    let (server, said) = bot();
    let mut scene = by_bot(&server);
    let outcome = scene.send(message(1, MessageKind::Alert)).await;
    scene.took(&outcome);
    said.lock().unwrap().clear();
    for number in [2, 3] {
        let outcome = scene.send(message(number, MessageKind::Update)).await;
        scene.took(&outcome);
    }
    let said = said.lock().unwrap();
    assert_eq!((said.len(), said[0].1.is_none()), (2, true));
    assert_eq!(said[1].1.as_ref(), Some(&said[0].0));
}

#[tokio::test]
async fn a_no_in_an_answer_that_looks_like_a_yes_is_a_no() {
    let (server, _) = bot();
    let to = format!("{{ slack: {{ token: {{ file: token }}, channel: C9, url: \"{}\" }} }}", server.url);
    let outcome = Scene::with(&to, &[("token", TOKEN)]).send(message(1, MessageKind::Alert)).await;
    assert!(matches!(&outcome, Outcome::Refused { why } if why == "channel_not_found"), "{outcome:?}");
    let slow = Server::always(|| Reply::Header(429, "Retry-After", "7".to_owned()));
    let outcome = by_bot(&slow).send(message(1, MessageKind::Alert)).await;
    assert!(matches!(outcome, Outcome::Later { .. }), "{outcome:?}");
}
