//! A folder with an inventory and runbooks, a state folder of its own, and opsctl run in it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use regex::Regex;

pub struct Scene {
    folder: tempfile::TempDir,
}

/// What a command printed and how it ended, with what differs from run to run replaced.
pub struct Seen {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

const INVENTORY: &str = "name: test\nhosts:\n  here: { address: local }\n";

impl Scene {
    /// A site with the one host `here`, this machine.
    pub fn new() -> Scene {
        let scene = Scene { folder: tempfile::tempdir().unwrap() };
        scene.file("opsctl.yaml", INVENTORY);
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

impl Seen {
    /// Holds the exit code, and gives all that was printed.
    #[track_caller]
    pub fn ends_with(self, code: i32) -> String {
        let whole = format!("{}{}", self.stdout, self.stderr);
        assert_eq!(self.code, code, "{whole}");
        whole
    }
}
