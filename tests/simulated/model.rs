//! What the hosts of a simulated site are: services that are up or down, things that stand, and how often each was made.
//!
//! The hand-made runbooks use a few made-up commands: `add X`, `remove X` and `has X` are about things, `start X` brings up a
//! service. Everything else is what the shipped runbooks really send.

use std::collections::{BTreeMap, BTreeSet};

use opsctl::model::operation::{Command, DockerQuery, HttpRequest, Operation, Program, Script, Selection};
use opsctl::model::plan::{Form, Task};
use opsctl::model::snapshot::{ContainerFacts, Snapshot};
use opsctl::model::touched::Touched;
use serde_json::{Value, json};

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Model {
    /// The services that run and answer.
    pub up: BTreeSet<String>,
    /// Those of them that have nearly no memory left.
    pub full: BTreeSet<String>,
    /// The things that stand.
    pub things: BTreeSet<String>,
    /// The image that each container is made from, where that matters.
    pub made: BTreeMap<String, String>,
    /// The services that a proxy sends requests to while they are not out of it.
    pub proxied: BTreeSet<String>,
    /// Those of them that were made anew all the same.
    pub broken_off: BTreeSet<String>,
    /// An image with which nothing ever becomes healthy.
    pub bad: Option<String>,
    /// Whether somebody has replaced every container by another.
    pub is_replaced: bool,
    /// How often each effect took place.
    pub done: BTreeMap<String, u32>,
}

/// The containers that there are: the project of each, and its service, which is its name.
const SERVICES: [(&str, &str); 7] = [
    ("opareta", "argus-1"),
    ("opareta", "argus-2"),
    ("opareta", "docs"),
    ("opareta", "nginx"),
    ("store", "postgres-argus"),
    ("store", "postgres-ledger"),
    ("store", "redis"),
];

/// A change of the model, by what its command says.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Start(String),
    Add(String),
    Remove(String),
    /// Makes the container of a service from an image.
    Make {
        service: String,
        image: String,
    },
    /// Leaves no trace but that it took place.
    Trace(String),
}

impl Effect {
    pub fn name(&self) -> String {
        match self {
            Effect::Start(name) => format!("start {name}"),
            Effect::Add(name) => format!("add {name}"),
            Effect::Remove(name) => format!("remove {name}"),
            Effect::Make { service, image } => format!("make {service} from {image}"),
            Effect::Trace(line) => line.clone(),
        }
    }

    /// What it is about: of two effects on the same thing, the world shows the later one.
    pub fn about(&self) -> &str {
        match self {
            Effect::Start(name) | Effect::Add(name) | Effect::Remove(name) | Effect::Trace(name) => name,
            Effect::Make { service, .. } => service,
        }
    }

    /// What an operation changes, if anything.
    pub fn of(operation: &Operation) -> Option<Effect> {
        let Operation::Command(Command { program, .. }) = operation else { return None };
        if let Program::Script(script) = program
            && let Some(effect) = Effect::of_script(script)
        {
            return Some(effect);
        }
        let line = program.line();
        let argv = match (program, line.as_deref()) {
            (Program::Argv(argv), _) => argv,
            // Data that is set aside, and put back.
            (_, Some(line)) if line.contains("rmdir") => {
                return Some(Effect::Remove("aside".to_owned()));
            }
            (_, Some(line)) if line.contains("mkdir") => return Some(Effect::Add("aside".to_owned())),
            (_, Some(line)) if line.contains("apt-get clean") => {
                return Some(Effect::Add("room of packages".to_owned()));
            }
            (_, line) => {
                let line = line.unwrap_or_default();
                return line.contains("docker network connect").then(|| Effect::Trace("connect".to_owned()));
            }
        };
        let argv: Vec<_> = argv.iter().map(String::as_str).collect();
        match argv[..] {
            ["add", name] => Some(Effect::Add(name.to_owned())),
            ["remove", name] => Some(Effect::Remove(name.to_owned())),
            ["docker", "builder", "prune", _] => Some(Effect::Add("room of builds".to_owned())),
            ["renew", "shop"] => Some(Effect::Start("shop.test".to_owned())),
            ["start", name]
            | ["systemctl", "start", name]
            | ["docker", "compose", "start" | "restart", name] => Some(Effect::Start(name.to_owned())),
            // A limit of memory: raised where it is set at once, lowered again where it is looked at first.
            ["docker", "compose", "exec", .., "sh", "-c", script, "sh", _] => {
                Some(match script.contains("-lt") {
                    true => Effect::Remove("more memory".to_owned()),
                    false => Effect::Add("more memory".to_owned()),
                })
            }
            ["sh", "-euc", script, "sh", _] if script.contains("docker pull") => {
                Some(Effect::Add("images".to_owned()))
            }
            ["docker", "compose", ref rest @ ..] => Some(Effect::Trace(rest.join(" "))),
            _ => None,
        }
    }

