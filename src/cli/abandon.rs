//! `opsctl abandon`.

use std::process::ExitCode;

use futures_util::future::join_all;

use super::Global;
use super::operator::operator;
use super::turn;
use crate::base::id::RunId;
use crate::base::{Error, Kind, Result};
use crate::engine::hosts::Hosts;
use crate::engine::leftover::give_back;
use crate::host::dispatch::step_of;
use crate::host::failure::Failure;
use crate::host::lease::Seen;
use crate::journal::History;
use crate::journal::store::{Store, Turn};
use crate::run::event::{Choice, End, Event};
use crate::run::lease::Holder;
use crate::ui;

/// Leave a run as it is, for good
///
/// It is neither resumed nor undone any more. What it changed stays; `opsctl runs show RUN` has it. Hosts that it still has, because its
/// process died, are given back; as long as a command of it runs there, it is refused.
#[derive(Debug, clap::Args)]
pub struct Abandon {
    /// The run: `latest`, the start of its id, or its last characters
    run: String,
    /// Why, for whoever reads the journal
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// A host that the run has, by its name, and who has it by its own account.
type Held = (String, Result<Option<Seen>, Failure>);

impl Abandon {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let (mut turn, history) = turn::take(&self.run)?;
        turn::refuse_ended(&turn.dir, history.state(), "abandoned")?;
        let hosts = turn::hosts_of(&history.plan, global);
        let warnings = match &hosts {
            Ok(hosts) => self.leave(&mut turn, &history, hosts).await,
            // Without a way to its hosts it can still be ended here.
            Err(error) => {
                let is_held = history.state().locked().next().is_some();
                self.end(&mut turn).map(|()| is_held.then(|| error.to_string()).into_iter().collect())
            }
        };
        if let Ok(hosts) = hosts {
            hosts.close().await;
        }
        for what in warnings? {
            ui::look::say(&format!("warning: {what}\n"));
        }
        let run = turn.dir.id.short();
        if global.json {
            ui::look::give(&format!("{}\n", serde_json::json!({ "kind": "abandoned", "run": turn.dir.id })))?;
        } else {
            ui::look::say(&format!(
                "run {run} is abandoned; what it changed stays: opsctl runs show {run}\n"
            ));
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Ends the run and gives back what it has. What could not be given back comes back in words.
    async fn leave(&self, turn: &mut Turn, history: &History, hosts: &Hosts) -> Result<Vec<String>> {
        let held = self.held(turn, history, hosts).await?;
        self.end(turn)?;
        let mut warnings = Vec::new();
        for (host, seen) in held {
            let why = match seen {
                Ok(_) => {
                    turn.journal.append(Event::LeaseReleased { host: host.clone() })?;
                    let given =
                        give_back(hosts, turn, &history.plan, &host, &operator(), &Store::open()?).await;
                    given.err().map(|error| error.to_string())
                }
                Err(failure) => Some(failure.message),
            };
            warnings.extend(why.map(|why| format!("host `{host}` may still be locked for this run: {why}")));
        }
        Ok(warnings)
    }

    /// The hosts that are this run's still, and those that do not say.
    async fn held(&self, turn: &Turn, history: &History, hosts: &Hosts) -> Result<Vec<Held>> {
        let looks = history.state().locked().map(|host| async move {
            let connection = hosts.connection(host).await;
            let seen = match &connection {
                Ok(connection) => connection.seen_lease().await,
                Err(failure) => Err(failure.clone()),
            };
            (host.clone(), seen)
        });
        let mut held: Vec<Held> = join_all(looks).await;
        held.retain(|(_, seen)| !matches!(seen, Ok(seen) if epoch_of(seen.as_ref(), turn.dir.id).is_none()));
        let newest = history.state().epoch;
        let is_newer = |(_, seen): &&Held| {
            let epoch = seen.as_ref().ok().and_then(|seen| epoch_of(seen.as_ref(), turn.dir.id));
            epoch.is_some_and(|epoch| epoch > newest)
        };
        if let Some((host, _)) = held.iter().find(is_newer) {
            let run = turn.dir.id.short();
            let message = format!("the run went on elsewhere, where it has `{host}`: nothing was changed");
            return Err(Error::new(Kind::Refused, message)
                .hint(format!("opsctl resume --from-host {host} {run}"))
                .hint("opsctl lock list"));
        }
        let mut running = held.iter().filter_map(|(host, seen)| {
            let file = seen.as_ref().ok()?.as_ref()?.running.first()?;
            Some((host, step_of(file)))
        });
        match running.next() {
            None => Ok(held),
            Some((host, step)) => {
                let run = turn.dir.id.short();
                let message =
                    format!("a command of step `{step}` still runs on `{host}`: nothing was changed");
                Err(Error::new(Kind::Refused, message)
                    .hint(format!("opsctl cancel {run}"))
                    .hint(format!("opsctl resume {run}")))
            }
        }
    }

    fn end(&self, turn: &mut Turn) -> Result<()> {
        let by = operator();
        turn.journal.append(Event::EpochStarted { operator: by.clone(), pid: std::process::id() })?;
        let reason = Some(self.reason.clone());
        turn.journal.append(Event::Decision { by, choice: Choice::Abandon, reason })?;
        turn.journal.append(Event::RunEnded { end: End::Abandoned })?;
        Ok(())
    }
}

/// In which turn the run took the host that was seen; nothing when somebody else has it.
fn epoch_of(seen: Option<&Seen>, of: RunId) -> Option<u64> {
    match &seen?.lease.holder {
        Holder::Run { run, epoch, .. } if *run == of => Some(*epoch),
        _ => None,
    }
}
