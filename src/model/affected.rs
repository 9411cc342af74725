//! Which services a procedure is about, worked out from its parameters: what people are told when something is wrong.

use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::inventory::{Inventory, Service};
use super::param::{Param, ParamType};

/// A service, or some of its instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    pub service: String,
    /// Empty: all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instances: Vec<String>,
}

impl fmt::Display for Affected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.instances.as_slice() {
            [] => f.write_str(&self.service),
            some => write!(f, "{} ({})", self.service, some.join(", ")),
        }
    }
}

/// The services that the parameters name or lead to: an instance belongs to one, a database and a cache are needed by some,
/// a project and a host carry some. In the order of the inventory; none where no parameter is of such a type.
pub fn services(
    params: &IndexMap<String, Param>,
    values: &Map<String, Value>,
    inventory: &Inventory,
) -> Vec<Affected> {
    let subjects: Vec<Subject<'_>> = params
        .iter()
        .filter_map(|(name, param)| {
            let value = values.get(name)?;
            let name = value.get("name").unwrap_or(value).as_str()?;
            Some(Subject { kind: param.kind, name })
        })
        .collect();
    let of = |(name, service): (&String, &Service)| {
        let reaches: Vec<_> =
            subjects.iter().filter_map(|subject| subject.reach(name, service, inventory)).collect();
        let instances = match reaches.iter().any(|reach| matches!(reach, Reach::All)) {
            true => Vec::new(),
            false => reaches.iter().filter_map(Reach::instance).collect(),
        };
        (!reaches.is_empty()).then(|| Affected { service: name.clone(), instances })
    };
    inventory.services.iter().filter_map(of).collect()
}

/// A thing of the inventory that the procedure is given.
struct Subject<'a> {
    kind: ParamType,
    name: &'a str,
}

/// How much of a service something wrong with a subject reaches.
enum Reach<'a> {
    All,
    Instance(&'a str),
}

impl<'a> Subject<'a> {
    fn reach(&self, name: &str, service: &Service, inventory: &Inventory) -> Option<Reach<'a>> {
        let needs = |needed: &Option<String>| needed.as_deref() == Some(self.name);
        let is_reached = match self.kind {
            ParamType::Instance => {
                return service.instances.contains_key(self.name).then_some(Reach::Instance(self.name));
            }
            ParamType::Service => name == self.name,
            ParamType::Database => needs(&service.database),
            ParamType::Cache => needs(&service.cache),
            ParamType::Certificate => inventory.certificates.get(self.name).is_some_and(|certificate| {
                service.project == certificate.project
                    && service.upstream.as_ref().is_some_and(|upstream| upstream.proxy == certificate.service)
            }),
            ParamType::Project => service.project == self.name,
            ParamType::Host => inventory.host_of(&service.project) == self.name,
            _ => false,
        };
        is_reached.then_some(Reach::All)
    }
}

impl Reach<'_> {
    fn instance(&self) -> Option<String> {
        match self {
            Reach::All => None,
            Reach::Instance(name) => Some((*name).to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::source::Source;

    const SITE: &str = "name: o\nhosts: { app: { address: local } }\n\
        projects: { p: { host: app, directory: /p }, q: { host: app, directory: /q } }\n\
        services:\n\
        \x20 argus: { project: p, database: main, cache: redis, instances: { argus-1: { health: 'http://localhost:1/' }, argus-2: { health: 'http://localhost:2/' } } }\n\
        \x20 hermes: { project: p, cache: redis, instances: { hermes-1: { health: 'http://localhost:3/' } } }\n\
        \x20 docs: { project: q, instances: { docs: { health: 'http://localhost:4/' } } }\n\
        databases: { main: { engine: postgres, project: p, service: pg, user: u, name: n } }\n\
        caches: { redis: { project: p, service: redis } }\n";

    fn affected(params: &[(ParamType, &str)]) -> String {
        let inventory = Inventory::read(&Source::new("opsctl.yaml", SITE)).unwrap();
        let (mut declared, mut values) = (IndexMap::new(), Map::new());
        for (at, (kind, value)) in params.iter().enumerate() {
            let param = Param { kind: *kind, about: None, default: None, choices: Vec::new() };
            declared.insert(format!("p{at}"), param);
            values.insert(format!("p{at}"), Value::from(*value));
        }
        let services = services(&declared, &values, &inventory);
        services.iter().map(Affected::to_string).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn what_depends_on_a_broken_thing_is_affected_and_nothing_else() {
        assert_eq!(affected(&[(ParamType::Service, "argus")]), "argus");
        assert_eq!(affected(&[(ParamType::Instance, "argus-2")]), "argus (argus-2)");
        assert_eq!(affected(&[(ParamType::Database, "main")]), "argus");
        assert_eq!(affected(&[(ParamType::Cache, "redis")]), "argus; hermes");
        assert_eq!(affected(&[(ParamType::Project, "q")]), "docs");
        assert_eq!(affected(&[(ParamType::Host, "app")]), "argus; hermes; docs");
    }

    #[test]
    fn a_service_as_a_whole_outweighs_some_of_its_instances() {
        assert_eq!(
            affected(&[(ParamType::Instance, "argus-1"), (ParamType::Instance, "argus-2")]),
            "argus (argus-1, argus-2)"
        );
        assert_eq!(
            affected(&[(ParamType::Instance, "argus-1"), (ParamType::Cache, "redis")]),
            "argus; hermes"
        );
    }

    #[test]
    fn a_plain_text_is_never_taken_for_a_service() {
        assert_eq!(affected(&[(ParamType::String, "argus"), (ParamType::Version, "argus")]), "");
    }
}
