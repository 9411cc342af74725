//! `opsctl lock`.

use std::process::ExitCode;

use clap::Subcommand;
use futures_util::future::join_all;

use super::Global;
use super::open::{Workplace, unreachable_host};
use super::operator::operator;
use crate::base::nearest::nearest;
use crate::base::{Error, Kind, Result};
use crate::engine::hosts::Hosts;
use crate::host::dispatch::step_of;
use crate::host::failure::Failure;
use crate::run::lease::{Holder, Lease};
use crate::ui;
use crate::ui::lock::{Row, Seen};
use crate::ui::prompt::Answer;

/// Show who has which host, and break the lock of somebody who is gone
///
/// A run takes every host that it changes, so that two people cannot repair the same thing at once. The host itself keeps the lock,
/// and refuses the commands of whoever has lost it.
#[derive(Debug, clap::Args)]
pub struct Lock {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show who has each host, since when, for what, and whether anybody is at it. Exits with 5 when a host could not be asked
    List,
    /// Take the lock from whoever has it. Their next command is refused, and the host keeps who did it and why
    Break {
        /// The host, by its name in the inventory
        host: String,
        /// Why, for whoever asks later
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Without being asked, also when somebody is connected or a command runs
        #[arg(long, short)]
        yes: bool,
    },
}

impl Lock {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let workplace = Workplace::open(global)?;
        let hosts = workplace.hosts();
        let done = match &self.command {
            Command::List => list(&workplace, &hosts, global).await,
            Command::Break { host, reason, yes } => {
                take_away(&workplace, &hosts, host, reason, *yes, global).await
            }
        };
        hosts.close().await;
        done
    }
}

async fn list(workplace: &Workplace, hosts: &Hosts, global: &Global) -> Result<ExitCode> {
    let names = workplace.site.inventory.standing().map(|(name, _)| name);
    let asked =
        join_all(names.map(|name| async move { Row { host: name.clone(), seen: see(hosts, name).await } }));
    let rows = workplace.patiently(asked).await;
    let text = if global.json {
        format!("{}\n", serde_json::json!({ "kind": "locks", "hosts": rows }))
    } else {
        ui::lock::text(&rows)
    };
    ui::look::give(&text)?;
    let is_blind = rows.iter().any(|row| matches!(row.seen, Seen::Unknown { .. }));
    Ok(if is_blind { ExitCode::from(Kind::Unhealthy.exit_code()) } else { ExitCode::SUCCESS })
}

async fn see(hosts: &Hosts, name: &str) -> Seen {
    try_see(hosts, name).await.unwrap_or_else(|failure| Seen::Unknown { why: failure.message })
}

async fn try_see(hosts: &Hosts, name: &str) -> Result<Seen, Failure> {
    Ok(match hosts.connection(name).await?.seen_lease().await? {
        None => Seen::Untaken,
        Some(seen) => Seen::Taken {
            lease: seen.lease,
            is_connected: seen.is_attended,
            running: seen.running.iter().map(|file| step_of(file)).collect(),
        },
    })
}

async fn take_away(
    workplace: &Workplace,
    hosts: &Hosts,
    name: &str,
    reason: &str,
    yes: bool,
    global: &Global,
) -> Result<ExitCode> {
    let known = &workplace.site.inventory.hosts;
    if !known.contains_key(name) {
        let error = Error::usage(format!("there is no host `{name}` in the inventory"));
        return Err(match nearest(name, known.keys().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("opsctl lock list"),
        });
    }
    let seen =
        workplace.patiently(try_see(hosts, name)).await.map_err(|failure| unreachable_host(&failure))?;
    let lease = match &seen {
        Seen::Taken { lease, .. } if matches!(lease.holder, Holder::Run { .. }) => lease.clone(),
        Seen::Taken { lease, .. } if matches!(lease.holder, Holder::Broken { .. }) => {
            return Err(was_quicker(name, Some(lease)));
        }
        _ => {
            return Err(Error::usage(format!("nobody has `{name}`: there is nothing to break"))
                .hint("opsctl lock list"));
        }
    };
    if !global.json {
        ui::look::say(&ui::lock::text(&[Row { host: name.to_owned(), seen: seen.clone() }]));
    }
    if let Seen::Taken { is_connected, running, .. } = &seen
        && (*is_connected || !running.is_empty())
        && !yes
    {
        confirm(name)?;
    }
    let connection = hosts.connection(name).await.map_err(|failure| unreachable_host(&failure))?;
    let broken = connection.break_lease(lease.fence, &operator(), reason).await;
    let Some(fence) = broken.map_err(|failure| unreachable_host(&failure))? else {
        let now = connection.seen_lease().await.ok().flatten();
        return Err(was_quicker(name, now.map(|seen| seen.lease).as_ref()));
    };
    if global.json {
        let broken =
            serde_json::json!({ "kind": "lock_broken", "host": name, "fence": fence, "from": lease });
        ui::look::give(&format!("{broken}\n"))?;
    } else {
        let was = ui::lock::in_words(&lease);
        ui::look::say(&format!(
            "the lock of `{name}` is broken, its fence is {fence} now; before, {was}\nthe commands of that run are \
             refused from here on; what already runs goes on\n"
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// Somebody else broke the lock, or took it anew; `now` is how it stands, where the host could still be asked.
fn was_quicker(name: &str, now: Option<&Lease>) -> Error {
    let error =
        Error::new(Kind::Refused, format!("somebody else was quicker: the lock of `{name}` has changed"));
    let error = match now {
        Some(lease) => error.cause(ui::lock::in_words(lease)),
        None => error,
    };
    error.hint("opsctl lock list")
}

/// Somebody seems to be at it.
fn confirm(name: &str) -> Result<()> {
    match ui::prompt::confirm("somebody is connected, or a command runs: break the lock all the same?") {
        Ok(Answer::Yes) => Ok(()),
        Ok(Answer::No) => Err(Error::new(Kind::Refused, "not confirmed: the lock stands")),
        Ok(Answer::NotATerminal) => {
            let message = "somebody is connected, or a command runs, and there is no terminal to ask at: the lock stands";
            Err(Error::new(Kind::Refused, message)
                .hint(format!("opsctl lock break {name} --reason '...' --yes")))
        }
        Err(error) => Err(Error::internal("cannot ask at the terminal").caused_by(&error)),
    }
}
