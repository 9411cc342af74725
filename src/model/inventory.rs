//! The inventory, `opsctl.yaml`: what runs where, and how its health is seen.

use std::path::PathBuf;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::address::Address;
use super::backups::Backups;
use super::channel::Channel;
use super::clutter::terms::Cleanup;
use super::dns::Record;
use super::escalation::Escalation;
use super::operation::Via;
use super::telling::Telling;
use super::thresholds::Thresholds;
use crate::base::size::Size;

/// Everything opsctl knows about a site. Names that exist only at run time (Compose project names, container names, the tag
/// that runs) are not in here: they are asked from Compose and Docker every time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Inventory {
    /// The name of the site, as messages call it.
    pub name: String,
    /// The machines, by name.
    pub hosts: IndexMap<String, Host>,
    /// The Compose projects, by name.
    #[serde(default)]
    pub projects: IndexMap<String, Project>,
    /// The products that run on them, by name.
    #[serde(default)]
    pub services: IndexMap<String, Service>,
    /// The databases, by name.
    #[serde(default)]
    pub databases: IndexMap<String, Database>,
    /// The caches, by name.
    #[serde(default)]
    pub caches: IndexMap<String, Cache>,
    /// Other URLs that tell whether something is healthy, by name.
    #[serde(default)]
    pub endpoints: IndexMap<String, Endpoint>,
    /// The certificates that are served, by name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub certificates: IndexMap<String, Certificate>,
    /// The records of the domain name system that lead to a host, by their full names.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub dns: IndexMap<String, Record>,
    /// What watches the site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitoring: Option<Monitoring>,
    /// From where on a measured value is worth a word.
    #[serde(default, skip_serializing_if = "is_default")]
    pub thresholds: Thresholds,
    /// Who is called, and how fast they are to answer.
    #[serde(default, skip_serializing_if = "is_default")]
    pub escalation: Escalation,
    /// The ways on which people are told, by name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub channels: IndexMap<String, Channel>,
    /// How an incident is looked after.
    #[serde(default, skip_serializing_if = "is_default")]
    pub incidents: Telling,
    /// What may go when a disk is full.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cleanup: Cleanup,
}

/// A machine that runs Docker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// `local`, or `ssh://[user@]host[:port]`.
    pub address: Address,
    /// How to become root for commands and for Docker.
    #[serde(default, rename = "become", skip_serializing_if = "Option::is_none")]
    pub escalation: Option<Become>,
    /// An ssh_config file to use in place of the person's own. Relative to the inventory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssh_config: Option<PathBuf>,
    /// The folder on the host in which leases and receipts are kept. Without it: `/var/lib/opsctl`, or where that cannot be
    /// written, `opsctl/host` in the user's own state folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_dir: Option<String>,
    /// The host that takes over what is on this one when it is lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standby: Option<String>,
    /// The command on the standby that takes this host out for good: when it has succeeded, the host is off or cut off, and stays so.
    /// It may be run at any time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fence: Vec<String>,
    /// It is gone, and all that was on it is on its standby.
    #[serde(default, skip_serializing_if = "is_default")]
    pub lost: bool,
}

impl Host {
    /// One of which nothing is known but its address.
    pub fn at(address: Address) -> Host {
        Host {
            address,
            escalation: None,
            ssh_config: None,
            state_dir: None,
            standby: None,
            fence: Vec::new(),
            lost: false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Become {
    Sudo,
}

/// A Compose project on a host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// The host that it runs on.
    pub host: String,
    /// The folder that the Compose files are in.
    pub directory: String,
    /// The Compose files, relative to the folder. Empty: Compose finds its default ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
}

/// A product: one or more instances that do the same work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// The project that its instances belong to.
    pub project: String,
    /// The instances, by the name of their Compose service.
    pub instances: IndexMap<String, Instance>,
    /// The database that it cannot work without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// The cache that it cannot work without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<String>,
    /// Where the answer of a health URL has the version that runs: a JSON pointer, such as `/version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The variable in the project's `.env` that pins the image tag. Without it, opsctl pins the image of each instance in a
    /// Compose file of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_tag: Option<String>,
    /// Where the proxy lists its instances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Upstream>,
    /// A query for Prometheus that gives the share of its requests that fail, from 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_rate: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    /// The URL that answers 2xx when the instance is healthy.
    pub health: String,
    /// From where the URL is asked: `host`, or `here`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub via: Via,
}

/// Where the proxy lists the instances of a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// The proxy: one of the endpoints, named as its Compose service.
    pub proxy: String,
    /// The name of the upstream in its configuration.
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Database {
    /// What kind of database it is.
    pub engine: DatabaseEngine,
    /// The project that it belongs to.
    pub project: String,
    /// The Compose service that runs it.
    pub service: String,
    /// The database user.
    pub user: String,
    /// The name of the database in the engine.
    pub name: String,
    /// Where its backups are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backups: Option<Backups>,
    /// On the standby of its host is a replica of it, which follows it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub replica: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DatabaseEngine {
    Postgres,
}

/// A Redis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// The project that it belongs to.
    pub project: String,
    /// The Compose service that runs it.
    pub service: String,
    /// Whether everything in it can be made anew, so that it may be emptied.
    #[serde(default)]
    pub disposable: bool,
    /// How far its limit, Redis' `maxmemory`, may be raised when it is full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_memory: Option<Size>,
    /// Where its backups are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backups: Option<Backups>,
}

