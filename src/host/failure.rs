//! Why a host did not do what it was asked.

use std::fmt;

/// A failure of the way to the host, never of the command itself: a command that ran and failed has an exit code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub host: String,
    pub kind: FailureKind,
    /// A lower-case fragment: what was tried, and what the other side said.
    pub message: String,
    /// Whether a byte of the request may have reached the host: then nobody knows whether it took effect.
    pub is_dispatched: bool,
    pub hints: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// No route, nobody listens, the name does not resolve.
    Unreachable,
    /// The host key is unknown or has changed.
    HostKey,
    /// The host does not know us.
    Authentication,
    /// `sudo` asks for a password, or is not there.
    Privilege,
    /// No answer in time.
    Timeout,
    /// The connection was there, and is gone.
    Lost,
    /// Something that is needed on the host is missing: Docker, Compose, a shell, a folder, a container.
    Missing,
    /// The host refuses us: somebody else has taken it over since.
    Fenced,
    /// The other side answered with something that opsctl does not understand.
    Protocol,
}

impl Failure {
    /// Whether it is about the host as a whole, which may come back, and not about what it was asked for.
    pub fn is_out_of_reach(&self) -> bool {
        match self.kind {
            FailureKind::Unreachable
            | FailureKind::HostKey
            | FailureKind::Authentication
            | FailureKind::Lost => true,
            // Once it is dispatched, it is the time of the request that was up.
            FailureKind::Timeout => !self.is_dispatched,
            FailureKind::Privilege | FailureKind::Missing | FailureKind::Fenced | FailureKind::Protocol => {
                false
            }
        }
    }

    /// Nothing has reached the host yet, unless [`Failure::dispatched`] says otherwise.
    pub(super) fn new(host: &str, kind: FailureKind, message: impl Into<String>) -> Failure {
        Failure {
            host: host.to_owned(),
            kind,
            message: message.into(),
            is_dispatched: false,
            hints: Vec::new(),
        }
    }

    pub(super) fn dispatched(mut self) -> Failure {
        self.is_dispatched = true;
        self
    }

    /// What had time, and was not even begun when that was over.
    pub(super) fn not_begun(mut self) -> Failure {
        self.is_dispatched &= self.kind != FailureKind::Timeout;
        self
    }

    pub(super) fn hint(mut self, text: impl Into<String>) -> Failure {
        self.hints.push(text.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "host `{}`: {}", self.host, self.message)
    }
}

impl std::error::Error for Failure {}
