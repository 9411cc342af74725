//! A site with two services, and what may be seen of it.

use super::super::container::Container;
use super::super::finding::{Finding, Kind, findings};
use super::super::level::level;
use super::super::look::{Health, Role, Seen};
use super::super::measure::Measured;
use super::super::reading::Reading;
use super::super::rules::{Cause, causes};
use super::super::subject::Subject;
use super::super::survey::Survey;
use crate::model::escalation::Level;
use crate::model::inventory::Inventory;
use crate::model::source::Source;
use crate::model::thresholds::Severity;

const SITE: &str = r#"name: t
hosts: { app: { address: local }, spare: { address: local } }
projects: { web: { host: app, directory: /srv/web }, aside: { host: spare, directory: /srv/aside } }
services:
  argus:
    project: web
    database: argus
    cache: redis
    instances:
      argus-1: { health: "http://localhost:1/" }
      argus-2: { health: "http://localhost:2/" }
  hermes:
    project: web
    database: hermes
    cache: redis
    instances:
      hermes-1: { health: "http://localhost:3/" }
  lone:
    project: aside
    instances:
      lone-1: { health: "http://localhost:4/" }
databases:
  argus: { engine: postgres, project: web, service: pg-argus, user: a, name: a }
  hermes: { engine: postgres, project: web, service: pg-hermes, user: h, name: h }
caches: { redis: { project: web, service: redis } }
endpoints: { nginx: { host: app, health: "http://localhost/health" } }
certificates: { opareta: { project: web, service: nginx } }
monitoring: { host: app, prometheus: "http://localhost:9090" }
"#;

pub fn inventory() -> Inventory {
    Inventory::read(&Source::new("opsctl.yaml", SITE)).unwrap()
}

/// Everything is well, but for what is said.
pub struct Scene {
    pub inventory: Inventory,
    seen: Vec<Seen>,
    measured: Vec<Measured>,
    hosts: Vec<Finding>,
}

pub fn container(service: &str, state: &str) -> Container {
    Container {
        id: "c0ffee".into(),
        name: format!("web-{service}-1"),
        service: service.into(),
        state: state.into(),
        health: None,
        restarts: Some(0),
        exit_code: Some(137),
        oom_killed: false,
        started_at: None,
        finished_at: None,
        network: Some("web_default".into()),
        networks: vec!["web_default".into()],
    }
}

impl Scene {
    pub fn well() -> Scene {
        let inventory = inventory();
        let mut seen = Vec::new();
        let mut add = |name: &str, role: Role, host: &str| {
            let is_endpoint = role == Role::Endpoint;
            seen.push(Seen {
                name: name.into(),
                role,
                host: host.into(),
                container: (!is_endpoint).then(|| container(name, "running")),
                health: Health::Healthy { ms: Some(1) },
                damage: None,
            });
        };
        for (service, entry) in &inventory.services {
            for instance in entry.instances.keys() {
                add(instance, Role::Instance { service: service.clone() }, inventory.host_of(&entry.project));
            }
        }
        inventory.databases.keys().for_each(|name| add(name, Role::Database, "app"));
        add("redis", Role::Cache, "app");
        add("nginx", Role::Endpoint, "app");
        Scene { inventory, seen, measured: Vec::new(), hosts: Vec::new() }
    }

    fn change(mut self, subject: &Subject, change: impl Fn(&mut Seen)) -> Scene {
        self.seen.iter_mut().filter(|seen| Subject::from(&**seen) == *subject).for_each(change);
        self
    }

    /// Its container has ended.
    pub fn down(self, subject: &Subject) -> Scene {
        self.change(subject, |seen| {
            seen.container = Some(container(&seen.name, "exited"));
            seen.health = Health::Unhealthy { why: "connection refused".into() };
        })
    }

    /// It runs, and says that it is not well.
    pub fn unhealthy(self, subject: &Subject) -> Scene {
        self.change(subject, |seen| seen.health = Health::Unhealthy { why: "HTTP 503".into() })
    }

    /// It does not come up, and says why.
    pub fn damaged(self, subject: &Subject) -> Scene {
        self.down(subject).change(subject, |seen| seen.damage = Some("Wrong RDB checksum"))
    }

    pub fn unknown(self, subject: &Subject) -> Scene {
        self.change(subject, |seen| seen.health = Health::Unknown { why: "no answer in 10s".into() })
    }

    pub fn with_container(self, subject: &Subject, change: impl Fn(&mut Container)) -> Scene {
        self.change(subject, |seen| seen.container.iter_mut().for_each(&change))
    }

    pub fn measured(mut self, subject: &Subject, reading: Reading) -> Scene {
        self.measured.push(Measured { subject: subject.clone(), readings: Ok(vec![reading]) });
        self
    }

    pub fn unmeasured(mut self, subject: &Subject) -> Scene {
        self.measured.push(Measured { subject: subject.clone(), readings: Err("no answer".into()) });
        self
    }

    /// The host, and with it nobody knows what.
    pub fn lost(mut self, host: &str, kind: Kind) -> Scene {
        self.hosts.push(Finding {
            kind,
            subject: Subject::Host(host.into()),
            severity: Severity::Emergency,
            evidence: "no route to host".into(),
            since: None,
        });
        let all: Vec<Subject> =
            self.seen.iter().filter(|seen| seen.host == host).map(Subject::from).collect();
        all.iter().fold(self, |scene, subject| match kind {
            Kind::EngineDown => scene.unhealthy(subject).change(subject, |seen| seen.container = None),
            _ => scene.unknown(subject).change(subject, |seen| seen.container = None),
        })
    }

    pub fn findings(&self) -> Vec<Finding> {
        findings(&self.inventory, &self.hosts, &self.seen, &self.measured)
    }

    pub fn causes(&self) -> Vec<Cause> {
        let (findings, causes) = (self.findings(), causes(&self.findings(), &self.inventory));
        let counted: usize = causes.iter().map(|cause| cause.shown_by.len() + cause.explains.len()).sum();
        assert_eq!(counted, findings.len(), "each finding is in one cause");
        causes
    }

    pub fn survey(&self) -> Survey {
        let (seen, findings, causes, level) =
            (self.seen.clone(), self.findings(), self.causes(), self.level());
        Survey { seen, findings, causes, level }
    }

    /// The scenarios, and what each is about.
    pub fn scenarios(&self) -> Vec<(String, String)> {
        let named = |cause: Cause| (cause.scenario.unwrap_or_else(|| "-".into()), cause.subject.label());
        self.causes().into_iter().map(named).collect()
    }

    pub fn level(&self) -> Option<Level> {
        let healthy: Vec<&str> =
            self.seen.iter().filter(|seen| seen.health.is_healthy()).map(|seen| seen.name.as_str()).collect();
        level(&self.causes(), &healthy, &self.inventory)
    }
}
