//! What is counted over many lives of runs, and the line that says so.

use std::fmt;
use std::fs::OpenOptions;
use std::io::Write as _;

/// What was wrong with one run.
#[derive(Debug, Clone, PartialEq)]
pub enum Wrong {
    /// A line is there twice, or should not be there at all.
    Doubled(String),
    /// A line is not there.
    Lost(String),
    State(String),
}

#[derive(Debug, Default)]
pub struct Totals {
    pub runs: usize,
    /// How often a process died in them.
    pub deaths: usize,
    pub doubled: usize,
    pub lost: usize,
    pub wrong_state: usize,
    /// What exactly was wrong, for the message.
    stories: Vec<String>,
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Totals { runs, doubled, lost, wrong_state, .. } = self;
        write!(f, "crash: runs={runs} doubled={doubled} lost={lost} wrong_state={wrong_state}")
    }
}

impl std::ops::AddAssign for Totals {
    fn add_assign(&mut self, other: Totals) {
        self.runs += other.runs;
        self.deaths += other.deaths;
        self.doubled += other.doubled;
        self.lost += other.lost;
        self.wrong_state += other.wrong_state;
        self.stories.extend(other.stories);
    }
}

impl Totals {
    /// Counts one run. `story` tells how it went.
    pub fn count(&mut self, deaths: usize, wrong: &[Wrong], story: impl FnOnce() -> String) {
        self.runs += 1;
        self.deaths += deaths;
        for wrong in wrong {
            *match wrong {
                Wrong::Doubled(_) => &mut self.doubled,
                Wrong::Lost(_) => &mut self.lost,
                Wrong::State(_) => &mut self.wrong_state,
            } += 1;
        }
        if !wrong.is_empty() {
            let wrong: Vec<_> = wrong.iter().map(|wrong| format!("  {wrong:?}\n")).collect();
            self.stories.push(format!("{}\n{}", wrong.concat(), story()));
        }
    }

    /// Gives the figures, and holds that nothing was wrong. `what` was done to the runs.
    #[track_caller]
    pub fn hold(self, what: &str) {
        let line = format!("{self} ({what}; {} deaths)", self.deaths);
        println!("{line}");
        if let Some(path) = std::env::var_os("OPSCTL_CRASH_TOTALS") {
            let file = OpenOptions::new().append(true).create(true).open(path);
            file.and_then(|mut file| writeln!(file, "{line}")).expect("the totals can be written");
        }
        let stories: Vec<_> = self.stories.iter().take(4).map(String::as_str).collect();
        assert!(self.stories.is_empty(), "{line}\n{}", stories.join("\n"));
        assert!(self.runs > 0, "nothing was run");
    }
}
