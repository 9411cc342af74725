//! What is on record and nobody was told of yet: what followed by itself, and what somebody wrote whose process died before it told anybody.

use super::compose::Words;
use super::desk::Hand;
use super::event::{Event, Record};
use super::office::Office;
use super::tell::tell;
use crate::base::Result;
use crate::model::channel::MessageKind;

/// Puts the message that is owed into the record, if one is.
///
/// # Errors
/// When the record cannot be written.
pub fn tell_untold(hand: &mut Hand, office: &Office<'_>) -> Result<()> {
    let owed = untold(hand.records()).filter(|_| !hand.state().is_closed);
    if let Some((kind, text)) = owed {
        let words =
            Words { text: (!text.is_empty()).then_some(text), is_unattended: true, ..Words::default() };
        tell(hand, office, kind, &words, None)?;
    }
    Ok(())
}

/// The kind of the message that is owed, and what it tells of. Of several changes the newest is told.
fn untold(records: &[Record]) -> Option<(MessageKind, String)> {
    let mut owed = None;
    for record in records {
        match &record.event {
            Event::Opened(_) => owed = Some((MessageKind::Alert, String::new())),
            Event::Told { kind, .. } => {
                let is_first_word = matches!(owed, Some((MessageKind::Alert, _)));
                match kind {
                    MessageKind::Alert => owed = None,
                    MessageKind::Resolution => owed = None,
                    MessageKind::Update if !is_first_word => owed = None,
                    _ => {}
                }
            }
            // The first word says how it stands by then.
            _ if matches!(owed, Some((MessageKind::Alert, _))) => {}
            Event::StatusChanged { text, .. }
            | Event::SeverityChanged { text, .. }
            | Event::Mitigated { text }
            | Event::Reopened { why: text } => owed = Some((MessageKind::Update, text.clone())),
            Event::Resolved { .. } => owed = Some((MessageKind::Resolution, String::new())),
            _ => {}
        }
    }
    owed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::sample;

    /// What is owed after each of the sample's records, where that changes.
    #[test]
    fn each_change_is_owed_until_it_is_told() {
        let records = sample::resolved();
        let mut owed = Vec::new();
        for count in 1..=records.len() {
            let now = untold(&records[..count]).map(|(kind, _)| kind);
            if owed.last() != Some(&now) {
                owed.push(now);
            }
        }
        assert_eq!(owed[..2], [Some(MessageKind::Alert), None]);
        assert!(owed.contains(&Some(MessageKind::Update)), "{owed:?}");
        let without = records
            .iter()
            .filter(|record| !matches!(record.event, Event::Told { kind: MessageKind::Resolution, .. }));
        let without: Vec<_> = without.cloned().collect();
        assert_eq!(untold(&without).map(|(kind, _)| kind), Some(MessageKind::Resolution));
    }
}
