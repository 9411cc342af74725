//! What was asked of a host and has no answer: said in words, and no reason to know nothing of the rest.

use crate::host::Host;
use crate::host::failure::{Failure, FailureKind};

/// What was found, and what could not be looked at, in words.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Seen<T> {
    pub found: T,
    pub unseen: Vec<String>,
}

/// Nothing at all only where the host itself is out of reach.
pub(super) type Asked<T> = Result<Seen<T>, Failure>;

impl<T> Seen<T> {
    /// What was found; what was not joins the others.
    pub fn into_found(self, unseen: &mut Vec<String>) -> T {
        unseen.extend(self.unseen);
        self.found
    }
}

/// An answer, or that there is none about `what`.
///
/// # Errors
/// When the host is out of reach.
pub(super) fn asked<T>(
    machine: &Host,
    what: &str,
    answer: Result<T, Failure>,
    unseen: &mut Vec<String>,
) -> Result<Option<T>, Failure> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(failure) if is_about_the_host(machine, &failure) => Err(failure),
        Err(failure) => {
            unseen.push(format!("{what}: {}", failure.message));
            Ok(None)
        }
    }
}

/// A question whose turn did not come in time, or whose shell was killed, says nothing about the host.
pub(super) fn is_about_the_host(machine: &Host, failure: &Failure) -> bool {
    match failure.kind {
        FailureKind::Unreachable | FailureKind::HostKey | FailureKind::Authentication => true,
        FailureKind::Lost => !machine.is_alive(),
        FailureKind::Privilege
        | FailureKind::Timeout
        | FailureKind::Missing
        | FailureKind::Fenced
        | FailureKind::Protocol => false,
    }
}
