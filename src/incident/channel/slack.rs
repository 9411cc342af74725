//! Slack: an incoming webhook, or a bot. A bot keeps one message of an incident up to date, and puts what is new under it.
//!
//! All text is in `plain_text` blocks, which read no markup. The `text` beside them, which notifications show, is sent with `mrkdwn` off;
//! `&`, `<` and `>` are escaped in both, as Slack asks for.

use serde_json::{Value, json};

use super::text::{cut, entity, utf16};
use super::{Answer, Ask, Memory, Method, Trouble, below};
use crate::incident::envelope::Envelope;
use crate::incident::word;
use crate::model::channel::MessageKind;

/// Of a header block.
const LONGEST_HEADER: usize = 150;

/// Of the text of one section block.
const LONGEST_SECTION: usize = 3_000;

/// All blocks together may have some 13,000 characters (`msg_blocks_too_long`), though it is written nowhere.
const MOST_SECTIONS: usize = 3;

/// Of the text beside the blocks.
const LONGEST_TEXT: usize = 3_000;

/// What the message that is kept up to date is known by.
const TS: &str = "ts";

/// Where it is, as Slack said.
const CHANNEL: &str = "channel";

pub fn webhook(url: String, envelope: &Envelope) -> Ask {
    Ask::json(Method::Post, url, &said(envelope))
}

/// What a webhook answers is a word; a status that is not 2xx has said no already.
pub fn read_webhook(answer: &Answer) -> Result<Memory, Trouble> {
    match answer.body.trim() {
        "ok" | "" => Ok(Memory::new()),
        body if !answer.is_whole => {
            Err(Trouble::Unknown(format!("the answer broke off: {}", super::text::said(body))))
        }
        body => Err(Trouble::Refused(super::text::said(body))),
    }
}

/// A new message in the channel; below `parent`, where there is one.
pub fn post(url: &str, token: &str, channel: &str, parent: Option<&str>, envelope: &Envelope) -> Ask {
    let mut message = said(envelope);
    message["channel"] = channel.into();
    message["unfurl_links"] = false.into();
    message["unfurl_media"] = false.into();
    if let Some(parent) = parent {
        message["thread_ts"] = parent.into();
        // What everybody has to see is shown in the channel as well.
        message["reply_broadcast"] =
            matches!(envelope.kind, MessageKind::Page | MessageKind::Resolution).into();
    }
    call(url, token, "chat.postMessage", &message)
}

/// The first message, brought to how the incident stands.
pub fn update(url: &str, token: &str, channel: &str, ts: &str, envelope: &Envelope) -> Ask {
    let mut message = said(envelope);
    message["channel"] = channel.into();
    message["ts"] = ts.into();
    call(url, token, "chat.update", &message)
}

fn call(url: &str, token: &str, method: &str, message: &Value) -> Ask {
    Ask::json(Method::Post, below(url, &format!("api/{method}")), message)
        .header("authorization", format!("Bearer {token}"))
}

/// What Slack's Web API said: `ok`, or an error that it has a word for.
#[derive(Debug, PartialEq)]
pub enum Said {
    Ok {
        channel: Option<String>,
        ts: Option<String>,
    },
    /// There is no such message (any more), or it cannot be edited.
    NoMessage,
}

pub fn read(answer: &Answer) -> Result<Said, Trouble> {
    let value = answer.value()?;
    let word = |name: &str| value[name].as_str().map(str::to_owned);
    if value["ok"] == true {
        return Ok(Said::Ok { channel: word("channel"), ts: word("ts") });
    }
    let error = word("error").unwrap_or_else(|| "an answer without `ok` and `error`".to_owned());
    match error.as_str() {
        "message_not_found" | "thread_not_found" | "cant_update_message" | "edit_window_closed" => {
            Ok(Said::NoMessage)
        }
        "ratelimited" | "rate_limited" | "internal_error" | "service_unavailable" | "team_added_to_org" => {
            Err(Trouble::later(error))
        }
        "fatal_error" | "request_timeout" => Err(Trouble::Unknown(error)),
        _ => Err(Trouble::Refused(super::text::said(&error))),
    }
}

/// Where the message is that is kept up to date: its channel and its time, which is its name.
pub fn remembered(memory: &Memory) -> Option<(String, String)> {
    let word = |name: &str| memory.get(name)?.as_str().map(str::to_owned);
    Some((word(CHANNEL)?, word(TS)?))
}

pub fn memory(channel: &str, ts: &str) -> Memory {
    [(CHANNEL, channel), (TS, ts)]
        .map(|(name, text)| (name.to_owned(), Value::from(text)))
        .into_iter()
        .collect()
}

