//! Which lines of a command's output this process has shown already.
//!
//! A command that is followed gives its output from the first byte, whoever saw it before. The journal keeps all of it; the
//! person at the screen is shown the rest.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::run::receipt::ReceiptKey;
use crate::run::signal::Stream;

#[derive(Debug, Default)]
pub struct Shown {
    lines: Mutex<HashMap<(ReceiptKey, Stream), usize>>,
}

impl Shown {
    /// To be asked with each line of the command, from its first: whether it was not shown before.
    pub fn fresh<'a>(&'a self, key: &'a ReceiptKey) -> impl FnMut(Stream) -> bool + 'a {
        let (mut out, mut err) = (0, 0);
        move |stream| {
            let line = match stream {
                Stream::Out => &mut out,
                Stream::Err => &mut err,
            };
            *line += 1;
            let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            let shown = lines.entry((key.clone(), stream)).or_default();
            let is_fresh = *line > *shown;
            *shown = (*line).max(*shown);
            is_fresh
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::{RunId, StepKey};
    use crate::run::event::Phase;

    #[test]
    fn what_was_shown_before_the_connection_was_lost_is_not_shown_again() {
        let shown = Shown::default();
        let key =
            ReceiptKey { run: RunId::generate(), step: StepKey::new("a"), attempt: 1, phase: Phase::Do };
        let told = |streams: &[Stream]| {
            let mut fresh = shown.fresh(&key);
            streams.iter().map(|stream| fresh(*stream)).collect::<Vec<_>>()
        };
        assert_eq!(told(&[Stream::Out, Stream::Err, Stream::Out]), [true, true, true]);
        assert_eq!(told(&[Stream::Out]), [false], "it was lost again, and earlier");
        assert_eq!(told(&[Stream::Out, Stream::Out, Stream::Out, Stream::Err]), [false, false, true, false]);
    }
}
