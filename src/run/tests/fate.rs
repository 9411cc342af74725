//! What becomes of a command that is under way: on its host, and before the process that waits for it.

use super::scene::{bad, ended, good, lost, unconfirmed, unreached};
use super::world::{Key, Tape, Trace};
use crate::run::event::{Outcome, Phase};
use crate::run::receipt::{Processes, Receipt};

/// What the process sees; nothing when it dies.
pub type Seen = Option<Outcome>;

/// The next thing that happens to a command. Whether its host keeps receipts decides whether it can go on unseen.
pub fn next(trace: &mut Trace, tape: &mut Tape, key: &Key, is_followed: bool, is_kept: bool) -> Seen {
    let fault = tape.one_of(24);
    // On its host it is over: what came of it is given, if anything did, or the way there fails again.
    match trace.receipt(key) {
        Receipt::Ended { .. } | Receipt::Cut { .. } if (1..=8).contains(&fault) => return Some(lost()),
        Receipt::Ended { .. } | Receipt::Cut { .. } if (9..=11).contains(&fault) => return None,
        Receipt::Ended { status: 0 } => return Some(good()),
        Receipt::Ended { .. } => return Some(bad(true)),
        Receipt::Cut { .. } => return Some(lost()),
        Receipt::Unkept { .. } | Receipt::Unclaimed | Receipt::Running => {}
    }
    let has_effect = fault.is_multiple_of(2);
    match fault {
        1 if !is_followed => Some(bad(false)),
        2 | 3 => {
            trace.end(key, has_effect, 1);
            Some(bad(true))
        }
        // The way to the host fails: before it began, while it runs, or when it had ended.
        4 if !is_followed => Some(lost()),
        5 if !is_followed => Some(unreached()),
        4..=6 => {
            go_on(trace, tape, key, is_kept);
            Some(lost())
        }
        7 => {
            trace.end(key, true, 0);
            Some(lost())
        }
        8 => {
            trace.end(key, false, 1);
            Some(lost())
        }
        // The process dies, at the same three moments.
        9 => None,
        10 => {
            go_on(trace, tape, key, is_kept);
            None
        }
        11 => {
            trace.end(key, true, 0);
            None
        }
        12 if key.phase == Phase::Do => {
            trace.end(key, true, 0);
            Some(unconfirmed())
        }
        // The host goes down in the middle.
        14 | 15 => {
            trace.cut(key, has_effect);
            Some(lost())
        }
        16 | 17 => {
            trace.cut(key, has_effect);
            None
        }
        // Somebody ends it.
        18 | 19 => {
            trace.cut(key, has_effect);
            Some(ended(Processes::Ended))
        }
        20 if is_kept => {
            trace.begin(key);
            Some(ended(Processes::Unproved))
        }
        _ => {
            trace.end(key, true, 0);
            Some(good())
        }
    }
}

/// Nobody watches it any more.
pub fn go_on(trace: &mut Trace, tape: &mut Tape, key: &Key, is_kept: bool) {
    if is_kept {
        trace.begin(key);
    } else if tape.one_of(2) == 0 {
        trace.end(key, true, 0);
    }
}

/// Time passes for a command that runs on unseen.
pub fn pass(trace: &mut Trace, tape: &mut Tape, key: &Key) {
    match tape.one_of(6) {
        1 => trace.end(key, true, 0),
        2 => trace.end(key, false, 1),
        3 => trace.end(key, true, 1),
        4 => trace.cut(key, true),
        5 => trace.cut(key, false),
        _ => {}
    }
}
