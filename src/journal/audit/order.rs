//! Which record each line is, and whether all of them are there, once and in order.

use std::collections::{BTreeMap, HashSet};

use super::line::{Header, Line};
use super::{Damage, Fault, Witness};
use crate::model::plan::Digest;

/// A line that is a record.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    /// By the record before it where it belongs to that, else as it says itself.
    pub number: u64,
    pub prev: &'a Digest,
    pub line: &'a Line<'a>,
}

/// The records that are there, each once, by number.
#[derive(Debug)]
pub struct Ordered<'a> {
    pub records: Vec<Placed<'a>>,
    /// The number of the last one, readable or not.
    pub last: u64,
    /// Where the lines end.
    pub end: u64,
}

impl<'a> Ordered<'a> {
    pub fn of(lines: &'a [Line<'a>], plan: &Digest, faults: &mut Vec<Fault>) -> Ordered<'a> {
        let mut records = once(number(lines, plan, faults), faults);
        name_moved(&records, faults);
        records.sort_by_key(|record| record.number);
        let end = lines.last().map_or(0, |line| line.byte + line.text.len() as u64 + 1);
        let mut ordered = Ordered { last: records.last().map_or(0, |last| last.number), records, end };
        ordered.name_missing(lines, faults);
        ordered
    }

    pub fn get(&self, number: u64) -> Option<&Placed<'a>> {
        let found = self.records.binary_search_by_key(&number, |record| record.number);
        found.ok().map(|place| &self.records[place])
    }

    /// Names the gaps between the numbers. A line that cannot be read stands for a record of the gap it is in.
    fn name_missing(&mut self, lines: &[Line<'_>], faults: &mut Vec<Fault>) {
        let mut unreadable: BTreeMap<u64, Vec<(&Line<'_>, &String)>> = BTreeMap::new();
        for line in lines {
            let Err(why) = &line.header else { continue };
            let before = self.records.iter().filter(|record| record.line.byte < line.byte);
            let before = before.max_by_key(|record| record.line.byte).map_or(0, |record| record.number);
            unreadable.entry(before).or_default().push((line, why));
        }
        let mut before = 0;
        for place in 0..=self.records.len() {
            let next = self.records.get(place);
            let lines = unreadable.remove(&before).unwrap_or_default();
            // How many there were at the end is not known: one for each line.
            let missing = next.map_or(lines.len() as u64, |next| next.number - before - 1);
            let (first, last) = (before + 1, before + missing);
            for (number, (line, why)) in (first..).zip(&lines) {
                let is_last = number - before == lines.len() as u64;
                let damage = match number {
                    _ if number > last => Damage::Inserted,
                    _ if is_last => Damage::Unreadable { last, why: (*why).clone() },
                    _ => Damage::Unreadable { last: number, why: (*why).clone() },
                };
                faults.push(Fault { record: number.min(last), byte: line.byte, damage });
            }
            match next {
                Some(next) => {
                    if lines.is_empty() && missing > 0 {
                        let damage = Damage::Removed { last };
                        faults.push(Fault { record: first, byte: next.line.byte, damage });
                    }
                    before = next.number;
                }
                None => self.last = last,
            }
        }
    }
}

fn number<'a>(lines: &'a [Line<'a>], plan: &Digest, faults: &mut Vec<Fault>) -> Vec<Placed<'a>> {
    let mut placed = Vec::new();
    let mut before = (Some(0_u64), plan);
    for line in lines {
        let Ok(Header { seq, prev, .. }) = &line.header else {
            before = (None, &line.digest);
            continue;
        };
        let number = match before {
            (Some(number), digest) if digest == prev => number.saturating_add(1),
            _ => *seq,
        };
        if number != *seq {
            let damage = Damage::Edited { witness: Witness::Number };
            faults.push(Fault { record: number, byte: line.byte, damage });
        }
        before = (Some(number), &line.digest);
        placed.push(Placed { number, prev, line });
    }
    placed
}

/// Of several lines that are the same record, the one that the next record belongs to stays, else the first.
fn once<'a>(placed: Vec<Placed<'a>>, faults: &mut Vec<Fault>) -> Vec<Placed<'a>> {
    let followed: HashSet<(u64, &Digest)> =
        placed.iter().map(|record| (record.number.saturating_sub(1), record.prev)).collect();
    let mut kept: BTreeMap<u64, Placed<'a>> = BTreeMap::new();
    for record in &placed {
        let is_followed = |record: &Placed<'_>| followed.contains(&(record.number, &record.line.digest));
        let known = kept.entry(record.number).or_insert(*record);
        if is_followed(record) && !is_followed(known) {
            *known = *record;
        }
    }
    let mut before = 0;
    let is_kept = |record: &Placed<'a>| {
        if kept[&record.number].line.byte == record.line.byte {
            before = record.number;
            return true;
        }
        faults.push(Fault { record: before, byte: record.line.byte, damage: Damage::Inserted });
        false
    };
    placed.into_iter().filter(is_kept).collect()
}

/// Names the fewest records without which the others are in order.
fn name_moved(placed: &[Placed<'_>], faults: &mut Vec<Fault>) {
    // For each length, the end of the rising series of that length that ends lowest; and of each record the one before it.
    let mut ends: Vec<usize> = Vec::new();
    let mut before = vec![None; placed.len()];
    for (place, record) in placed.iter().enumerate() {
        let length = ends.partition_point(|end| placed[*end].number < record.number);
        before[place] = length.checked_sub(1).map(|shorter| ends[shorter]);
        if length == ends.len() { ends.push(place) } else { ends[length] = place }
    }
    let mut in_order = HashSet::new();
    let mut next = ends.last().copied();
    while let Some(place) = next {
        in_order.insert(place);
        next = before[place];
    }
    for place in (0..placed.len()).filter(|place| !in_order.contains(place)) {
        let behind = place.checked_sub(1).map_or(0, |before| placed[before].number);
        let Placed { number, line, .. } = placed[place];
        faults.push(Fault { record: number, byte: line.byte, damage: Damage::Moved { behind } });
    }
}
