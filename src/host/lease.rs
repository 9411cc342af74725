//! The lock on a host: taking it for a turn at a run, giving it back, and seeing who has it.

use std::sync::Arc;

use super::Host;
use super::failure::{Failure, FailureKind};
use super::runner::answer::Answer;
use super::runner::{Opening, Records, Runner};
use crate::base::clock::Timestamp;
use crate::base::id::RunId;
use crate::run::lease::{Folder, Head, Holder, Lease};

/// A host that was taken for a turn at a run.
#[derive(Clone)]
pub struct Hold {
    pub run: RunId,
    pub operator: String,
    pub fence: u64,
    pub folder: Folder,
    /// Where the host keeps receipts as long as there is room: what commands write is found from there.
    pub(super) home: String,
    pub records: Arc<Records>,
}

/// What came of taking a host.
pub enum Take {
    Held(Hold),
    Refused(Lease),
    /// The host holds records of the run that the journal given has not.
    Outrun {
        records: u64,
    },
}

/// For what a host is to be taken.
pub struct Wanted<'a> {
    pub run: RunId,
    pub holder: &'a Holder,
    /// The store that has the journal of the run, and locks it: what else held the host for this run from there is no more.
    pub seat: &'a str,
    pub plan: &'a [u8],
    /// The lines of the journal so far, with their newlines.
    pub journal: &'a [u8],
    pub records: Arc<Records>,
}

/// The lease in force, for those who look.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub lease: Lease,
    /// Whether a connection of the holder's stands, as far as the host can tell.
    pub is_attended: bool,
    /// The receipts whose commands run at this moment, by the names of their files.
    pub running: Vec<String>,
}

impl Host {
    /// Takes the lease of this host, if nobody else has it, and raises its fence. The journal so far is durable there then.
    ///
    /// # Errors
    /// When the way to the host failed, or it cannot keep leases.
    pub async fn take(&self, wanted: &Wanted<'_>) -> Result<Take, Failure> {
        let mut opening = Opening::start(self).await?;
        let json = self.json(wanted.holder)?;
        let request = format!("take {} {}\n{json}\n", wanted.run, wanted.seat);
        let is_last = |line: &str| line == "copied" || line.starts_with('{') || line.starts_with("failed ");
        let lines = opening.ask(&request, is_last).await?;
        let (word, rest) = lines[0].split_once(' ').unwrap_or((&lines[0], ""));
        match word {
            "held" => {
                let json = lines.get(1).map_or("", String::as_str);
                return Ok(Take::Refused(self.lease(self.number(rest)?, json)?));
            }
            "taken" => {}
            _ => return Err(self.failure(FailureKind::Missing, format!("it cannot keep leases: {rest}"))),
        }
        let words: Vec<&str> = rest.splitn(3, ' ').collect();
        let [fence, id, path] = words[..] else {
            return Err(self.failure(FailureKind::Protocol, "the runner does not say where its receipts are"));
        };
        let (fence, home) = (self.number(fence)?, opening.folder.clone());
        let folder = Folder { path: path.to_owned(), id: id.to_owned(), is_in_memory: path != home };
        let hold = Hold {
            run: wanted.run,
            operator: operator_of(wanted.holder),
            fence,
            folder,
            home,
            records: wanted.records.clone(),
        };
        let copy = copied(&lines[1..lines.len() - 1]);
        let runner = Arc::new(opening.into_runner(fence, 0));
        *self.runner.lock().await = Some(runner.clone());
        if !wanted.journal.starts_with(&copy) {
            self.release(&hold, last_head(&copy)).await?;
            let common = copy.iter().zip(wanted.journal).take_while(|(theirs, ours)| theirs == ours).count();
            let lines = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
            return Ok(Take::Outrun { records: lines(&copy) - lines(&copy[..common]) });
        }
        runner.tell(&format!("plan\n{}\n", String::from_utf8_lossy(wanted.plan)));
        self.settle(&runner, &hold).await?;
        Ok(Take::Held(hold))
    }

    /// Whether the lease is still ours.
    ///
    /// # Errors
    /// [`FailureKind::Fenced`] when it is not; else as for any command.
    pub async fn holds(&self, hold: &Hold) -> Result<(), Failure> {
        let runner = self.runner(hold).await?;
        match runner.ask(&hold.records, ("holds", ""), "").recv().await {
            Some(Answer::Holds(true)) => Ok(()),
            Some(_) => Err(self.fenced().await),
            None => Err(self.runner_lost().await),
        }
    }

    /// Gives the lease back, with the records that the host has not got yet. `head` is the last of them.
    ///
    /// # Errors
    /// As for any command. Then the host may be held still.
    pub async fn release(&self, hold: &Hold, head: Option<Head>) -> Result<(), Failure> {
        let head = head.unwrap_or(Head { seq: 0, digest: crate::model::plan::Digest::of(b"") });
        let released =
            Holder::Released { run: hold.run, operator: hold.operator.clone(), at: Timestamp::now(), head };
        let line = format!("{}\n", self.json(&released)?);
        let runner = self.runner(hold).await?;
        match runner.ask(&hold.records, ("release", ""), &line).recv().await {
            Some(Answer::Released) => {
                *self.runner.lock().await = None;
                Ok(())
            }
            Some(_) => Err(self.failure(FailureKind::Missing, "it cannot write that it is given back")),
            None => Err(self.runner_lost().await),
        }
    }

