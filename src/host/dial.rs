//! Opens TCP connections as the host sees them.

use std::io::{Error, ErrorKind};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::channel::Pipe;
use super::failure::{Failure, FailureKind};
use super::mux::{Master, Opened};
use super::{Host, Transport};
use crate::base::amount::Span;

/// What became of an attempt to connect. Only the way to the host itself can fail.
pub(super) enum Dial {
    Open(Pipe),
    /// In plain words, such as `connection refused`.
    Refused(String),
}

impl Host {
    /// Connects to a port as the host sees it. Over SSH the host's own sshd connects, and says whether it could.
    pub(super) async fn dial(&self, address: &str, port: u16, deadline: Duration) -> Result<Dial, Failure> {
        let attempt = async {
            match &self.transport {
                Transport::Local(_) => Ok(match connect(address, port).await {
                    Ok(stream) => {
                        let (reader, writer) = stream.into_split();
                        Dial::Open(Pipe {
                            reader: Box::new(reader),
                            writer: Box::new(writer),
                            keep: Box::new(()),
                        })
                    }
                    Err(error) => Dial::Refused(plain(&error)),
                }),
                Transport::Ssh(connection) => {
                    let said_before = connection.sessions().log().len();
                    let dialled = async {
                        Master::connect(&connection.sessions().control()).await?.dial(address, port).await
                    };
                    match dialled.await {
                        Ok(Opened::Open(pipe)) => Ok(Dial::Open(pipe)),
                        Ok(Opened::Refused(_)) => {
                            let log = connection.sessions().log();
                            self.refusal(log.get(said_before..).unwrap_or_default())
                        }
                        Err(error) => {
                            self.check().await?;
                            Err(self.failure(FailureKind::Protocol, error.to_string()))
                        }
                    }
                }
            }
        };
        match tokio::time::timeout(deadline, attempt).await {
            Ok(outcome) => outcome,
            Err(_) if !self.is_alive() => Err(self.lost().await),
            Err(_) => Ok(Dial::Refused(no_answer(deadline))),
        }
    }

    /// `open failed: REASON: TEXT`: the reason is one of SSH's own (RFC 4254, 5.1), the text is the host's.
    fn refusal(&self, log: &str) -> Result<Dial, Failure> {
        let said = log.lines().rev().find_map(|line| Some(line.split_once("open failed: ")?.1.trim()));
        let Some(said) = said else {
            return Ok(Dial::Refused("the host could not connect".to_owned()));
        };
        if said.starts_with("administratively prohibited") {
            let message = format!("the host's sshd does not let opsctl reach its ports: {said}");
            return Err(self
                .failure(FailureKind::Protocol, message)
                .hint("sudo sshd -T | grep -iE 'allowtcpforwarding|permitopen|disableforwarding'"));
        }
        let text = said.strip_prefix("connect failed: ").unwrap_or(said);
        Ok(Dial::Refused(lower(text)))
    }

    /// `connected`, `ms`, `error`.
    pub(super) async fn try_connect(
        &self,
        address: &str,
        port: u16,
        deadline: Span,
    ) -> Result<Value, Failure> {
        let start = Instant::now();
        let error = match self.dial(address, port, deadline.0).await? {
            Dial::Open(_) => None,
            Dial::Refused(why) => Some(why),
        };
        Ok(json!({ "connected": error.is_none(), "ms": start.elapsed().as_millis() as u64, "error": error }))
    }
}

pub(super) fn no_answer(deadline: Duration) -> String {
    format!("no answer within {}", Span::rounded(deadline))
}

/// Connects to the first address of a name that answers. When none does, the error is one of an address that could be asked:
/// `localhost` is often `::1`, too, on a machine without IPv6, and that one says nothing about the port.
pub(super) async fn connect(address: &str, port: u16) -> Result<TcpStream, Error> {
    let (mut reason, mut nowhere) = (None, None);
    for candidate in tokio::net::lookup_host((address, port)).await? {
        match TcpStream::connect(candidate).await {
            Ok(stream) => return Ok(stream),
            Err(error) if error.kind() == ErrorKind::AddrNotAvailable => nowhere = Some(error),
            Err(error) => reason = Some(error),
        }
    }
    let unknown = || Error::new(ErrorKind::NotFound, format!("`{address}` has no address"));
    Err(reason.or(nowhere).unwrap_or_else(unknown))
}

/// An error of the system as people say it, without its number.
pub(super) fn plain(error: &Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    lower(text)
}

fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
