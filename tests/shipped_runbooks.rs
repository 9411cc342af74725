//! Every runbook that ships passes its own check, and can be planned on a site that has all, and on one that lacks much.

use opsctl::engine::catalog::Catalog;
use opsctl::engine::lint::{self, Spec};
use opsctl::engine::plan::{self, Request};
use opsctl::model::facts::{Facts, HostFacts, ProjectFacts, Site};
use opsctl::model::inventory::Inventory;
use opsctl::model::param;
use opsctl::model::plan::{Effect, Plan, When};
use opsctl::model::source::Source;
use serde_json::Value;

const SITE: &str = r#"name: opareta
hosts: { app: { address: local } }
projects: { opareta: { host: app, directory: /opt/opareta } }
services:
  argus:
    project: opareta
    instances:
      argus-1: { health: "http://localhost:3001/api/health" }
      argus-2: { health: "http://localhost:3002/api/health" }
    database: argus
    cache: redis
    upstream: { proxy: nginx, name: argus_backend }
  docs:
    project: opareta
    instances: { docs: { health: "http://localhost:3100/" } }
databases:
  argus: { engine: postgres, project: opareta, service: postgres-argus, user: argus, name: argus_db }
caches: { redis: { project: opareta, service: redis } }
endpoints: { nginx: { host: app, health: "http://localhost/health" } }
"#;

fn planned(runbook: &str, param: &str, value: &str) -> Plan {
    let inventory = Inventory::read(&Source::new("opsctl.yaml", SITE)).unwrap();
    let mut facts = Facts::default();
    facts.hosts.insert("app".into(), HostFacts { compose: vec!["docker".into(), "compose".into()] });
    facts
        .projects
        .insert("opareta".into(), ProjectFacts { name: "opareta".into(), ..ProjectFacts::default() });
    let catalog = Catalog::open(None).unwrap();
    let find = |name: &str| catalog.get(name).map(|entry| entry.runbook);
    let runbook = find(runbook).unwrap();
    let given = [(param.to_owned(), Value::from(value))];
    let params = param::bind(&runbook.params, given, &inventory).unwrap();
    let site = Site { inventory: &inventory, facts: &facts };
    let request =
        Request { runbook: &runbook, origin: "built-in", params: &params, inventory: "opsctl.yaml", site };
    plan::make(&find, request).unwrap_or_else(|error| panic!("{}: {error}", runbook.runbook))
}

/// The steps that are neither skipped nor there only to mend another.
fn keys(plan: &Plan) -> Vec<&str> {
    let is_done = |when: &Option<When>| !matches!(when, Some(When::Fixed { holds: false, .. }));
    let steps = plan.steps.iter().filter(|step| step.rescues.is_none() && is_done(&step.when));
    steps.map(|step| step.key.as_str()).collect()
}

#[test]
fn every_runbook_that_ships_passes_its_own_check() {
    let catalog = Catalog::open(None).unwrap();
    let specs = Spec::all();
    for name in catalog.names() {
        let entry = catalog.get(name).unwrap();
        if let Err(error) = lint::refuse(&entry, &specs, &catalog) {
            panic!("{name}: {error}\n{}", error.detail.clone().unwrap_or_default());
        }
    }
}

#[test]
fn a_service_comes_back_after_what_it_depends_on() {
    let plan = planned("service-down", "service", "argus");
    let expected = [
        "database",
        "cache",
        "logs[argus-1]",
        "logs[argus-2]",
        "restart[argus-1]",
        "restart[argus-2]",
        "proxy",
        "serving[argus-1]",
        "serving[argus-2]",
    ];
    assert_eq!(keys(&plan), expected);
}

#[test]
fn a_service_without_database_and_cache_is_planned_all_the_same() {
    let plan = planned("service-down", "service", "docs");
    assert_eq!(keys(&plan), ["logs[docs]", "restart[docs]", "serving[docs]"]);
}

#[test]
fn only_the_instance_that_is_down_is_restarted_and_all_are_looked_at_afterwards() {
    let plan = planned("instance-down", "instance", "argus-1");
    assert_eq!(keys(&plan), ["status", "logs", "restart", "proxy", "serving[argus-1]", "serving[argus-2]"]);
    let changes: Vec<_> = plan.steps.iter().filter(|step| step.task.effect > Effect::Reads).collect();
    assert_eq!(changes.iter().map(|step| step.key.as_str()).collect::<Vec<_>>(), ["restart", "proxy"]);
}

#[test]
fn a_database_and_a_cache_are_restarted_by_their_compose_service() {
    const SERVING: [&str; 4] = [
        "serving[argus]/running[argus-1]",
        "serving[argus]/running[argus-2]",
        "serving[argus]/answers[argus-1]",
        "serving[argus]/answers[argus-2]",
    ];
    let database = ["status", "logs", "sound", "restart"].into_iter().chain(SERVING);
    assert_eq!(keys(&planned("database-down", "database", "argus")), database.collect::<Vec<_>>());
    let cache = ["status", "logs", "restart"].into_iter().chain(SERVING);
    assert_eq!(keys(&planned("cache-down", "cache", "redis")), cache.collect::<Vec<_>>());
}
