//! How long to wait, and how much to keep.

use std::time::Duration;

use crate::model::operation::Command;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For a connection to stand: TCP, host key, authentication. Whole seconds, at least one.
    pub connect: Duration,
    /// How often a silent host is asked whether it is still there. Whole seconds, at least one.
    pub alive_interval: Duration,
    /// How many of those questions may stay unanswered before the connection counts as lost.
    pub alive_count: u32,
    /// For a question to Docker that has no time of its own.
    pub docker: Duration,
    /// Bytes that are kept of each of a command's streams, where the command does not say it, and of the body of an HTTP answer.
    pub output: usize,
}

impl Limits {
    /// Bytes that are kept of each stream of that command.
    pub(super) fn kept_of(&self, command: &Command) -> usize {
        command.keep.map_or(self.output, |size| usize::try_from(size.0).unwrap_or(usize::MAX))
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connect: Duration::from_secs(10),
            alive_interval: Duration::from_secs(2),
            alive_count: 3,
            docker: Duration::from_secs(30),
            output: 1 << 20,
        }
    }
}
