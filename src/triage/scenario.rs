//! From what was seen to the runbook that mends it.
//!
//! Pure. The rules are few and in order: an unreachable host says nothing about its services; a service none of whose
//! instances is healthy is down; else every unhealthy instance is down by itself, and the healthy ones are not touched.

use indexmap::IndexMap;

use super::look::{Health, Role, Seen};
use crate::model::inventory::Inventory;
use crate::model::param::{Param, ParamType};

/// What failover is asked to look after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    Service(String),
    Instance { service: String, instance: String },
}

impl Target {
    /// # Errors
    /// The names that there are, nearest first, when `name` is none of them.
    pub fn find(inventory: &Inventory, name: &str) -> Result<Target, Vec<String>> {
        if inventory.services.contains_key(name) {
            return Ok(Target::Service(name.to_owned()));
        }
        if let Some((service, _, _)) = inventory.instance(name) {
            return Ok(Target::Instance { service: service.to_owned(), instance: name.to_owned() });
        }
        let services = inventory.services.keys().cloned();
        let instances = inventory.services.values().flat_map(|service| service.instances.keys().cloned());
        let mut known: Vec<String> = services.chain(instances).collect();
        known.sort_by(|a, b| strsim::jaro_winkler(b, name).total_cmp(&strsim::jaro_winkler(a, name)));
        Err(known)
    }

    pub fn service(&self) -> &str {
        match self {
            Target::Service(service) | Target::Instance { service, .. } => service,
        }
    }

