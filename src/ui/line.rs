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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::amount::Span;
    use crate::run::event::{Event, Phase};
    use crate::ui::sample::{self, key, plan, records, run_id, started};
    use crate::ui::story;

    struct Scene {
        clock: Clock,
        reporter: LineReporter<Vec<u8>>,
    }

    impl Scene {
        fn new(look: Look, volume: Volume) -> Scene {
            let clock = Clock::fixed(sample::start());
            let outline = Outline::of(&plan());
            Scene { reporter: LineReporter::new(Vec::new(), look, outline, volume, clock.clone()), clock }
        }

        fn plain() -> Scene {
            Scene::new(Look::PLAIN, Volume::Normal)
        }

        fn told(mut self, signals: &[Signal]) -> Scene {
            for signal in signals {
                if let (Clock::Fixed(now), Signal::Recorded(record)) = (&self.clock, signal) {
                    *now.lock().unwrap() = record.at;
                }
                self.reporter.signal(signal);
            }
            self
        }

        /// Ticks twice a second, as a screen loop would.
        fn silent_for(mut self, seconds: u64) -> Scene {
            for _ in 0..seconds * 2 {
                if let Clock::Fixed(now) = &self.clock {
                    *now.lock().unwrap() += Duration::from_millis(500);
                }
                self.reporter.tick();
            }
            self
        }

        fn text(mut self) -> String {
            self.reporter.finish();
            String::from_utf8(self.reporter.out).unwrap()
        }
    }

    #[test]
    fn every_event_and_signal_has_its_line() {
        insta::assert_snapshot!(Scene::plain().told(&story::everything()).text());
    }

    #[test]
    fn a_quiet_run_shows_only_failures_and_the_end() {
        let scene = Scene::new(Look::PLAIN, Volume::Quiet);
        insta::assert_snapshot!(scene.told(&story::everything()).silent_for(60).text());
    }

    #[test]
    fn colour_never_changes_the_text() {
        let coloured = Look { is_coloured: true, is_utf8: true };
        let painted = Scene::new(coloured, Volume::Verbose).told(&story::everything()).text();
        let plain = Scene::new(Look::PLAIN, Volume::Verbose).told(&story::everything()).text();
        assert!(painted.contains('\u{1b}'));
        assert!(!plain.contains('\u{1b}'));
        assert_eq!(anstream::adapter::strip_str(&painted).to_string(), plain);
    }

    #[test]
    fn a_check_that_says_the_same_again_is_shown_once_unless_the_person_wants_all() {
        let check = |holds, saw: &str, streak| Signal::Checked {
            step: key("restart[argus-1]"),
            check: "GET http://localhost:3001/api/health".into(),
            holds,
            saw: saw.into(),
            streak,
            needed: 2,
        };
        let signals =
            [check(false, "status 502", 0), check(false, "status 502", 0), check(true, "status 200", 1)];
        let shown = |volume| Scene::new(Look::PLAIN, volume).told(&signals).text().matches("502").count();
        assert_eq!(shown(Volume::Normal), 1);
        assert_eq!(shown(Volume::Verbose), 2);
    }

    #[test]
    fn a_long_silence_says_what_is_waited_for_and_for_how_long() {
        let mut signals: Vec<_> =
            records([started("restart[argus-1]", 2, Phase::Do)]).map(Signal::Recorded).into();
        signals.push(Signal::Checked {
            step: key("restart[argus-1]"),
            check: "GET http://localhost:3001/api/health".into(),
            holds: false,
            saw: "status 502".into(),
            streak: 0,
            needed: 3,
        });
        insta::assert_snapshot!(Scene::plain().told(&signals).silent_for(45).text(), @r"
        00:00 restart[argus-1] ▶ started on app: Restart argus-1 (attempt 2)
        00:00 restart[argus-1]     check does not hold yet: GET http://localhost:3001/api/health (saw status 502)
        00:03 restart[argus-1]   still running for 3s, attempt 2, check does not hold yet: GET http://localhost:3001/api/health (saw status 502)
        00:13 restart[argus-1]   still running for 13s, attempt 2, check does not hold yet: GET http://localhost:3001/api/health (saw status 502)
        00:43 restart[argus-1]   still running for 43s, attempt 2, check does not hold yet: GET http://localhost:3001/api/health (saw status 502)
        ");
    }

    #[test]
    fn a_silence_between_steps_is_broken_too_but_not_after_the_end() {
        let waiting =
            Signal::Waiting { what: "a connection to host `app`".into(), at_most: Some(Span::secs(10)) };
        let text = Scene::plain().told(&[waiting]).silent_for(4).text();
        assert!(text.contains("still waiting for a connection to host `app`, 3s of at most 10s"), "{text}");
        let text = Scene::plain().told(&[Signal::Opened { run: run_id() }]).silent_for(4).text();
        assert!(text.contains("still working, no step is running"), "{text}");
        let ended: Vec<_> = records([Event::RunEnded { end: crate::run::event::End::Succeeded }])
            .map(Signal::Recorded)
            .into();
        assert!(!Scene::plain().told(&ended).silent_for(60).text().contains("still"));
    }
}
