//! The ways on which people are told, as the inventory names them.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::escalation::Level;
use crate::base::secret::Secret;

/// What kind of message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// The first word of an incident.
    Alert,
    /// How it stands.
    Update,
    /// It is over.
    Resolution,
    /// Calls whoever is to answer.
    Page,
    /// Gives it to somebody else.
    Handoff,
    /// For those who decide: how it stands, what it is, what comes next.
    Summary,
}

impl MessageKind {
    pub const ALL: [MessageKind; 6] = [
        MessageKind::Alert,
        MessageKind::Update,
        MessageKind::Resolution,
        MessageKind::Page,
        MessageKind::Handoff,
        MessageKind::Summary,
    ];
}

/// One way on which people are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// Where it leads.
    pub to: Way,
    /// Which messages go this way. Empty: all of them.
    #[serde(default, rename = "for", skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<MessageKind>,
    /// Pages of these levels go this way. Empty: of all levels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<Level>,
    /// People outside read it: its messages are looked at for the names of hosts and for promises.
    #[serde(default, skip_serializing_if = "super::inventory::is_default")]
    pub public: bool,
}

/// Where a channel leads, and what it takes to be let in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// Slack: an incoming webhook, or a bot that keeps one message up to date.
    Slack(Slack),
    /// PagerDuty, by its Events API v2.
    PagerDuty(PagerDuty),
    /// Microsoft Teams: a workflow that takes an Adaptive Card.
    Teams(Teams),
    /// E-mail, by SMTP.
    Email(Email),
    /// A webhook that is signed as Standard Webhooks says.
    Webhook(Webhook),
    /// A silence in Alertmanager for as long as somebody works on it.
    Alertmanager(Alertmanager),
    /// An annotation in Grafana.
    Grafana(Grafana),
    /// A file to which one JSON object a line is added. Relative to the inventory.
    File(PathBuf),
    /// What opsctl itself prints.
    Stdout(Nothing),
}

