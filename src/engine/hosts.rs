//! The real world: the hosts of a plan, each connected once, when it is first needed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use indexmap::IndexMap;
use tokio::sync::Mutex;

use super::held::{Turn, holder};
use super::plan::Needs;
use super::world::{Claim, Request, Taken, World};
use crate::host::failure::{Failure, FailureKind};
use crate::host::lease::{Hold, Take, Wanted};
use crate::host::{Host, Limits, Records, here};
use crate::model::facts::Facts;
use crate::model::inventory::{Host as HostEntry, Inventory};
use crate::model::operation::{Observation, Operation, Via};
use crate::run::event::Record;
use crate::run::receipt::{Processes, Receipt, ReceiptKey};

/// One connection per host per run. A connection that was lost is made anew at the next use, never in the middle of a
/// command: what was under way then is unknown, and settling that is not this layer's business.
pub struct Hosts {
    entries: BTreeMap<String, HostEntry>,
    /// What relative paths in host entries are relative to.
    directory: PathBuf,
    limits: Limits,
    connected: BTreeMap<String, Mutex<Option<Arc<Host>>>>,
    turn: std::sync::Mutex<Turn>,
}

impl Hosts {
    pub fn new(entries: BTreeMap<String, HostEntry>, inventory: &Path, limits: Limits) -> Hosts {
        let connected = entries.keys().map(|name| (name.clone(), Mutex::default())).collect();
        let directory = inventory.parent().unwrap_or(Path::new(".")).to_owned();
        Hosts { entries, directory, limits, connected, turn: Default::default() }
    }

    pub fn of(inventory: &Inventory, path: &Path) -> Hosts {
        let entries = inventory.hosts.iter().map(|(name, host)| (name.clone(), host.clone())).collect();
        Hosts::new(entries, path, Limits::default())
    }

    /// The connection to a host, made now if there is none or if it was lost.
    ///
    /// # Errors
    /// Why the host cannot be reached.
    pub async fn connection(&self, name: &str) -> Result<Arc<Host>, Failure> {
        let (Some(slot), Some(entry)) = (self.connected.get(name), self.entries.get(name)) else {
            return Err(unknown_host(name));
        };
        let mut slot = slot.lock().await;
        if let Some(host) = slot.as_ref()
            && host.is_alive()
        {
            return Ok(host.clone());
        }
        *slot = None;
        let host = Arc::new(Host::connect(name, entry, &self.directory, self.limits).await?);
        *slot = Some(host.clone());
        Ok(host)
    }

    /// Asks every host for what only it knows. A host that does not answer is in the second part, with the reason; the
    /// others do not wait for it.
    pub async fn facts(&self, inventory: &Inventory) -> (Facts, IndexMap<String, Failure>) {
        let asked = join_all(inventory.standing().map(|(name, _)| async move {
            let projects = inventory.projects.iter().filter(|(_, project)| project.host == *name);
            let projects: Vec<_> = projects.map(|(project, _)| project.as_str()).collect();
            (name, self.facts_of(inventory, name, &projects).await)
        }));
        let mut facts = Facts::default();
        let mut unreachable = IndexMap::new();
        for (name, answer) in asked.await {
            match answer {
                Ok(of_host) => add(&mut facts, of_host),
                Err(failure) => {
                    unreachable.insert(name.clone(), failure);
                }
            }
        }
        (facts, unreachable)
    }

    /// Asks for what a plan needs to know, and nothing else: a host that it has nothing to do with may be the broken one.
    ///
    /// # Errors
    /// When a host that is needed does not answer.
    pub async fn facts_for(&self, inventory: &Inventory, needs: &Needs) -> Result<Facts, Failure> {
        let asked = join_all(needs.compose.iter().map(|name| async move {
            let projects = needs.projects.iter().filter(|project| inventory.host_of(project) == name);
            let projects: Vec<_> = projects.map(String::as_str).collect();
            self.facts_of(inventory, name, &projects).await
        }));
        let mut facts = Facts::default();
        for answer in asked.await {
            add(&mut facts, answer?);
        }
        Ok(facts)
    }

    async fn facts_of(&self, inventory: &Inventory, name: &str, projects: &[&str]) -> Result<Facts, Failure> {
        let host = self.connection(name).await?;
        let of_host = host.facts().await?;
        let asked = join_all(projects.iter().map(|project| {
            let (host, of_host) = (&host, &of_host);
            async move {
                let facts = host.project_facts(of_host, &inventory.projects[*project]).await?;
                Ok(((*project).to_owned(), facts))
            }
        }));
        let projects = asked.await.into_iter().collect::<Result<_, Failure>>()?;
        let hosts = BTreeMap::from([(name.to_owned(), of_host)]);
        Ok(Facts { hosts, projects, ..Facts::default() })
    }

