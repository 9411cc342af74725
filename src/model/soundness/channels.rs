//! Whether a channel can lead anywhere: it says where to and how to be let in, and nothing that would have no meaning.

use lettre::message::Mailbox;

use super::Review;
use crate::model::channel::{Channel, Email, MailTls, MessageKind, Slack, Way};
use crate::model::source::join;

impl Review<'_> {
    pub(super) fn channels(&mut self) {
        let channels = &self.inventory.channels;
        self.names("/channels", channels);
        for (name, channel) in channels {
            let path = join("/channels", name);
            self.selection(&path, channel);
            self.way(&join(&join(&path, "to"), channel.to.word()), &channel.to);
        }
    }

    fn selection(&mut self, path: &str, channel: &Channel) {
        let word = channel.to.word();
        let takes_pages = matches!(channel.to, Way::PagerDuty(_)) || !channel.to.follows();
        if channel.to.follows() && !channel.kinds.is_empty() {
            let message =
                format!("`{word}` follows how an incident stands, and takes what it needs for that");
            self.add(&join(path, "for"), &message, "leave out `for`");
        } else if !channel.levels.is_empty() && !takes_pages {
            let message = format!("no page goes to `{word}`");
            self.add(&join(path, "levels"), &message, "leave out `levels`");
        } else if !channel.levels.is_empty()
            && !channel.kinds.is_empty()
            && !channel.kinds.contains(&MessageKind::Page)
        {
            let hint = "add `page` to `for`, or leave out `levels`";
            self.add(&join(path, "levels"), "only pages have a level, and none goes this way", hint);
        }
    }

    fn way(&mut self, path: &str, way: &Way) {
        match way {
            Way::Slack(slack) => self.slack(path, slack),
            Way::PagerDuty(pagerduty) => self.server(&join(path, "url"), &pagerduty.url),
            Way::Email(email) => self.email(path, email),
            Way::Webhook(webhook) => self.server(&join(path, "url"), &webhook.url),
            Way::Alertmanager(alertmanager) => {
                self.server(&join(path, "url"), &alertmanager.url);
                if alertmanager.silence_for.0.as_secs() < 60 {
                    let hint = "write a time such as `1h`, or leave it out for that";
                    self.add(&join(path, "silence_for"), "a silence of less than a minute", hint);
                }
            }
            Way::Grafana(grafana) => self.server(&join(path, "url"), &grafana.url),
            Way::File(file) => {
                if file.file_name().is_none() {
                    self.add(path, "not the name of a file", "write one such as `told.jsonl`");
                }
            }
            Way::Teams(_) | Way::Stdout(_) => {}
        }
    }

    fn slack(&mut self, path: &str, slack: &Slack) {
        self.server(&join(path, "url"), &slack.url);
        let webhook = "`webhook: { env: SLACK_WEBHOOK }`";
        let bot = "`token: { env: SLACK_TOKEN }` and `channel: C0123456789`";
        match (&slack.webhook, &slack.token, &slack.channel) {
            (Some(_), None, None) => {}
            (None, Some(_), Some(channel)) => self.filled(&join(path, "channel"), channel, "C0123456789"),
            (Some(_), _, _) => {
                let hint = format!("keep {webhook}, or {bot}");
                self.add(path, "both a webhook and a bot", &hint);
            }
            (None, Some(_), None) => {
                self.add(path, "a bot has to know its channel", "add `channel: C0123456789`");
            }
            (None, None, _) => {
                let hint = format!("add {webhook}, or {bot}");
                self.add(path, "neither a webhook nor a bot", &hint);
            }
        }
    }

    fn email(&mut self, path: &str, email: &Email) {
        match email.place() {
            None => {
                let message = format!("`{}` is not `host:port`", email.server);
                self.add(&join(path, "server"), &message, "write one such as `mail.example.com:587`");
            }
            Some((host, _)) if email.tls == MailTls::None && !is_here(host) => {
                let message = format!("what is sent to `{host}` without TLS can be read on the way");
                self.add(&join(path, "tls"), &message, "write `tls: starttls`, or `tls: tls` for port 465");
            }
            Some(_) => {}
        }
        if email.tls == MailTls::None && email.ca.is_some() {
            self.add(&join(path, "ca"), "there are no certificates without TLS", "leave out `ca`");
        }
        match (&email.user, &email.password) {
            (Some(_), None) => {
                let hint = "add `password: { env: MAIL_PASSWORD }`, or leave out `user`";
                self.add(&join(path, "user"), "a user without a password", hint);
            }
            (None, Some(_)) => {
                self.add(&join(path, "password"), "a password without a user", "add `user: NAME`");
            }
            _ => {}
        }
        if email.to.is_empty() {
            let hint = "write whom to write to, such as `to: [oncall@example.com]`";
            self.add(&join(path, "to"), "nobody would read it", hint);
        }
        let readers = email.to.iter().enumerate().map(|(number, to)| (format!("{path}/to/{number}"), to));
        let all: Vec<_> = readers.chain([(join(path, "from"), &email.from)]).collect();
        for (path, address) in all {
            if address.parse::<Mailbox>().is_err() {
                let message = format!("`{address}` is not an e-mail address");
                let hint = "write one such as `oncall@example.com` or `On call <oncall@example.com>`";
                self.add(&path, &message, hint);
            }
        }
    }

    fn server(&mut self, path: &str, url: &str) {
        let is_asked = reqwest::Url::parse(url).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.is_empty())
        });
        if !is_asked {
            let message = format!("`{url}` is not an http or https URL");
            self.add(path, &message, "write one such as `https://example.com`");
        }
    }
}

/// Whether a name is that of this machine for every resolver.
fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
