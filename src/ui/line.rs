//! The display that needs no terminal: one line for each event, and a word when nothing happens for long.

use std::io::Write;

use super::beat::Beat;
use super::look::Look;
use super::narrator::{Narrator, Volume};
use super::outline::Outline;
use super::reporter::Reporter;
use crate::base::clock::Clock;
use crate::run::signal::Signal;

#[derive(Debug)]
pub struct LineReporter<W> {
    out: W,
    look: Look,
    volume: Volume,
    clock: Clock,
    narrator: Narrator,
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
        let lines = self.narrator.lines(signal);
        self.write(&lines);
    }

    fn tick(&mut self) {
        if self.volume > Volume::Quiet && !self.narrator.watch.is_over() && self.beat.is_due(self.clock.now())
        {
            let beat = self.beat.clone();
            let mut lines = self.narrator.held();
            lines.extend(self.narrator.still());
            self.write(&lines);
            self.beat = beat;
        }
    }

    fn pause(&mut self) {
        let held = self.narrator.held();
        self.write(&held);
    }

    fn finish(&mut self) {
        self.pause();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::amount::Span;
    use crate::run::event::{Event, Phase, Skip};
    use crate::run::signal::Stream;
    use crate::ui::sample::{self, created, epoch, key, plan, records, run_id, skipped, started};
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
    fn of_many_lines_of_a_step_the_first_are_shown_and_each_attempt_begins_anew() {
        let output = |line: String| Signal::Output {
            step: key("restart[argus-1]"),
            phase: Phase::Do,
            stream: Stream::Out,
            line,
        };
        let many = || (0..1000).map(|number| output(format!("removed file {number}")));
        let again = records([started("restart[argus-1]", 2, Phase::Do)]).map(Signal::Recorded);
        let signals: Vec<Signal> = many().chain(again).chain(many()).collect();
        let text = Scene::plain().told(&signals).text();
        assert_eq!(text.matches("removed file").count(), 80, "{text}");
        assert_eq!(text.matches("... and more").count(), 2, "{text}");
        let whole = Scene::new(Look::PLAIN, Volume::Verbose).told(&signals).text();
        assert_eq!(whole.matches("removed file").count(), 2000);
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

    fn checked(holds: bool, saw: &str, streak: u32) -> Signal {
        Signal::Checked {
            step: key("restart[argus-1]"),
            check: "GET http://localhost:3001/api/health".into(),
            holds,
            saw: saw.into(),
            streak,
            needed: 3,
        }
    }

    #[test]
    fn a_check_is_news_when_it_sees_something_else_than_before_and_never_because_it_holds() {
        let [begin] = records([started("restart[argus-1]", 1, Phase::Do)]).map(Signal::Recorded);
        let before = [checked(false, "status 500", 0), begin];
        let during = [
            checked(false, "status 502", 0),
            checked(false, "status 502", 0),
            checked(true, "", 1),
            checked(false, "status 502", 0),
            checked(true, "", 1),
            checked(true, "", 2),
            checked(true, "", 3),
        ];
        let shown = |volume| Scene::new(Look::PLAIN, volume).told(&[&before[..], &during].concat()).text();
        insta::assert_snapshot!(shown(Volume::Normal), @r"
        00:00 restart[argus-1] ▶ started on app: Restart argus-1
        00:00 restart[argus-1]     waiting for GET http://localhost:3001/api/health (saw status 502)
        00:00 restart[argus-1]     waiting for GET http://localhost:3001/api/health (saw status 502)
        ");
        assert_eq!(shown(Volume::Verbose).lines().count(), 9, "the person who wants all gets all");
    }

    #[test]
    fn what_was_not_needed_is_not_mentioned_unless_the_person_wants_all() {
        let signals = records([skipped("database/start", Skip::NotNeeded)]).map(Signal::Recorded);
        assert_eq!(Scene::plain().told(&signals).text(), "");
        let all = Scene::new(Look::PLAIN, Volume::Verbose).told(&signals).text();
        assert!(all.contains("not needed, `database` did not fail"), "{all}");
    }

    #[test]
    fn how_a_turn_began_is_said_within_a_moment_even_if_nothing_follows() {
        let began = records([created(), epoch()]).map(Signal::Recorded);
        let mut scene = Scene::plain().told(&began);
        scene.reporter.tick();
        assert_eq!(scene.text(), "00:00 run                begun by erin@laptop\n");
    }

    #[test]
    fn a_long_silence_says_what_is_waited_for_and_for_how_long() {
        let mut signals: Vec<_> =
            records([started("restart[argus-1]", 2, Phase::Do)]).map(Signal::Recorded).into();
        signals.push(checked(false, "status 502", 0));
        let scene = Scene::plain().told(&signals).silent_for(15);
        let scene = scene.told(&[checked(true, "", 2)]).silent_for(9);
        insta::assert_snapshot!(scene.text(), @r"
        00:00 restart[argus-1] ▶ started on app: Restart argus-1 (attempt 2)
        00:00 restart[argus-1]     waiting for GET http://localhost:3001/api/health (saw status 502)
        00:03 restart[argus-1]   still running for 3s, attempt 2, waiting for GET http://localhost:3001/api/health (saw status 502)
        00:13 restart[argus-1]   still running for 13s, attempt 2, waiting for GET http://localhost:3001/api/health (saw status 502)
        00:23 restart[argus-1]   still running for 23s, attempt 2, waiting for GET http://localhost:3001/api/health (2 of 3 in a row)
        ");
    }

    #[test]
    fn a_silence_between_steps_is_broken_too_but_not_after_the_end() {
        let waiting =
            Signal::Waiting { what: "a connection to host `app`".into(), at_most: Some(Span::secs(10)) };
        let text = Scene::plain().told(&[waiting]).silent_for(4).text();
        assert!(text.contains("still waiting for a connection to host `app`, 3s of at most 10s"), "{text}");
        let text = Scene::plain().told(&[checked(false, "status 502", 0)]).silent_for(4).text();
        let look = "still looking at `restart[argus-1]`, waiting for GET http://localhost:3001/api/health (saw status 502)";
        assert!(text.contains(look), "{text}");
        let text = Scene::plain().told(&[Signal::Opened { run: run_id() }]).silent_for(4).text();
        assert!(text.contains("still working, no step is running"), "{text}");
        let ended: Vec<_> = records([Event::RunEnded { end: crate::run::event::End::Succeeded }])
            .map(Signal::Recorded)
            .into();
        assert!(!Scene::plain().told(&ended).silent_for(60).text().contains("still"));
    }
}
