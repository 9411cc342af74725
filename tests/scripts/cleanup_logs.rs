//! The logs of containers that are shortened while they are written to: the end stays, in whole lines, whatever happens meanwhile.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cleanup::{Over, said};
use crate::scene::{Scene, each};

/// Knows one container, by the id that is the name of a file.
const DOCKER: &str =
    "#!/bin/sh\nfor last; do :; done\ncase $* in\n*inspect*) cat \"$DIR/of $last\" ;;\nesac\n";

/// A filesystem out of whose files nothing can be taken.
const NO: &str = "#!/bin/sh\nexit 1\n";

const KEEP: u64 = 16 * 1024;

/// A log that is written to as Docker does it.
struct Log {
    id: String,
    path: PathBuf,
    file: File,
    next: u32,
}

impl Log {
    fn make(scene: &Scene) -> Log {
        let id = format!("{0}{0}", uuid::Uuid::now_v7().simple());
        scene.make("containers");
        let path = scene.path(&format!("containers/{id}-json.log"));
        let file = File::options().append(true).create_new(true).open(&path).unwrap();
        scene.write(&format!("of {id}"), &format!("json-file {}\n", path.display()));
        let mut log = Log { id, path, file, next: 0 };
        (0..3000).for_each(|_| log.add());
        log
    }

    fn line(number: u32) -> String {
        format!(
            "{{\"log\":\"line {number} of it\\n\",\"stream\":\"stdout\",\"time\":\"2026-03-01T03:14:00.{number:09}Z\"}}\n"
        )
    }

    fn add(&mut self) {
        self.file.write_all(Log::line(self.next).as_bytes()).unwrap();
        self.next += 1;
    }

    fn args(&self) -> Value {
        let log = json!({ "container": self.id, "name": "shop-1", "path": self.path });
        json!({ "at": "/", "until_free": "100%", "keep": format!("{KEEP}B"), "logs": [log] })
    }

    /// The numbers of its lines, each of which has to be whole; nothing but blanks is between them.
    fn numbers(&self) -> Vec<u32> {
        let text = fs::read_to_string(&self.path).unwrap();
        let lines = text.lines().map(str::trim_start).filter(|line| !line.is_empty());
        let number = |line: &str| {
            let number =
                line.strip_prefix("{\"log\":\"line ").and_then(|rest| rest.split(' ').next()?.parse().ok());
            let number = number.unwrap_or_else(|| panic!("{line} in {text}"));
            assert_eq!(format!("{line}\n"), Log::line(number));
            number
        };
        assert!(text.ends_with('\n'));
        lines.map(number).collect()
    }

    /// It has the end, and not much more.
    fn has_its_end(&self) {
        let numbers = self.numbers();
        assert_eq!(numbers.last(), Some(&(self.next - 1)));
        assert!(numbers.is_sorted_by(|a, b| a + 1 == *b), "{numbers:?}");
        let length = fs::metadata(&self.path).unwrap().len();
        // A block more at most.
        assert!((KEEP - 200..KEEP + 65_536).contains(&length), "{length}");
        assert!(self.next as usize > numbers.len());
    }

    fn held(&self) -> PathBuf {
        let own = fs::metadata("/proc/self").unwrap().uid();
        PathBuf::from(format!("/dev/shm/opsctl-log-{own}-{}/end", self.id))
    }
}

/// Both ways: as the filesystem allows it, and through memory.
fn both(test: impl Fn(&Scene, &mut Log)) {
    for programs in [&[][..], &["fallocate"]] {
        each(DOCKER, |scene| {
            programs.iter().for_each(|name| scene.program(name, NO));
            test(scene, &mut Log::make(scene));
        });
    }
}

/// Whether the beginning can be taken out of a file where the tests are.
fn can_take_out(scene: &Scene) -> bool {
    fs::write(scene.path("tried"), vec![0; 1 << 20]).unwrap();
    let mut command = Command::new("fallocate");
    command.args(["-c", "-o", "0", "-l", "65536"]).arg(scene.path("tried"));
    command.output().is_ok_and(|tried| tried.status.success())
}

#[test]
fn the_end_of_a_log_stays_in_whole_lines() {
    both(|scene, log| {
        let inode = fs::metadata(&log.path).unwrap().ino();
        let lines = said(&scene.run("cleanup.logs", log.args()));
        assert!(lines[0].starts_with("removed log shop-1, "), "{lines:?}");
        log.has_its_end();
        assert_eq!(fs::metadata(&log.path).unwrap().ino(), inode, "Docker has it open");
        log.add();
        log.has_its_end();
        let lines = said(&scene.run("cleanup.logs", log.args()));
        assert!(
            lines[0].starts_with("left log of shop-1: it is not longer")
                || lines[0].starts_with("removed log")
        );
        log.has_its_end();
        assert!(!log.held().parent().unwrap().exists());
    });
}

