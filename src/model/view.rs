//! What templates and conditions see of the inventory.
//!
//! Pure functions from the inventory to plain data. Every thing is an object with its `name` first, and a printed object
//! stands for its name. What may be missing is there as `null`, so that `when: service.database` is a condition and never
//! an undefined name.

use indexmap::IndexSet;
use serde_json::{Map, Value, json};

use super::backups::Kind;
use super::inventory::{Inventory, Service};
use super::operation::Via;
use super::param::ParamType;
use super::thresholds::{Limits, Thresholds};
use crate::base::amount::Span;
use crate::base::percent::Percent;
use crate::base::size::Size;

/// The fields of each kind of object, for telling a template name that cannot exist before anything is planned.
pub fn fields(kind: ParamType) -> Option<&'static [&'static str]> {
    match kind {
        ParamType::Service => Some(&[
            "name",
            "host",
            "project",
            "instances",
            "database",
            "cache",
            "version",
            "image_tag",
            "upstream",
        ]),
        ParamType::Instance => Some(&["name", "service", "health", "via", "host", "project"]),
        ParamType::Host => Some(&[
            "name",
            "address",
            "standby",
            "fence",
            "projects",
            "instances",
            "databases",
            "caches",
            "proxies",
            "endpoints",
            "records",
        ]),
        ParamType::Project => {
            Some(&["name", "host", "directory", "files", "instances", "databases", "caches", "proxies"])
        }
        ParamType::Database => Some(&[
            "name",
            "host",
            "project",
            "service",
            "user",
            "database",
            "replica",
            "backups",
            "services",
            "instances",
        ]),
        ParamType::Cache => Some(&[
            "name",
            "host",
            "project",
            "service",
            "disposable",
            "max_memory",
            "backups",
            "services",
            "instances",
        ]),
        ParamType::Certificate => Some(&[
            "name",
            "host",
            "project",
            "service",
            "address",
            "port",
            "server_name",
            "via",
            "renew_days",
            "renew",
        ]),
        _ => None,
    }
}

/// The names that a parameter of an inventory type may have; none for the plain types.
pub fn names(inventory: &Inventory, kind: ParamType) -> Option<Vec<&str>> {
    let names = match kind {
        ParamType::Service => inventory.services.keys().map(String::as_str).collect(),
        ParamType::Instance => inventory
            .services
            .values()
            .flat_map(|service| service.instances.keys().map(String::as_str))
            .collect(),
        ParamType::Host => inventory.hosts.keys().map(String::as_str).collect(),
        ParamType::Project => inventory.projects.keys().map(String::as_str).collect(),
        ParamType::Database => inventory.databases.keys().map(String::as_str).collect(),
        ParamType::Cache => inventory.caches.keys().map(String::as_str).collect(),
        ParamType::Certificate => inventory.certificates.keys().map(String::as_str).collect(),
        _ => return None,
    };
    Some(names)
}

/// The object of an inventory type, by its name.
pub fn object(inventory: &Inventory, kind: ParamType, name: &str) -> Option<Value> {
    match kind {
        ParamType::Service => service(inventory, name),
        ParamType::Instance => instance(inventory, name),
        ParamType::Host => host(inventory, name),
        ParamType::Project => project(inventory, name),
        ParamType::Database => database(inventory, name),
        ParamType::Cache => cache(inventory, name),
        ParamType::Certificate => certificate(inventory, name),
        _ => None,
    }
}

pub fn service(inventory: &Inventory, name: &str) -> Option<Value> {
    let service = inventory.services.get(name)?;
    let host = inventory.host_of(&service.project);
    let instances: Vec<_> =
        service.instances.keys().filter_map(|instance_name| instance(inventory, instance_name)).collect();
    let upstream =
        service.upstream.as_ref().map(|upstream| json!({ "proxy": upstream.proxy, "name": upstream.name }));
    Some(json!({
        "name": name,
        "host": host,
        "project": service.project,
        "instances": instances,
        "database": service.database,
        "cache": service.cache,
        "version": service.version,
        "image_tag": service.image_tag,
        "upstream": upstream,
    }))
}

pub fn instance(inventory: &Inventory, name: &str) -> Option<Value> {
    let (service_name, service, instance) = inventory.instance(name)?;
    Some(json!({
        "name": name,
        "service": service_name,
        "health": instance.health,
        "via": via(instance.via),
        "host": inventory.host_of(&service.project),
        "project": service.project,
    }))
}

