//! A host that steps leave lines on, and the laptops that it is looked after from: each with a state folder and an operator of
//! its own, all with the same inventory and runbooks.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use opsctl::base::Result;
use opsctl::journal::History;
use opsctl::journal::store::{RunDir, Store};
use tokio::process::Command;

use crate::common::sshd::Sshd;
use crate::process::Process;

pub struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    /// The host is this machine.
    pub fn here() -> Site {
        Site::at("address: local")
    }

    /// The host is behind a server.
    pub fn behind(sshd: &Sshd) -> Site {
        Site::at(&format!("address: ssh://box, ssh_config: {}", sshd.folder().join("ssh_config").display()))
    }

    /// The host is behind a server, and reached by another port than the server's own.
    pub fn through(sshd: &Sshd, port: u16) -> Site {
        let folder = tempfile::tempdir().unwrap();
        let text = fs::read_to_string(sshd.folder().join("ssh_config")).unwrap();
        let known = sshd.known_hosts().replace(&format!(":{} ", sshd.port), &format!(":{port} "));
        let text = text.replace(&format!("Port {}", sshd.port), &format!("Port {port}"));
        fs::write(folder.path().join("ssh_config"), text).unwrap();
        sshd.write_known_hosts(&known);
        let path = folder.path().join("ssh_config").display().to_string();
        Site::made(folder, &format!("address: ssh://box, ssh_config: {path}"))
    }

    fn at(address: &str) -> Site {
        Site::made(tempfile::tempdir().unwrap(), address)
    }

    fn made(folder: tempfile::TempDir, address: &str) -> Site {
        let site = Site { folder };
        for folder in ["runbooks", "laptops", "marks", "run"] {
            fs::create_dir(site.path(folder)).unwrap();
        }
        let state = site.path("host-state");
        let inventory =
            format!("name: test\nhosts:\n  app: {{ {address}, state_dir: {} }}\n", state.display());
        fs::write(site.path("opsctl.yaml"), inventory).unwrap();
        site
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn runbook(&self, name: &str, text: &str) {
        fs::write(self.path("runbooks").join(format!("{name}.yaml")), text).unwrap();
    }

    /// The lines that the steps appended, in that order.
    pub fn lines(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("lines")).unwrap_or_default();
        text.lines().map(String::from).collect()
    }

    pub fn laptop(&self, name: &str) -> Laptop<'_> {
        Laptop { site: self, name: name.to_owned() }
    }

    /// Waits until nothing runs any more that was begun for this host: no command, and nothing that looks after one. What
    /// still ran could still leave a line. What runs all the same, when it does not end.
    pub async fn quiet(&self) -> std::result::Result<(), String> {
        let folder = self.path("host-state").display().to_string();
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let left = processes_with(&folder);
            if left.is_empty() {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(left.join("\n"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// The command lines that have a word in them; what is no more than a zombie has none.
fn processes_with(word: &str) -> Vec<String> {
    let lines = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        let pid = entry.file_name().to_string_lossy().into_owned();
        Some(format!("{pid}: {}", String::from_utf8_lossy(&line).replace('\0', " ")))
    });
    lines.filter(|line| line.contains(word)).collect()
}

pub struct Laptop<'a> {
    pub site: &'a Site,
    pub name: String,
}

impl Laptop<'_> {
    pub fn state_dir(&self) -> PathBuf {
        self.site.path("laptops").join(&self.name)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_opsctl"));
        command
            .args(arguments)
            .current_dir(self.site.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.site.folder.path())
            .env("XDG_RUNTIME_DIR", self.site.path("run"))
            .env("OPSCTL_STATE_DIR", self.state_dir())
            .env("OPSCTL_OPERATOR", &self.name)
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null());
        command
    }

    pub fn start(&self, arguments: &[&str]) -> Process {
        Process::start(self.command(arguments))
    }

    /// Its last run; none when there is none yet.
    pub fn run(&self) -> Option<RunDir> {
        Store::at(&self.state_dir()).list().unwrap().into_iter().max_by_key(|run| run.id)
    }

    /// What its journal says.
    ///
    /// # Errors
    /// When the journal is damaged.
    pub fn history(&self) -> Result<Option<History>> {
        self.run().map(|run| run.history()).transpose()
    }
}
