//! A folder with an inventory and runbooks, a state folder of its own, and opsctl run in it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use regex::Regex;

/// Two steps, each of which appends its name to a file and prints it.
pub const ONE_AND_TWO: &str = r#"
  - id: one
    title: One
    on: here
    do: { command: { shell: 'echo one | tee -a "$DIR/log"' } }
    undo: none
  - id: two
    title: Two
    on: here
    do: { command: { shell: 'echo two | tee -a "$DIR/log"' } }
    undo: none
"#;

pub struct Scene {
    folder: tempfile::TempDir,
}

/// What a command printed and how it ended, with what differs from run to run replaced.
pub struct Seen {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Scene {
    /// A site with the one host `here`, this machine.
    pub fn new() -> Scene {
        let scene = Scene { folder: tempfile::tempdir().unwrap() };
        let host = scene.path("host");
        scene.file(
            "opsctl.yaml",
            &format!("name: test\nhosts:\n  here: {{ address: local, state_dir: {} }}\n", host.display()),
        );
        fs::create_dir(scene.path("runbooks")).unwrap();
        scene
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn file(&self, name: &str, text: &str) -> &Scene {
        fs::write(self.path(name), text).unwrap();
        self
    }

    /// A runbook of the project's own: its steps, without the heading.
    pub fn runbook(&self, name: &str, steps: &str) -> &Scene {
        let heading = format!("runbook: {name}\ntitle: A test of {name}\nrisk: disruptive\nsteps:\n");
        self.file(&format!("runbooks/{name}.yaml"), &(heading + steps))
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_opsctl"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("OPSCTL_STATE_DIR", self.path("state"))
            .env("OPSCTL_OPERATOR", "tester")
            .env("LC_ALL", "C.UTF-8")
            .env("DIR", self.folder.path())
            .stdin(Stdio::null());
        command
    }

    pub fn opsctl(&self, arguments: &[&str]) -> Seen {
        let output = self.command(arguments).output().unwrap();
        self.seen(&output)
    }

    pub fn seen(&self, output: &Output) -> Seen {
        Seen {
            code: output.status.code().unwrap_or(-1),
            stdout: self.steady(&output.stdout),
            stderr: self.steady(&output.stderr),
        }
    }

    /// The lines of a file that steps append to; none when there is no such file.
    pub fn lines(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.path(name)).unwrap_or_default();
        text.lines().map(String::from).collect()
    }

    /// Kills a command on the host, and what watches it there: it leaves no exit code.
    pub fn kill_the_command(&self, receipt: &str) {
        let run = self.run_folder().file_name().unwrap().to_owned();
        let claim = self.path("host/runs").join(run).join(format!("{receipt}.claim"));
        let claim = fs::read_to_string(claim).unwrap();
        let words: Vec<_> = claim.split(' ').collect();
        let (group, start, watcher): (u32, &str, u32) =
            (words[3].parse().unwrap(), words[4], words[5].parse().unwrap());
        assert_eq!(stat(group).unwrap()[19], start, "it is another process by now");
        // One process at a time, by its own number: to a program `kill`, a group is too easily everybody.
        let members = fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let pid: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            (stat(pid)?[2] == group.to_string()).then_some(pid)
        });
        for pid in std::iter::once(watcher).chain(members) {
            assert!(pid > 1);
            // A child may have gone with its parent.
            Command::new("kill")
                .args(["-s", "KILL", &pid.to_string()])
                .stderr(Stdio::null())
                .status()
                .unwrap();
        }
        // It may have nobody to reap it.
        while stat(group).is_some_and(|stat| stat[0] != "Z") {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    /// The one run's folder.
    pub fn run_folder(&self) -> PathBuf {
        let mut runs: Vec<_> =
            fs::read_dir(self.path("state/runs")).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs.remove(0)
    }

    fn steady(&self, bytes: &[u8]) -> String {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let text = text.replace(&self.folder.path().display().to_string(), "DIR");
        [
            (r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "RUN"),
            (r"\b(pid) \d+", "$1 PID"),
            (r"\b[0-9a-f]{8}\b", "SHORT"),
            (r"(?m)^\d\d:\d\d ", "00:00 "),
            (r"\b[0-9a-f]{12}\b|\b[0-9a-f]{64}\b", "DIGEST"),
            (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| UTC|[+-]\d\d:\d\d)?", "TIME"),
            (r"\+\d+(\.\d+)?s", "+TIME"),
            (r"\b\d+(\.\d+)?(ms|s)\b", "SPAN"),
            // A column is as wide as what is in it.
            (r"SPAN {2,}", "SPAN  "),
        ]
        .iter()
        .fold(text, |text, (pattern, with)| {
            Regex::new(pattern).unwrap().replace_all(&text, *with).into_owned()
        })
    }
}

/// The fields of `/proc/PID/stat` from the state on: the state, the parent, the group, and at 19 the start time.
fn stat(pid: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(stat.rsplit_once(") ")?.1.split_whitespace().map(String::from).collect())
}

impl Seen {
    /// Holds the exit code, and gives all that was printed.
    #[track_caller]
    pub fn ends_with(self, code: i32) -> String {
        let whole = format!("{}{}", self.stdout, self.stderr);
        assert_eq!(self.code, code, "{whole}");
        whole
    }
}
