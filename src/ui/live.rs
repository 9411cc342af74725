//! The display for a terminal: the same lines as without one, above a row for each step that runs.
//!
//! The rows only decorate: whatever matters is a line, and stays on the screen when the rows are gone. A row moves only when
//! [`tick`](Reporter::tick) is called: one that stands still is the truth about a program that hangs.

use std::collections::HashMap;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::look::Look;
use super::narrator::{Narrator, Volume};
use super::outline::Outline;
use super::paint::Ink;
use super::reporter::Reporter;
use super::watch::Watch;
use crate::base::clock::Clock;
use crate::base::id::StepKey;
use crate::run::signal::Signal;

#[derive(Debug)]
pub struct LiveReporter {
    look: Look,
    clock: Clock,
    narrator: Narrator,
    watch: Watch,
    rows: MultiProgress,
    steps: HashMap<StepKey, ProgressBar>,
    /// For what is not a step: a connection, a lock, a pause.
    run: Option<ProgressBar>,
}

impl LiveReporter {
    pub fn new(
        target: ProgressDrawTarget,
        look: Look,
        outline: Outline,
        volume: Volume,
        clock: Clock,
    ) -> LiveReporter {
        LiveReporter {
            look,
            narrator: Narrator::new(outline, volume, clock.clone()),
            clock,
            watch: Watch::default(),
            rows: MultiProgress::with_draw_target(target),
            steps: HashMap::new(),
            run: None,
        }
    }

    fn refresh(&mut self) {
        let now = self.clock.now();
        let (rows, watch) = (&self.rows, &self.watch);
        self.steps.retain(|step, row| watch.is_running(step) || drop_row(rows, row));
        for (step, underway) in watch.running() {
            let row = self.steps.entry(step.clone()).or_insert_with(|| new_row(rows, self.look));
            let line = underway.last_line.as_ref();
            let line = line.map(|line| Ink::Dim.on(format!("  | {line}"))).unwrap_or_default();
            let text = format!("{} {}{line}", Ink::Bold.on(step), underway.describe(now));
            row.set_message(self.look.fit(&text));
        }
        match watch.rest_of_run(now) {
            Some(text) => {
                let row = self.run.get_or_insert_with(|| new_row(rows, self.look));
                row.set_message(self.look.fit(&format!("{} {text}", Ink::Bold.on("run"))));
            }
            None => self.clear_run_row(),
        }
    }

    fn clear_run_row(&mut self) {
        if let Some(row) = self.run.take() {
            drop_row(&self.rows, &row);
        }
    }

    fn clear(&mut self) {
        for (_, row) in self.steps.drain() {
            drop_row(&self.rows, &row);
        }
        self.clear_run_row();
    }
}

impl Reporter for LiveReporter {
    fn signal(&mut self, signal: &Signal) {
        self.watch.signal(signal, self.clock.now());
        for line in self.narrator.lines(signal) {
            // A failure to write is no reason to stop a recovery.
            let _ = self.rows.println(self.look.fit(&line));
        }
        self.refresh();
    }

    fn tick(&mut self) {
        self.refresh();
        self.steps.values().chain(&self.run).for_each(ProgressBar::tick);
    }

    fn pause(&mut self) {
        self.clear();
    }

    fn finish(&mut self) {
        self.clear();
    }
}

fn new_row(rows: &MultiProgress, look: Look) -> ProgressBar {
    let frames = if look.is_utf8 { "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ " } else { "|/-\\ " };
    let style = ProgressStyle::with_template("{spinner} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .tick_chars(frames);
    rows.add(ProgressBar::new_spinner().with_style(style))
}

/// Takes a row off the screen. Always false: it is not to be kept.
fn drop_row(rows: &MultiProgress, row: &ProgressBar) -> bool {
    row.finish_and_clear();
    rows.remove(row);
    false
}