    /// What a script of opsctl's own changes.
    fn of_script(script: &Script) -> Option<Effect> {
        let given = |name| given(script, name).to_owned();
        Some(match script.name.as_str() {
            "image.pull" => Effect::Add(given("image")),
            "compose.pin" => Effect::Make { service: given("service"), image: given("image") },
            "proxy.out" => Effect::Add(format!("{} out", given("servers"))),
            "proxy.in" => Effect::Remove(format!("{} out", given("servers"))),
            "postgres.restore" => Effect::Add(given("new")),
            "postgres.discard" => Effect::Remove(given("new")),
            "postgres.swap" if given("back") == "true" => Effect::Remove(given("from")),
            "postgres.swap" => Effect::Add(given("to")),
            "postgres.dump" => Effect::Add(given("file")),
            "postgres.aside" => Effect::Trace(format!("{} is aside", given("aside"))),
            "postgres.drop" => Effect::Remove(given("kept")),
            "postgres.tables" => Effect::Add(given("schema")),
            "postgres.untable" => Effect::Remove(given("schema")),
            "redis.dump" => Effect::Add(given("file")),
            "redis.prepare" => Effect::Add(format!("prepared {}", given("at"))),
            "redis.discard" => Effect::Remove(format!("prepared {}", given("at"))),
            "redis.swap" if given("back") == "true" => Effect::Remove(format!("swapped {}", given("at"))),
            "redis.swap" => Effect::Add(format!("swapped {}", given("at"))),
            "backup.verified" => Effect::Add(format!("{} is verified", given("file"))),
            "volume.remove" => Effect::Remove(given("volume")),
            "backup.prune" | "redis.save" => Effect::Trace(script.name.clone()),
            "release.record" => Effect::Trace(format!("{} is {}", given("service"), given("outcome"))),
            _ => return None,
        })
    }

    /// Of a task whose operation is known from the start.
    pub fn of_task(task: &Task) -> Option<Effect> {
        match &task.form {
            Form::Ready(operation) => Effect::of(operation),
            Form::Deferred { .. } => None,
        }
    }
}

impl Model {
    pub fn take(&mut self, effect: &Effect) {
        match effect {
            Effect::Start(name) => {
                self.full.remove(name);
                self.up.insert(name.clone());
            }
            Effect::Add(name) => _ = self.things.insert(name.clone()),
            Effect::Remove(name) => _ = self.things.remove(name),
            Effect::Make { service, image } => {
                if self.proxied.contains(service) && !self.things.contains(&format!("{service} out")) {
                    self.broken_off.insert(service.clone());
                }
                self.up.insert(service.clone());
                self.made.insert(service.clone(), image.clone());
            }
            Effect::Trace(_) => {}
        }
        *self.done.entry(effect.name()).or_default() += 1;
    }

    /// Whether what the effect makes is there.
    pub fn stands(&self, effect: &Effect) -> bool {
        match effect {
            Effect::Start(name) => self.up.contains(name) && !self.full.contains(name),
            Effect::Add(name) => self.things.contains(name),
            Effect::Remove(name) => !self.things.contains(name),
            Effect::Make { service, image } => self.made.get(service) == Some(image),
            Effect::Trace(_) => self.times(effect) > 0,
        }
    }

    /// Whether a service runs and is well.
    fn is_well(&self, service: &str) -> bool {
        self.up.contains(service) && (self.bad.is_none() || self.made.get(service) != self.bad.as_ref())
    }

    pub fn times(&self, effect: &Effect) -> u32 {
        self.done.get(&effect.name()).copied().unwrap_or_default()
    }

    /// What somebody sees of containers who looks at them.
    pub fn snapshot(&self, touched: &[Touched]) -> Snapshot {
        let mut snapshot = Snapshot::default();
        for Touched { project, services } in touched {
            let of = Selection { project: project.clone(), compose: Vec::new(), service: None };
            let all = self.docker(&DockerQuery::Containers(of))["containers"].take();
            let mut all: Vec<ContainerFacts> = serde_json::from_value(all).unwrap();
            all.retain(|container| services.is_empty() || services.contains(&container.service));
            snapshot.add(project, all);
        }
        snapshot
    }

    /// What the host answers, once the effect has taken place.
    pub fn answer(&self, operation: &Operation) -> Value {
        match operation {
            Operation::Command(command) => self.command(command),
            Operation::Exec(command) => {
                let service = command.container.service.as_deref().unwrap_or_default();
                match (self.up.contains(service), command.argv[0].as_str()) {
                    (false, _) => json!({ "status": null, "stdout": "", "stderr": "it does not run" }),
                    (true, "redis-cli") if command.argv[1] == "info" => ended(0, "maxmemory:100\n"),
                    (true, "redis-cli") => ended(0, "PONG\n"),
                    (true, "env") => ended(0, "it follows, and it waits for nobody\n"),
                    (true, "sh") => {
                        let has_room = !self.full.contains(service) || self.things.contains("more memory");
                        ended(i32::from(!has_room), "")
                    }
                    (true, _) => ended(0, "accepting connections\n"),
                }
            }
            Operation::Docker(query) => self.docker(query),
            Operation::Http(request) => self.http(request),
            Operation::Assert { holds, .. } => json!({ "holds": holds }),
            Operation::Sleep(_) => json!({}),
            Operation::Disks { .. } => {
                // It takes both to make room.
                let has_room =
                    ["packages", "builds"].iter().all(|of| self.things.contains(&format!("room of {of}")));
                let percent = if has_room { 40.0 } else { 100.0 };
                let disk = json!({ "mount": "/", "used_percent": percent, "inodes_percent": null });
                json!({ "disks": [disk], "fullest_percent": percent, "error": null })
            }
            Operation::Handshake(handshake) => {
                let days = if self.up.contains(&handshake.name) { 90 } else { 5 };
                json!({ "served": true, "covers": true, "days_left": days, "days_to_start": -1, "error": null })
            }
            Operation::Connect { .. } | Operation::Approve { .. } => {
                panic!("nobody simulates `{operation}`")
            }
        }
    }

