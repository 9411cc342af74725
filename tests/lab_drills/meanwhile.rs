//! What is followed while opsctl is killed: the restarts of services, and whether one of them goes on serving.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::NamedTempFile;

use crate::site::{Site, counts};
use crate::totals::Wrong;

/// Follows how often each service is restarted, until it is asked.
pub struct Restarts {
    events: Child,
    log: NamedTempFile,
}

impl Restarts {
    pub fn follow(site: &Site) -> Restarts {
        let log = NamedTempFile::new().unwrap();
        let now = jiff::Timestamp::now().to_string();
        let format = "{{index .Actor.Attributes \"com.docker.compose.service\"}}";
        let mut docker = Command::new("docker");
        if site.way.is_to_a_machine() {
            docker.args(["exec", site.host(), "docker"]);
        }
        let events = docker
            .args(["events", "--since", &now, "--filter", "event=restart", "--format", format])
            .stdout(log.reopen().unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Restarts { events, log }
    }

    /// So far. An event is there a moment after what it is about.
    pub fn count(mut self, due: usize) -> BTreeMap<String, usize> {
        let lines =
            || fs::read_to_string(self.log.path()).unwrap().lines().map(String::from).collect::<Vec<_>>();
        let deadline = Instant::now() + Duration::from_secs(2);
        while lines().len() < due && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(50));
        }
        let mut restarts = BTreeMap::new();
        lines().into_iter().for_each(|service| *restarts.entry(service).or_default() += 1);
        self.events.kill().unwrap();
        self.events.wait().unwrap();
        restarts
    }
}

/// Writes to argus until it is stopped: whatever dies, the service does not.
pub struct Writing(Option<Child>);

impl Writing {
    pub fn begin(site: &Site) -> Writing {
        Writing(Some(
            site.load("argus", 86_400).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap(),
        ))
    }

    /// Stops, and says what was counted.
    pub fn counts(mut self) -> Value {
        let child = self.0.take().unwrap();
        Writing::interrupt(&child);
        counts(&child.wait_with_output().unwrap())
    }

    /// What failed, if anything did.
    pub fn end(self) -> Option<Wrong> {
        let load = self.counts();
        println!("drill: argus is released and taken back by what is killed: {load}");
        let keys = ["failed_requests", "missing_writes", "doubled_writes"];
        let is_well = keys.iter().all(|key| load[key] == 0);
        (!is_well).then(|| Wrong::State(format!("the service failed meanwhile: {load}")))
    }

    fn interrupt(child: &Child) {
        let status = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            Writing::interrupt(child);
            child.wait().unwrap();
        }
    }
}
