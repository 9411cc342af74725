//! A stack of the lab as a drill sees it: taken by one drill at a time, whole when it is taken.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::place::{APP, Place};
use crate::sshd::Sshd;
use crate::table;

/// The ways opsctl can reach a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Over SSH as a user who has to use sudo for everything.
    Sudo,
    /// Likewise, and a second host stands by.
    Spare,
    /// Over SSH as a member of the docker group.
    Group,
    /// The engine of this machine.
    Local,
    /// The engine of this machine, over SSH to a server that is the drill's own.
    Loopback,
    /// Another stack on the engine of this machine, with many instances.
    Fleet,
    /// Over SSH as a user who has to use sudo, to a host with a small disk.
    Small,
}

impl Way {
    /// Whether it leads to a host that can lose power.
    pub fn is_to_a_machine(self) -> bool {
        matches!(self, Way::Sudo | Way::Spare | Way::Small)
    }
}

pub struct Site {
    pub way: Way,
    place: Place,
    inventory: PathBuf,
    state: tempfile::TempDir,
    _sshd: Option<Sshd>,
    /// Released with the site: the next drill waits for it.
    _turn: File,
}

/// The host as it should not stay; it is put back when this is dropped.
pub struct Altered<'a> {
    site: &'a Site,
    back: String,
}

impl Drop for Altered<'_> {
    fn drop(&mut self) {
        self.site.on_host(&self.back);
    }
}

/// What the load client counted.
#[derive(Debug)]
pub struct Load {
    pub status: i32,
    pub counts: Value,
    pub stderr: String,
}

impl Site {
    /// Waits for its turn, and for the stack to be whole.
    pub fn take(way: Way) -> Site {
        let site = Site::take_as_it_is(way);
        match way {
            Way::Spare => site.stand_by(),
            Way::Fleet => drop(site.lab("up", &[])),
            _ => drop(site.lab("reset", &[])),
        }
        site.free_the_host();
        site
    }

    /// Waits for its turn alone.
    pub fn take_as_it_is(way: Way) -> Site {
        let (place, inventory, turn) = Place::take(way);
        let sshd = (way == Way::Loopback).then(Sshd::start);
        let inventory = sshd.as_ref().map_or(inventory.clone(), |sshd| over_ssh(&inventory, sshd));
        Site { way, place, inventory, state: tempfile::tempdir().unwrap(), _sshd: sshd, _turn: turn }
    }

    /// Both hosts as they should be: the first one serves, and the second has a replica of its first database, and a backup of the
    /// other one beside a newer file that is none.
    pub fn stand_by(&self) {
        self.lab("reset", &[]);
        self.lab("up", &["--spare"]);
        self.back_up();
        self.on_spare("sleep 1; echo junk >/var/backups/opareta/hermes_2.sql.gz");
    }

    /// Whether the first host is off.
    pub fn is_given_up(&self) -> bool {
        let mut docker = Command::new("docker");
        docker.args(["container", "inspect", "-f", "{{.State.Running}}", APP]);
        said(docker).trim() == "false"
    }

    /// Takes the first host's other database to where the second one looks for its backups.
    pub fn back_up(&self) {
        let dump = "docker exec opareta-postgres-hermes pg_dump -U hermes hermes_db | gzip";
        let take = "docker exec -i opsctl-lab-spare sh -c 'cat >/var/backups/opareta/hermes_1.sql.gz'";
        let script = format!("docker exec opsctl-lab-app sh -c '{dump}' | {take}");
        let output = Command::new("bash").args(["-euo", "pipefail", "-c", &script]).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    }

    /// The inventory as it is once the first host is given up.
    pub fn taken_over(&self) -> PathBuf {
        self.inventory.with_file_name("taken-over.yaml")
    }

    /// A drill that was stopped could not give its host back. Whose turn it is, nobody else is at it.
    fn free_the_host(&self) {
        let list = self.run(&["lock", "list", "--json"]);
        let locks: Value =
            serde_json::from_slice(&list.stdout).unwrap_or_else(|_| panic!("{}", text(&list.stderr)));
        if locks["hosts"][0]["lease"]["holder"]["is"] == "run" {
            let reason = "the drill that had it was stopped";
            let broken = self.run(&["lock", "break", "app", "--yes", "--reason", reason]);
            assert!(broken.status.success(), "{}", text(&broken.stderr));
        }
    }

