//! Asks everything at once, each with a deadline: the containers, the health endpoints, the databases and the caches.
//!
//! Nothing here changes anything, and nothing waits for anything else: a host that hangs costs its own answers and no
//! others'. What could not be asked is said to be unknown, which is not the same as down.

use std::time::Duration;

use futures_util::future::join_all;
use indexmap::IndexMap;
use serde_json::{Value, json};

use super::container::Container;
use crate::action::registry;
use crate::base::amount::Span;
use crate::engine::world::{Request, World};
use crate::model::facts::{Facts, Site};
use crate::model::inventory::Inventory;
use crate::model::operation::{DockerQuery, HttpRequest, Operation, Selection, Via};

/// A health endpoint that has not answered by then counts as not answering.
const ENDPOINT_DEADLINE: Span = Span::secs(5);

/// How long Docker, a database or a cache may take.
const PROBE_DEADLINE: Duration = Duration::from_secs(10);

/// One thing of the inventory, and what was seen of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// As the inventory calls it.
    pub name: String,
    pub role: Role,
    pub host: String,
    pub container: Option<Container>,
    pub health: Health,
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

/// Looks at all that the inventory names. `unreachable` says why, for each host that could not be connected to.
pub async fn look(
    inventory: &Inventory,
    facts: &Facts,
    unreachable: &IndexMap<String, String>,
    world: &dyn World,
) -> Vec<Seen> {
    let eyes = Eyes { site: Site { inventory, facts }, unreachable, world };
    let containers = eyes.containers().await;
    let find = |project: &str, service: &str| {
        containers
            .get(project)
            .and_then(|all| all.iter().find(|container| container.service == service).cloned())
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
    seen
}

struct Eyes<'a> {
    site: Site<'a>,
    unreachable: &'a IndexMap<String, String>,
    world: &'a dyn World,
}

impl Eyes<'_> {
    /// The containers of every project whose host answers.
    async fn containers(&self) -> IndexMap<String, Vec<Container>> {
        let asked = self.site.facts.projects.iter().filter_map(|(project, facts)| {
            let compose = self.site.compose(project).ok()?;
            let selection = Selection { project: facts.name.clone(), compose, service: None };
            Some(async move {
                let query = Operation::Docker(DockerQuery::Containers(selection));
                let value = self.ask(self.site.inventory.host_of(project), &query).await.ok()?;
                let containers = serde_json::from_value(value["containers"].clone()).ok()?;
                Some((project.clone(), containers))
            })
        });
        join_all(asked).await.into_iter().flatten().collect()
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
        let request = Operation::Http(HttpRequest {
            method: "GET".into(),
            url: url.to_owned(),
            headers: Default::default(),
            body: None,
            deadline: ENDPOINT_DEADLINE,
            via,
        });
        let health = match self.ask(host, &request).await {
            Err(why) => Health::Unknown { why },
            Ok(value) => match value["status"].as_u64() {
                Some(200..=299) => Health::Healthy { ms: value["ms"].as_u64() },
                Some(0) | None => {
                    Health::Unhealthy { why: value["error"].as_str().unwrap_or("no answer").to_owned() }
                }
                Some(status) => Health::Unhealthy { why: format!("HTTP {status}{}", reason(&value)) },
            },
        };
        Seen { name, role, host: host.to_owned(), container, health }
    }

    /// Whether a database accepts connections, or a cache answers.
    async fn store(&self, name: &str, role: Role, project: &str, container: Option<Container>) -> Seen {
        let host = self.site.inventory.host_of(project);
        let (action, argument) = match role {
            Role::Cache => ("redis.ping", "cache"),
            _ => ("postgres.ready", "database"),
        };
        let health = match self.probe(host, action, json!({ argument: name })).await {
            Ok(health) => health,
            Err(why) => Health::Unknown { why },
        };
        Seen { name: name.to_owned(), role, host: host.to_owned(), container, health }
    }

    async fn probe(&self, host: &str, action: &str, args: Value) -> Result<Health, String> {
        let entry = registry::find(action).ok_or_else(|| format!("there is no action `{action}`"))?;
        let args = args.as_object().cloned().unwrap_or_default();
        let built = (entry.build)(&args, self.site)?;
        let started = std::time::Instant::now();
        // A container that is not there is a finding about the container, not about our way to it.
        let value = match self.ask(host, &built.operation).await {
            Ok(value) => value,
            Err(why) if self.unreachable.contains_key(host) => return Err(why),
            Err(why) => return Ok(Health::Unhealthy { why }),
        };
        Ok(match (entry.judge)(&built.operation, &value) {
            Ok(()) => Health::Healthy { ms: Some(started.elapsed().as_millis() as u64) },
            Err(why) => Health::Unhealthy { why },
        })
    }

    async fn ask(&self, host: &str, operation: &Operation) -> Result<Value, String> {
        if let Some(why) = self.unreachable.get(host) {
            return Err(why.clone());
        }
        let request =
            Request { host: Some(host), operation, timeout: Some(PROBE_DEADLINE), output: &mut |_, _| {} };
        match tokio::time::timeout(PROBE_DEADLINE, self.world.perform(request)).await {
            Ok(Ok(observation)) => Ok(observation.value),
            Ok(Err(failure)) => Err(failure.message),
            Err(_) => Err(format!("no answer in {}", Span(PROBE_DEADLINE))),
        }
    }
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