pub fn host(inventory: &Inventory, name: &str) -> Option<Value> {
    let host = inventory.hosts.get(name)?;
    let mut seen = contents(inventory, "host", name);
    seen.extend([
        ("name".to_owned(), json!(name)),
        ("address".to_owned(), json!(host.address.to_string())),
        ("standby".to_owned(), json!(host.standby)),
        ("fence".to_owned(), json!(host.fence)),
        ("projects".to_owned(), of_place(inventory, ParamType::Project, "host", name)),
        (
            "endpoints".to_owned(),
            endpoints(inventory)
                .filter(|(_, endpoint)| endpoint["host"] == name)
                .map(|(_, endpoint)| endpoint)
                .collect(),
        ),
        ("records".to_owned(), records(inventory, name, host.standby.as_deref())),
    ]);
    Some(Value::Object(seen))
}

/// The records that lead to a host and can lead to its standby, with what they say then.
fn records(inventory: &Inventory, host: &str, standby: Option<&str>) -> Value {
    let records = inventory.dns.iter().filter(|(_, record)| record.addresses.contains_key(host));
    let both = records.filter_map(|(name, record)| {
        let address = record.addresses.get(standby?)?;
        Some(json!({ "name": name, "address": address }))
    });
    both.collect()
}

fn endpoints(inventory: &Inventory) -> impl Iterator<Item = (String, Value)> {
    inventory.endpoints.iter().map(|(name, endpoint)| {
        let object = json!({
            "name": name,
            "host": endpoint.host,
            "health": endpoint.health,
            "via": via(endpoint.via),
        });
        (name.clone(), object)
    })
}

/// What is on a host or in a project, as the field `place` says.
fn contents(inventory: &Inventory, place: &str, name: &str) -> Map<String, Value> {
    let all = |kind| of_place(inventory, kind, place, name);
    let proxies = inventory.services.values().filter_map(|service| {
        let (project, proxy) = (&service.project, &service.upstream.as_ref()?.proxy);
        let is_here = name == if place == "host" { inventory.host_of(project) } else { project };
        is_here.then_some((project, proxy))
    });
    // Several services may have the same one before them.
    let proxies: IndexSet<_> = proxies.collect();
    let proxies = proxies.into_iter().map(|(project, proxy)| {
        json!({ "name": format!("{project}/{proxy}"), "project": project, "service": proxy })
    });
    let proxies = proxies.collect();
    let seen = [
        ("instances", all(ParamType::Instance)),
        ("databases", all(ParamType::Database)),
        ("caches", all(ParamType::Cache)),
        ("proxies", proxies),
    ];
    seen.into_iter().map(|(kind, all)| (kind.to_owned(), all)).collect()
}

fn of_place(inventory: &Inventory, kind: ParamType, place: &str, name: &str) -> Value {
    let names = names(inventory, kind).unwrap_or_default().into_iter();
    let objects = names.filter_map(|of_kind| object(inventory, kind, of_kind));
    objects.filter(|object| object[place] == name).collect()
}

pub fn project(inventory: &Inventory, name: &str) -> Option<Value> {
    let project = inventory.projects.get(name)?;
    let mut seen = contents(inventory, "project", name);
    seen.extend([
        ("name".to_owned(), json!(name)),
        ("host".to_owned(), json!(project.host)),
        ("directory".to_owned(), json!(project.directory)),
        ("files".to_owned(), json!(project.files)),
    ]);
    Some(Value::Object(seen))
}

/// `service` is the Compose service that runs it, `database` its name in the engine.
pub fn database(inventory: &Inventory, name: &str) -> Option<Value> {
    let database = inventory.databases.get(name)?;
    Some(json!({
        "name": name,
        "host": inventory.host_of(&database.project),
        "project": database.project,
        "service": database.service,
        "user": database.user,
        "database": database.name,
        "replica": database.replica,
        "backups": database.backups.as_ref().map(|backups| backups.filled(name, Kind::Postgres)),
        "services": users(inventory, |service| service.database.as_deref() == Some(name)),
        "instances": instances(inventory, |service| service.database.as_deref() == Some(name)),
    }))
}

