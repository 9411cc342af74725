//! A host with a folder for its receipts, and a turn at a run there.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use opsctl::base::clock::Timestamp;
use opsctl::base::id::{RunId, StepKey};
use opsctl::host::lease::{Hold, Take, Wanted};
use opsctl::host::{Failure, Host, Limits, Output, Records};
use opsctl::model::inventory;
use opsctl::model::operation::{Command, Program};
use opsctl::model::plan::Digest;
use opsctl::run::event::Phase;
use opsctl::run::lease::{Head, Holder, Lease};
use opsctl::run::receipt::ReceiptKey;

use crate::common::small::Small;
use crate::common::sshd::Sshd;

pub const QUICK: Limits = Limits {
    connect: Duration::from_secs(10),
    alive_interval: Duration::from_secs(2),
    alive_count: 3,
    docker: Duration::from_secs(10),
    output: 1 << 20,
};

/// A server whose `sh` is the given program, and its clients.
pub struct Scene {
    pub sshd: Sshd,
    pub run: RunId,
}

impl Scene {
    pub fn new() -> Scene {
        Scene::with_shell("sh")
    }

    /// `shell`: what stands behind the name `sh` on the host.
    pub fn with_shell(shell: &str) -> Scene {
        Scene::with_words(shell, "eval")
    }

    /// On a host that sees the small filesystem.
    pub fn on(small: &Small, shell: &str) -> Scene {
        Scene::with_words(shell, &format!("exec {} sh -c", small.words().join(" ")))
    }

    /// `words`: what is done with a command.
    fn with_words(shell: &str, words: &str) -> Scene {
        let bin = tempfile::Builder::new().prefix("opsctl-bin").tempdir().unwrap().keep();
        let found = std::process::Command::new("sh").args(["-c", &format!("command -v {shell}")]).output();
        let program = String::from_utf8(found.unwrap().stdout).unwrap().trim().to_owned();
        assert!(!program.is_empty(), "{shell} has to be installed");
        // BusyBox knows by its name what it is to be.
        std::os::unix::fs::symlink(program, bin.join("sh")).unwrap();
        let sshd = Sshd::start_with(&format!(
            "ForceCommand PATH={}:$PATH; export PATH; {words} \"$SSH_ORIGINAL_COMMAND\"",
            bin.display()
        ));
        Scene { sshd, run: RunId::generate() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.sshd.folder().join(name)
    }

    pub fn lines(&self, name: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.path(name)).unwrap_or_default();
        text.lines().map(String::from).collect()
    }

    pub async fn connect(&self) -> Host {
        self.try_connect(&self.sshd.spec()).await
    }

    pub async fn try_connect(&self, spec: &inventory::Host) -> Host {
        Host::connect("app", spec, self.sshd.folder(), QUICK).await.unwrap()
    }

    pub fn key(&self, step: &str) -> ReceiptKey {
        ReceiptKey { run: self.run, step: StepKey::new(step), attempt: 1, phase: Phase::Do }
    }

    /// A command that appends a line to the file `effects` of the host.
    pub fn append(&self, line: &str) -> Command {
        shell(&format!("echo {line} >>'{}'", self.path("effects").display()))
    }

    pub async fn take(&self, host: &Host) -> Hold {
        match try_take(host, self.run, "ada", "seat-1", b"").await.unwrap() {
            Take::Held(hold) => hold,
            _ => panic!("the host was not given"),
        }
    }

    pub fn receipts(&self) -> PathBuf {
        self.path("host-state").join("runs").join(self.run.to_string())
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let text = std::fs::read_to_string(self.path("sshd_config")).unwrap_or_default();
        let bin = text.split_once("ForceCommand PATH=").and_then(|(_, path)| path.split(':').next());
        if let Some(bin) = bin.filter(|bin| bin.contains("opsctl-bin")) {
            let _ = std::fs::remove_dir_all(Path::new(bin));
        }
    }
}

pub fn shell(line: &str) -> Command {
    Command::new(Program::Shell(line.to_owned()))
}

pub async fn try_take(
    host: &Host,
    run: RunId,
    operator: &str,
    seat: &str,
    journal: &[u8],
) -> Result<Take, Failure> {
    let records = Arc::new(Records::of(journal));
    let holder = Holder::Run {
        run,
        epoch: 1,
        operator: operator.to_owned(),
        why: "test".to_owned(),
        since: Timestamp::now(),
        head: Head { seq: 0, digest: Digest::of(b"plan") },
    };
    let wanted = Wanted { run, holder: &holder, seat, plan: b"{\"plan\":1}", journal, records };
    host.take(&wanted).await
}

/// Who has it instead.
pub async fn refused(host: &Host, run: RunId, operator: &str, seat: &str) -> Lease {
    match try_take(host, run, operator, seat, b"").await.unwrap() {
        Take::Refused(by) => by,
        _ => panic!("it was not refused"),
    }
}

pub async fn dispatch(
    host: &Host,
    hold: &Hold,
    key: &ReceiptKey,
    command: &Command,
) -> Result<Output, Failure> {
    host.dispatch(hold, key, None, command, &mut |_, _| {}).await
}

pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds().await {
        assert!(Instant::now() < deadline, "not within 30 s: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
