//! Carries messages over the ways of the inventory: each by its own wire format, within one deadline, with every secret taken out of what
//! is told about it.

use std::path::{Path, PathBuf};

use futures_util::future::BoxFuture;
use indexmap::IndexMap;

use super::channel::exchange::Exchange;
use super::channel::mask::Mask;
use super::channel::{
    DEADLINE, Memory, Trouble, alertmanager, email, file, grafana, pagerduty, slack, stdout, teams, text,
    webhook,
};
use super::envelope::Envelope;
use super::event::Outcome;
use super::office::Post;
use crate::base::clock::{Clock, Timestamp};
use crate::model::channel::{self, Channel, MessageKind, Way};
use crate::model::inventory::Inventory;

/// The real post.
pub struct Couriers {
    channels: IndexMap<String, Channel>,
    folder: PathBuf,
    clock: Clock,
}

impl Couriers {
    /// Files of the ways are relative to the folder, which is the inventory's.
    pub fn new(inventory: &Inventory, folder: &Path) -> Couriers {
        let channels = inventory.channels.clone();
        Couriers { channels, folder: folder.to_owned(), clock: Clock::System }
    }

    async fn carry(&self, name: &str, envelope: &Envelope, mask: &mut Mask) -> Result<Memory, Trouble> {
        let Some(channel) = self.channels.get(name) else {
            return Err(Trouble::Refused(format!("the inventory has no channel `{name}` any more")));
        };
        let errand = Errand {
            exchange: Exchange::begin(self.clock.clone()),
            delivery: envelope.delivery(name),
            now: self.clock.now(),
            envelope,
        };
        match &channel.to {
            Way::Slack(slack) => errand.slack(slack, mask).await,
            Way::PagerDuty(pagerduty) => errand.pagerduty(pagerduty, mask).await,
            Way::Teams(teams) => errand.teams(teams, mask).await,
            Way::Email(email) => errand.email(email, &self.folder, mask).await,
            Way::Webhook(webhook) => errand.webhook(webhook, mask).await,
            Way::Alertmanager(alertmanager) => errand.alertmanager(alertmanager).await,
            Way::Grafana(grafana) => errand.grafana(grafana, mask).await,
            Way::File(path) => errand.file(self.folder.join(path)).await,
            Way::Stdout(_) => stdout::print(envelope),
        }
    }
}

impl Post for Couriers {
    fn post<'a>(&'a self, channel: &'a str, envelope: Envelope) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let mut mask = Mask::default();
            let carried = self.carry(channel, &envelope, &mut mask).await;
            match carried {
                Ok(memory) => Outcome::Sent { memory },
                Err(Trouble::Refused(why)) => Outcome::Refused { why: text::why(&mask.masked(&why)) },
                Err(Trouble::Unknown(why)) => Outcome::Unknown { why: text::why(&mask.masked(&why)) },
                Err(Trouble::Later { why, after }) => {
                    let now = self.clock.now();
                    let retry_at = now.checked_add(after.unwrap_or_default()).unwrap_or(now);
                    Outcome::Later { why: text::why(&mask.masked(&why)), retry_at }
                }
            }
        })
    }
}

/// One message on its way.
struct Errand<'a> {
    exchange: Exchange,
    delivery: String,
    now: Timestamp,
    envelope: &'a Envelope,
}

