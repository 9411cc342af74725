//! A command that was started, on this machine or on another: its streams and its end.

use std::future::Future;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};

pub(super) type Reader = Box<dyn AsyncRead + Send + Unpin>;
pub(super) type Writer = Box<dyn AsyncWrite + Send + Unpin>;

pub(super) struct Channel {
    pub stdin: Option<Writer>,
    pub stdout: Reader,
    pub stderr: Reader,
    pub exit: Pin<Box<dyn Future<Output = Exit> + Send>>,
    /// What has to live until the output is through, which may be later than the end.
    pub keep: Box<dyn Send>,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    Status(i32),
    /// Without an exit code: the connection is gone, or the shell around the command was killed.
    Unknown,
}

/// What a command gets to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    Nothing,
    Pipe,
}

/// A two-way stream to something that the host can reach, and what has to live as long as it does.
pub(super) struct Pipe {
    pub reader: Reader,
    pub writer: Writer,
    pub keep: Box<dyn Send>,
}