    pub fn name(&self) -> &str {
        match self {
            Target::Service(name) | Target::Instance { instance: name, .. } => name,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Diagnosis {
    /// Nothing that concerns the target is unhealthy.
    Healthy,
    /// Nobody knows: these could not be asked.
    Blind {
        why: String,
    },
    Scenario(Scenario),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// The runbook.
    pub name: String,
    /// One for each time that the runbook is to be run: its parameters.
    pub bindings: Vec<(String, String)>,
    pub why: String,
}

pub const INSTANCE_DOWN: &str = "instance-down";
pub const SERVICE_DOWN: &str = "service-down";

pub fn diagnose(target: &Target, seen: &[Seen]) -> Diagnosis {
    let instances: Vec<&Seen> = seen
        .iter()
        .filter(|seen| matches!(&seen.role, Role::Instance { service } if service == target.service()))
        .collect();
    let is_target = |seen: &Seen| match target {
        Target::Service(_) => true,
        Target::Instance { instance, .. } => seen.name == *instance,
    };
    if let Some(Seen { name, host, health: Health::Unknown { why }, .. }) =
        instances.iter().find(|seen| is_target(seen) && matches!(seen.health, Health::Unknown { .. }))
    {
        return Diagnosis::Blind { why: format!("`{name}` on host `{host}` could not be asked: {why}") };
    }
    let down: Vec<&Seen> =
        instances.iter().copied().filter(|seen| is_target(seen) && !seen.health.is_healthy()).collect();
    if down.is_empty() {
        return Diagnosis::Healthy;
    }
    let is_all_down = instances.iter().all(|seen| matches!(seen.health, Health::Unhealthy { .. }));
    let evidence = |of: &[&Seen]| of.iter().map(|seen| describe(seen)).collect::<Vec<_>>().join("; ");
    // A service of one instance is down when that is; the wider runbook also looks at what it depends on.
    if is_all_down {
        return Diagnosis::Scenario(Scenario {
            name: SERVICE_DOWN.into(),
            bindings: vec![("service".into(), target.service().into())],
            why: format!("no instance of `{}` is healthy: {}", target.service(), evidence(&instances)),
        });
    }
    let healthy: Vec<_> = instances
        .iter()
        .filter(|seen| seen.health.is_healthy())
        .map(|seen| format!("`{}`", seen.name))
        .collect();
    Diagnosis::Scenario(Scenario {
        name: INSTANCE_DOWN.into(),
        bindings: down.iter().map(|seen| ("instance".into(), seen.name.clone())).collect(),
        why: format!("{}; {} healthy and will not be touched", evidence(&down), is_or_are(&healthy)),
    })
}

/// The runbook that a person named, bound to the target: its one required parameter says to what of it. One about an
/// instance is bound to each that is down.
///
/// # Errors
/// In words, when the runbook is not about anything that the target has.
pub fn named(
    name: &str,
    params: &IndexMap<String, Param>,
    target: &Target,
    inventory: &Inventory,
    seen: &[Seen],
) -> Result<Scenario, String> {
    let mut required = params.iter().filter(|(_, param)| !param.is_optional());
    let (Some((param, Param { kind, .. })), None) = (required.next(), required.next()) else {
        return Err(format!(
            "`{name}` does not have exactly one required parameter: use `opsctl run {name} ...`"
        ));
    };
    let service = &inventory.services[target.service()];
    let lacking = |what: &str| format!("`{}` has no {what} in the inventory", target.service());
    let values = match kind {
        ParamType::Service => vec![target.service().to_owned()],
        ParamType::Instance => match target {
            Target::Instance { instance, .. } => vec![instance.clone()],
            Target::Service(name) => down(name, seen),
        },
        ParamType::Database => vec![service.database.clone().ok_or_else(|| lacking("database"))?],
        ParamType::Cache => vec![service.cache.clone().ok_or_else(|| lacking("cache"))?],
        ParamType::Project => vec![service.project.clone()],
        ParamType::Host => vec![inventory.host_of(&service.project).to_owned()],
        _ => return Err(format!("`{name}` is not about a service: use `opsctl run {name} {param}=...`")),
    };
    let bindings = values.into_iter().map(|value| (param.clone(), value)).collect();
    Ok(Scenario { name: name.to_owned(), bindings, why: "named with --scenario".to_owned() })
}

/// The instances of a service that are not healthy.
fn down(service: &str, seen: &[Seen]) -> Vec<String> {
    let is_down = |seen: &&Seen| {
        matches!(&seen.role, Role::Instance { service: of } if of == service) && !seen.health.is_healthy()
    };
    seen.iter().filter(is_down).map(|seen| seen.name.clone()).collect()
}

fn describe(seen: &Seen) -> String {
    let why = match &seen.health {
        Health::Unhealthy { why } | Health::Unknown { why } => why.as_str(),
        Health::Healthy { .. } => "healthy",
    };
    match &seen.container {
        Some(container) if !container.is_running() => format!("`{}` is {}", seen.name, container.describe()),
        Some(container) => format!("`{}` is {}, health: {why}", seen.name, container.describe()),
        None => format!("`{}` has no container, health: {why}", seen.name),
    }
}

fn is_or_are(names: &[String]) -> String {
    match names {
        [one] => format!("{one} is"),
        many => format!("{} are", many.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::source::Source;

    const SITE: &str = r#"name: t
hosts: { app: { address: local } }
projects: { web: { host: app, directory: /srv/web } }
services:
  argus:
    project: web
    database: argus-db
    instances:
      argus-1: { health: "http://localhost:1/" }
      argus-2: { health: "http://localhost:2/" }
databases: { argus-db: { engine: postgres, project: web, service: pg, user: a, name: a } }
"#;

    fn seen(name: &str, health: Health) -> Seen {
        let role = Role::Instance { service: "argus".into() };
        Seen { name: name.into(), role, host: "app".into(), container: None, health }
    }

    fn up(name: &str) -> Seen {
        seen(name, Health::Healthy { ms: Some(3) })
    }

    fn down(name: &str) -> Seen {
        seen(name, Health::Unhealthy { why: "connection refused".into() })
    }

    fn unknown(name: &str) -> Seen {
        seen(name, Health::Unknown { why: "no route to host".into() })
    }

    fn service() -> Target {
        Target::Service("argus".into())
    }

    fn instance(name: &str) -> Target {
        Target::Instance { service: "argus".into(), instance: name.into() }
    }

    /// The runbook and what it is bound to.
    fn scenario(target: &Target, seen: &[Seen]) -> (String, Vec<String>) {
        match diagnose(target, seen) {
            Diagnosis::Scenario(Scenario { name, bindings, .. }) => {
                (name, bindings.into_iter().map(|(_, value)| value).collect())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_unhealthy_instance_is_mended_alone() {
        let seen = [up("argus-1"), down("argus-2")];
        assert_eq!(scenario(&service(), &seen), ("instance-down".into(), vec!["argus-2".into()]));
        assert_eq!(scenario(&instance("argus-2"), &seen), ("instance-down".into(), vec!["argus-2".into()]));
    }

    #[test]
    fn several_unhealthy_instances_beside_a_healthy_one_are_each_mended() {
        let seen = [down("argus-1"), up("argus-2"), down("argus-3")];
        let expected = ("instance-down".into(), vec!["argus-1".into(), "argus-3".into()]);
        assert_eq!(scenario(&service(), &seen), expected);
    }

    #[test]
    fn a_service_without_a_healthy_instance_is_down_also_when_one_instance_was_named() {
        let seen = [down("argus-1"), down("argus-2")];
        assert_eq!(scenario(&service(), &seen), ("service-down".into(), vec!["argus".into()]));
        assert_eq!(scenario(&instance("argus-1"), &seen), ("service-down".into(), vec!["argus".into()]));
    }

    #[test]
    fn a_healthy_target_needs_nothing_even_beside_an_unhealthy_one() {
        assert_eq!(diagnose(&service(), &[up("argus-1"), up("argus-2")]), Diagnosis::Healthy);
        assert_eq!(diagnose(&instance("argus-1"), &[up("argus-1"), down("argus-2")]), Diagnosis::Healthy);
    }

    #[test]
    fn what_could_not_be_asked_is_not_called_down() {
        let diagnosis = diagnose(&service(), &[unknown("argus-1"), unknown("argus-2")]);
        assert!(matches!(diagnosis, Diagnosis::Blind { .. }), "{diagnosis:?}");
    }

    #[test]
    fn a_runbook_that_is_named_is_bound_by_the_type_of_its_parameter() {
        let inventory = Inventory::read(&Source::new("opsctl.yaml", SITE)).unwrap();
        let seen = [up("argus-1"), down("argus-2")];
        let bound = |kind: &str| {
            let params = serde_json::from_value(serde_json::json!({ "of": { "type": kind } })).unwrap();
            named("mine", &params, &service(), &inventory, &seen)
                .map(|scenario| scenario.bindings.into_iter().map(|(_, value)| value).collect::<Vec<_>>())
        };
        assert_eq!(bound("service").unwrap(), ["argus"]);
        assert_eq!(bound("instance").unwrap(), ["argus-2"]);
        assert_eq!(bound("database").unwrap(), ["argus-db"]);
        assert_eq!(bound("host").unwrap(), ["app"]);
        assert!(bound("cache").unwrap_err().contains("no cache"));
        assert!(bound("string").is_err());
    }

    #[test]
    fn an_instance_that_could_not_be_asked_keeps_the_service_from_being_called_down() {
        let seen = [down("argus-1"), unknown("argus-2")];
        assert_eq!(scenario(&instance("argus-1"), &seen), ("instance-down".into(), vec!["argus-1".into()]));
    }
}