#[test]
fn lines_that_come_meanwhile_are_whole_and_behind_the_rest() {
    both(|scene, log| {
        let is_lossless = !scene.path("bin/fallocate").exists() && can_take_out(scene);
        let is_over = AtomicBool::new(false);
        let mut writer = Log {
            id: log.id.clone(),
            path: log.path.clone(),
            file: log.file.try_clone().unwrap(),
            next: log.next,
        };
        let written = thread::scope(|scope| {
            let guard = Over(&is_over);
            let written = scope.spawn(|| {
                while !is_over.load(Relaxed) {
                    writer.add();
                    thread::sleep(Duration::from_micros(200));
                }
                writer.next
            });
            for _ in 0..5 {
                while fs::metadata(&log.path).unwrap().len() < KEEP + 100_000 {
                    thread::sleep(Duration::from_millis(1));
                }
                said(&scene.run("cleanup.logs", log.args()));
            }
            drop(guard);
            written.join().unwrap()
        });
        let mut numbers = log.numbers();
        if is_lossless {
            assert!(numbers.is_sorted_by(|a, b| a + 1 == *b), "{:?} {numbers:?}", scene.shell);
        }
        numbers.sort_unstable();
        assert!(numbers.is_sorted_by(|a, b| a < b), "none is there twice");
        assert_eq!(numbers.last(), Some(&(written - 1)));
        // Through memory each run has one moment in which something can be lost.
        let gaps = numbers.windows(2).filter(|pair| pair[0] + 1 < pair[1]).count();
        assert!(gaps <= if is_lossless { 0 } else { 5 }, "{:?} {numbers:?}", scene.shell);
    });
}

/// Runs it until a program of it ends all of it, as a loss of power would.
fn killed_at(scene: &Scene, log: &Log, program: &str, line: &str) {
    scene.program(program, &format!("#!/bin/sh\n{line}\n"));
    let mut command = scene.command("1", "cleanup.logs", log.args());
    let output: Output = command.process_group(0).output().unwrap();
    assert!(!output.status.success(), "{:?} {program} was not used", scene.shell);
    fs::remove_file(scene.path(&format!("bin/{program}"))).unwrap();
}

#[test]
fn one_that_is_killed_anywhere_is_finished_by_the_next() {
    // Before the file is emptied, before the end is put back, in the middle of that, and after it.
    let moments = [
        ("mv", "/bin/mv \"$@\"; kill -KILL 0"),
        ("dd", "kill -KILL 0"),
        ("dd", "head -c 5000; kill -KILL 0"),
        ("dd", "/bin/dd \"$@\"; kill -KILL 0"),
    ];
    for (number, (program, line)) in moments.into_iter().enumerate() {
        each(DOCKER, |scene| {
            scene.program("fallocate", NO);
            let mut log = Log::make(scene);
            let before = log.numbers();
            killed_at(scene, &log, program, line);
            assert!(log.held().exists());
            if number == 0 {
                assert_eq!(log.numbers(), before);
            }
            // Docker goes on; half a line of ours is in its way.
            if number != 2 {
                log.add();
            }
            let lines = said(&scene.run("cleanup.logs", log.args()));
            let mut numbers: Vec<_> = match number {
                2 => {
                    let text = fs::read_to_string(&log.path).unwrap();
                    let whole = text.lines().filter(|line| line.starts_with('{') && line.ends_with("Z\"}"));
                    whole.map(|line| line[13..].split(' ').next().unwrap().parse().unwrap()).collect()
                }
                _ => log.numbers(),
            };
            numbers.sort_unstable();
            numbers.dedup();
            assert!(numbers.is_sorted_by(|a, b| a + 1 == *b), "{:?} {numbers:?} {lines:?}", scene.shell);
            assert_eq!(numbers.last(), Some(&(log.next - 1)));
            assert!(numbers.len() as u64 * 90 > KEEP - 400, "{number} {:?} {lines:?}", scene.shell);
            assert!(!log.held().parent().unwrap().exists());
            let again = fs::read(&log.path).unwrap();
            said(&scene.run("cleanup.logs", log.args()));
            assert!(again.ends_with(&fs::read(&log.path).unwrap()), "nothing comes twice");
        });
    }
}

#[test]
fn half_a_line_that_a_death_has_left_at_the_beginning_is_made_blank() {
    each(DOCKER, |scene| {
        if !can_take_out(scene) {
            return;
        }
        let log = Log::make(scene);
        killed_at(scene, &log, "dd", "kill -KILL 0");
        assert!(!fs::read_to_string(&log.path).unwrap().starts_with("{\"log\":"));
        said(&scene.run("cleanup.logs", log.args()));
        log.has_its_end();
    });
}

#[test]
fn a_file_that_is_not_the_log_of_its_container_is_left() {
    both(|scene, log| {
        let before = fs::read(&log.path).unwrap();
        let is_left = |why: &str| {
            let lines = said(&scene.run("cleanup.logs", log.args()));
            assert_eq!(lines[0], format!("left log of shop-1: {why}"));
        };
        let of = format!("of {}", log.id);
        let told = scene.read(&of);
        for other in ["json-file /elsewhere.log\n", &told.replace("json-file", "local"), ""] {
            scene.write(&of, other);
            is_left("it is not its log any more");
        }
        scene.write(&of, &told);
        let aside = scene.path("aside");
        fs::rename(&log.path, &aside).unwrap();
        is_left("it is no file there that can be written to");
        symlink(&aside, &log.path).unwrap();
        is_left("it is no file there that can be written to");
        assert_eq!(fs::read(&aside).unwrap(), before);
    });
}
