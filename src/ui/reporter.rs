//! Who tells the person, or the program, what a run does.

use std::io;

use indicatif::ProgressDrawTarget;

use super::json::JsonReporter;
use super::line::LineReporter;
use super::live::LiveReporter;
use super::look::Look;
use super::narrator::Volume;
use super::outline::Outline;
use crate::base::clock::Clock;
use crate::model::plan::Plan;
use crate::run::signal::Signal;

/// Shows a run while it moves. Never fails: what cannot be shown must not stop a recovery.
pub trait Reporter: Send {
    fn signal(&mut self, signal: &Signal);

    /// To be called about ten times a second while nothing is signalled, so that no silence is longer than three seconds.
    fn tick(&mut self);

    /// Leaves the screen to somebody else, such as a question. The next signal or tick takes it back.
    fn pause(&mut self);

    /// Leaves the screen for good. All lines stay.
    fn finish(&mut self);
}

/// What the person asked for, and what standard error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    pub is_json: bool,
    pub is_quiet: bool,
    pub is_verbose: bool,
    /// Whether standard error is a terminal that can be drawn on.
    pub is_terminal: bool,
}

impl Options {
    pub fn detect(is_json: bool, is_quiet: bool, is_verbose: bool) -> Options {
        let can_draw = std::env::var("TERM").is_ok_and(|term| term != "dumb");
        let is_terminal = io::IsTerminal::is_terminal(&io::stderr()) && can_draw;
        Options { is_json, is_quiet, is_verbose, is_terminal }
    }

    fn volume(self) -> Volume {
        match self {
            Options { is_quiet: true, .. } => Volume::Quiet,
            Options { is_verbose: true, .. } => Volume::Verbose,
            _ => Volume::Normal,
        }
    }
}

/// The reporter for these wishes: data goes to standard output, talk to standard error.
pub fn choose(options: Options, plan: &Plan, clock: Clock) -> Box<dyn Reporter> {
    let (outline, look, volume) = (Outline::of(plan), Look::of_stderr(), options.volume());
    if options.is_json {
        Box::new(JsonReporter::new(io::stdout(), clock))
    } else if options.is_terminal && !options.is_quiet {
        Box::new(LiveReporter::new(io::stderr(), ProgressDrawTarget::stderr(), look, outline, volume, clock))
    } else {
        Box::new(LineReporter::new(io::stderr(), look, outline, volume, clock))
    }
}
