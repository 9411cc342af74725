//! Whether each record belongs to the one before it; and if it does not, which of the two was edited.
//!
//! The record after the two is a third witness, and so is an anchor. A record whose digest one of them confirms is as it was.
//! If only its mention of the one before it was edited, then the line with the right mention is the one that they confirm.

use super::order::{Ordered, Placed};
use super::{Anchor, Damage, Fault, Witness};
use crate::model::plan::Digest;
use crate::run::event::Event;

pub fn check(ordered: &Ordered<'_>, plan: &Digest, anchors: &[Anchor], faults: &mut Vec<Fault>) {
    let mut before: Option<&Placed<'_>> = None;
    let mut is_explained = false;
    for (place, record) in ordered.records.iter().enumerate() {
        let (number, digest) = before.map_or((0, plan), |before| (before.number, &before.line.digest));
        let is_link = record.number == number + 1;
        let byte = before.map_or(0, |before| before.line.byte);
        before = Some(record);
        // A gap was named already.
        if std::mem::take(&mut is_explained) || !is_link || record.prev == digest {
            continue;
        }
        let next = ordered.records.get(place + 1).filter(|next| next.number == record.number + 1);
        let witness = |digest: &Digest| witness(record.number, digest, next, anchors);
        let mended =
            String::from_utf8_lossy(record.line.text).replacen(record.prev.as_str(), digest.as_str(), 1);
        let own = Fault { record: record.number, byte: record.line.byte, damage: Damage::Empty };
        let fault = if let Some(witness) = witness(&Digest::of(mended.as_bytes())) {
            is_explained = true;
            Fault { damage: Damage::Edited { witness }, ..own }
        } else if witness(&record.line.digest).is_some() {
            let witness = Witness::Record { seq: record.number };
            Fault { record: number, byte, damage: Damage::Edited { witness } }
        } else if is_confirmed(number, digest, record, anchors) {
            Fault { damage: Damage::Edited { witness: Witness::Before }, ..own }
        } else {
            Fault { record: number, byte, damage: Damage::Disputed { next: record.number } }
        };
        if !faults.iter().any(|known| known.record == fault.record) {
            faults.push(fault);
        }
    }
}

/// Who says that a record has this digest: the record after it, or an anchor.
fn witness(number: u64, digest: &Digest, next: Option<&Placed<'_>>, anchors: &[Anchor]) -> Option<Witness> {
    if let Some(next) = next.filter(|next| next.prev == digest) {
        return Some(Witness::Record { seq: next.number });
    }
    let anchor = anchors.iter().find(|anchor| anchor.seq == number && anchor.digest == *digest)?;
    Some(Witness::Anchor { name: anchor.from.clone() })
}

/// Whether somebody says that the record before, or the plan, has this digest, apart from what the record disputes.
fn is_confirmed(number: u64, digest: &Digest, record: &Placed<'_>, anchors: &[Anchor]) -> bool {
    match record.line.record.as_ref().map(|record| &record.event) {
        Some(Event::RunCreated { plan, .. }) if number == 0 => plan == digest,
        _ => witness(number, digest, None, anchors).is_some(),
    }
}
