//! Microsoft Teams: the envelope that a workflow takes, and an Adaptive Card of version 1.4 in it.

use opsctl::incident::event::Outcome;
use opsctl::model::channel::MessageKind;
use serde_json::Value;

use crate::scene::{Scene, message, wild};
use crate::schema::{Checked, is, list, object, one_of, text};
use crate::server::{Reply, Request, Server};

fn check(request: &Request) -> Checked<()> {
    is(request.method == "POST" && request.path == "/workflows/0a1b2c3d4e5f60718293", "not the workflow")?;
    is(request.body.len() <= 28 * 1024, "a message of more than 28 KB")?;
    let body = request.json()?;
    let envelope = object(&body, &["type", "attachments"], &[])?;
    one_of(&envelope["type"], &["message"])?;
    let attachments = list(&envelope["attachments"])?;
    is(attachments.len() == 1, "not one card")?;
    let attachment = object(&attachments[0], &["contentType", "content"], &["contentUrl"])?;
    one_of(&attachment["contentType"], &["application/vnd.microsoft.card.adaptive"])?;
    is(attachment["contentUrl"].is_null(), "a card by its URL")?;
    let optional = ["$schema", "fallbackText", "msteams", "body"];
    let card = object(&attachment["content"], &["type", "version"], &optional)?;
    one_of(&card["type"], &["AdaptiveCard"])?;
    one_of(&card["version"], &["1.2", "1.3", "1.4", "1.5"])?;
    list(&card["body"])?.iter().try_for_each(block)
}

fn block(block: &Value) -> Checked<()> {
    let block = object(block, &["type", "inlines"], &["horizontalAlignment", "separator", "spacing"])?;
    one_of(&block["type"], &["RichTextBlock"])?;
    list(&block["inlines"])?.iter().try_for_each(|run| {
        let run = object(run, &["type", "text"], &["size", "weight", "color", "isSubtle", "fontType"])?;
        one_of(&run["type"], &["TextRun"])?;
        text(&run["text"], 28 * 1024)?;
        let or = |name: &str, known: &[&str]| run.get(name).map_or(Ok(()), |value| one_of(value, known));
        or("size", &["default", "small", "medium", "large", "extraLarge"])?;
        or("weight", &["default", "lighter", "bolder"])?;
        or("color", &["default", "dark", "light", "accent", "good", "warning", "attention"])
    })
}

/// A workflow says that it has taken something in, and nothing else.
fn server() -> Server {
    Server::start(|request| match check(request) {
        Ok(()) => Reply::Text(202, String::new()),
        Err(why) => Reply::Text(400, why),
    })
}

fn scene(server: &Server) -> Scene {
    let url = format!("{}/workflows/0a1b2c3d4e5f60718293", server.url);
    Scene::with("{ teams: { url: { file: url } } }", &[("url", &url)])
}

#[tokio::test]
async fn every_kind_of_message_is_a_card() {
    let server = server();
    let mut scene = scene(&server);
    use MessageKind::{Alert, Handoff, Page, Resolution, Summary, Update};
    for (number, kind) in (1..).zip([Alert, Update, Page, Handoff, Summary, Resolution]) {
        let outcome = scene.send(message(number, kind)).await;
        scene.took(&outcome);
    }
    assert_eq!(server.seen().len(), 6);
}

#[tokio::test]
async fn a_title_of_any_kind_is_a_card_within_its_limits() {
    let server = server();
    let mut scene = scene(&server);
    let outcome = scene.send(wild(1, MessageKind::Alert)).await;
    scene.took(&outcome);
}

#[tokio::test]
async fn a_workflow_that_was_removed_is_final() {
    let server =
        Server::always(|| Reply::Text(404, "{\"error\":{\"code\":\"WorkflowNotFound\"}}".to_owned()));
    let outcome = scene(&server).send(message(1, MessageKind::Alert)).await;
    assert!(matches!(&outcome, Outcome::Refused { why } if why.contains("WorkflowNotFound")), "{outcome:?}");
}