fn said(envelope: &Envelope) -> Value {
    let subject = word::line(&envelope.subject);
    let text = word::plain(&envelope.text);
    let mut blocks = vec![json!({ "type": "header", "text": plain(&subject, LONGEST_HEADER) })];
    // A subject that was cut is told in full before the text.
    let whole = if utf16(&subject) > LONGEST_HEADER { format!("{subject}\n\n{text}") } else { text.clone() };
    for section in sections(&whole) {
        blocks.push(json!({ "type": "section", "text": plain(&section, LONGEST_SECTION) }));
    }
    let short = format!("{subject}\n{text}");
    json!({ "text": cut(short.trim(), LONGEST_TEXT, utf16, entity), "mrkdwn": false, "blocks": blocks })
}

fn plain(text: &str, most: usize) -> Value {
    // A text object without a character is refused.
    let text = if text.trim().is_empty() { "…".to_owned() } else { cut(text, most, utf16, entity) };
    json!({ "type": "plain_text", "text": text, "emoji": false })
}

/// The text in as many parts as there may be, each with whole lines as long as that is possible.
fn sections(text: &str) -> Vec<String> {
    let mut sections = vec![String::new()];
    let mut used = 0;
    for line in text.split_inclusive('\n') {
        let size: usize = line.chars().map(|c| utf16(&entity(c))).sum();
        if used > 0 && used + size > LONGEST_SECTION && sections.len() < MOST_SECTIONS {
            sections.push(String::new());
            used = 0;
        }
        used += size;
        if let Some(last) = sections.last_mut() {
            last.push_str(line);
        }
    }
    sections.retain(|section| !section.trim().is_empty());
    sections
}

#[cfg(test)]
mod tests {
    use super::super::sample::{envelope, wild};
    use super::*;

    fn body(ask: Ask) -> Value {
        serde_json::from_str(&ask.body.unwrap()).unwrap()
    }

    fn answer(body: &str) -> Answer {
        Answer { status: 200, retry_after: None, body: body.to_owned(), is_whole: true }
    }

    #[test]
    fn markup_in_a_message_is_text() {
        let message = Envelope { subject: "*a* <!channel> & `b`".to_owned(), ..envelope(MessageKind::Alert) };
        let body = body(webhook("https://hooks.slack.com/services/x".to_owned(), &message));
        let header = &body["blocks"][0]["text"];
        assert_eq!(
            *header,
            json!({ "type": "plain_text", "text": "*a* &lt;!channel&gt; &amp; `b`", "emoji": false })
        );
        assert_eq!(body["mrkdwn"], false);
        assert!(body["text"].as_str().unwrap().starts_with("*a* &lt;!channel&gt; &amp; `b`\nTime:"));
    }

    #[test]
    fn a_message_of_any_length_is_within_every_limit() {
        for text in
            [wild().repeat(9), "<\n".repeat(9_000), "&".repeat(9_000), String::new(), " \n ".to_owned()]
        {
            let message = Envelope { subject: wild(), text, ..envelope(MessageKind::Alert) };
            let body = body(webhook("https://hooks.slack.com/services/x".to_owned(), &message));
            let size = |value: &Value| value.as_str().unwrap().encode_utf16().count();
            let blocks = body["blocks"].as_array().unwrap();
            assert!((1..=LONGEST_HEADER).contains(&size(&blocks[0]["text"]["text"])));
            for block in &blocks[1..] {
                assert!((1..=LONGEST_SECTION).contains(&size(&block["text"]["text"])), "{block}");
            }
            let all: usize = blocks.iter().map(|block| size(&block["text"]["text"])).sum();
            assert!(all < 13_000 && size(&body["text"]) <= LONGEST_TEXT, "{all}");
        }
    }

    #[test]
    fn a_reply_is_under_the_message_and_an_end_is_shown_to_all() {
        let reply = |kind| body(post("https://slack.com", "t", "C1", Some("1.2"), &envelope(kind)));
        assert_eq!(reply(MessageKind::Update)["thread_ts"], "1.2");
        assert_eq!(reply(MessageKind::Update)["reply_broadcast"], false);
        assert_eq!(reply(MessageKind::Resolution)["reply_broadcast"], true);
        let first = body(post("https://slack.com", "t", "C1", None, &envelope(MessageKind::Alert)));
        assert!(first.get("thread_ts").is_none());
    }

    #[test]
    fn an_error_that_passes_is_told_from_one_that_does_not() {
        let ok = Said::Ok { channel: Some("C1".to_owned()), ts: Some("1.2".to_owned()) };
        assert_eq!(read(&answer(r#"{"ok":true,"channel":"C1","ts":"1.2"}"#)), Ok(ok));
        assert_eq!(read(&answer(r#"{"ok":false,"error":"message_not_found"}"#)), Ok(Said::NoMessage));
        assert_eq!(
            read(&answer(r#"{"ok":false,"error":"ratelimited"}"#)),
            Err(Trouble::later("ratelimited"))
        );
        let refused = Trouble::Refused("invalid_auth".to_owned());
        assert_eq!(read(&answer(r#"{"ok":false,"error":"invalid_auth"}"#)), Err(refused));
        assert!(matches!(read(&answer("<html>")), Err(Trouble::Unknown(_))));
        assert!(matches!(read(&Answer { is_whole: false, ..answer("") }), Err(Trouble::Unknown(_))));
    }
}
