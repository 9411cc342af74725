//! Asks everything at once, each with a deadline: the containers, the health endpoints, the databases and the caches.
//!
//! Nothing here changes anything, and nothing waits for anything else: a host that hangs costs its own answers and no
//! others'. What could not be asked is said to be unknown, which is not the same as down.

use futures_util::future::join_all;
use indexmap::IndexMap;
use serde_json::{Value, json};

use super::container::Container;
use super::damage;
use super::eyes::Eyes;
use crate::action::registry;
use crate::base::amount::Span;
use crate::host::failure::{Failure, FailureKind};
use crate::model::operation::{DockerQuery, HttpRequest, Operation, Via};

/// A health endpoint that has not answered by then counts as not answering.
const ENDPOINT_DEADLINE: Span = Span::secs(5);

/// One thing of the inventory, and what was seen of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// As the inventory calls it.
    pub name: String,
    pub role: Role,
    pub host: String,
    pub container: Option<Container>,
    pub health: Health,
    /// What the log of one that is not well says of data that cannot be read.
    pub damage: Option<&'static str>,
}

impl Seen {
    /// What it is called where its role does not show otherwise: `argus-1`, `database argus`, `cache redis`, `nginx`.
    pub fn label(&self) -> String {
        match self.role {
            Role::Instance { .. } | Role::Endpoint => self.name.clone(),
            Role::Database => format!("database {}", self.name),
            Role::Cache => format!("cache {}", self.name),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    Instance { service: String },
    Database,
    Cache,
    Endpoint,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    Healthy {
        ms: Option<u64>,
    },
    Unhealthy {
        why: String,
    },
    /// It could not be asked.
    Unknown {
        why: String,
    },
}

impl Health {
    pub fn is_healthy(&self) -> bool {
        matches!(self, Health::Healthy { .. })
    }
}

/// What was seen of everything, and why Docker did not answer, for each host on which it did not.
#[derive(Debug, Default)]
pub struct Look {
    pub seen: Vec<Seen>,
    pub without_docker: IndexMap<String, Failure>,
}

/// Looks at all that the inventory names.
pub(super) async fn look(eyes: &Eyes<'_>) -> Look {
    let inventory = eyes.site.inventory;
    let (containers, without_docker) = eyes.containers().await;
    let find = |project: &str, service: &str| {
        containers.get(project).and_then(|all: &Vec<Container>| {
            all.iter().find(|container| container.service == service).cloned()
        })
    };
    let mut probes = Vec::new();
    for (service_name, service) in &inventory.services {
        for (name, instance) in &service.instances {
            probes.push(eyes.endpoint(
                name.clone(),
                Role::Instance { service: service_name.clone() },
                inventory.host_of(&service.project),
                &instance.health,
                instance.via,
                find(&service.project, name),
            ));
        }
    }
    for (name, endpoint) in &inventory.endpoints {
        probes.push(eyes.endpoint(
            name.clone(),
            Role::Endpoint,
            &endpoint.host,
            &endpoint.health,
            endpoint.via,
            None,
        ));
    }
    let mut stores = Vec::new();
    for (name, database) in &inventory.databases {
        let found = find(&database.project, &database.service);
        stores.push(eyes.store(name, Role::Database, &database.project, found));
    }
    for (name, cache) in &inventory.caches {
        let found = find(&cache.project, &cache.service);
        stores.push(eyes.store(name, Role::Cache, &cache.project, found));
    }
    let (mut seen, stores) = futures_util::future::join(join_all(probes), join_all(stores)).await;
    seen.extend(stores);
    Look { seen, without_docker }
}

impl Eyes<'_> {
    /// The containers of every project whose host answers.
    async fn containers(&self) -> (IndexMap<String, Vec<Container>>, IndexMap<String, Failure>) {
        let asked = self.site.facts.projects.keys().filter_map(|project| {
            let selection = self.selection(project, None).ok()?;
            let host = self.site.inventory.host_of(project);
            Some(async move {
                let query = Operation::Docker(DockerQuery::Containers(selection));
                (project.clone(), host.to_owned(), self.ask(host, &query).await)
            })
        });
        let (mut containers, mut without) = (IndexMap::new(), IndexMap::new());
        for (project, host, answer) in join_all(asked).await {
            match answer {
                Ok(answer) => {
                    let found = serde_json::from_value(answer["containers"].clone()).unwrap_or_default();
                    containers.insert(project, found);
                }
                Err(failure) => {
                    without.insert(host, failure);
                }
            }
        }
        (containers, without)
    }

    async fn endpoint(
        &self,
        name: String,
        role: Role,
        host: &str,
        url: &str,
        via: Via,
        container: Option<Container>,
    ) -> Seen {
        let request = Operation::Http(HttpRequest::get(url.to_owned(), ENDPOINT_DEADLINE, via));
        let health = match resting(container.as_ref()) {
            Some(health) => health,
            None => self.health_at(host, &request).await,
        };
        Seen { name, role, host: host.to_owned(), container, health, damage: None }
    }

    async fn health_at(&self, host: &str, request: &Operation) -> Health {
        match self.ask(host, request).await {
            Err(failure) => Health::Unknown { why: failure.message },
            Ok(value) => match value["status"].as_u64() {
                Some(200..=299) => Health::Healthy { ms: value["ms"].as_u64() },
                Some(0) | None => {
                    Health::Unhealthy { why: value["error"].as_str().unwrap_or("no answer").to_owned() }
                }
                Some(status) => Health::Unhealthy { why: format!("HTTP {status}{}", reason(&value)) },
            },
        }
    }

    /// Whether a database accepts connections, or a cache answers.
    async fn store(&self, name: &str, role: Role, project: &str, container: Option<Container>) -> Seen {
        let host = self.site.inventory.host_of(project);
        let (action, argument) = match role {
            Role::Cache => ("redis.ping", "cache"),
            _ => ("postgres.ready", "database"),
        };
        let health = match resting(container.as_ref()) {
            Some(health) => health,
            None => match self.probe(host, action, json!({ argument: name })).await {
                Ok(health) => health,
                Err(why) => Health::Unknown { why },
            },
        };
        let damage = match (&role, &health) {
            (Role::Cache, Health::Unhealthy { .. }) if container.is_some() => {
                self.damage(host, project, name).await
            }
            _ => None,
        };
        Seen { name: name.to_owned(), role, host: host.to_owned(), container, health, damage }
    }

    /// Of a cache. Whose log cannot be read is not called damaged.
    async fn damage(&self, host: &str, project: &str, cache: &str) -> Option<&'static str> {
        let of = self.selection(project, Some(&self.site.inventory.caches[cache].service)).ok()?;
        damage::told(&self.ask(host, &damage::question(of)).await.ok()?)
    }