    /// Who has the host at this moment; nothing when nobody ever took it.
    ///
    /// # Errors
    /// As for [`Host::take`].
    pub async fn seen_lease(&self) -> Result<Option<Seen>, Failure> {
        let mut opening = Opening::start(self).await?;
        let lines = opening.ask("lease\n", |line| line == "done").await?;
        let words: Vec<&str> = lines[0].split(' ').collect();
        let [_, fence, attended] = words[..] else { return Ok(None) };
        let json = lines.get(1).map_or("", String::as_str);
        let running = lines.iter().filter_map(|line| line.strip_prefix("running "));
        Ok(Some(Seen {
            lease: self.lease(self.number(fence)?, json)?,
            is_attended: attended == "yes",
            running: running.map(String::from).collect(),
        }))
    }

    /// Makes the host nobody's, if the lease in force is still the one of that fence. Gives the new fence; nothing when another
    /// lease is in force by now.
    ///
    /// # Errors
    /// As for [`Host::take`].
    pub async fn break_lease(&self, fence: u64, by: &str, reason: &str) -> Result<Option<u64>, Failure> {
        let mut opening = Opening::start(self).await?;
        let broken = Holder::Broken { by: by.to_owned(), reason: reason.to_owned(), at: Timestamp::now() };
        let request = format!("break {fence}\n{}\n", self.json(&broken)?);
        let lines = opening.ask(&request, |_| true).await?;
        match lines[0].split_once(' ') {
            Some(("broken", fence)) => Ok(Some(self.number(fence)?)),
            Some((_, why)) => {
                Err(self.failure(FailureKind::Missing, format!("it cannot keep leases: {why}")))
            }
            None => Ok(None),
        }
    }

    /// The runner for a lease that we hold: the one at work, or after a lost connection another.
    pub(super) async fn runner(&self, hold: &Hold) -> Result<Arc<Runner>, Failure> {
        let mut slot = self.runner.lock().await;
        if let Some(runner) = slot.as_ref()
            && runner.is_alive()
            && runner.fence == hold.fence
        {
            return Ok(runner.clone());
        }
        *slot = None;
        let mut opening = Opening::start(self).await?;
        let Folder { path, id, .. } = &hold.folder;
        let lines = opening.ask(&format!("join {} {} {id}\n", hold.run, hold.fence), |_| true).await?;
        let words: Vec<&str> = lines[0].split(' ').collect();
        let count = match words[..] {
            ["joined", _, count] => count,
            ["lost"] => {
                let message = format!("its receipts were in `{path}`, and are not there any more");
                return Err(self.failure(FailureKind::Fenced, message));
            }
            _ => return Err(self.fenced().await),
        };
        let count = self.number(count)? as usize;
        let runner = Arc::new(opening.into_runner(hold.fence, count));
        self.settle(&runner, hold).await?;
        *slot = Some(runner.clone());
        Ok(runner)
    }

    /// Makes the host's copy of the journal whole and durable.
    async fn settle(&self, runner: &Runner, hold: &Hold) -> Result<(), Failure> {
        match runner.ask(&hold.records, ("sync", ""), "").recv().await {
            Some(_) => Ok(()),
            None => Err(self.runner_lost().await),
        }
    }

    /// Who has taken the host over, where it can still be asked.
    pub(super) async fn fenced(&self) -> Failure {
        let now = self.seen_lease().await.ok().flatten();
        let message = match now.map(|seen| seen.lease.holder) {
            Some(Holder::Run { operator, .. }) => format!("`{operator}` has it now"),
            Some(Holder::Released { operator, .. }) => format!("`{operator}` has had it since"),
            Some(Holder::Broken { by, reason, .. }) => format!("`{by}` broke the lock: {reason}"),
            None => "somebody else has had it since".to_owned(),
        };
        self.failure(FailureKind::Fenced, message).hint("opsctl lock list")
    }

    /// The runner's channel is gone; most often with the connection.
    pub(super) async fn runner_lost(&self) -> Failure {
        match self.check().await {
            Err(lost) => lost.dispatched(),
            Ok(()) => self.failure(FailureKind::Lost, "the runner on the host was ended").dispatched(),
        }
    }

    fn lease(&self, fence: u64, json: &str) -> Result<Lease, Failure> {
        let holder = serde_json::from_str(json).map_err(|error| {
            self.failure(FailureKind::Protocol, format!("lease {fence} makes no sense: {error}"))
        })?;
        Ok(Lease { v: Lease::VERSION, fence, holder })
    }

    fn json(&self, holder: &Holder) -> Result<String, Failure> {
        serde_json::to_string(holder)
            .map_err(|error| self.failure(FailureKind::Protocol, format!("cannot write a lease: {error}")))
    }

    pub(super) fn number(&self, text: &str) -> Result<u64, Failure> {
        text.trim().parse().map_err(|_| {
            self.failure(FailureKind::Protocol, format!("the runner gave `{text}` in place of a number"))
        })
    }
}

fn operator_of(holder: &Holder) -> String {
    match holder {
        Holder::Run { operator, .. } | Holder::Released { operator, .. } => operator.clone(),
        Holder::Broken { by, .. } => by.clone(),
    }
}

/// The journal as the host sends it: a mark before each line, and an empty line after it, which a torn last line has eaten.
pub(super) fn copied(lines: &[String]) -> Vec<u8> {
    let mut lines: Vec<_> = lines.iter().map(|line| line.strip_prefix("m ")).collect();
    if lines.pop().flatten().is_some() {
        lines.push(None);
    }
    lines.into_iter().flatten().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect()
}

fn last_head(journal: &[u8]) -> Option<Head> {
    let lines: Vec<_> = journal.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let last = lines.last()?;
    Some(Head { seq: lines.len() as u64, digest: crate::model::plan::Digest::of(last) })
}
