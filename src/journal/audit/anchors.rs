//! Whether the journal still says what others remember of it.
//!
//! An anchor vouches for its record and, by the chain, for every record before it. So the first anchor that does not hold and
//! the last one before it that does have the edited record between them.

use super::order::Ordered;
use super::{Anchor, Damage, Fault};

/// How many anchors hold.
pub fn check(ordered: &Ordered<'_>, anchors: &[Anchor], faults: &mut Vec<Fault>) -> usize {
    let mut anchors: Vec<&Anchor> = anchors.iter().collect();
    anchors.sort_by_key(|anchor| anchor.seq);
    let (mut held, mut since, mut is_rewritten) = (0, 1, false);
    for anchor in &anchors {
        let Some(record) = ordered.get(anchor.seq) else { continue };
        if record.line.digest == anchor.digest {
            (held, since, is_rewritten) = (held + 1, anchor.seq + 1, false);
            continue;
        }
        let is_named = faults.iter().any(|fault| fault.record == anchor.seq);
        if !is_rewritten && !is_named {
            let damage = Damage::Rewritten { since, from: anchor.from.clone() };
            faults.push(Fault { record: anchor.seq, byte: record.line.byte, damage });
        }
        // What comes after it is another record than it was for that reason alone.
        is_rewritten = true;
    }
    if let Some(anchor) = anchors.last().filter(|anchor| anchor.seq > ordered.last) {
        let damage = Damage::Truncated { last: ordered.last, from: anchor.from.clone() };
        faults.push(Fault { record: anchor.seq, byte: ordered.end, damage });
    }
    held
}