    async fn probe(&self, host: &str, action: &str, args: Value) -> Result<Health, String> {
        let entry = registry::find(action).ok_or_else(|| format!("there is no action `{action}`"))?;
        let args = args.as_object().cloned().unwrap_or_default();
        let built = (entry.build)(&args, self.site)?;
        let started = std::time::Instant::now();
        // It comes to its end by itself: where it does not, the host is too busy to say.
        let is_too_slow =
            |failure: &Failure| failure.kind == FailureKind::Timeout && action == "postgres.ready";
        // A container that is not there is a finding about the container, not about our way to it. Who may not ask knows nothing.
        let value = match self.ask(host, &built.operation).await {
            Ok(value) => value,
            Err(failure)
                if failure.is_out_of_reach()
                    || failure.kind == FailureKind::Privilege
                    || is_too_slow(&failure)
                    || self.unreachable.contains_key(host) =>
            {
                return Err(failure.message);
            }
            Err(failure) => return Ok(Health::Unhealthy { why: failure.message }),
        };
        Ok(match (entry.judge)(&built.operation, &value) {
            Ok(()) => Health::Healthy { ms: Some(started.elapsed().as_millis() as u64) },
            Err(why) => Health::Unhealthy { why },
        })
    }
}

/// What does not run is not asked: a process that is paused takes the question, and lets it wait until the deadline.
fn resting(container: Option<&Container>) -> Option<Health> {
    container.filter(|container| !container.is_running())?;
    Some(Health::Unhealthy { why: "it does not run".to_owned() })
}

/// What a health endpoint says of its own failure, when it speaks JSON: the parts that are not well.
fn reason(value: &Value) -> String {
    let Value::Object(fields) = &value["json"] else { return String::new() };
    let is_bad = |text: &str| !matches!(text, "ok" | "healthy" | "up" | "pass");
    let parts: Vec<_> = ["database", "cache", "error", "message", "reason"]
        .iter()
        .filter_map(|key| Some((key, fields.get(*key)?.as_str()?)))
        .filter(|(_, text)| is_bad(text))
        .map(|(key, text)| format!("{key}: {text}"))
        .collect();
    if parts.is_empty() { String::new() } else { format!(", {}", parts.join(", ")) }
}
