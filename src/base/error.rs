//! What went wrong, for the person and for the script that called us.
//!
//! An error is a [`Kind`], a message, the chain of its causes and hints that can be pasted. The kind alone fixes the exit
//! code, and the exit codes are public: nothing below `main` chooses one.

use std::fmt;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a command did not end in success. The numbers are part of the public interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A fault in opsctl, or in the machine it runs on.
    Internal,
    /// The command line makes no sense.
    Usage,
    /// The inventory or a runbook is wrong.
    Invalid,
    /// Somebody else holds the lock, the fence is old, or the approval was not given or has lapsed.
    Refused,
    /// The checks ran and say that something is unhealthy.
    Unhealthy,
    /// A run stopped at a failed step and can be resumed or undone.
    Halted,
    /// A run waits for a person or for a host.
    Waiting,
    /// An undo failed: a person has to look.
    Stuck,
    /// A run failed and everything it did was taken back.
    Undone,
    /// A journal was edited or damaged.
    Corrupt,
    /// The recovery succeeded, but a notification did not go out.
    Unnotified,
    /// Ctrl-C: the run rests and can be resumed.
    Interrupted,
}

impl Kind {
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Internal => 1,
            Kind::Usage => 2,
            Kind::Invalid => 3,
            Kind::Refused => 4,
            Kind::Unhealthy => 5,
            Kind::Halted => 10,
            Kind::Waiting => 11,
            Kind::Stuck => 12,
            Kind::Undone => 13,
            Kind::Corrupt => 14,
            Kind::Unnotified => 15,
            Kind::Interrupted => 130,
        }
    }
}

/// An error as it reaches the person: `error:` what, `cause:` the chain, `hint:` something to paste.
///
/// Messages are lower-case fragments with names in backticks. A `detail` is shown verbatim below the message, such as a
/// source excerpt with a caret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    pub kind: Kind,
    pub message: String,
    pub detail: Option<String>,
    pub causes: Vec<String>,
    pub hints: Vec<String>,
}

impl Error {
    pub fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into(), detail: None, causes: Vec::new(), hints: Vec::new() }
    }

    pub fn internal(message: impl Into<String>) -> Error {
        Error::new(Kind::Internal, message)
    }

    pub fn usage(message: impl Into<String>) -> Error {
        Error::new(Kind::Usage, message)
    }

    pub fn invalid(message: impl Into<String>) -> Error {
        Error::new(Kind::Invalid, message)
    }

    /// Adds an error and its whole chain of sources.
    pub fn caused_by(mut self, cause: &(dyn std::error::Error + 'static)) -> Error {
        let mut next = Some(cause);
        while let Some(error) = next {
            let text = error.to_string();
            // Many libraries repeat the source's text in their own.
            if !self.causes.last().is_some_and(|last| last.ends_with(&text)) {
                self.causes.push(text);
            }
            next = error.source();
        }
        self
    }

    pub fn cause(mut self, text: impl Into<String>) -> Error {
        self.causes.push(text.into());
        self
    }

    pub fn hint(mut self, text: impl Into<String>) -> Error {
        self.hints.push(text.into());
        self
    }

    /// Adds another error of the same kind below this one, for who mends several things at once.
    pub fn followed_by(mut self, other: &Error) -> Error {
        let detail = self.detail.get_or_insert_default();
        detail.push_str(&format!("\nerror: {}\n", other.message));
        detail.push_str(other.detail.as_deref().unwrap_or_default());
        for hint in &other.hints {
            if !self.hints.contains(hint) {
                self.hints.push(hint.clone());
            }
        }
        self
    }

    pub fn detail(mut self, text: impl Into<String>) -> Error {
        self.detail = Some(text.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for cause in &self.causes {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_only_repeats_its_source_is_named_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot open: {0}")]
        struct Outer(#[source] std::io::Error);

        let inner = std::io::Error::other("no such file");
        let error = Error::internal("cannot load").caused_by(&Outer(inner));
        assert_eq!(error.to_string(), "cannot load: cannot open: no such file");
    }

    #[test]
    fn exit_codes_are_the_public_ones() {
        let all = [
            (Kind::Internal, 1),
            (Kind::Usage, 2),
            (Kind::Invalid, 3),
            (Kind::Refused, 4),
            (Kind::Unhealthy, 5),
            (Kind::Halted, 10),
            (Kind::Waiting, 11),
            (Kind::Stuck, 12),
            (Kind::Undone, 13),
            (Kind::Corrupt, 14),
            (Kind::Unnotified, 15),
            (Kind::Interrupted, 130),
        ];
        for (kind, code) in all {
            assert_eq!(kind.exit_code(), code, "{kind:?}");
        }
    }
}