    /// Runs a script of the lab, for this stack.
    pub fn lab(&self, script: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(lab().join(script));
        command.args(arguments);
        command.args(self.place.flag());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{script} {arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Likewise one that ends with 3 where there is nothing that it could do.
    pub fn lab_could(&self, script: &str, arguments: &[&str]) -> bool {
        let output =
            Command::new(lab().join(script)).args(arguments).args(self.place.flag()).output().unwrap();
        assert!(
            matches!(output.status.code(), Some(0 | 3)),
            "{script} {arguments:?}: {}",
            text(&output.stderr)
        );
        output.status.success()
    }

    pub fn opsctl(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_opsctl"));
        command.args(arguments).envs(self.environment()).stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.opsctl(arguments).output().unwrap()
    }

    fn environment(&self) -> [(&'static str, PathBuf); 3] {
        [
            ("OPSCTL_INVENTORY", self.inventory.clone()),
            ("OPSCTL_STATE_DIR", self.state.path().to_owned()),
            ("XDG_CONFIG_HOME", self.config()),
        ]
    }

    /// The user's own folder, of this drill alone.
    fn config(&self) -> PathBuf {
        self.state.path().join("config")
    }

    /// A runbook of the user's own.
    pub fn runbook(&self, name: &str, text: &str) {
        let folder = self.config().join("opsctl/runbooks");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{name}.yaml")), text).unwrap();
    }

    pub fn inventory(&self) -> &Path {
        &self.inventory
    }

    pub fn state_dir(&self) -> &Path {
        self.state.path()
    }

    /// Runs opsctl while the load client writes through nginx.
    pub fn under_load(&self, arguments: &[&str]) -> Load {
        self.under_load_of("argus", arguments)
    }

    /// Likewise, to that service.
    pub fn under_load_of(&self, service: &str, arguments: &[&str]) -> Load {
        let mut command = Command::new(lab().join("load"));
        command.args(["--json", "--service", service]).args(self.written_to());
        command.arg("--").arg(env!("CARGO_BIN_EXE_opsctl")).args(arguments).envs(self.environment());
        counted(command)
    }

    /// Writes through nginx for some seconds.
    pub fn written(&self, service: &str, seconds: u32) -> Load {
        counted(self.load(service, seconds))
    }

    /// Likewise to the first host, wherever its name leads.
    pub fn written_to_the_first(&self, service: &str, seconds: u32) -> Load {
        counted(load(service, seconds))
    }

    /// The load client, to be started; it ends after so many seconds, or when it is interrupted.
    pub fn load(&self, service: &str, seconds: u32) -> Command {
        let mut command = load(service, seconds);
        command.args(self.written_to()).stdin(Stdio::null());
        command
    }

    /// Which stack the load client is to write to.
    fn written_to(&self) -> Option<&'static str> {
        if self.way == Way::Spare { Some("--spare") } else { self.place.flag() }
    }

    /// Every container of the stack: its Compose service, and its id with the time it was started.
    pub fn containers(&self) -> BTreeMap<String, String> {
        let format = "{{index .Config.Labels \"com.docker.compose.service\"}} {{.Id}} {{.State.StartedAt}}";
        let script = format!("docker ps -aq | xargs docker inspect -f '{format}'");
        let output = self.on_host(&script);
        output
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter(|(service, _)| !service.is_empty() && !service.starts_with("<no"))
            .map(|(service, identity)| (service.to_owned(), identity.to_owned()))
            .collect()
    }

    /// Alters the host by one line of shell, until another takes that back.
    pub fn altered(&self, change: &str, back: &str) -> Altered<'_> {
        self.on_host(change);
        Altered { site: self, back: back.to_owned() }
    }

    /// The host that a run changes, which is the second one where the first is given up.
    pub fn host(&self) -> &'static str {
        if self.way == Way::Spare { SPARE } else { self.place.host().expect("a way to a host") }
    }

