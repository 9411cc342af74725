//! Runs a command on a host and follows it to its end.
//!
//! Its exit code is its own, 255 included: it comes as a message of its own on the SSH connection, and a connection that
//! is lost brings none. What is certain is said as such: without the marker (see [`mod@line`]) the command did not start. All
//! else after the dispatch is unknown, and never a failure of the command.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::capture::Capture;
use super::channel::{Channel, Exit, Input};
use super::failure::{Failure, FailureKind};
use super::line::{self, Marker};
use super::{Host, Transport};
use crate::base::amount::Span;
use crate::model::operation::{Command, words};
use crate::run::signal::Stream;

/// A command that ran to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The exit code; 128 and the signal for a program that was killed.
    pub status: i32,
    /// As text, with a line in its middle that says so where it was too long to keep.
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    /// As conditions and extractions see it.
    pub fn into_value(self) -> serde_json::Value {
        serde_json::json!({ "status": self.status, "stdout": self.stdout, "stderr": self.stderr })
    }
}

/// What gets each line as it comes.
pub type Sink<'a> = &'a mut (dyn FnMut(Stream, &str) + Send);

/// For how long output is awaited after the end of a command, each time: what it left running in the background may hold
/// its streams open forever.
const QUIET: Duration = Duration::from_secs(2);

/// And in all, where what is left keeps talking.
const DRAIN: Duration = Duration::from_secs(30);

/// For ending the processes of a command whose time is up.
const ENDING: Duration = Duration::from_secs(6);

/// Far beyond any command.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 3600);

impl Host {
    /// Runs a command to its end. Lines go to `output` as they come.
    ///
    /// # Errors
    /// When the host cannot be reached or cannot start the command, or when nobody knows how it ended: then
    /// [`Failure::is_dispatched`]. A command whose time is up is ended, with its process group, and reported as a timeout.
    pub async fn run(
        &self,
        command: &Command,
        timeout: Option<Duration>,
        output: Sink<'_>,
    ) -> Result<Output, Failure> {
        let keep = self.limits.kept_of(command);
        let deadline = Instant::now() + timeout.unwrap_or(FOREVER);
        let late = || {
            let after = Span::rounded(timeout.unwrap_or_default());
            self.failure(FailureKind::Timeout, format!("the command did not end within {after}"))
        };
        let turn = timeout_at(deadline, self.sessions.acquire()).await.map_err(|_| late())?;
        let marker = Marker::generate();
        let input = if command.stdin.is_some() { Input::Pipe } else { Input::Nothing };
        let argv = line::of(command, self.escalation, &marker);
        let channel =
            timeout_at(deadline, self.start(&argv, input)).await.map_err(|_| late().dispatched())??;

        let mut streams =
            Streams { out: Capture::new(marker.as_str(), keep), err: Capture::new(marker.as_str(), keep) };
        let stdin = command.stdin.as_deref().unwrap_or_default();
        let exit = streams.follow(channel, stdin, deadline, output).await;
        drop(turn);
        let group = streams.out.opening().and_then(|said| said.parse().ok());
        let is_started = group.is_some();
        match exit {
            Some(Exit::Status(status)) if is_started => {
                let stdout = streams.out.finish(&mut |line| output(Stream::Out, line));
                let stderr = streams.err.finish(&mut |line| output(Stream::Err, line));
                Ok(Output { status, stdout, stderr })
            }
            Some(Exit::Status(status)) => Err(self.not_started(command, status, &streams)),
            Some(Exit::Unknown) => Err(self.without_end().await),
            None => {
                if let Some(group) = group {
                    self.end_group(group).await;
                }
                Err(late().dispatched())
            }
        }
    }

