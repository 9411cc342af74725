//! A receiver of a test's own: the real program, a folder for what it keeps, and a file that messages go to.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub const TOKEN: &str = "s3cret-of-the-receiver";

/// A site whose only host refuses every connection: what is to be looked at is known at once.
const SITE: &str = r#"name: shop
hosts: { far: { address: "ssh://127.0.0.1:1" } }
projects: { web: { host: far, directory: /srv/web } }
services:
  argus:
    project: web
    instances: { argus-1: { health: "http://localhost:3001/" } }
channels:
  all: { to: { file: told.jsonl } }
incidents:
  zone: Etc/UTC
  receiver: { token: { file: token } }
"#;

pub struct Scene {
    folder: tempfile::TempDir,
}

pub struct Receiver {
    child: Child,
    pub address: SocketAddr,
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

impl Scene {
    pub fn new() -> Scene {
        let scene = Scene { folder: tempfile::tempdir().unwrap() };
        fs::write(scene.path("token"), TOKEN).unwrap();
        scene.inventory(SITE);
        scene
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn inventory(&self, text: &str) {
        fs::write(self.path("opsctl.yaml"), text).unwrap();
    }

    /// The inventory, with something in the place of something.
    pub fn altered(&self, from: &str, to: &str) {
        let altered = SITE.replace(from, to);
        assert_ne!(altered, SITE);
        self.inventory(&altered);
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
            .env("OPSCTL_OPERATOR", "ada")
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null());
        command
    }

    /// Starts the receiver, and waits until it listens.
    pub fn serve(&self) -> Receiver {
        let mut child = self
            .command(&["serve", "--listen", "127.0.0.1:0", "--json"])
            .stdout(Stdio::piped())
            .stderr(fs::File::create(self.path("serve.log")).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}{}", self.log()));
        Receiver { child, address: said["address"].as_str().unwrap().parse().unwrap() }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.path("serve.log")).unwrap_or_default()
    }

    /// The record of each incident, the oldest first.
    pub fn incidents(&self) -> Vec<Vec<Value>> {
        let Ok(entries) = fs::read_dir(self.path("state/incidents")) else { return Vec::new() };
        // One whose maker died before it was whole has a name that begins with a dot.
        let is_one = |name: &std::ffi::OsStr| !name.to_string_lossy().starts_with('.');
        let entries = entries.map(|entry| entry.unwrap()).filter(|entry| is_one(&entry.file_name()));
        let mut records: Vec<_> = entries.map(|entry| entry.path().join("record.jsonl")).collect();
        records.retain(|path| path.exists());
        records.sort();
        records.iter().map(|path| lines(path)).collect()
    }

    /// What came to the channel.
    pub fn told(&self) -> Vec<Value> {
        lines(&self.path("told.jsonl"))
    }

    /// Waits for something that the folder shows.
    #[track_caller]
    pub fn until(&self, what: &str, mut holds: impl FnMut(&Scene) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !holds(self) {
            assert!(
                Instant::now() < deadline,
                "not within a minute: {what}\n{}\n{:#?}",
                self.log(),
                self.incidents()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Those that are whole.
fn lines(path: &std::path::Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A message of Alertmanager: one group, with so many alerts.
pub fn message(group: &str, count: usize, is_firing: bool) -> Value {
    let status = if is_firing { "firing" } else { "resolved" };
    let ended = if is_firing { "0001-01-01T00:00:00Z" } else { "2026-03-01T03:30:00Z" };
    let alert = |number: usize| {
        json!({
            "status": status, "startsAt": "2026-03-01T03:14:15.123Z", "endsAt": ended,
            "labels": { "alertname": group, "service": "argus", "severity": "critical", "level": "L2",
                        "number": number.to_string() },
            "annotations": { "summary": "no instance of argus serves" },
            "generatorURL": "http://prometheus:9090/graph", "fingerprint": format!("{number:016x}")
        })
    };
    json!({
        "receiver": "opsctl", "status": status, "version": "4", "truncatedAlerts": 0,
        "groupKey": format!("{{}}:{{alertname=\"{group}\"}}"), "groupLabels": { "alertname": group },
        "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://alertmanager:9093",
        "alerts": (0..count).map(alert).collect::<Vec<_>>()
    })
}

impl Receiver {
    /// As Alertmanager does.
    pub fn send(&self, message: &Value) -> Answer {
        self.ask("POST", "/alerts", &format!("Authorization: Bearer {TOKEN}\r\n"), &message.to_string())
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "", "")
    }

    pub fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        self.try_to_ask(method, path, headers, body).unwrap()
    }

    pub fn try_to_ask(&self, method: &str, path: &str, headers: &str, body: &str) -> std::io::Result<Answer> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let length = body.len();
        // Who is refused early may stop to listen.
        let _ = write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        );
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let (head, body) = text.split_once("\r\n\r\n").ok_or(std::io::ErrorKind::UnexpectedEof)?;
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        Ok(Answer { status: status.ok_or(std::io::ErrorKind::InvalidData)?, body: body.to_owned() })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has nothing to work on any more.
    pub fn is_done(&self) -> bool {
        self.get("/metrics").body.contains("\nopsctl_messages_waiting 0\n")
    }

    /// As a power cut.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// As systemd does. Its exit code.
    pub fn stop(mut self) -> i32 {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", "TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The records of one kind.
pub fn of_type<'a>(record: &'a [Value], kind: &str) -> Vec<&'a Value> {
    record.iter().filter(|line| line["type"] == kind).collect()
}