    fn turn(&self) -> std::sync::MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// What is held of a host.
    fn hold(&self, name: &str) -> Result<Hold, Failure> {
        self.turn().holds.get(name).cloned().ok_or_else(|| Failure {
            kind: FailureKind::Fenced,
            message: "it was not taken for this run".to_owned(),
            ..unknown_host(name)
        })
    }

    /// The records of the run that a host is taken for; those of a run before it count no more.
    fn records(&self, claim: &Claim<'_>) -> Arc<Records> {
        let mut turn = self.turn();
        if turn.run != Some(claim.run) {
            *turn = Turn::begin(claim);
        }
        turn.records.clone()
    }

    /// Ends every connection.
    pub async fn close(self) {
        for (_, slot) in self.connected {
            if let Some(host) = slot.into_inner().and_then(Arc::into_inner) {
                host.close().await;
            }
        }
    }
}

impl World for Hosts {
    fn perform<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Observation, Failure>> {
        let is_from_here = match request.operation {
            Operation::Http(http) => http.via == Via::Here,
            Operation::Sleep(_) | Operation::Assert { .. } => true,
            _ => false,
        };
        async move {
            match request.host {
                _ if is_from_here => here::perform(request.operation).await,
                Some(name) => {
                    let host = self.connection(name).await?;
                    match (request.key, request.operation) {
                        (Some(key), Operation::Command(command)) => {
                            let hold = self.hold(name)?;
                            let head = self.turn().head_of(key);
                            let output = host.dispatch(&hold, key, head, command, request.output).await?;
                            Ok(Observation { value: output.into_value() })
                        }
                        _ => host.perform(request.operation, request.timeout, request.output).await,
                    }
                }
                None => Err(unknown_host("(none)")),
            }
        }
        .boxed()
    }

    fn receipt<'a>(&'a self, host: &'a str, key: &'a ReceiptKey) -> BoxFuture<'a, Result<Receipt, Failure>> {
        async move {
            let hold = self.hold(host)?;
            self.connection(host).await?.receipt(&hold, key).await
        }
        .boxed()
    }

    fn end<'a>(&'a self, host: &'a str, key: &'a ReceiptKey) -> BoxFuture<'a, Processes> {
        async move {
            let (Ok(hold), Ok(connection)) = (self.hold(host), self.connection(host).await) else {
                return Processes::Unproved;
            };
            connection.end(&hold, key).await
        }
        .boxed()
    }

    fn take<'a>(&'a self, host: &'a str, claim: &'a Claim<'a>) -> BoxFuture<'a, Result<Taken, Failure>> {
        async move {
            let connection = self.connection(host).await?;
            let wanted = Wanted {
                run: claim.run,
                holder: &holder(claim),
                seat: claim.seat,
                plan: claim.plan,
                journal: claim.journal,
                records: self.records(claim),
            };
            Ok(match connection.take(&wanted).await? {
                Take::Held(hold) => {
                    let taken = Taken::Held { fence: hold.fence, folder: hold.folder.clone() };
                    self.turn().holds.insert(host.to_owned(), hold);
                    taken
                }
                Take::Refused(by) => Taken::Refused { by },
                Take::Outrun { records } => Taken::Outrun { records },
            })
        }
        .boxed()
    }

    fn holds<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
        async move {
            let hold = self.hold(host)?;
            self.connection(host).await?.holds(&hold).await
        }
        .boxed()
    }

    fn release<'a>(&'a self, host: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
        async move {
            let hold = self.hold(host)?;
            let head = self.turn().last.clone();
            self.connection(host).await?.release(&hold, head).await?;
            self.turn().holds.remove(host);
            Ok(())
        }
        .boxed()
    }

    fn note(&self, record: &Record) {
        self.turn().note(record);
    }
}

fn add(facts: &mut Facts, more: Facts) {
    facts.hosts.extend(more.hosts);
    facts.projects.extend(more.projects);
}

fn unknown_host(name: &str) -> Failure {
    Failure {
        host: name.to_owned(),
        kind: FailureKind::Missing,
        message: "it is not in the inventory".to_owned(),
        is_dispatched: false,
        hints: Vec::new(),
    }
}