pub fn cache(inventory: &Inventory, name: &str) -> Option<Value> {
    let cache = inventory.caches.get(name)?;
    Some(json!({
        "name": name,
        "host": inventory.host_of(&cache.project),
        "project": cache.project,
        "service": cache.service,
        "disposable": cache.disposable,
        "max_memory": cache.max_memory.map(|Size(bytes)| bytes),
        "backups": cache.backups.as_ref().map(|backups| backups.filled(name, Kind::Redis)),
        "services": users(inventory, |service| service.cache.as_deref() == Some(name)),
        "instances": instances(inventory, |service| service.cache.as_deref() == Some(name)),
    }))
}

/// The services that use something.
fn users(inventory: &Inventory, uses: impl Fn(&Service) -> bool) -> Value {
    let users = inventory.services.iter().filter(|(_, service)| uses(service));
    users.filter_map(|(name, _)| service(inventory, name)).collect()
}

/// The instances of the services that use something.
fn instances(inventory: &Inventory, uses: impl Fn(&Service) -> bool) -> Value {
    let users = inventory.services.values().filter(|service| uses(service));
    users.flat_map(|service| service.instances.keys()).filter_map(|name| instance(inventory, name)).collect()
}

/// `service` is the Compose service that serves it.
pub fn certificate(inventory: &Inventory, name: &str) -> Option<Value> {
    let certificate = inventory.certificates.get(name)?;
    Some(json!({
        "name": name,
        "host": inventory.host_of(&certificate.project),
        "project": certificate.project,
        "service": certificate.service,
        "address": certificate.address,
        "port": certificate.port,
        "server_name": certificate.server_name.as_ref().unwrap_or(&certificate.address),
        "via": via(certificate.via),
        "renew_days": certificate.renew_days,
        "renew": certificate.renew,
    }))
}

/// The fields of `inventory` in templates: the site's name, and everything in it by kind and name.
pub const INVENTORY_FIELDS: [&str; 10] = [
    "name",
    "hosts",
    "projects",
    "services",
    "databases",
    "caches",
    "endpoints",
    "certificates",
    "monitoring",
    "thresholds",
];

/// What templates see as `inventory`.
pub fn inventory(inventory: &Inventory) -> Value {
    let all = |kind| -> Value {
        let names = names(inventory, kind).unwrap_or_default();
        let objects =
            names.into_iter().filter_map(|name| Some((name.to_owned(), object(inventory, kind, name)?)));
        Value::Object(objects.collect::<Map<_, _>>())
    };
    let monitoring = inventory.monitoring.as_ref().map(|monitoring| {
        json!({
            "host": monitoring.host,
            "prometheus": monitoring.prometheus,
            "alertmanager": monitoring.alertmanager,
        })
    });
    json!({
        "name": inventory.name,
        "hosts": all(ParamType::Host),
        "projects": all(ParamType::Project),
        "services": all(ParamType::Service),
        "databases": all(ParamType::Database),
        "caches": all(ParamType::Cache),
        "endpoints": endpoints(inventory).collect::<Map<_, _>>(),
        "certificates": all(ParamType::Certificate),
        "monitoring": monitoring,
        "thresholds": thresholds(&inventory.thresholds),
    })
}

/// Plain numbers to compare with: shares in percent, times in milliseconds. `null` is no limit.
fn thresholds(thresholds: &Thresholds) -> Value {
    let share = |Percent(percent)| percent;
    let milliseconds = |Span(time): Span| time.as_secs_f64() * 1_000.0;
    json!({
        "error_rate": limits(thresholds.error_rate(), share),
        "cache_latency": limits(thresholds.cache_latency(), milliseconds),
        "connections": limits(thresholds.connections(), share),
        "replication_lag": limits(thresholds.replication_lag(), milliseconds),
        "disk": limits(thresholds.disk(), share),
        "memory": limits(thresholds.memory(), share),
        "certificate_days": limits(thresholds.certificate_days(), |days| days),
        "load": limits(thresholds.load(), |load| load),
    })
}

fn limits<T>(limits: Limits<T>, number: impl Fn(T) -> f64 + Copy) -> Value {
    json!({
        "warning": limits.warning.map(number),
        "critical": limits.critical.map(number),
        "emergency": limits.emergency.map(number),
    })
}