/// There is nothing to say about it: `{}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// Either `webhook`, or `token` and `channel`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slack {
    /// The whole URL of an incoming webhook, which is a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<Secret>,
    /// The token of a bot that may write in the channel (`chat:write`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
    /// The id of the channel, such as `C0123456789`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Where Slack is asked.
    #[serde(default = "slack", skip_serializing_if = "is_slack")]
    pub url: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PagerDuty {
    /// The integration key, 32 characters.
    pub key: Secret,
    /// Where PagerDuty is told.
    #[serde(default = "pagerduty", skip_serializing_if = "is_pagerduty")]
    pub url: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Teams {
    /// The whole URL of the workflow, which is a secret.
    pub url: Secret,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Email {
    /// `host:port`.
    pub server: String,
    /// How the connection is protected.
    #[serde(default, skip_serializing_if = "super::inventory::is_default")]
    pub tls: MailTls,
    /// A file with the certificates to trust, in place of the built-in ones. Relative to the inventory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Whom to log in as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The password of that user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// The sender.
    pub from: String,
    /// The readers.
    pub to: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// Begun on a connection that is open already, and required: port 587.
    #[default]
    StartTls,
    /// From the first byte: port 465.
    Tls,
    /// None. Only to this machine.
    None,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where it is sent.
    pub url: String,
    /// The key that signs it: `whsec_` and base64.
    pub secret: Secret,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alertmanager {
    /// Its URL as opsctl reaches it.
    pub url: String,
    /// For how long alerts are silenced at a time once somebody has acknowledged.
    #[serde(default = "hour")]
    pub silence_for: crate::base::amount::Span,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grafana {
    /// Its URL as opsctl reaches it.
    pub url: String,
    /// A token that may write annotations.
    pub token: Secret,
}

fn slack() -> String {
    "https://slack.com".to_owned()
}

fn is_slack(url: &str) -> bool {
    url == slack()
}

fn pagerduty() -> String {
    "https://events.pagerduty.com".to_owned()
}

fn is_pagerduty(url: &str) -> bool {
    url == pagerduty()
}

fn hour() -> crate::base::amount::Span {
    crate::base::amount::Span::secs(3600)
}

impl Channel {
    /// Whether a message of that kind, and for a page of that level, goes this way.
    pub fn takes(&self, kind: MessageKind, level: Option<Level>) -> bool {
        let of_level = level.is_none_or(|level| self.levels.is_empty() || self.levels.contains(&level));
        let of_kind = match self.to {
            Way::PagerDuty(_) => !matches!(kind, MessageKind::Alert | MessageKind::Summary),
            Way::Grafana(_) => !matches!(kind, MessageKind::Page | MessageKind::Summary),
            Way::Alertmanager(_) => {
                matches!(kind, MessageKind::Update | MessageKind::Handoff | MessageKind::Resolution)
            }
            _ => self.kinds.is_empty() || self.kinds.contains(&kind),
        };
        of_level && of_kind
    }
}

impl Email {
    /// The server's host, without the brackets of an IPv6 address, and its port.
    pub fn place(&self) -> Option<(&str, u16)> {
        let (host, port) = self.server.rsplit_once(':')?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        Some((host, port.parse().ok()?)).filter(|(host, port)| !host.is_empty() && *port > 0)
    }
}

impl Way {
    /// Whether a message that is given a second time is taken once: what is on the other side knows it by its name, or is looked at
    /// before anything is added.
    pub fn takes_once(&self) -> bool {
        match self {
            Way::PagerDuty(_)
            | Way::Email(_)
            | Way::Webhook(_)
            | Way::Alertmanager(_)
            | Way::Grafana(_)
            | Way::File(_) => true,
            Way::Slack(_) | Way::Teams(_) | Way::Stdout(_) => false,
        }
    }

    /// Whether it shows how an incident stands, in place of messages for people. Such a way takes what it needs of every message.
    pub fn follows(&self) -> bool {
        matches!(self, Way::PagerDuty(_) | Way::Alertmanager(_) | Way::Grafana(_))
    }

    /// As the inventory calls it.
    pub fn word(&self) -> &'static str {
        match self {
            Way::Slack(_) => "slack",
            Way::PagerDuty(_) => "pagerduty",
            Way::Teams(_) => "teams",
            Way::Email(_) => "email",
            Way::Webhook(_) => "webhook",
            Way::Alertmanager(_) => "alertmanager",
            Way::Grafana(_) => "grafana",
            Way::File(_) => "file",
            Way::Stdout(_) => "stdout",
        }
    }

    /// Every secret in it, to say where those are that are kept in a file.
    pub fn secrets_mut(&mut self) -> Vec<&mut Secret> {
        match self {
            Way::Slack(slack) => slack.webhook.iter_mut().chain(slack.token.iter_mut()).collect(),
            Way::PagerDuty(pagerduty) => vec![&mut pagerduty.key],
            Way::Teams(teams) => vec![&mut teams.url],
            Way::Email(email) => email.password.iter_mut().collect(),
            Way::Webhook(webhook) => vec![&mut webhook.secret],
            Way::Grafana(grafana) => vec![&mut grafana.token],
            Way::Alertmanager(_) | Way::File(_) | Way::Stdout(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(text: &str) -> Channel {
        serde_json::from_str(text).unwrap()
    }

    fn taken(text: &str) -> Vec<MessageKind> {
        MessageKind::ALL.into_iter().filter(|kind| channel(text).takes(*kind, None)).collect()
    }

    #[test]
    fn messages_go_where_they_are_wanted_and_pages_only_to_their_levels() {
        let ops = r#"{ "to": { "file": "told" }, "for": ["page", "alert"], "levels": ["L2"] }"#;
        assert_eq!(taken(ops), [MessageKind::Alert, MessageKind::Page]);
        assert!(channel(ops).takes(MessageKind::Page, Some(Level::L2)));
        assert!(!channel(ops).takes(MessageKind::Page, Some(Level::L1)));
        assert_eq!(taken(r#"{ "to": { "stdout": {} } }"#), MessageKind::ALL);
    }

    #[test]
    fn what_shows_how_an_incident_stands_takes_what_it_needs_for_that() {
        use MessageKind::{Alert, Handoff, Page, Resolution, Update};
        let pagerduty = r#"{ "to": { "pagerduty": { "key": { "env": "K" } } }, "levels": ["L3"] }"#;
        assert_eq!(taken(pagerduty), [Update, Resolution, Page, Handoff]);
        assert!(!channel(pagerduty).takes(Page, Some(Level::L1)));
        assert_eq!(
            taken(r#"{ "to": { "alertmanager": { "url": "http://a" } } }"#),
            [Update, Resolution, Handoff]
        );
        let grafana = r#"{ "to": { "grafana": { "url": "http://g", "token": { "env": "T" } } } }"#;
        assert_eq!(taken(grafana), [Alert, Update, Resolution, Handoff]);
    }
}
