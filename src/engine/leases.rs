//! The hosts that a turn at a run needs for itself: which they are, taking them, and giving them back.
//!
//! Nothing is changed on a host that was not taken. They are taken in the order of their names, all or none: of two runs that need
//! the same hosts one gets them, and neither waits for the other with something in its hands. A lease is given back when the run
//! rests or ends, and stays when the process dies: then the next turn takes it over.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;
use tokio::time::Instant;

use super::cancel::Urgency;
use super::drive::Engine;
use super::insist::{insist, once_more};
use super::look::reach;
use super::world::{Claim, Taken};
use crate::base::amount::Span;
use crate::base::{Result, crash};
use crate::host::failure::Failure;
use crate::journal::store::{Store, Turn};
use crate::model::param::written;
use crate::model::plan::{Plan, Task};
use crate::run::event::{Event, Skip};
use crate::run::lease::{Folder, Holder, Lease};
use crate::run::signal::Signal;
use crate::run::state::{Course, RunState, StepState, StepStatus};

/// Between two tries at hosts that somebody else has.
const PAUSE: Duration = Duration::from_secs(1);

/// On what a turn is taken.
pub struct Terms<'a> {
    /// Where the run's journal is, and those of the other runs of this machine.
    pub store: &'a Store,
    /// For how long to wait for hosts that somebody else has.
    pub lock_wait: Duration,
    /// Nothing is begun: what the turn before left running is ended, and the run rests.
    pub ends_what_was_left: bool,
}

/// Why a turn did not get the hosts that it needs.
#[derive(Debug, Clone, PartialEq)]
pub enum Denied {
    /// Somebody else has it.
    Refused { host: String, by: Lease },
    /// The run went on elsewhere: the host has these many records of it, more than the journal here.
    Outrun { host: String, records: u64 },
    /// It cannot be reached, or cannot keep leases.
    Failed(Failure),
    /// Somebody pressed Ctrl-C meanwhile.
    Cancelled,
}

/// A host that was just taken.
struct Got {
    host: String,
    fence: u64,
    folder: Folder,
}

/// The hosts on which something is left to change: on the way forward those of the steps that are not settled, and of the undo of
/// all that was or will be done, since a step that fails may turn the run back; on the way back those of what is left to take
/// back.
pub fn needed(plan: &Plan, state: &RunState, course: Course) -> BTreeSet<String> {
    let mut hosts = BTreeSet::new();
    for step in &plan.steps {
        let Some(known) = state.step(&step.key) else { continue };
        let is_open = match course {
            Course::Forward => !is_settled(known),
            // It may have to be followed to its end first.
            Course::Back => known.status == StepStatus::Unknown,
        };
        let does = Some(&step.task).filter(|_| is_open);
        let undoes =
            step.undo.task().filter(|_| known.may_have_changed || (is_open && course == Course::Forward));
        let tasks = does.into_iter().chain(undoes);
        hosts.extend(tasks.filter_map(Task::changed_host).map(str::to_owned));
    }
    hosts
}

/// Whether no resume ever begins it again.
fn is_settled(step: &StepState) -> bool {
    match step.status {
        StepStatus::Succeeded => true,
        StepStatus::Skipped => matches!(step.skip, Some(Skip::Condition { .. } | Skip::AlreadyDone)),
        _ => false,
    }
}

