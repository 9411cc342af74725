//! `docker system dial-stdio`: a pipe to the engine that is a command on the host.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, BufReader};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::host::channel::{Channel, Input, Pipe, Reader};
use crate::host::failure::{Failure, FailureKind};
use crate::host::line::{self, Marker};
use crate::host::{Host, Transport, local, ssh};
use crate::model::inventory::Become;
use crate::model::operation::{Command, Program, words};

/// More start-up noise than this is none.
const MOST_NOISE: usize = 64 << 10;

/// What it takes to start a command apart from the host that it belongs to.
#[derive(Clone)]
pub(super) struct Starter {
    escalation: Option<Become>,
    sessions: Option<ssh::Sessions>,
}

impl Starter {
    pub(super) fn of(host: &Host) -> Starter {
        let sessions = match &host.transport {
            Transport::Local(_) => None,
            Transport::Ssh(connection) => Some(connection.sessions().clone()),
        };
        Starter { escalation: host.escalation, sessions }
    }

    pub(super) async fn pipe(self, pipes: Arc<Semaphore>) -> Option<Pipe> {
        let turn = pipes.acquire_owned().await.ok()?;
        let marker = Marker::generate();
        let argv = line::pipe_to(&["docker", "system", "dial-stdio"], self.escalation, &marker);
        let channel = match &self.sessions {
            None => local::start(&argv, Input::Pipe).ok()?,
            Some(sessions) => sessions.start(&words(&argv), Input::Pipe).await.ok()?,
        };
        connected(channel, &marker, turn).await
    }
}

/// Drops what the login shell says first: a single byte of it would spoil the answer.
async fn connected(channel: Channel, marker: &Marker, turn: OwnedSemaphorePermit) -> Option<Pipe> {
    let Channel { stdin, stdout, stderr, exit, keep } = channel;
    let mut reader: Reader = Box::new(BufReader::new(stdout));
    let mut line = Vec::new();
    for _ in 0..MOST_NOISE {
        match reader.read_u8().await.ok()? {
            b'\n' if String::from_utf8_lossy(&line).contains(marker.as_str()) => {
                return Some(Pipe { reader, writer: stdin?, keep: Box::new((stderr, exit, keep, turn)) });
            }
            b'\n' => line.clear(),
            byte => line.push(byte),
        }
    }
    None
}

impl Host {
    /// Asks the host why nothing speaks for Docker there: by what is there and what is not, not by its words.
    pub(in crate::host) async fn why_no_docker(&self) -> Failure {
        let script = "command -v docker >/dev/null || exit 10\n\
                      docker version --format '{{.Server.Version}}' && exit 14\n\
                      test -S /var/run/docker.sock || exit 11\n\
                      test -w /var/run/docker.sock || exit 12\n\
                      exit 13";
        let command = Command::new(Program::Shell(script.to_owned()));
        let said = match self.run(&command, Some(self.limits.connect), &mut |_, _| {}).await {
            Ok(said) => said,
            Err(failure) => return failure,
        };
        let words = said.stderr.trim();
        match said.status {
            10 => self.failure(FailureKind::Missing, "there is no `docker`").hint("command -v docker"),
            11 => self
                .failure(FailureKind::Missing, format!("the Docker engine does not run: {words}"))
                .hint("sudo systemctl start docker"),
            12 => self
                .failure(FailureKind::Privilege, "the user may not use Docker: its socket is not for them")
                .hint("become: sudo   # in the inventory, at the host")
                .hint("sudo usermod -aG docker USER   # on the host"),
            14 => self.failure(
                FailureKind::Protocol,
                "Docker answers its own client and not `docker system dial-stdio`",
            ),
            _ => self
                .failure(FailureKind::Missing, format!("the Docker engine does not answer: {words}"))
                .hint("docker version"),
        }
    }
}