fn via(via: Via) -> &'static str {
    match via {
        Via::Host => "host",
        Via::Here => "here",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: &str = r#"
name: opareta
hosts:
  app: { address: "ssh://deploy@203.0.113.10:22" }
projects:
  opareta: { host: app, directory: /opt/opareta, files: [docker-compose.prod.yml] }
services:
  argus:
    project: opareta
    instances:
      argus-1: { health: "http://localhost:3001/api/health" }
      argus-2: { health: "http://localhost:3002/api/health", via: here }
    database: argus
    upstream: { proxy: nginx, name: argus_backend }
databases:
  argus: { engine: postgres, project: opareta, service: postgres-argus, user: argus, name: argus_db }
caches:
  redis: { project: opareta, service: redis, disposable: true }
certificates:
  opareta: { project: opareta, service: nginx, server_name: opareta.test }
"#;

    const KINDS: [ParamType; 7] = [
        ParamType::Service,
        ParamType::Instance,
        ParamType::Host,
        ParamType::Project,
        ParamType::Database,
        ParamType::Cache,
        ParamType::Certificate,
    ];

    fn site() -> Inventory {
        serde_yaml::from_str(SITE).unwrap()
    }

    #[test]
    fn a_service_is_seen_with_its_instances_and_nulls_for_what_it_lacks() {
        let seen = service(&site(), "argus").unwrap();
        assert_eq!(seen["host"], "app");
        assert_eq!(seen["database"], "argus");
        assert_eq!(seen["cache"], Value::Null);
        assert_eq!(seen["instances"][1]["name"], "argus-2");
        assert_eq!(seen["instances"][1]["via"], "here");
        assert_eq!(seen["upstream"]["proxy"], "nginx");
        assert_eq!(service(&site(), "hermes"), None);
    }

    #[test]
    fn every_object_has_exactly_the_fields_that_are_announced() {
        let site = site();
        for kind in KINDS {
            let name = names(&site, kind).unwrap()[0];
            let Some(Value::Object(seen)) = object(&site, kind, name) else { panic!("{kind:?} {name}") };
            let mut announced = fields(kind).unwrap().to_vec();
            announced.sort_unstable();
            let mut found: Vec<_> = seen.keys().map(String::as_str).collect();
            found.sort_unstable();
            assert_eq!(found, announced, "{kind:?}");
            assert_eq!(seen["name"], name);
        }
    }

    #[test]
    fn a_host_and_a_project_are_seen_with_all_that_is_in_them() {
        let seen = host(&site(), "app").unwrap();
        let names = |kind: &str| {
            let all = seen[kind].as_array().unwrap().iter();
            all.map(|of_kind| of_kind["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names("projects"), ["opareta"]);
        assert_eq!(names("instances"), ["argus-1", "argus-2"]);
        assert_eq!(
            (names("databases"), names("caches")),
            (vec!["argus".to_owned()], vec!["redis".to_owned()])
        );
        let proxies = json!([{ "name": "opareta/nginx", "project": "opareta", "service": "nginx" }]);
        assert_eq!(seen["proxies"], proxies);
        assert_eq!(project(&site(), "opareta").unwrap()["proxies"], proxies);
    }

    #[test]
    fn a_database_is_seen_with_the_services_that_use_it() {
        let site = site();
        let seen = database(&site, "argus").unwrap();
        assert_eq!(seen["services"], json!([service(&site, "argus")]));
        assert_eq!(cache(&site, "redis").unwrap()["services"], json!([]), "no service says that it uses it");
    }

    #[test]
    fn the_inventory_is_seen_by_kind_and_name() {
        let seen = inventory(&site());
        assert_eq!(seen["databases"]["argus"]["database"], "argus_db");
        assert_eq!(seen["monitoring"], Value::Null);
        assert!(INVENTORY_FIELDS.iter().all(|field| seen.get(field).is_some()));
    }

    #[test]
    fn thresholds_are_numbers_with_the_defaults_filled_in() {
        let given = "thresholds: { memory: { critical: 93% }, replication_lag: { warning: 1500ms } }";
        let site: Inventory = serde_yaml::from_str(&format!("{SITE}{given}\n")).unwrap();
        let seen = &inventory(&site)["thresholds"];
        assert_eq!(seen["memory"], json!({ "warning": 70.0, "critical": 93.0, "emergency": 95.0 }));
        assert_eq!(seen["replication_lag"]["warning"], 1500.0);
        assert_eq!(seen["load"]["critical"], Value::Null);
        let kinds: Vec<_> = seen.as_object().unwrap().keys().collect();
        let schema = schemars::schema_for!(Thresholds);
        let known: Vec<_> = schema.get("properties").unwrap().as_object().unwrap().keys().collect();
        assert_eq!(kinds, known);
    }
}
