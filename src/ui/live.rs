//! The display for a terminal: the same lines as without one, above a row for each step that runs.
//!
//! The rows only decorate: whatever matters is a line, and stays on the screen when the rows are gone. A row moves only when
//! [`tick`](Reporter::tick) is called: one that stands still is the truth about a program that hangs.

use std::collections::HashMap;
use std::io::Write;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::look::Look;
use super::narrator::{Narrator, Volume};
use super::outline::Outline;
use super::paint::Ink;
use super::reporter::Reporter;
use crate::base::clock::Clock;
use crate::base::id::StepKey;
use crate::run::signal::Signal;

#[derive(Debug)]
pub struct LiveReporter<W> {
    /// Where the lines go: the same terminal as the rows.
    out: W,
    look: Look,
    clock: Clock,
    narrator: Narrator,
    rows: MultiProgress,
    steps: HashMap<StepKey, ProgressBar>,
    /// For what is not a step: a connection, a lock, a pause.
    run: Option<ProgressBar>,
}

impl<W: Write + Send> LiveReporter<W> {
    pub fn new(
        out: W,
        target: ProgressDrawTarget,
        look: Look,
        outline: Outline,
        volume: Volume,
        clock: Clock,
    ) -> LiveReporter<W> {
        LiveReporter {
            out,
            look,
            narrator: Narrator::new(outline, volume, clock.clone()),
            clock,
            rows: MultiProgress::with_draw_target(target),
            steps: HashMap::new(),
            run: None,
        }
    }

    /// Written past the rows, not by them: so they are plain lines in the scrollback, however the window is resized.
    fn write(&mut self, lines: &[String]) {
        if lines.is_empty() {
            return;
        }
        let (rows, out, look) = (&self.rows, &mut self.out, self.look);
        rows.suspend(|| {
            for line in lines {
                // A failure to write is no reason to stop a recovery.
                let _ = writeln!(out, "{}", look.fit(line));
            }
            let _ = out.flush();
        });
    }

    /// Takes away the rows of steps that have ended, so that none is drawn again below the line that says so.
    fn drop_ended(&mut self) {
        let (rows, watch) = (&self.rows, &self.narrator.watch);
        self.steps.retain(|step, row| watch.is_running(step) || drop_row(rows, row));
    }

    fn refresh(&mut self) {
        let now = self.clock.now();
        let (rows, watch) = (&self.rows, &self.narrator.watch);
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

impl<W: Write + Send> Reporter for LiveReporter<W> {
    fn signal(&mut self, signal: &Signal) {
        let lines = self.narrator.lines(signal);
        self.drop_ended();
        self.write(&lines);
        self.refresh();
    }

    fn tick(&mut self) {
        self.refresh();
        self.steps.values().chain(&self.run).for_each(ProgressBar::tick);
    }

    fn pause(&mut self) {
        let held = self.narrator.held();
        self.write(&held);
        self.clear();
    }

    fn finish(&mut self) {
        self.pause();
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

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use indicatif::TermLike;

    use super::*;
    use crate::run::event::{Event, Phase};
    use crate::ui::sample::{self, failed, finished, plan, records, started};
    use crate::ui::story;

    /// A terminal that keeps all that was ever written to it.
    #[derive(Debug, Clone, Default)]
    struct Paper(Arc<Mutex<String>>);

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            200
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(&format!("{text}\n"))
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.write_str(&String::from_utf8_lossy(bytes))?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn screen(look: Look) -> (LiveReporter<Paper>, Paper, Clock) {
        let (paper, clock) = (Paper::default(), Clock::fixed(sample::start()));
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(paper.clone()), 255);
        let outline = Outline::of(&plan());
        (LiveReporter::new(paper.clone(), target, look, outline, Volume::Normal, clock.clone()), paper, clock)
    }

    fn pass(clock: &Clock, seconds: u64) {
        if let Clock::Fixed(now) = clock {
            *now.lock().unwrap() += Duration::from_secs(seconds);
        }
        // The rows are drawn at most 255 times a second of real time.
        std::thread::sleep(Duration::from_millis(20));
    }

    #[test]
    fn a_terminal_gets_every_line_that_a_log_gets() {
        let (mut live, paper, clock) = screen(Look::PLAIN);
        let mut narrator = Narrator::new(Outline::of(&plan()), Volume::Normal, clock);
        for signal in &story::everything() {
            paper.0.lock().unwrap().clear();
            live.signal(signal);
            let shown = paper.0.lock().unwrap().clone();
            for line in narrator.lines(signal) {
                for part in Look::PLAIN.fit(&line).lines() {
                    assert!(shown.contains(part.trim_end()), "{part:?} is not in {shown:?}");
                }
            }
        }
    }

    #[test]
    fn a_running_step_has_a_row_that_ticks_and_is_gone_when_it_ends() {
        let (mut live, paper, clock) = screen(Look::PLAIN);
        let [begin, end] = records([
            started("restart[argus-1]", 1, Phase::Do),
            finished("restart[argus-1]", Phase::Do, failed("exit code 1", true)),
        ])
        .map(Signal::Recorded);
        live.signal(&begin);
        pass(&clock, 7);
        live.tick();
        let shown = paper.0.lock().unwrap().clone();
        assert!(shown.contains("restart[argus-1] running for 6s"), "{shown:?}");
        live.signal(&end);
        pass(&clock, 2);
        paper.0.lock().unwrap().clear();
        live.tick();
        let shown = paper.0.lock().unwrap().clone();
        assert!(!shown.contains("restart[argus-1]"), "{shown:?}");
        assert!(shown.contains("run working, no step is running"), "{shown:?}");
    }

    #[test]
    fn nothing_is_drawn_after_the_end() {
        let (mut live, paper, clock) = screen(Look::PLAIN);
        let [end] =
            records([Event::RunEnded { end: crate::run::event::End::Succeeded }]).map(Signal::Recorded);
        live.signal(&end);
        live.finish();
        pass(&clock, 5);
        paper.0.lock().unwrap().clear();
        live.tick();
        assert_eq!(paper.0.lock().unwrap().trim(), "");
    }

    #[test]
    fn without_colour_the_rows_have_no_escapes() {
        let (mut live, paper, _) = screen(Look::PLAIN);
        for signal in &story::everything() {
            live.signal(signal);
            live.tick();
        }
        live.finish();
        assert!(!paper.0.lock().unwrap().contains('\u{1b}'));
    }
}
