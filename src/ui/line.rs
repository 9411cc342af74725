//! The display that needs no terminal: one line for each event, and a word when nothing happens for long.

use std::io::Write;

use super::beat::Beat;
use super::look::Look;
use super::narrator::{Narrator, Volume};
use super::outline::Outline;
use super::reporter::Reporter;
use super::watch::Watch;
use crate::base::clock::Clock;
use crate::run::signal::Signal;

#[derive(Debug)]
pub struct LineReporter<W> {
    out: W,
    look: Look,
    volume: Volume,
    clock: Clock,
    narrator: Narrator,
    watch: Watch,
    beat: Beat,
}

impl<W: Write + Send> LineReporter<W> {
    pub fn new(out: W, look: Look, outline: Outline, volume: Volume, clock: Clock) -> LineReporter<W> {
        LineReporter {
            out,
            look,
            volume,
            beat: Beat::new(clock.now()),
            narrator: Narrator::new(outline, volume, clock.clone()),
            watch: Watch::default(),
            clock,
        }
    }

    /// A failure to write is no reason to stop a recovery.
    fn write(&mut self, lines: &[String]) {
        for line in lines {
            let _ = writeln!(self.out, "{}", self.look.fit(line));
        }
        if !lines.is_empty() {
            self.beat.broken(self.clock.now());
        }
        let _ = self.out.flush();
    }
}

impl<W: Write + Send> Reporter for LineReporter<W> {
    fn signal(&mut self, signal: &Signal) {
        self.watch.signal(signal, self.clock.now());
        let lines = self.narrator.lines(signal);
        self.write(&lines);
    }

    fn tick(&mut self) {
        if self.volume > Volume::Quiet && !self.watch.is_over() && self.beat.is_due(self.clock.now()) {
            let beat = self.beat.clone();
            let lines = self.narrator.still(&self.watch);
            self.write(&lines);
            self.beat = beat;
        }
    }

    fn pause(&mut self) {}

    fn finish(&mut self) {
        let _ = self.out.flush();
    }
}
