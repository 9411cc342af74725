//! A filesystem as one bar of three shares: what is used and stays, what is used and could go, and what is free.

use crate::base::percent::Percent;
use crate::model::clutter::contents::Room;
use crate::ui::paint::Ink;

/// The shares in their order. No two are told apart by colour alone.
const SHARES: [(char, Ink, &str); 3] =
    [('█', Ink::Plain, "used"), ('▒', Ink::Warn, "used, could go"), ('░', Ink::Dim, "free")];

/// The bar of a room of which so much could go, of this many columns.
pub fn bar(room: Room, goes: u64, columns: usize) -> String {
    let goes = goes.min(room.used);
    let cells = shares([room.used - goes, goes, room.free], columns);
    let drawn = SHARES.iter().zip(cells).filter(|(_, cells)| *cells > 0);
    drawn.map(|((mark, ink, _), cells)| ink.on(mark.to_string().repeat(cells))).collect()
}

/// What the characters of a bar mean.
pub fn legend() -> String {
    let words = SHARES.map(|(mark, ink, word)| format!("{} {word}", ink.on(mark)));
    words.join("   ")
}

/// How much of a room is free.
pub fn free(room: Room) -> Percent {
    Percent(100.0 - Percent::of(room.used, room.used + room.free).0)
}

/// How much of it is free when so much of what is used is gone.
pub fn free_without(room: Room, goes: u64) -> Percent {
    let goes = goes.min(room.used);
    free(Room { used: room.used - goes, free: room.free + goes })
}

/// So many cells for amounts, in proportion. What is not nothing has one at least, so that it can be seen.
fn shares(amounts: [u64; 3], columns: usize) -> [usize; 3] {
    let whole: u128 = amounts.iter().map(|amount| u128::from(*amount)).sum();
    if whole == 0 {
        return [columns, 0, 0];
    }
    let in_proportion = |amount: u64| {
        let cells = (u128::from(amount) * columns as u128 + whole / 2) / whole;
        if amount == 0 { 0 } else { (cells as usize).max(1) }
    };
    let mut cells = amounts.map(in_proportion);
    while cells.iter().sum::<usize>() != columns {
        let largest = if cells[0] >= cells[1] && cells[0] >= cells[2] {
            0
        } else if cells[1] >= cells[2] {
            1
        } else {
            2
        };
        // What rounding has added or lost is the largest one's, where it is seen least.
        if cells.iter().sum::<usize>() < columns {
            cells[largest] += 1;
        } else if cells[largest] > 0 {
            cells[largest] -= 1;
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ui::look::Look;

    fn plain(used: u64, goes: u64, free: u64, columns: usize) -> String {
        Look::PLAIN.fit(&bar(Room { used, free }, goes, columns))
    }

    #[test]
    fn each_share_has_its_part_of_the_bar_and_what_is_little_is_still_seen() {
        assert_eq!(plain(80, 20, 20, 10), "██████▒▒░░");
        assert_eq!(plain(999_999, 1, 1, 10), "████████▒░");
        assert_eq!(plain(100, 100, 0, 10), "▒▒▒▒▒▒▒▒▒▒");
        assert_eq!(plain(0, 0, 100, 10), "░░░░░░░░░░");
        assert_eq!(plain(0, 0, 0, 10), "██████████");
    }

    #[test]
    fn more_than_is_used_cannot_go() {
        assert_eq!(plain(10, 1_000, 90, 10), "▒░░░░░░░░░");
        assert_eq!(free_without(Room { used: 10, free: 90 }, 1_000).0, 100.0);
    }

    proptest! {
        #[test]
        fn a_bar_is_as_wide_as_it_is_to_be(used: u64, goes: u64, free: u64, columns in 3_usize..300) {
            prop_assume!(used.checked_add(free).is_some());
            let drawn = plain(used, goes, free, columns);
            prop_assert_eq!(drawn.chars().count(), columns);
            prop_assert_eq!(drawn.contains('▒'), goes > 0 && used > 0);
            prop_assert_eq!(drawn.contains('░'), free > 0);
        }
    }
}
