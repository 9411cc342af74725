//! An SSH server of a test's own, on a free port of this machine, with keys of its own. It ends with its value, and with it
//! every connection and command that it started.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use opsctl::model::inventory;
use tempfile::TempDir;

pub struct Sshd {
    folder: TempDir,
    pub port: u16,
    server: Child,
}

impl Sshd {
    pub fn start() -> Sshd {
        Sshd::start_with("")
    }

    /// With further lines for its configuration. Login shells pass over their owner's start-up file, which may take longer than all
    /// that is tried here: bash does so when it believes that it was started by another shell.
    pub fn start_with(configuration: &str) -> Sshd {
        let program = program();
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        make_key(&folder.path().join("host"));
        make_key(&folder.path().join("user"));
        let port = free_port();
        let text = format!(
            "ListenAddress 127.0.0.1\nPort {port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nUsePAM no\n\
             StrictModes no\nPermitRootLogin yes\nPasswordAuthentication no\nSetEnv SHLVL=1\n{configuration}\n",
            path("host"),
            path("user.pub"),
        );
        std::fs::write(folder.path().join("sshd_config"), text).unwrap();
        // Where the server runs as root it wants this folder; anybody else's does without.
        let _ = std::fs::create_dir_all("/run/sshd");
        let server = Command::new(program)
            .args(["-D", "-e", "-f", &path("sshd_config")])
            .stdin(Stdio::null())
            .stderr(std::fs::File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let sshd = Sshd { folder, port, server };
        sshd.configure("yes");
        sshd.know_host_key();
        let start = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(10), "sshd does not listen: {}", sshd.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        sshd
    }

    /// Writes the client's configuration, for `Host box`.
    pub fn configure(&self, strict_host_key_checking: &str) {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        let text = format!(
            "Host box\n HostName 127.0.0.1\n Port {}\n User {}\n IdentityFile {}\n IdentitiesOnly yes\n \
             UserKnownHostsFile {}\n GlobalKnownHostsFile /dev/null\n StrictHostKeyChecking {}\n",
            self.port,
            said(Command::new("id").arg("-un")),
            path("user"),
            path("known_hosts"),
            strict_host_key_checking,
        );
        std::fs::write(self.folder.path().join("ssh_config"), text).unwrap();
    }

    /// Makes the client know the server's key, and no other.
    pub fn know_host_key(&self) {
        let key = std::fs::read_to_string(self.folder.path().join("host.pub")).unwrap();
        self.write_known_hosts(&format!("[127.0.0.1]:{} {key}", self.port));
    }

    /// Makes the client know another key for this server.
    pub fn know_another_host_key(&self) {
        make_key(&self.folder.path().join("other"));
        let key = std::fs::read_to_string(self.folder.path().join("other.pub")).unwrap();
        self.write_known_hosts(&format!("[127.0.0.1]:{} {key}", self.port));
    }

    pub fn write_known_hosts(&self, text: &str) {
        std::fs::write(self.folder.path().join("known_hosts"), text).unwrap();
    }

    pub fn known_hosts(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("known_hosts")).unwrap()
    }

    /// A server that lets nobody in: it does not know the key any more.
    pub fn forget_user(&self) {
        std::fs::write(self.folder.path().join("user.pub"), "").unwrap();
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The host as an inventory beside the client's configuration has it.
    pub fn spec(&self) -> inventory::Host {
        inventory::Host {
            ssh_config: Some(PathBuf::from("ssh_config")),
            state_dir: Some(self.folder.path().join("host-state").display().to_string()),
            ..inventory::Host::at("ssh://box".parse().unwrap())
        }
    }

    /// Sends a signal to the server's side of every connection. The one that listens is left alone.
    pub fn signal_connections(&self, signal: &str) {
        let connections =
            descendants(self.server.id()).into_iter().filter(|pid| name(*pid).starts_with("sshd"));
        for pid in connections {
            kill(signal, pid);
        }
    }

    /// Sends a signal to every client, whoever it belongs to.
    pub fn signal_clients(&self, signal: &str) {
        self.clients().into_iter().for_each(|pid| kill(signal, pid));
    }

    /// The commands that it runs for its connections: all that is below them and not itself.
    pub fn commands(&self) -> Vec<u32> {
        descendants(self.server.id()).into_iter().filter(|pid| !name(*pid).starts_with("sshd")).collect()
    }

    /// The clients that are connected, or connecting, with the configuration of this server.
    pub fn clients(&self) -> Vec<u32> {
        let configuration = self.folder.path().join("ssh_config");
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let is_client = |pid: &u32| {
            std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| {
                let line = String::from_utf8_lossy(&line).into_owned();
                line.starts_with("ssh\0") && line.contains(configuration.to_str().unwrap())
            })
        };
        pids.filter(is_client).collect()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let below = descendants(self.server.id());
        let _ = self.server.kill();
        let _ = self.server.wait();
        for pid in below {
            kill("KILL", pid);
        }
    }
}

pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// sshd insists on being started by its full path.
fn program() -> &'static str {
    let places = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd", "/usr/libexec/sshd"];
    places
        .into_iter()
        .find(|path| Path::new(path).exists())
        .expect("this test needs an SSH server: apt-get install openssh-server")
}

fn make_key(path: &Path) {
    let output = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path).output();
    let output = output.expect("this test needs an SSH client: apt-get install openssh-client");
    assert!(output.status.success(), "{}", text(&output));
}

fn descendants(pid: u32) -> Vec<u32> {
    let children = said(Command::new("ps").args(["-o", "pid=", "--ppid", &pid.to_string()]));
    let children: Vec<u32> = children.split_whitespace().map(|pid| pid.parse().unwrap()).collect();
    children.into_iter().flat_map(|child| [vec![child], descendants(child)].concat()).collect()
}

fn name(pid: u32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default()
}

fn kill(signal: &str, pid: u32) {
    let _ =
        Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).stderr(Stdio::null()).status();
}

fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
