//! A run as it goes from machine to machine: its plan and its journal, byte for byte.
//!
//! Two copies of a run are compared line by line. A journal only ever grows, so of two honest copies one begins with the
//! other; where neither does, two machines went on with the run, or one copy was changed.

use super::history::whole;

/// The bytes of a run: what it is made of but for the outputs of its steps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lines {
    pub plan: Vec<u8>,
    /// Whole lines, with their newlines.
    pub journal: Vec<u8>,
}

/// How one copy of a run stands to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Travel {
    Same,
    /// It has these many records that the other has not, and all of the other's.
    Ahead {
        records: u64,
    },
    /// The other has these many records that it has not, and all of its own.
    Behind {
        records: u64,
    },
    /// Each has records that the other has not, after so many that both have. Of two plans, none is in common.
    Diverged {
        common: u64,
    },
}

impl Lines {
    /// A torn last line of the journal is left out.
    pub fn new(plan: Vec<u8>, mut journal: Vec<u8>) -> Lines {
        journal.truncate(whole(&journal).len());
        Lines { plan, journal }
    }

    /// How this copy stands to another one.
    pub fn travel(&self, other: &Lines) -> Travel {
        if self.plan != other.plan {
            return Travel::Diverged { common: 0 };
        }
        let (ours, theirs) = (&self.journal, &other.journal);
        let common = ours.iter().zip(theirs).take_while(|(ours, theirs)| ours == theirs).count();
        match (ours.len() - common, theirs.len() - common) {
            (0, 0) => Travel::Same,
            (_, 0) => Travel::Ahead { records: count(&ours[common..]) },
            (0, _) => Travel::Behind { records: count(&theirs[common..]) },
            _ => Travel::Diverged { common: count(&ours[..common]) },
        }
    }
}

fn count(lines: &[u8]) -> u64 {
    lines.iter().filter(|byte| **byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(journal: &str) -> Lines {
        Lines::new(b"plan".to_vec(), journal.as_bytes().to_vec())
    }

    #[test]
    fn of_two_copies_one_is_ahead_of_the_other_or_they_diverge() {
        let travel = |ours, theirs| lines(ours).travel(&lines(theirs));
        assert_eq!(travel("", ""), Travel::Same);
        assert_eq!(travel("a\nb\n", "a\nb\n"), Travel::Same);
        assert_eq!(travel("a\nb\nc\n", "a\n"), Travel::Ahead { records: 2 });
        assert_eq!(travel("", "a\nb\n"), Travel::Behind { records: 2 });
        assert_eq!(travel("a\nb\n", "a\nc\nd\n"), Travel::Diverged { common: 1 });
        assert_eq!(travel("same1\n", "same2\n"), Travel::Diverged { common: 0 });
    }

    #[test]
    fn a_line_that_begins_like_another_is_another_line() {
        assert_eq!(lines("a\n").travel(&lines("ab\n")), Travel::Diverged { common: 0 });
    }

    #[test]
    fn a_torn_line_is_not_part_of_a_copy() {
        assert_eq!(lines("a\nb"), lines("a\n"));
        assert_eq!(lines("a\nb").travel(&lines("a\nc\n")), Travel::Behind { records: 1 });
    }

    #[test]
    fn copies_of_two_plans_have_nothing_in_common() {
        let other = Lines::new(b"another plan".to_vec(), b"a\n".to_vec());
        assert_eq!(lines("a\n").travel(&other), Travel::Diverged { common: 0 });
    }
}
