//! One SSH connection, over which everything goes.
//!
//! The person's own `ssh` makes it, with the person's own configuration, keys and agent: a *master* that authenticates
//! once. Commands are sessions on it (see [`mux`](super::mux)), and so are the Docker socket and the ports that only the host
//! can see; the `openssh` crate looks after the master itself and forwards sockets.
//!
//! - It never asks: `BatchMode`. It never takes a changed host key: see [`destination`](super::destination).
//! - It notices a silent host: `ServerAliveInterval` times `ServerAliveCountMax`, and the master ends.
//! - It does not outlive opsctl. The master goes to the background and would stay; it is told to end when nobody has used it
//!   for ten seconds (`ControlPersist`), and one open connection to its control socket counts as use. That connection
//!   is held here for as long as the host is, and the system closes it when opsctl dies, however it dies. Its closing from
//!   the other side says, at once, that the master is gone.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use openssh::{ForwardType, Session, Socket};
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::process::Command;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::channel::{Channel, Input};
use super::destination::{Destination, HostKeys};
use super::directory::Private;
use super::failure::{Failure, FailureKind};
use super::limits::Limits;
use super::mux::{Master, Opened, Pipes};
use super::words;

/// For how long a master that nobody uses stays: longer than from its start to the first use, short enough to be no trace.
const IDLE: &str = "ControlPersist=10";

pub(super) struct Connection {
    sessions: Sessions,
    watch: Watch,
}

/// What it takes to use the connection. Whoever holds one keeps the private folder, not the master.
#[derive(Clone)]
pub(super) struct Sessions {
    host: String,
    session: Arc<Session>,
    directory: PathBuf,
    lost: watch::Receiver<bool>,
    /// How much ssh had to say while it connected: bytes of its log.
    said_at_first: usize,
}

/// The task that holds the connection to the control socket; it ends with this.
struct Watch(AbortHandle);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Connection {
    pub(super) async fn open(
        host: &str,
        destination: &Destination,
        limits: &Limits,
        private: Private,
    ) -> Result<(Connection, std::fs::File), Failure> {
        let directory = private.directory.path().to_owned();
        let effective = destination.effective().await;
        let host_keys = effective.as_ref().map_or(HostKeys::Strict, |effective| effective.host_keys);
        let mut master = master(destination, limits, host_keys, &directory);
        // ssh keeps to its own timeout for each address; this one is for all that it leaves out, such as a jump host.
        let outcome = tokio::time::timeout(limits.connect + limits.alive_interval, master.output()).await;
        let said = || std::fs::read_to_string(directory.join("log")).unwrap_or_default();
        let refused = |log: String| {
            let gist = words::gist(&log);
            let kind = words::kind(&log);
            let mut failure = Failure::new(host, kind, format!("ssh cannot connect: {gist}"));
            if kind == FailureKind::HostKey {
                failure = failure.hint(key_hint(&log, effective.as_ref().map(|e| e.known_as()), destination));
            }
            failure.hint(destination.try_by_hand())
        };
        match outcome {
            Ok(Ok(output)) if output.status.success() => {}
            Ok(Ok(output)) => {
                // Standard error holds the banner of the server, and the reason only where there was no log yet.
                let log = Some(said()).filter(|log| !log.trim().is_empty());
                return Err(refused(
                    log.unwrap_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned()),
                ));
            }
            Ok(Err(error)) => {
                return Err(Failure::new(host, FailureKind::Missing, format!("cannot start `ssh`: {error}"))
                    .hint("command -v ssh"));
            }
            Err(_) => {
                let after = crate::base::amount::Span::rounded(limits.connect);
                let message = format!("ssh has no connection after {after}; {}", words::gist(&said()));
                return Err(Failure::new(host, FailureKind::Timeout, message).hint(destination.try_by_hand()));
            }
        }
        let held = UnixStream::connect(directory.join("master")).await.map_err(|error| {
            Failure::new(host, FailureKind::Lost, format!("the connection was gone at once: {error}"))
        })?;
        let (report, lost) = watch::channel(false);
        let watch = Watch(tokio::spawn(until_closed(held, report)).abort_handle());
        let session = Arc::new(Session::new_native_mux(private.directory));
        let said_at_first = said().len();
        let sessions = Sessions { host: host.to_owned(), session, directory, lost, said_at_first };
        Ok((Connection { sessions, watch }, private.lock))
    }

    pub(super) fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    pub(super) async fn close(self) {
        drop(self.watch);
        // Where a command still holds the session, it is closed with that. A master that is gone cannot be told, nor need be.
        if let Some(session) = Arc::into_inner(self.sessions.session) {
            let _ = session.close().await;
        }
    }
}