    fn command(&self, command: &Command) -> Value {
        let argv = match &command.program {
            Program::Argv(argv) => argv,
            Program::Script(script) if script.name == "compose.runs" => {
                let (service, image) = (given(script, "service"), given(script, "image"));
                let runs =
                    self.up.contains(service) && self.made.get(service).is_some_and(|made| made == image);
                return ended(i32::from(!runs), &format!("{image}\n"));
            }
            // Whether a volume is gone.
            Program::Shell(line) if line.contains("docker volume ls") => {
                let is_there = self.things.iter().any(|name| line.contains(name.as_str()));
                return ended(i32::from(is_there), "");
            }
            _ => return ended(0, "/srv/ledger.dump\nlooked at 20260301031400\nloaded in 5 s\n"),
        };
        let argv: Vec<_> = argv.iter().map(String::as_str).collect();
        match argv[..] {
            ["has", name] => ended(i32::from(!self.things.contains(name)), ""),
            ["runs", name] => ended(i32::from(!self.up.contains(name)), ""),
            ["docker", "info"] => ended(i32::from(!self.up.contains("docker")), ""),
            ["true"] => ended(0, ""),
            ["sh", "-euc", script, ..] if script.contains("docker ps") => {
                ended(0, "postgres:17 postgres@sha256:1\n")
            }
            ["name"] => ended(0, "name: thing-7\n"),
            ["fail"] => ended(1, "it always fails\n"),
            _ if Effect::of(&Operation::Command(command.clone())).is_some() => ended(0, "done\n"),
            _ => panic!("nobody simulates `{command}`"),
        }
    }

    fn docker(&self, query: &DockerQuery) -> Value {
        match query {
            DockerQuery::Containers(of) => {
                let is_wanted = |service: &str| of.service.as_deref().is_none_or(|wanted| wanted == service);
                let services =
                    SERVICES.iter().filter(|(project, name)| *project == of.project && is_wanted(name));
                let containers = services.map(|(_, name)| {
                    let state = if self.up.contains(*name) { "running" } else { "exited" };
                    let id = if self.is_replaced { "anew" } else { "first" };
                    // One that is made from another image is another container.
                    let image = self.made.get(*name).map_or("sha256:1", String::as_str);
                    let health = if self.is_well(name) { "healthy" } else { "unhealthy" };
                    let started = "2026-03-01T03:14:00Z";
                    json!({
                        "name": name, "service": name, "id": format!("{id} of {image}"), "image_id": image,
                        "state": state, "health": health, "started_at": started,
                    })
                });
                json!({ "containers": containers.collect::<Vec<_>>() })
            }
            DockerQuery::Logs { .. } => json!({ "stdout": "a line\n", "lines": 1 }),
            DockerQuery::Stats(of) => {
                let runs = |name: &str| {
                    self.up.contains(name) && of.service.as_deref().is_none_or(|wanted| wanted == name)
                };
                let share = |name: &str| if self.full.contains(name) { 97 } else { 20 };
                let here = SERVICES.iter().filter(|(project, name)| *project == of.project && runs(name));
                let containers =
                    here.map(|(_, name)| json!({ "service": name, "memory_percent": share(name) }));
                json!({ "containers": containers.collect::<Vec<_>>() })
            }
        }
    }

    fn http(&self, request: &HttpRequest) -> Value {
        let service = match request.url.as_str() {
            "http://localhost:3001/api/health" => "argus-1",
            "http://localhost:3002/api/health" => "argus-2",
            "http://localhost:3100/" => "docs",
            url => panic!("nobody simulates {url}"),
        };
        let version = self.made.get(service).and_then(|image| image.rsplit(':').next()).unwrap_or_default();
        match (self.up.contains(service), self.is_well(service)) {
            (_, true) => {
                json!({ "status": 200, "body": "ok", "json": { "version": version }, "error": null })
            }
            (true, false) => json!({ "status": 503, "body": "", "json": null, "error": null }),
            (false, false) => json!({ "status": 0, "body": "", "json": null, "error": "connection refused" }),
        }
    }
}

fn given<'a>(script: &'a Script, name: &str) -> &'a str {
    script.given.iter().find(|(given, _)| given == name).map_or("", |(_, value)| value)
}

fn ended(status: i32, stdout: &str) -> Value {
    json!({ "status": status, "stdout": stdout, "stderr": "" })
}
