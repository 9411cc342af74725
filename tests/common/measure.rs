//! How much is tried: a little in an ordinary test run, as much as is asked for in a long one.

/// The short form, or the long one with its count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Form(Option<usize>);

impl Form {
    /// As `OPSCTL_CRASH_RUNS` says, which `tests/run crash COUNT` sets.
    pub fn of_this_run() -> Form {
        Form(std::env::var("OPSCTL_CRASH_RUNS").ok().map(|count| count.parse().expect("a number of runs")))
    }

    pub fn is_long(self) -> bool {
        self.0.is_some()
    }

    /// `short` in the short form; in the long one what was asked for, where `usual` is right for 500.
    pub fn count(self, short: usize, usual: usize) -> usize {
        self.0.map_or(short, |count| (count * usual).div_ceil(500))
    }

    /// Those of them that are tried, at even distances: one in the short form.
    pub fn evenly(self, all: &[String]) -> Vec<String> {
        let count = self.count(1, all.len()).min(all.len());
        let at = |number: usize| (2 * number + 1) * all.len() / (2 * count);
        (0..count).map(|number| all[at(number)].clone()).collect()
    }

    /// How many are lived side by side: most of the time they wait.
    pub fn at_once(self) -> usize {
        if self.is_long() { 3 } else { 2 }
    }
}

/// The first seed; `OPSCTL_CRASH_SEED` has another one.
pub fn seed() -> u64 {
    std::env::var("OPSCTL_CRASH_SEED").map_or(20_250_101, |seed| seed.parse().expect("a number"))
}