    /// Starts an argument vector: as it is on this machine, as one line of quoted words for the login shell elsewhere.
    pub(super) async fn start(&self, argv: &[String], input: Input) -> Result<Channel, Failure> {
        match &self.transport {
            Transport::Local(_) => super::local::start(argv, input).map_err(|error| {
                let kind =
                    if self.escalation.is_some() { FailureKind::Privilege } else { FailureKind::Missing };
                self.failure(kind, format!("cannot start `{}`: {}", argv[0], super::dial::plain(&error)))
            }),
            Transport::Ssh(connection) => connection.sessions().start(&words(argv), input).await,
        }
    }

    fn not_started(&self, command: &Command, status: i32, streams: &Streams) -> Failure {
        let directory = command.directory.as_deref().filter(|_| status == line::NO_FOLDER);
        if let Some(directory) = directory {
            let message = format!("there is no folder `{directory}`, or it cannot be entered");
            return self.failure(FailureKind::Missing, message);
        }
        let said = [streams.err.noise(), streams.out.noise()].into_iter().filter(|words| !words.is_empty());
        let said = said.collect::<Vec<_>>().join("; ");
        if self.escalation.is_some() {
            self.failure(FailureKind::Privilege, format!("`sudo` did not start the command: {said}"))
                .hint("sudo -n true")
        } else {
            let message = format!("the login shell did not start the command (exit code {status}): {said}");
            self.failure(FailureKind::Missing, message)
        }
    }

    /// The command's session ended and left no exit code.
    async fn without_end(&self) -> Failure {
        if let Err(lost) = self.check().await {
            return lost.dispatched();
        }
        self.failure(FailureKind::Lost, "the command ended and left no exit code: its shell was killed")
            .dispatched()
    }

    async fn end_group(&self, group: u32) {
        let argv = line::end_group(group, self.escalation);
        let ended = async {
            if let Ok(channel) = self.start(&argv, Input::Nothing).await {
                channel.exit.await;
            }
        };
        // Nothing to say when it fails: the timeout is reported as unknown in any case.
        let _ = tokio::time::timeout(ENDING, ended).await;
    }
}

struct Streams {
    out: Capture,
    err: Capture,
}

impl Streams {
    /// Until the command has ended and its output is through. `None` when the time was up first.
    async fn follow(
        &mut self,
        mut channel: Channel,
        stdin: &str,
        deadline: Instant,
        output: Sink<'_>,
    ) -> Option<Exit> {
        let mut writer = channel.stdin.take();
        let mut feed = std::pin::pin!(async move {
            if let Some(writer) = &mut writer {
                // A command may well end without reading what it is given.
                let _ = writer.write_all(stdin.as_bytes()).await;
                let _ = writer.shutdown().await;
            }
            drop(writer);
        });
        let (mut is_fed, mut has_out, mut has_err) = (false, true, true);
        let (mut out, mut err) = (vec![0; 8192], vec![0; 8192]);
        let mut exit = None;
        // Before the end of the command: its deadline. After it: how long its output is awaited at most, and in silence.
        let (mut limit, mut quiet) = (deadline, deadline);
        while exit.is_none() || has_out || has_err {
            tokio::select! {
                // In this order: after a stall of this machine several are ready, and what was written must not be lost to
                // the silence of a process that did not run.
                biased;
                () = sleep_until(limit) => return exit,
                read = channel.stdout.read(&mut out), if has_out => match read {
                    Ok(count) if count > 0 => {
                        self.out.push(&out[..count], &mut |line| output(Stream::Out, line));
                        quiet = Instant::now() + QUIET;
                    }
                    _ => has_out = false,
                },
                read = channel.stderr.read(&mut err), if has_err => match read {
                    Ok(count) if count > 0 => {
                        self.err.push(&err[..count], &mut |line| output(Stream::Err, line));
                        quiet = Instant::now() + QUIET;
                    }
                    _ => has_err = false,
                },
                () = &mut feed, if !is_fed => is_fed = true,
                end = &mut channel.exit, if exit.is_none() => {
                    exit = Some(end);
                    limit = Instant::now() + DRAIN;
                    quiet = Instant::now() + QUIET;
                },
                () = sleep_until(quiet), if exit.is_some() => return exit,
            }
        }
        exit
    }
}