impl Engine<'_> {
    /// Takes the hosts that are needed, and those that an earlier turn still has. Why not, if it did not get them: then it has
    /// none.
    ///
    /// # Errors
    /// When the journal cannot be read or written.
    pub(super) async fn take_hosts(
        &self,
        turn: &mut Turn,
        needed: &BTreeSet<String>,
        terms: &Terms<'_>,
    ) -> Result<Option<Denied>> {
        let lines = turn.dir.lines()?;
        let claim = Claim {
            run: turn.dir.id,
            epoch: turn.journal.state().epoch,
            operator: self.operator,
            why: &purpose(self.plan),
            plan: &lines.plan,
            journal: &lines.journal,
            seat: &terms.store.seat()?,
        };
        // Connecting takes longer than all the rest, and can be done side by side.
        if needed.len() > 1 {
            join_all(needed.iter().map(|host| reach(self.world, Some(host)))).await;
        }
        let deadline = Instant::now() + terms.lock_wait;
        let mut cleared = BTreeSet::new();
        let mut got = loop {
            let denied = match self.take_all(needed, &claim).await {
                Ok(got) => break got,
                Err(denied) => denied,
            };
            let Denied::Refused { host, by } = &denied else { return Ok(Some(denied)) };
            // What cannot be found out about that run leaves it its hosts.
            if cleared.insert((host.clone(), by.fence))
                && self.give_back_leftover(host, by, terms).await.unwrap_or(false)
            {
                continue;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Some(denied));
            }
            (self.tell)(Signal::Waiting { what: denied.to_string(), at_most: Some(Span::rounded(left)) });
            tokio::select! {
                biased;
                () = self.cancel.reached(Urgency::Gentle) => return Ok(Some(Denied::Cancelled)),
                () = tokio::time::sleep(PAUSE.min(left)) => {}
            }
        };
        let mut gone = Vec::new();
        let stale: Vec<_> =
            turn.journal.state().locked().filter(|host| !needed.contains(*host)).cloned().collect();
        for host in stale {
            match self.world.take(&host, &claim).await {
                Ok(Taken::Held { fence, folder }) => got.push(Got { host, fence, folder }),
                Ok(Taken::Refused { .. }) => gone.push(host),
                Ok(Taken::Outrun { records }) => {
                    self.hand_back(got.iter().map(|got| got.host.as_str())).await;
                    return Ok(Some(Denied::Outrun { host, records }));
                }
                Err(failure) => {
                    let what = format!("host `{host}` may still be locked for this run: {}", failure.message);
                    (self.tell)(Signal::Warned { what });
                }
            }
        }
        for Got { host, fence, folder } in got {
            if folder.is_in_memory {
                let what = format!(
                    "host `{host}` has no room left: what it keeps of this run is in memory, in `{}`, and lost when it restarts",
                    folder.path
                );
                (self.tell)(Signal::Warned { what });
            }
            self.write(turn, Event::LeaseTaken { host, fence, folder: Some(folder) }).await?;
        }
        for host in gone {
            self.write(turn, Event::LeaseReleased { host }).await?;
        }
        Ok(None)
    }

    async fn take_all(&self, hosts: &BTreeSet<String>, claim: &Claim<'_>) -> Result<Vec<Got>, Denied> {
        let mut got: Vec<Got> = Vec::new();
        for host in hosts {
            let name = host.clone();
            let mut taken = self.world.take(host, claim).await;
            if taken.as_ref().is_err_and(|failure| failure.is_dispatched) {
                // It may be ours by now, and nobody would give it back.
                let what = format!("host `{host}` to say whether it is locked for this run");
                taken = insist(&what, self.tell, || self.world.take(host, claim)).await;
            }
            let denied = match taken {
                Ok(Taken::Held { fence, folder }) => {
                    crash::point("lease.taken");
                    got.push(Got { host: name, fence, folder });
                    if !self.cancel.is_requested() {
                        continue;
                    }
                    Denied::Cancelled
                }
                Ok(Taken::Refused { by }) => Denied::Refused { host: name, by },
                Ok(Taken::Outrun { records }) => Denied::Outrun { host: name, records },
                Err(failure) => Denied::Failed(failure),
            };
            self.hand_back(got.iter().map(|got| got.host.as_str())).await;
            return Err(denied);
        }
        Ok(got)
    }

    /// Gives back what this turn has. The records come first, so that the copy of the journal that each host keeps is a whole
    /// one: from there another machine may go on.
    ///
    /// # Errors
    /// As [`Engine::write`].
    pub(super) async fn give_back_hosts(&self, turn: &mut Turn) -> Result<()> {
        let hosts: Vec<_> = turn.journal.state().held().map(str::to_owned).collect();
        for host in &hosts {
            self.write(turn, Event::LeaseReleased { host: host.clone() }).await?;
        }
        for host in self.hand_back(hosts.iter().map(String::as_str)).await {
            self.write(turn, Event::LeaseKept { host }).await?;
        }
        crash::point("lease.given_back");
        Ok(())
    }

    /// Gives hosts back, and says which of them did not answer.
    async fn hand_back(&self, hosts: impl Iterator<Item = &str>) -> Vec<String> {
        let releasing = hosts.map(|host| async move { (host, once_more(|| self.world.release(host)).await) });
        let released = join_all(releasing).await;
        let kept = released.into_iter().filter_map(|(host, released)| Some((host, released.err()?)));
        kept.map(|(host, failure)| {
            let what = format!("host `{host}` may still be locked for this run: {}", failure.message);
            (self.tell)(Signal::Warned { what });
            host.to_owned()
        })
        .collect()
    }
}

/// What a run is for, for who is refused because of it.
pub(super) fn purpose(plan: &Plan) -> String {
    const MOST: usize = 60;
    let given = plan.params.iter().filter_map(|(name, value)| {
        let value = written(value);
        let is_short = value.chars().count() <= MOST;
        (is_short && !matches!(plan.params[name], Value::Null)).then(|| format!("{name}={value}"))
    });
    std::iter::once(plan.runbook.clone()).chain(given).collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Denied::Refused {
                host,
                by: Lease { holder: Holder::Run { run, operator, why, since, .. }, .. },
            } => {
                let run = run.short();
                write!(f, "host `{host}` is locked by {operator} for run {run}, `{why}`, since {since:.0}")
            }
            Denied::Refused { host, by } => write!(f, "host `{host}` is locked by lease {}", by.fence),
            Denied::Outrun { host, records } => {
                write!(
                    f,
                    "the run went on elsewhere: host `{host}` has {records} records of it that are not here"
                )
            }
            Denied::Failed(failure) => failure.fmt(f),
            Denied::Cancelled => f.write_str("Ctrl-C came before the hosts were locked"),
        }
    }
}
