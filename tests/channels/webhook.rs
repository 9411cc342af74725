//! A receiver of Standard Webhooks, which takes nothing that is not signed, too old, or there already.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use opsctl::incident::event::Outcome;
use opsctl::model::channel::MessageKind;
use ring::hmac;

use crate::scene::{Scene, message, wild};
use crate::schema::{Checked, is, moment, object};
use crate::server::{Reply, Request, Server};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn check(request: &Request, secret: &str) -> Checked<String> {
    let header = |name: &str| request.headers.get(name).cloned().ok_or_else(|| format!("no {name}"));
    let (id, timestamp) = (header("webhook-id")?, header("webhook-timestamp")?);
    let seconds: i64 = timestamp.parse().map_err(|_| "not a time")?;
    let age = jiff::Timestamp::now().as_second() - seconds;
    is(age.abs() < 300, "too old, or from the future")?;
    let key = STANDARD.decode(secret.trim_start_matches("whsec_")).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let signed = format!("{id}.{timestamp}.{}", request.body);
    let header = header("webhook-signature")?;
    let is_signed =
        header.split(' ').filter_map(|signature| signature.strip_prefix("v1,")).any(|signature| {
            STANDARD.decode(signature).is_ok_and(|tag| hmac::verify(&key, signed.as_bytes(), &tag).is_ok())
        });
    is(is_signed, "not signed")?;
    let body = request.json()?;
    let payload = object(&body, &["type", "timestamp", "data"], &[])?;
    is(payload["type"].as_str().is_some_and(|kind| kind.starts_with("incident.")), "an unknown type")?;
    moment(&payload["timestamp"])?;
    Ok(id)
}

fn server(secret: &'static str) -> Server {
    let mut known = BTreeSet::new();
    Server::start(move |request| match check(request, secret) {
        Ok(id) => Reply::Text(200, if known.insert(id) { "taken" } else { "known" }.to_owned()),
        Err(why) => Reply::Text(401, why),
    })
}

fn scene(server: &Server) -> Scene {
    let to = format!("{{ webhook: {{ url: \"{}/in\", secret: {{ file: secret }} }} }}", server.url);
    Scene::with(&to, &[("secret", SECRET)])
}

#[tokio::test]
async fn a_message_is_signed_and_has_the_same_id_when_it_is_sent_again() {
    let server = server(SECRET);
    let mut scene = scene(&server);
    for number in [1, 2, 1] {
        let outcome = scene.send(message(number, MessageKind::Update)).await;
        scene.took(&outcome);
    }
    let ids: Vec<_> = server.seen().iter().map(|request| request.headers["webhook-id"].clone()).collect();
    assert_eq!(ids[0], "019f0000-0000-7000-8000-00000000abcd-1-ops");
    assert!(ids[0] == ids[2] && ids[0] != ids[1], "{ids:?}");
}

#[tokio::test]
async fn another_key_is_refused() {
    let server = server("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
    let outcome = scene(&server).send(message(1, MessageKind::Update)).await;
    assert!(matches!(&outcome, Outcome::Refused { why } if why == "401: not signed"), "{outcome:?}");
}

#[tokio::test]
async fn a_title_of_any_kind_is_signed_as_it_is_sent() {
    let server = server(SECRET);
    let mut scene = scene(&server);
    let outcome = scene.send(wild(1, MessageKind::Alert)).await;
    scene.took(&outcome);
    let body = server.seen()[0].json().unwrap();
    assert_eq!(body["data"]["title"], crate::scene::wild_text());
}
