//! What something was found about.

use serde::Serialize;

use super::look::{Role, Seen};
use crate::model::inventory::Inventory;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(tag = "is", content = "name", rename_all = "lowercase")]
pub enum Subject {
    Host(String),
    Service(String),
    Instance(String),
    Database(String),
    Cache(String),
    Endpoint(String),
    Certificate(String),
    Project(String),
    /// What watches the site.
    Monitoring(String),
}

impl Subject {
    pub fn name(&self) -> &str {
        match self {
            Subject::Host(name)
            | Subject::Service(name)
            | Subject::Instance(name)
            | Subject::Database(name)
            | Subject::Cache(name)
            | Subject::Endpoint(name)
            | Subject::Certificate(name)
            | Subject::Project(name)
            | Subject::Monitoring(name) => name,
        }
    }

    /// What it is called where nothing else says what it is: `argus-1`, `database argus`, `host app`.
    pub fn label(&self) -> String {
        match self {
            Subject::Instance(name) | Subject::Endpoint(name) | Subject::Monitoring(name) => name.clone(),
            Subject::Host(name) => format!("host {name}"),
            Subject::Service(name) => format!("service {name}"),
            Subject::Database(name) => format!("database {name}"),
            Subject::Cache(name) => format!("cache {name}"),
            Subject::Certificate(name) => format!("certificate {name}"),
            Subject::Project(name) => format!("project {name}"),
        }
    }

    /// What is to be typed for it, which no other thing shares: `instance/argus-1`.
    pub fn path(&self) -> String {
        let kind = match self {
            Subject::Host(_) => "host",
            Subject::Service(_) => "service",
            Subject::Instance(_) => "instance",
            Subject::Database(_) => "database",
            Subject::Cache(_) => "cache",
            Subject::Endpoint(_) => "endpoint",
            Subject::Certificate(_) => "certificate",
            Subject::Project(_) => "project",
            Subject::Monitoring(_) => "monitoring",
        };
        format!("{kind}/{}", self.name())
    }

    /// The service that it is, or is an instance of.
    pub fn service<'a>(&'a self, inventory: &'a Inventory) -> Option<&'a str> {
        match self {
            Subject::Service(name) => Some(name),
            Subject::Instance(name) => Some(inventory.instance(name)?.0),
            _ => None,
        }
    }

    /// The host that it is, or is on.
    pub fn host<'a>(&'a self, inventory: &'a Inventory) -> Option<&'a str> {
        let project = match self {
            Subject::Host(name) => return Some(name),
            Subject::Endpoint(name) => return Some(&inventory.endpoints.get(name)?.host),
            Subject::Monitoring(_) => return Some(&inventory.monitoring.as_ref()?.host),
            Subject::Service(name) => &inventory.services.get(name)?.project,
            Subject::Instance(name) => &inventory.instance(name)?.1.project,
            Subject::Database(name) => &inventory.databases.get(name)?.project,
            Subject::Cache(name) => &inventory.caches.get(name)?.project,
            Subject::Certificate(name) => &inventory.certificates.get(name)?.project,
            Subject::Project(name) => name,
        };
        Some(inventory.host_of(project))
    }

    /// Whether the service cannot work without it.
    pub fn is_needed_by(&self, service: &str, inventory: &Inventory) -> bool {
        let Some(entry) = inventory.services.get(service) else { return false };
        match self {
            Subject::Database(name) => entry.database.as_ref() == Some(name),
            Subject::Cache(name) => entry.cache.as_ref() == Some(name),
            Subject::Host(name) => inventory.host_of(&entry.project) == name,
            Subject::Project(name) => entry.project == *name,
            Subject::Service(name) => name == service,
            Subject::Instance(name) => entry.instances.contains_key(name),
            Subject::Endpoint(_) | Subject::Certificate(_) | Subject::Monitoring(_) => false,
        }
    }
}

impl From<&Seen> for Subject {
    fn from(seen: &Seen) -> Subject {
        let name = seen.name.clone();
        match seen.role {
            Role::Instance { .. } => Subject::Instance(name),
            Role::Database => Subject::Database(name),
            Role::Cache => Subject::Cache(name),
            Role::Endpoint => Subject::Endpoint(name),
        }
    }
}
