//! `opsctl channel`.

use std::process::ExitCode;

use clap::Subcommand;

use super::Global;
use super::operator::operator;
use crate::base::clock::Timestamp;
use crate::base::nearest::nearest;
use crate::base::{Error, Kind, Result};
use crate::engine::locate::{self, Site};
use crate::incident::channel::trial::trial;
use crate::incident::event::Outcome;
use crate::incident::office::Post;
use crate::incident::post::Couriers;
use crate::model::channel::{Channel as Described, Way};
use crate::ui;
use crate::ui::prompt::{Answer, confirm};

/// List the ways on which people are told, and try one out
///
/// They are in the inventory, under `channels`.
#[derive(Debug, clap::Args)]
pub struct Channel {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the channels, where each leads, and what goes that way
    List,
    /// Send a message that says that it is a test. Exits with 15 when it was not taken
    Test {
        /// The channel, by its name in the inventory
        channel: String,
        /// Without being asked, also where somebody is called by it
        #[arg(long, short)]
        yes: bool,
    },
}

impl Channel {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let site = Site::load(&locate::inventory(global.inventory.as_deref())?)?;
        match &self.command {
            Command::List => {
                let channels = &site.inventory.channels;
                let text =
                    if global.json { ui::channel::json(channels) } else { ui::channel::text(channels) };
                ui::look::give(&text)?;
                Ok(ExitCode::SUCCESS)
            }
            Command::Test { channel, yes } => test(&site, channel, *yes, global).await,
        }
    }
}

async fn test(site: &Site, name: &str, yes: bool, global: &Global) -> Result<ExitCode> {
    let channels = &site.inventory.channels;
    let Some(channel) = channels.get(name) else {
        let error = Error::usage(format!("there is no channel `{name}` in the inventory"));
        return Err(match nearest(name, channels.keys().map(String::as_str)) {
            Some(near) => error.hint(format!("opsctl channel test {near}")),
            None => error.hint("opsctl channel list"),
        });
    };
    if !yes {
        consent(name, channel)?;
    }
    let couriers = Couriers::new(&site.inventory, site.folder());
    let mut memory = serde_json::Map::new();
    let mut last = Outcome::Sent { memory: memory.clone() };
    for mut message in trial(name, channel, &site.inventory.name, &operator(), Timestamp::now()) {
        message.memory = memory.clone();
        last = couriers.post(name, message).await;
        match &last {
            Outcome::Sent { memory: given } => memory.extend(given.clone()),
            _ => break,
        }
    }
    if global.json {
        ui::look::give(&ui::channel::tried_json(name, &last))?;
    } else {
        ui::look::say(&ui::channel::tried(name, channel, &last));
    }
    Ok(match last {
        Outcome::Sent { .. } => ExitCode::SUCCESS,
        _ => ExitCode::from(Kind::Unnotified.exit_code()),
    })
}

/// A page may wake somebody.
fn consent(name: &str, channel: &Described) -> Result<()> {
    if !matches!(channel.to, Way::PagerDuty(_)) {
        return Ok(());
    }
    let answer = confirm(&format!("Call whoever `{name}` calls, to try it out?"))
        .map_err(|error| Error::internal("cannot ask").caused_by(&error))?;
    match answer {
        Answer::Yes => Ok(()),
        Answer::No => Err(Error::new(Kind::Refused, "nothing was sent")),
        Answer::NotATerminal => Err(Error::new(
            Kind::Refused,
            format!("a test of `{name}` calls somebody, and nobody can be asked"),
        )
        .hint(format!("opsctl channel test {name} --yes"))),
    }
}
