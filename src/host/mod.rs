//! A machine, as opsctl reaches it: its commands, its Docker, the ports that only it can see.
//!
//! A [`Host`] is one connection, made once and shared by all that a run does there. Everything about *how* it is reached is
//! below this line: the rest of the house hands it commands and operations and gets observations.
//!
//! A [`Failure`] is always about the way to the host, and says whether the request may have got there. What ran and failed has
//! an exit code; what was asked and did not answer has an `error`: those are observations.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::{Mutex, OnceCell, Semaphore};

use crate::model::address::Address;
use crate::model::inventory::{self, Become};

mod capture;
mod channel;
pub mod compose;
mod destination;
mod dial;
mod directory;
mod disks;
pub mod dispatch;
pub mod docker;
pub mod facts;
pub mod failure;
pub mod here;
pub mod http;
pub mod kept;
pub mod lease;
pub mod limits;
mod line;
mod local;
mod mux;
mod perform;
pub mod room;
pub mod run;
mod runner;
mod ssh;
mod tls;
mod tunnel;
mod words;

pub use failure::{Failure, FailureKind};
pub use limits::Limits;
pub use run::{Output, Sink};
pub use runner::Records;

/// An SSH server opens ten sessions on one connection and refuses the rest (`MaxSessions`). Commands take three of them at
/// most, and the ways to Docker four; two are the runner's, and the last is for ending a command whose time is up.
const COMMANDS_AT_ONCE: usize = 3;

pub struct Host {
    name: String,
    transport: Transport,
    escalation: Option<Become>,
    /// Where the inventory says that leases and receipts are kept.
    state_dir: Option<String>,
    limits: Limits,
    /// At work for the lease that is held.
    runner: Mutex<Option<Arc<runner::Runner>>>,
    sessions: Semaphore,
    docker: OnceCell<docker::Client>,
    /// For the names of sockets.
    counter: AtomicU64,
    /// Says that the private folder is in use.
    _lock: File,
}

enum Transport {
    Local(TempDir),
    Ssh(ssh::Connection),
}

impl Host {
    /// Connects to a host, or gets ready to use this machine. `inventory_dir` is what `ssh_config` is relative to.
    ///
    /// # Errors
    /// When there is no connection within [`Limits::connect`]; nothing was asked of the host yet.
    pub async fn connect(
        name: &str,
        spec: &inventory::Host,
        inventory_dir: &Path,
        limits: Limits,
    ) -> Result<Host, Failure> {
        let private = directory::create().map_err(|error| {
            Failure::new(name, FailureKind::Missing, format!("cannot make a private folder: {error}"))
        })?;
        let (transport, lock) = match &spec.address {
            Address::Local => (Transport::Local(private.directory), private.lock),
            Address::Ssh { user, host, port } => {
                let destination = destination::Destination {
                    user: user.clone(),
                    host: host.clone(),
                    port: *port,
                    config: spec.ssh_config.as_ref().map(|path| inventory_dir.join(path)),
                };
                let (connection, lock) = ssh::Connection::open(name, &destination, &limits, private).await?;
                (Transport::Ssh(connection), lock)
            }
        };
        Ok(Host {
            name: name.to_owned(),
            transport,
            escalation: spec.escalation,
            state_dir: spec.state_dir.clone(),
            limits,
            runner: Mutex::default(),
            sessions: Semaphore::new(COMMANDS_AT_ONCE),
            docker: OnceCell::new(),
            counter: AtomicU64::new(0),
            _lock: lock,
        })
    }

    /// The host's name in the inventory.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the connection stands, as far as is known: a host that falls silent is noticed after
    /// [`Limits::alive_interval`] times [`Limits::alive_count`].
    pub fn is_alive(&self) -> bool {
        match &self.transport {
            Transport::Local(_) => true,
            Transport::Ssh(connection) => connection.sessions().is_alive(),
        }
    }

    /// # Errors
    /// When the connection is gone, even just now.
    async fn check(&self) -> Result<(), Failure> {
        let Transport::Ssh(connection) = &self.transport else { return Ok(()) };
        if connection.sessions().check().await {
            return Ok(());
        }
        // From here on everybody is to see it as gone; the watch gets to know in a moment.
        let _ = tokio::time::timeout(Duration::from_millis(500), connection.sessions().lost()).await;
        Err(connection.sessions().lost_failure())
    }

    /// Comes back when the connection is gone; never for this machine.
    pub async fn lost(&self) -> Failure {
        match &self.transport {
            Transport::Local(_) => std::future::pending().await,
            Transport::Ssh(connection) => {
                connection.sessions().lost().await;
                connection.sessions().lost_failure()
            }
        }
    }

    /// Closes the connection. Without it the connection closes all the same, some seconds after the host is dropped.
    pub async fn close(self) {
        drop(self.docker);
        drop(self.runner);
        if let Transport::Ssh(connection) = self.transport {
            connection.close().await;
        }
    }

    fn failure(&self, kind: FailureKind, message: impl Into<String>) -> Failure {
        Failure::new(&self.name, kind, message)
    }

    /// A path for a socket in the private folder, another one each time.
    fn socket(&self, what: &str) -> PathBuf {
        let directory = match &self.transport {
            Transport::Local(directory) => directory.path(),
            Transport::Ssh(connection) => connection.sessions().directory(),
        };
        directory.join(format!("{what}{}", self.counter.fetch_add(1, Ordering::Relaxed)))
    }
}