    /// A pattern for the clients that are connected to that host, or connecting; those of other hosts have the same configuration.
    pub fn clients(&self) -> String {
        let config = self.inventory.with_file_name("ssh_config");
        let host = self.place.host().unwrap_or_default();
        format!("^ssh .*{}.*{host}", config.display())
    }

    /// Starts that host, if it is not up, and waits for its engine.
    pub fn power_on(&self) {
        power_on(self.host());
    }

    /// Runs a line of shell where the stack's engine is, as root.
    pub fn on_host(&self, script: &str) -> String {
        if let Some(host) = self.place.host() {
            return on(host, script);
        }
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        said(command)
    }

    /// Likewise on the second host.
    pub fn on_spare(&self, script: &str) -> String {
        on(SPARE, script)
    }
}

impl Drop for Site {
    /// Nobody but those who ask for it has the second host, the fleet, or the small host.
    fn drop(&mut self) {
        match self.way {
            Way::Spare => drop(self.lab("down", &["--spare"])),
            Way::Fleet => drop(self.lab("down", &[])),
            // It is begun anew each time.
            Way::Small => power_off(self.host()),
            Way::Sudo | Way::Group | Way::Local | Way::Loopback => {}
        }
    }
}

/// The host that stands by.
const SPARE: &str = "opsctl-lab-spare";

fn docker(arguments: &[&str]) -> bool {
    let mut docker = Command::new("docker");
    docker.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    docker.status().unwrap().success()
}

fn power_off(host: &str) {
    assert!(docker(&["stop", "-t", "30", host]), "{host} cannot be stopped");
}

/// Starts a host, if it is not up, and waits for its engine.
pub fn power_on(host: &str) {
    assert!(docker(&["start", host]), "{host} cannot be started");
    let deadline = Instant::now() + Duration::from_secs(120);
    while !docker(&["exec", host, "docker", "info"]) {
        assert!(Instant::now() < deadline, "the engine of {host} does not come up");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Runs a line of shell on a host of the lab, as root.
pub fn on(host: &str, script: &str) -> String {
    let mut command = Command::new("docker");
    command.args(["exec", "-i", host, "sh", "-c", script]);
    said(command)
}

fn said(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// The load client, which writes to the first host unless it is told otherwise.
fn load(service: &str, seconds: u32) -> Command {
    let mut command = Command::new(lab().join("load"));
    command.args(["--json", "--service", service, "--seconds", &seconds.to_string()]);
    command
}

/// What the load client says in its last line.
fn counted(mut command: Command) -> Load {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let counts = counts(&output);
    Load { status: output.status.code().unwrap_or(-1), counts, stderr: text(&output.stderr) }
}

/// Its last line.
pub fn counts(output: &Output) -> Value {
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    let counts = stdout.lines().last().and_then(|line| serde_json::from_str(line).ok());
    counts.unwrap_or_else(|| panic!("the load client gave no counts: {stdout}\n{stderr}"))
}

impl Load {
    pub fn count(&self, key: &str) -> u64 {
        self.counts[key].as_u64().unwrap_or_else(|| panic!("no `{key}` in {}", self.counts))
    }

    /// Prints the figures of a drill, and holds what must hold in each.
    pub fn assert_nothing_lost(&self, site: &Site, failure: &str) {
        println!("drill: {failure}, {:?}: {}", site.way, self.counts);
        assert_eq!(self.status, 0, "{}", self.stderr);
        assert!(self.count("acknowledged_writes") > 0, "nothing was written: {}", self.counts);
        assert_eq!(self.count("missing_writes"), 0);
        assert_eq!(self.count("doubled_writes"), 0);
        table::record(site, failure, self);
    }
}

/// The same site, for one who reaches this machine over SSH; beside the configuration of the client.
fn over_ssh(inventory: &Path, sshd: &Sshd) -> PathBuf {
    let text = fs::read_to_string(inventory).unwrap();
    let there = text.replace("{ address: local }", "{ address: \"ssh://box\", ssh_config: ssh_config }");
    assert_ne!(text, there, "the inventory of the local stack says `address: local`");
    let inventory = sshd.folder().join("opsctl.yaml");
    fs::write(&inventory, there).unwrap();
    inventory
}

fn lab() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab")
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
