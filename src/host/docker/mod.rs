//! Docker on a host, read through its API.
//!
//! The way there, the first that works:
//!
//! 1. on this machine the socket itself (`DOCKER_HOST`, else `/var/run/docker.sock`); elsewhere the host's socket, forwarded over
//!    the SSH connection;
//! 2. `docker system dial-stdio`, as the Docker client itself does for `ssh://` hosts: it knows contexts and rootless engines,
//!    and needs no forwarding of sockets.
//!
//! With `become: sudo` only the second will do, under `sudo`: the user need not be in the group `docker`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bollard::{API_DEFAULT_VERSION, BollardRequest, Docker};
use futures_util::TryFutureExt as _;
use hyper_util::rt::TokioExecutor;
use hyperlocal::UnixConnector;
use serde_json::Value;
use tokio::sync::Semaphore;

use super::failure::{Failure, FailureKind};
use super::tunnel::Tunnel;
use super::{Host, Transport};
use crate::base::amount::Span;
use crate::model::operation::DockerQuery;

mod containers;
mod exec;
pub mod images;
mod login;
mod logs;
mod stats;
mod stdio;
pub mod stock;
pub mod usage;

const SOCKET: &str = "/var/run/docker.sock";

/// See [`COMMANDS_AT_ONCE`](super::COMMANDS_AT_ONCE).
const PIPES_AT_ONCE: usize = 4;

const NO_ANSWER: &str = "Docker did not answer";

pub(super) struct Client {
    api: Docker,
    /// Where `api` is spoken.
    socket: PathBuf,
    _tunnel: Option<Tunnel>,
}

impl Host {
    pub(super) async fn query(
        &self,
        query: &DockerQuery,
        timeout: Option<Duration>,
    ) -> Result<Value, Failure> {
        let answer = async {
            let api = self.docker().await?;
            let answer = match query {
                DockerQuery::Containers(of) => containers::query(api, of).await,
                DockerQuery::Stats(of) => stats::query(api, of).await,
                DockerQuery::Logs { of, tail, since } => logs::query(api, of, *tail, *since).await,
            };
            answer.map_err(|refusal| self.refused(refusal))
        };
        self.within(timeout, NO_ANSWER, answer).await
    }

    /// The version of the engine that answers.
    ///
    /// # Errors
    /// Why none does.
    pub async fn engine(&self) -> Result<String, Failure> {
        let answer = async {
            let version = self.docker().await?.version().await;
            version.map_err(|error| self.refused(error.into()))
        };
        Ok(self.within(None, NO_ANSWER, answer).await?.version.unwrap_or_default())
    }

    /// Only reads go this way, so a failure on it has changed nothing: it is never more than a question without an answer.
    async fn within<T>(
        &self,
        timeout: Option<Duration>,
        what_if_not: &str,
        answer: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let timeout = timeout.unwrap_or(self.limits.docker);
        tokio::select! {
            answer = tokio::time::timeout(timeout, answer) => match answer {
                // A socket that is forwarded goes with the connection, and may be noticed to be gone before that is.
                Ok(Err(failure)) if failure.kind == FailureKind::Protocol => {
                    self.check().await.map_err(Failure::dispatched)?;
                    Err(failure)
                }
                Ok(answer) => answer,
                Err(_) => {
                    let message = format!("{what_if_not} within {}", Span::rounded(timeout));
                    Err(self.failure(FailureKind::Timeout, message).dispatched())
                }
            },
            failure = self.lost() => Err(failure.dispatched()),
        }
    }

    async fn docker(&self) -> Result<&Docker, Failure> {
        Ok(&self.docker_client().await?.api)
    }

    async fn docker_client(&self) -> Result<&Client, Failure> {
        self.docker.get_or_try_init(|| self.reach_docker()).await
    }

    async fn reach_docker(&self) -> Result<Client, Failure> {
        if self.escalation.is_none() {
            let path = self.docker_socket().await;
            if let Some(api) = speak(&path).await {
                return Ok(Client { api, socket: path, _tunnel: None });
            }
        }
        let pipes = Arc::new(Semaphore::new(PIPES_AT_ONCE));
        let starter = stdio::Starter::of(self);
        let tunnel = Tunnel::open(self.socket("dial"), move || starter.clone().pipe(pipes.clone()))
            .map_err(|error| self.failure(FailureKind::Missing, format!("cannot make a socket: {error}")))?;
        match speak(tunnel.path()).await {
            Some(api) => Ok(Client { api, socket: tunnel.path().to_owned(), _tunnel: Some(tunnel) }),
            None => Err(self.why_no_docker().await),
        }
    }

    async fn docker_socket(&self) -> PathBuf {
        match &self.transport {
            Transport::Local(_) => std::env::var("DOCKER_HOST")
                .ok()
                .and_then(|host| host.strip_prefix("unix://").map(PathBuf::from))
                .unwrap_or_else(|| SOCKET.into()),
            Transport::Ssh(connection) => {
                let path = self.socket("docker");
                // Where this is not allowed nothing listens there, which is noticed next.
                let _ = connection.sessions().forward_socket(&path, Path::new(SOCKET)).await;
                path
            }
        }
    }

    fn refused(&self, refusal: Refusal) -> Failure {
        match refusal {
            Refusal::Missing(message) => self.failure(FailureKind::Missing, message),
            Refusal::Docker(error) => {
                self.failure(FailureKind::Protocol, format!("Docker did not answer: {error}"))
            }
        }
    }
}

/// Why a question has no answer.
enum Refusal {
    /// There is no such container.
    Missing(String),
    Docker(bollard::errors::Error),
}

impl From<bollard::errors::Error> for Refusal {
    fn from(error: bollard::errors::Error) -> Refusal {
        Refusal::Docker(error)
    }
}

/// A client for the socket, with the version of the API that both sides know; nothing when nobody answers there.
///
/// One connection stays open between questions, which bollard's own client does not keep: behind it there may be a command on the host.
async fn speak(path: &Path) -> Option<Docker> {
    let mut builder = hyper_util::client::legacy::Client::builder(TokioExecutor::new());
    let connections = builder.pool_max_idle_per_host(1).build::<_, _>(UnixConnector);
    let socket = path.to_owned();
    let ask = move |mut question: BollardRequest| {
        let asked = question.uri().path_and_query().map_or("/", |asked| asked.as_str()).to_owned();
        *question.uri_mut() = hyperlocal::Uri::new(&socket, &asked).into();
        connections.request(question).map_err(Into::into)
    };
    // Every question has its own time; this is only above all of them.
    let timeout = 3600;
    let api = Docker::connect_with_custom_transport(ask, Some("http://docker"), timeout, API_DEFAULT_VERSION)
        .ok()?;
    api.negotiate_version().await.ok()
}
