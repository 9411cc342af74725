//! A signed webhook, as Standard Webhooks says (version 1, symmetric): `webhook-id`, `webhook-timestamp`, `webhook-signature`.
//!
//! The id is that of the delivery, the same whenever it is sent again, so that the receiver can take it once.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::{Value, json};

use super::text::{cut, utf16};
use super::{Ask, Method, Trouble};
use crate::base::clock::Timestamp;
use crate::incident::envelope::Envelope;
use crate::incident::word;

/// Of one text in the payload, so that a receiver with a small bound takes it.
const LONGEST_TEXT: usize = 20_000;

pub fn ask(
    url: &str,
    secret: &str,
    delivery: &str,
    envelope: &Envelope,
    now: Timestamp,
) -> Result<Ask, Trouble> {
    let key = key(secret)?;
    let body = json!({
        "type": format!("incident.{}", word::kind(envelope.kind)),
        "timestamp": envelope.at,
        "data": data(envelope),
    })
    .to_string();
    let seconds = now.as_second();
    let signature = sign(&key, delivery, seconds, &body);
    let ask = Ask { method: Method::Post, url: url.to_owned(), headers: Vec::new(), body: Some(body) };
    Ok(ask
        .header("content-type", "application/json")
        .header("webhook-id", delivery)
        .header("webhook-timestamp", seconds.to_string())
        .header("webhook-signature", signature))
}

/// What is known of a message, for programs: in a webhook and in a file.
pub fn data(envelope: &Envelope) -> Value {
    let written = |text: &str| cut(text, LONGEST_TEXT, utf16, |c| c.to_string());
    let page = envelope.page.as_ref();
    json!({
        "incident": envelope.incident,
        "message": envelope.message,
        "kind": envelope.kind,
        "site": envelope.site,
        "title": written(&envelope.title),
        "severity": word::severity(envelope.severity),
        "status": envelope.status,
        "services": envelope.services,
        "subject": written(&envelope.subject),
        "text": written(&envelope.text),
        "started_at": envelope.started_at,
        "at": envelope.at,
        "next_update_at": envelope.next_update_at,
        "acknowledged": envelope.is_acknowledged,
        "page": page.map(|page| json!({ "level": page.level, "round": page.round, "who": page.who })),
    })
}

/// The key's bytes: base64 after `whsec_`, which may be missing.
fn key(secret: &str) -> Result<Vec<u8>, Trouble> {
    let bytes = STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).unwrap_or_default();
    match bytes.is_empty() {
        true => Err(Trouble::Refused("its secret is not `whsec_` and base64".to_owned())),
        false => Ok(bytes),
    }
}

fn sign(key: &[u8], id: &str, seconds: i64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let tag = hmac::sign(&key, format!("{id}.{seconds}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(tag))
}

#[cfg(test)]
mod tests {
    use super::super::sample::envelope;
    use super::*;
    use crate::model::channel::MessageKind;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    /// That of the reference libraries.
    #[test]
    fn the_published_test_vector_has_its_signature() {
        let signature = sign(
            &key(SECRET).unwrap(),
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            "{\"test\": 2432232314}",
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_delivery_that_is_sent_again_has_its_id_and_a_new_time() {
        let message = envelope(MessageKind::Alert);
        let sent =
            |at: &str| ask("https://example.com", SECRET, "id-1", &message, at.parse().unwrap()).unwrap();
        let (first, second) = (sent("2026-03-01T03:14:00Z"), sent("2026-03-01T03:20:00Z"));
        let header =
            |ask: &Ask, name: &str| ask.headers.iter().find(|(key, _)| *key == name).unwrap().1.clone();
        assert_eq!(first.body, second.body);
        assert_eq!(header(&first, "webhook-id"), header(&second, "webhook-id"));
        assert_ne!(header(&first, "webhook-timestamp"), header(&second, "webhook-timestamp"));
        assert_ne!(header(&first, "webhook-signature"), header(&second, "webhook-signature"));
    }

    #[test]
    fn a_secret_that_is_no_key_is_refused_without_being_shown() {
        for secret in ["whsec_", "whsec_not base64!", ""] {
            match key(secret) {
                Err(Trouble::Refused(why)) => {
                    assert!(secret.is_empty() || !why.contains("not base64!"), "{why}")
                }
                other => panic!("{other:?}"),
            }
        }
    }
}
