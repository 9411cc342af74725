//! The channels of an inventory, and what became of a test.

use indexmap::IndexMap;
use serde_json::{Value, json};

use super::paint::{Ink, visible};
use super::table::{Cell, Table};
use crate::incident::event::Outcome;
use crate::incident::word;
use crate::model::channel::{Channel, MessageKind, Way};

pub fn text(channels: &IndexMap<String, Channel>) -> String {
    if channels.is_empty() {
        return "no channels; add one to the inventory, such as `channels: { ops: { to: { file: told.jsonl } } }`\n".to_owned();
    }
    let mut table = Table::new(&["CHANNEL", "WAY", "LEADS TO", "TAKES", "READ BY"]);
    for (name, channel) in channels {
        let readers = if channel.public { Cell::new(Ink::Warn, "the public") } else { "".into() };
        table.row([
            Cell::new(Ink::Bold, name),
            channel.to.word().into(),
            leads_to(&channel.to).into(),
            takes(channel).into(),
            readers,
        ]);
    }
    table.lines().into_iter().map(|line| format!("{line}\n")).collect()
}

pub fn json(channels: &IndexMap<String, Channel>) -> String {
    let one = |(name, channel): (&String, &Channel)| {
        json!({
            "name": name,
            "way": channel.to.word(),
            "leads_to": leads_to(&channel.to),
            "for": kinds(channel).map(word::kind).collect::<Vec<_>>(),
            "levels": channel.levels,
            "public": channel.public,
        })
    };
    let channels: Vec<Value> = channels.iter().map(one).collect();
    format!("{}\n", json!({ "kind": "channels", "channels": channels }))
}

/// Where a way leads, as far as that is no secret.
fn leads_to(way: &Way) -> String {
    match way {
        Way::Slack(slack) => match (&slack.webhook, &slack.channel) {
            (Some(webhook), _) => format!("the webhook in {webhook}"),
            (None, Some(channel)) => format!("channel {channel}, one message an incident"),
            (None, None) => String::new(),
        },
        Way::PagerDuty(pagerduty) => format!("{}, the key in {}", pagerduty.url, pagerduty.key),
        Way::Teams(teams) => format!("the workflow in {}", teams.url),
        Way::Email(email) => format!("{} by {}", email.to.join(", "), email.server),
        Way::Webhook(webhook) => webhook.url.clone(),
        Way::Alertmanager(alertmanager) => {
            format!("{}, {} at a time", alertmanager.url, alertmanager.silence_for)
        }
        Way::Grafana(grafana) => grafana.url.clone(),
        Way::File(path) => path.display().to_string(),
        Way::Stdout(_) => "what opsctl prints".to_owned(),
    }
}

fn kinds(channel: &Channel) -> impl Iterator<Item = MessageKind> {
    MessageKind::ALL.into_iter().filter(|kind| channel.takes(*kind, None))
}

fn takes(channel: &Channel) -> String {
    let what = match (channel.to.follows(), kinds(channel).count() == MessageKind::ALL.len()) {
        (true, _) => "how it stands".to_owned(),
        (false, true) => "everything".to_owned(),
        (false, false) => kinds(channel).map(word::kind).collect::<Vec<_>>().join(", "),
    };
    match channel.levels.is_empty() {
        true => what,
        false => {
            let levels: Vec<_> = channel.levels.iter().map(ToString::to_string).collect();
            format!("{what}; pages of {}", levels.join(", "))
        }
    }
}

/// What became of a test, for a person.
pub fn tried(name: &str, channel: &Channel, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Sent { .. } => {
            format!("{} `{name}` took the test: look at {}\n", Ink::Good.on("✔"), leads_to(&channel.to))
        }
        Outcome::Refused { why } => {
            format!("{} `{name}` refused the test: {}\n", Ink::Bad.on("✘"), visible(why))
        }
        Outcome::Later { why, .. } => {
            format!("{} `{name}` did not take the test: {}\n", Ink::Bad.on("✘"), visible(why))
        }
        Outcome::Unknown { why } => {
            format!("{} the test may have reached `{name}` or not: {}\n", Ink::Warn.on("✘"), visible(why))
        }
    }
}

pub fn tried_json(name: &str, outcome: &Outcome) -> String {
    let (is, why) = match outcome {
        Outcome::Sent { .. } => ("sent", None),
        Outcome::Refused { why } => ("refused", Some(why)),
        Outcome::Later { why, .. } => ("later", Some(why)),
        Outcome::Unknown { why } => ("unknown", Some(why)),
    };
    format!("{}\n", json!({ "kind": "channel_test", "channel": name, "outcome": is, "why": why }))
}