impl Sessions {
    /// Where sockets that lead through the connection are put.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn control(&self) -> PathBuf {
        self.directory.join("master")
    }

    pub(super) fn is_alive(&self) -> bool {
        !*self.lost.borrow()
    }

    /// Comes back when the connection is gone.
    pub(super) async fn lost(&self) {
        // An error means that the watch itself is gone, and with it the connection.
        let _ = self.lost.clone().wait_for(|is_lost| *is_lost).await;
    }

    /// What to say about a connection that is gone, in ssh's own last words.
    pub(super) fn lost_failure(&self) -> Failure {
        let log = self.log();
        let since = log.get(self.said_at_first..).unwrap_or_default();
        let message = match words::last(since) {
            Some(words) => format!("the connection was lost: {words}"),
            None => "the connection was lost".to_owned(),
        };
        Failure::new(&self.host, FailureKind::Lost, message)
    }

    /// Asks the master itself, which is gone as soon as the connection is: exact, where [`Sessions::is_alive`] may lag.
    pub(super) async fn check(&self) -> bool {
        self.session.check().await.is_ok()
    }

    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }

    /// Starts a line on the host's login shell.
    ///
    /// # Errors
    /// Dispatched, unless it is certain that the host has not got it.
    pub(super) async fn start(&self, line: &str, input: Input) -> Result<Channel, Failure> {
        let protocol = |message: String| Failure::new(&self.host, FailureKind::Protocol, message);
        if line.contains('\0') {
            return Err(protocol("the command holds a zero byte".to_owned()));
        }
        let pipes = Pipes::make(input)
            .map_err(|error| protocol(format!("cannot make a pipe: {}", super::dial::plain(&error))))?;
        // A master that is gone certainly passed nothing on.
        let master = Master::connect(&self.control()).await.map_err(|_| self.lost_failure())?;
        match master.start(line, pipes).await {
            Ok(Opened::Open(channel)) => Ok(channel),
            // The host answered, and the answer was no: most often its `MaxSessions`.
            Ok(Opened::Refused(reason)) => {
                Err(protocol(format!("the host opens no further session: {reason}"))
                    .hint("sudo sshd -T | grep -i maxsessions"))
            }
            Err(_) => Err(self.lost_failure().dispatched()),
        }
    }

    /// Makes a socket of the host's reachable under a local path.
    pub(super) async fn forward_socket(&self, local: &Path, remote: &Path) -> Result<(), openssh::Error> {
        let (local, remote) = (Socket::from(local), Socket::from(remote));
        self.session.request_port_forward(ForwardType::Local, local, remote).await
    }
}

fn master(destination: &Destination, limits: &Limits, host_keys: HostKeys, directory: &Path) -> Command {
    let mut options = vec![
        "BatchMode=yes".to_owned(),
        host_keys.option().to_owned(),
        IDLE.to_owned(),
        format!("ConnectTimeout={}", limits.connect.as_secs().max(1)),
        format!("ServerAliveInterval={}", limits.alive_interval.as_secs().max(1)),
        format!("ServerAliveCountMax={}", limits.alive_count),
        // What the configuration may hold for a person's own sessions, and would be in the way here.
        "ClearAllForwardings=yes".to_owned(),
        "ForwardAgent=no".to_owned(),
        "ForwardX11=no".to_owned(),
        "RemoteCommand=none".to_owned(),
        "RequestTTY=no".to_owned(),
        "LogLevel=INFO".to_owned(),
    ];
    let mut master = Command::new("ssh");
    master
        .arg("-E")
        .arg(directory.join("log"))
        .arg("-S")
        .arg(directory.join("master"))
        .args(["-M", "-f", "-N"]);
    for option in options.drain(..) {
        master.arg("-o").arg(option);
    }
    master.args(destination.arguments());
    master.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    // Ctrl-C is opsctl's to act on.
    master.process_group(0);
    master
}

async fn until_closed(mut held: UnixStream, report: watch::Sender<bool>) {
    let mut greeting = [0; 256];
    while held.read(&mut greeting).await.is_ok_and(|read| read > 0) {}
    report.send_replace(true);
}

fn key_hint(log: &str, known_as: Option<String>, destination: &Destination) -> String {
    let name = known_as.unwrap_or_else(|| destination.host.clone());
    let name = crate::model::operation::quoted(&name);
    if words::is_changed_key(log) {
        format!(
            "ssh-keygen -R {name}   # only after the new key was checked: it may not be your host that answers"
        )
    } else {
        let mut argv = vec!["ssh".to_owned()];
        argv.extend(destination.arguments());
        format!(
            "{}   # and compare the fingerprint before accepting it",
            crate::model::operation::words(&argv)
        )
    }
}
