//! What templates and conditions see of the inventory.
//!
//! Pure functions from the inventory to plain data. Every thing is an object with its `name` first, and a printed object
//! stands for its name. What may be missing is there as `null`, so that `when: service.database` is a condition and never
//! an undefined name.

use serde_json::{Map, Value, json};

use super::inventory::Inventory;
use super::operation::Via;
use super::param::ParamType;

/// The fields of each kind of object, for telling a template name that cannot exist before anything is planned.
pub fn fields(kind: ParamType) -> Option<&'static [&'static str]> {
    match kind {
        ParamType::Service => {
            Some(&["name", "host", "project", "instances", "database", "cache", "image_tag", "upstream"])
        }
        ParamType::Instance => Some(&["name", "service", "health", "via", "host", "project"]),
        ParamType::Host => Some(&["name", "address"]),
        ParamType::Project => Some(&["name", "host", "directory", "files"]),
        ParamType::Database => Some(&["name", "host", "project", "service", "user", "database"]),
        ParamType::Cache => Some(&["name", "host", "project", "service", "disposable"]),
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
    Some(json!({ "name": name, "address": host.address.to_string() }))
}

pub fn project(inventory: &Inventory, name: &str) -> Option<Value> {
    let project = inventory.projects.get(name)?;
    Some(
        json!({ "name": name, "host": project.host, "directory": project.directory, "files": project.files }),
    )
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
    }))
}

/// The fields of `inventory` in templates: the site's name, and everything in it by kind and name.
pub const INVENTORY_FIELDS: [&str; 8] =
    ["name", "hosts", "projects", "services", "databases", "caches", "endpoints", "monitoring"];

/// What templates see as `inventory`.
pub fn inventory(inventory: &Inventory) -> Value {
    let all = |kind| -> Value {
        let names = names(inventory, kind).unwrap_or_default();
        let objects =
            names.into_iter().filter_map(|name| Some((name.to_owned(), object(inventory, kind, name)?)));
        Value::Object(objects.collect::<Map<_, _>>())
    };
    let endpoints = inventory.endpoints.iter().map(|(name, endpoint)| {
        let object = json!({
            "name": name,
            "host": endpoint.host,
            "health": endpoint.health,
            "via": via(endpoint.via),
        });
        (name.clone(), object)
    });
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
        "endpoints": endpoints.collect::<Map<_, _>>(),
        "monitoring": monitoring,
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
"#;

    const KINDS: [ParamType; 6] = [
        ParamType::Service,
        ParamType::Instance,
        ParamType::Host,
        ParamType::Project,
        ParamType::Database,
        ParamType::Cache,
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
    fn the_inventory_is_seen_by_kind_and_name() {
        let seen = inventory(&site());
        assert_eq!(seen["databases"]["argus"]["database"], "argus_db");
        assert_eq!(seen["monitoring"], Value::Null);
        assert!(INVENTORY_FIELDS.iter().all(|field| seen.get(field).is_some()));
    }
}