impl Errand<'_> {
    async fn slack(&self, slack: &channel::Slack, mask: &mut Mask) -> Result<Memory, Trouble> {
        let envelope = self.envelope;
        if let Some(webhook) = &slack.webhook {
            let url = mask.reveal_url(webhook).await?;
            return slack::read_webhook(&self.exchange.send(&slack::webhook(url, envelope)).await?);
        }
        let (Some(token), Some(channel)) = (&slack.token, &slack.channel) else {
            return Err(Trouble::Refused(
                "it has neither a `webhook` nor a `token` and a `channel`".to_owned(),
            ));
        };
        let token = mask.reveal(token).await?;
        let call = async |ask| slack::read(&self.exchange.send(&ask).await?);
        if let Some((channel, ts)) = slack::remembered(&envelope.memory) {
            // A page calls somebody; how the incident stands is told by the others.
            if envelope.kind != MessageKind::Page {
                call(slack::update(&slack.url, &token, &channel, &ts, envelope)).await?;
            }
            let reply = slack::post(&slack.url, &token, &channel, Some(&ts), envelope);
            if let slack::Said::Ok { .. } = call(reply).await? {
                return Ok(slack::memory(&channel, &ts));
            }
        }
        match call(slack::post(&slack.url, &token, channel, None, envelope)).await? {
            slack::Said::Ok { channel: there, ts: Some(ts) } => {
                Ok(slack::memory(there.as_deref().unwrap_or(channel), &ts))
            }
            _ => Err(Trouble::Unknown("the answer does not name the message".to_owned())),
        }
    }

    async fn pagerduty(&self, pagerduty: &channel::PagerDuty, mask: &mut Mask) -> Result<Memory, Trouble> {
        let Some(action) = pagerduty::action(self.envelope) else { return Ok(Memory::new()) };
        let key = mask.reveal(&pagerduty.key).await?;
        self.exchange.send(&pagerduty::ask(&pagerduty.url, &key, action, self.envelope)).await?;
        Ok(Memory::new())
    }

    async fn teams(&self, teams: &channel::Teams, mask: &mut Mask) -> Result<Memory, Trouble> {
        let url = mask.reveal_url(&teams.url).await?;
        self.exchange.send(&teams::ask(url, self.envelope)).await?;
        Ok(Memory::new())
    }

    async fn email(&self, email: &channel::Email, folder: &Path, mask: &mut Mask) -> Result<Memory, Trouble> {
        let user = match (&email.user, &email.password) {
            (Some(user), Some(password)) => {
                let password = mask.reveal(password).await?;
                mask.also(email::plain_login(user, &password));
                Some((user.clone(), password))
            }
            _ => None,
        };
        let access = email::Access { user, ca: email.ca.as_ref().map(|path| folder.join(path)) };
        let (message, memory) = email::message(email, &self.delivery, self.envelope)?;
        email::send(email, access, &message).await?;
        Ok(memory)
    }

    async fn webhook(&self, webhook: &channel::Webhook, mask: &mut Mask) -> Result<Memory, Trouble> {
        let secret = mask.reveal(&webhook.secret).await?;
        let ask = webhook::ask(&webhook.url, &secret, &self.delivery, self.envelope, self.now)?;
        self.exchange.send(&ask).await?;
        Ok(Memory::new())
    }

    async fn alertmanager(&self, alertmanager: &channel::Alertmanager) -> Result<Memory, Trouble> {
        let channel::Alertmanager { url, silence_for } = alertmanager;
        let aim = alertmanager::aim(self.envelope);
        let listed = self.exchange.send(&alertmanager::look(url)).await?;
        let there = alertmanager::ours(&listed, self.envelope)?;
        let kept = match aim {
            alertmanager::Aim::Silenced => {
                let id = there.first().map(String::as_str);
                let ask = alertmanager::silence(url, id, *silence_for, self.envelope, self.now);
                self.exchange.send(&ask).await?;
                1
            }
            alertmanager::Aim::Heard => 0,
        };
        for id in there.iter().skip(kept) {
            self.exchange.send(&alertmanager::expire(url, id)).await?;
        }
        Ok(Memory::new())
    }

    async fn grafana(&self, grafana: &channel::Grafana, mask: &mut Mask) -> Result<Memory, Trouble> {
        let token = mask.reveal(&grafana.token).await?;
        let listed = self.exchange.send(&grafana::look(&grafana.url, &token, self.envelope)).await?;
        let ask = match grafana::found(&listed)? {
            Some(id) => grafana::change(&grafana.url, &token, id, self.envelope),
            None => grafana::make(&grafana.url, &token, self.envelope),
        };
        self.exchange.send(&ask).await?;
        Ok(Memory::new())
    }

    async fn file(&self, path: PathBuf) -> Result<Memory, Trouble> {
        let (delivery, envelope) = (self.delivery.clone(), self.envelope.clone());
        // Its lock is waited for.
        let written =
            tokio::task::spawn_blocking(move || file::append(&path, &delivery, &envelope, DEADLINE));
        written.await.unwrap_or_else(|error| Err(Trouble::Unknown(error.to_string())))
    }
}
