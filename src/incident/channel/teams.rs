//! Microsoft Teams: an Adaptive Card in the envelope that a workflow's webhook takes.
//!
//! A `TextBlock` reads Markdown; a `TextRun` does not. So all text is in runs, and is shown as it is.

use serde_json::{Value, json};

use super::text::{cut, json_bytes};
use super::{Ask, Method};
use crate::incident::envelope::Envelope;
use crate::incident::word;
use crate::model::thresholds::Severity;

/// A message may have 28 KB as a whole; this leaves room for what is around the text.
const LONGEST_TEXT: usize = 20_000;
const LONGEST_SUBJECT: usize = 1_000;
const LONGEST_FACT: usize = 1_000;

pub fn ask(url: String, envelope: &Envelope) -> Ask {
    let card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": written(&word::line(&envelope.subject), LONGEST_SUBJECT),
        "msteams": { "width": "Full" },
        "body": body(envelope),
    });
    let message = json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": card,
        }],
    });
    Ask::json(Method::Post, url, &message)
}

fn body(envelope: &Envelope) -> Vec<Value> {
    let colour = if envelope.severity >= Severity::Critical { "attention" } else { "warning" };
    let mut facts =
        vec![word::severity(envelope.severity).to_owned(), word::status(envelope.status).to_owned()];
    if !envelope.services.is_empty() {
        facts.push(word::line(&envelope.services.join(", ")));
    }
    let mut blocks = vec![
        block(json!([{
            "type": "TextRun", "size": "large", "weight": "bolder",
            "text": written(&word::line(&envelope.subject), LONGEST_SUBJECT),
        }])),
        block(
            json!([{ "type": "TextRun", "color": colour, "text": written(&facts.join(" · "), LONGEST_FACT) }]),
        ),
    ];
    // A run keeps no line ends on every client: each line is a block of its own.
    let text = written(&word::plain(&envelope.text), LONGEST_TEXT);
    blocks.extend(lines(&text).map(|line| block(json!([{ "type": "TextRun", "text": line }]))));
    blocks
}

/// The lines that say something; after so many of them the rest is one.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    const MOST: usize = 40;
    let mut lines = text.splitn(MOST, '\n').filter(|line| !line.trim().is_empty()).peekable();
    let is_empty = lines.peek().is_none();
    lines.chain(is_empty.then_some("…"))
}

fn block(inlines: Value) -> Value {
    json!({ "type": "RichTextBlock", "inlines": inlines })
}

fn written(text: &str, most: usize) -> String {
    match cut(text, most, json_bytes, |c| c.to_string()) {
        text if text.is_empty() => "…".to_owned(),
        text => text,
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{envelope, wild};
    use super::*;
    use crate::model::channel::MessageKind;

    fn card(envelope: &Envelope) -> (usize, Value) {
        let body = ask("https://example.com/workflow".to_owned(), envelope).body.unwrap();
        let message: Value = serde_json::from_str(&body).unwrap();
        (body.len(), message["attachments"][0]["content"].clone())
    }

    #[test]
    fn each_line_is_a_run_which_reads_no_markdown() {
        let (_, card) = card(&envelope(MessageKind::Update));
        let text: Vec<_> =
            card["body"].as_array().unwrap().iter().map(|block| &block["inlines"][0]["text"]).collect();
        assert_eq!(
            text,
            [
                "argus is down",
                "Critical · Investigating · argus, hermes",
                "Time: 2026-03-01 03:14 UTC",
                "Status: Investigating"
            ]
        );
    }

    #[test]
    fn a_message_of_any_length_is_within_28_kilobytes() {
        let many = vec![wild(); 3];
        for text in
            [wild().repeat(9), "\n".repeat(30_000), "a\n".repeat(20_000), "\u{1}".repeat(5), String::new()]
        {
            let message =
                Envelope { subject: wild(), text, services: many.clone(), ..envelope(MessageKind::Alert) };
            let (size, card) = card(&message);
            assert!(size <= 28 * 1024, "{size}");
            for block in card["body"].as_array().unwrap() {
                assert_ne!(block["inlines"][0]["text"], "", "a run without a text is refused");
            }
        }
    }
}
