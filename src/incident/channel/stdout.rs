//! What opsctl itself prints: for who tries things out, and for who pastes a message where no channel leads.

use std::io::{self, Write};

use super::{Memory, Trouble};
use crate::incident::envelope::Envelope;
use crate::incident::word;

pub fn print(envelope: &Envelope) -> Result<Memory, Trouble> {
    let mut out = io::stdout().lock();
    let written = out.write_all(said(envelope).as_bytes()).and_then(|()| out.flush());
    written
        .map(|()| Memory::new())
        .map_err(|error| Trouble::Unknown(format!("it cannot be printed: {error}")))
}

fn said(envelope: &Envelope) -> String {
    format!("{}\n\n{}\n\n", word::line(&envelope.subject), word::plain(&envelope.text))
}

#[cfg(test)]
mod tests {
    use super::super::sample::envelope;
    use super::*;
    use crate::model::channel::MessageKind;

    #[test]
    fn what_is_printed_steers_no_terminal() {
        let message = Envelope { subject: "a\u{1b}[2J\nb".to_owned(), ..envelope(MessageKind::Update) };
        assert_eq!(said(&message), "a[2J b\n\nTime: 2026-03-01 03:14 UTC\nStatus: Investigating\n\n");
    }
}