/// A URL that tells whether something besides the services is healthy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// The host that it is on.
    pub host: String,
    /// The URL that answers 2xx when it is healthy.
    pub health: String,
    /// From where the URL is asked: `host`, or `here`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub via: Via,
}

/// A certificate that a proxy serves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The project of the proxy.
    pub project: String,
    /// The proxy's Compose service.
    pub service: String,
    /// Where it is served: a name or an IP address. `localhost` means the host.
    #[serde(default = "localhost")]
    pub address: String,
    /// The port.
    #[serde(default = "https")]
    pub port: u16,
    /// The name that it has to be for. Without it, the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// From where it is asked: `host`, or `here`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub via: Via,
    /// From how many days before its end on it should be renewed.
    #[serde(default = "thirty")]
    pub renew_days: f64,
    /// The command on the host that renews it, as a list of arguments. It may be run at any time, and when there is nothing to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub renew: Vec<String>,
}

fn localhost() -> String {
    "localhost".to_owned()
}

fn https() -> u16 {
    443
}

fn thirty() -> f64 {
    30.0
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Monitoring {
    /// The host that `localhost` in the URLs means.
    pub host: String,
    /// The URL of Prometheus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prometheus: Option<String>,
    /// The URL of Alertmanager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alertmanager: Option<String>,
}

pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Inventory {
    /// The service and the instance of that name, with the service's name.
    pub fn instance(&self, name: &str) -> Option<(&str, &Service, &Instance)> {
        self.services.iter().find_map(|(service_name, service)| {
            Some((service_name.as_str(), service, service.instances.get(name)?))
        })
    }

    /// The host that Prometheus is asked from, and its address there.
    pub fn prometheus(&self) -> Option<(&str, &str)> {
        let monitoring = self.monitoring.as_ref()?;
        Some((&monitoring.host, monitoring.prometheus.as_deref()?))
    }

    /// The same site when a host is lost: what was on it is on its standby.
    ///
    /// # Errors
    /// In words, when it has none.
    pub fn without(&self, host: &str) -> Result<Inventory, String> {
        let lost = self.hosts.get(host).ok_or_else(|| format!("there is no host `{host}`"))?;
        let standby =
            lost.standby.clone().ok_or_else(|| format!("host `{host}` has no `standby` in the inventory"))?;
        let mut site = self.clone();
        let projects = site.projects.values_mut().map(|project| &mut project.host);
        let endpoints = site.endpoints.values_mut().map(|endpoint| &mut endpoint.host);
        let monitoring = site.monitoring.iter_mut().map(|monitoring| &mut monitoring.host);
        for place in projects.chain(endpoints).chain(monitoring).filter(|place| *place == host) {
            place.clone_from(&standby);
        }
        site.hosts[host].lost = true;
        Ok(site)
    }

    /// The hosts that are not lost.
    pub fn standing(&self) -> impl Iterator<Item = (&String, &Host)> {
        self.hosts.iter().filter(|(_, host)| !host.lost)
    }

    /// The host of a project. The names were checked when the inventory was loaded.
    pub fn host_of(&self, project: &str) -> &str {
        &self.projects[project].host
    }
}
