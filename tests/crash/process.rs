//! One opsctl that was started, and what became of it.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Far more than any turn here needs; one that takes longer hangs.
pub const LONGEST: Duration = Duration::from_secs(90);

pub struct Process {
    words: String,
    child: Child,
    stdout: File,
    stderr: File,
}

/// How it ended, and what it said.
#[derive(Debug)]
pub struct Over {
    pub words: String,
    /// Nothing when it was killed.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub hung: bool,
}

impl Process {
    /// Starts it. What it says goes to files, so that nothing which outlives it is waited for.
    pub fn start(mut command: Command) -> Process {
        let (stdout, stderr) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        let words: Vec<_> =
            command.as_std().get_args().map(|word| word.to_string_lossy().into_owned()).collect();
        let to = |file: &File| Stdio::from(file.try_clone().unwrap());
        let child = command.stdout(to(&stdout)).stderr(to(&stderr)).kill_on_drop(true).spawn().unwrap();
        Process { words: format!("opsctl {}", words.join(" ")), child, stdout, stderr }
    }

    /// Whether it ends by itself within that time.
    pub async fn ends_within(&mut self, span: Duration) -> bool {
        timeout(span, self.child.wait()).await.is_ok()
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// What it has said so far.
    pub fn stdout(&self) -> String {
        text(&self.stdout)
    }

    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().expect("it has not ended").to_string();
        assert!(
            std::process::Command::new("kill")
                .args([&format!("-{signal}"), &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits for its end. One that hangs is killed.
    pub async fn over(mut self) -> Over {
        let hung = !self.ends_within(LONGEST).await;
        if hung {
            self.child.start_kill().unwrap();
        }
        let status: ExitStatus = self.child.wait().await.unwrap();
        Over {
            words: self.words,
            code: status.code(),
            stdout: text(&self.stdout),
            stderr: text(&self.stderr),
            hung,
        }
    }

    pub async fn killed(mut self) -> Over {
        self.child.start_kill().unwrap();
        self.over().await
    }
}

/// What a file holds. Where the next word goes is not moved: whoever writes to it shares that place.
fn text(file: &File) -> String {
    let mut bytes = vec![0; file.metadata().unwrap().len() as usize];
    file.read_exact_at(&mut bytes, 0).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Over {
    /// All of it, for a message.
    pub fn story(&self) -> String {
        let Over { words, code, stderr, .. } = self;
        format!("$ {words} # {code:?}\n{stderr}")
    }
}
