//! An annotation in Grafana over the time of the incident: made with its first message, given its end when it is resolved.
//!
//! It is found by its tags, so that it is made once.

use serde_json::{Value, json};

use super::text::{cut, entity, said, utf16};
use super::{Answer, Ask, Method, Trouble, below};
use crate::base::url::url_encoded;
use crate::incident::envelope::Envelope;
use crate::incident::event::Status;
use crate::incident::word;
use crate::model::channel::MessageKind;

const LONGEST_TEXT: usize = 2_000;

/// Of one tag, as Grafana's database has it.
const LONGEST_TAG: usize = 100;

pub fn look(url: &str, token: &str, envelope: &Envelope) -> Ask {
    let query =
        format!("api/annotations?type=annotation&limit=1&tags=opsctl&tags={}", url_encoded(&tag(envelope)));
    with(token, Ask::get(below(url, &query)))
}

/// The number of the annotation that is there.
pub fn found(answer: &Answer) -> Result<Option<i64>, Trouble> {
    let unread = || Trouble::later(format!("its list of annotations cannot be read: {}", said(&answer.body)));
    let listed = answer.value().map_err(|_| unread())?;
    Ok(listed.as_array().ok_or_else(unread)?.first().and_then(|annotation| annotation["id"].as_i64()))
}

pub fn make(url: &str, token: &str, envelope: &Envelope) -> Ask {
    let mut annotation = json!({
        "time": envelope.started_at.as_millisecond(),
        "tags": ["opsctl", tag(envelope), short(&envelope.site), word::severity(envelope.severity)],
        "text": text(envelope),
    });
    if is_over(envelope) {
        annotation["timeEnd"] = envelope.at.as_millisecond().into();
    }
    with(token, Ask::json(Method::Post, below(url, "api/annotations"), &annotation))
}

/// Brings the annotation to how the incident stands.
pub fn change(url: &str, token: &str, id: i64, envelope: &Envelope) -> Ask {
    let mut change = json!({ "text": text(envelope) });
    if is_over(envelope) {
        change["timeEnd"] = envelope.at.as_millisecond().into();
    }
    with(token, Ask::json(Method::Patch, below(url, &format!("api/annotations/{id}")), &change))
}

fn with(token: &str, ask: Ask) -> Ask {
    ask.header("authorization", format!("Bearer {token}")).header("accept", "application/json")
}

fn is_over(envelope: &Envelope) -> bool {
    envelope.kind == MessageKind::Resolution || envelope.status == Status::Resolved
}

fn tag(envelope: &Envelope) -> String {
    format!("incident:{}", envelope.incident)
}

fn short(text: &str) -> String {
    cut(&word::line(text), LONGEST_TAG, utf16, |c| c.to_string())
}

/// An annotation's text is HTML.
fn text(envelope: &Envelope) -> Value {
    let text = format!("{}: {}", word::status(envelope.status), word::line(&envelope.title));
    cut(&text, LONGEST_TEXT, utf16, entity).into()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{envelope, wild};
    use super::*;

    fn body(ask: &Ask) -> Value {
        serde_json::from_str(ask.body.as_ref().unwrap()).unwrap()
    }

    #[test]
    fn an_annotation_begins_with_the_incident_and_ends_with_its_resolution() {
        let made = make("http://g/", "t", &envelope(MessageKind::Alert));
        assert_eq!((made.method, made.url.as_str()), (Method::Post, "http://g/api/annotations"));
        assert_eq!(body(&made)["time"], 1_772_334_600_000_i64);
        assert!(body(&made).get("timeEnd").is_none());
        let over = Envelope { status: Status::Resolved, ..envelope(MessageKind::Resolution) };
        let ended = change("http://g", "t", 7, &over);
        assert_eq!((ended.method, ended.url.as_str()), (Method::Patch, "http://g/api/annotations/7"));
        let expected = json!({ "text": "Resolved: argus is down", "timeEnd": 1_772_334_840_000_i64 });
        assert_eq!(body(&ended), expected);
    }

    #[test]
    fn html_in_a_title_is_text_and_a_title_of_any_length_fits() {
        let message = Envelope { title: wild(), site: wild(), ..envelope(MessageKind::Alert) };
        let body = body(&make("http://g", "t", &message));
        let text = body["text"].as_str().unwrap();
        assert!(
            text.contains("&lt;b&gt;html&lt;/b&gt; &amp;amp;") && text.encode_utf16().count() <= LONGEST_TEXT
        );
        assert!(body["tags"][2].as_str().unwrap().encode_utf16().count() <= LONGEST_TAG);
    }

    #[test]
    fn the_annotation_of_this_incident_is_looked_for() {
        let ask = look("http://g", "t", &envelope(MessageKind::Alert));
        assert!(
            ask.url.ends_with("tags=opsctl&tags=incident%3A019f0000-0000-7000-8000-00000000abcd"),
            "{}",
            ask.url
        );
        let answer =
            |body: &str| Answer { status: 200, retry_after: None, body: body.to_owned(), is_whole: true };
        assert_eq!(found(&answer("[]")), Ok(None));
        assert_eq!(found(&answer(r#"[{"id": 7, "text": "x"}]"#)), Ok(Some(7)));
        assert!(matches!(found(&answer("{}")), Err(Trouble::Later { .. })));
    }
}
