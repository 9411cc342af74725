//! What is simulated: every runbook that ships, and some that are made to have one of everything.

use opsctl::engine::catalog::Catalog;
use opsctl::engine::plan::{self, Request};
use opsctl::model::facts::{Facts, HostFacts, ProjectFacts, Site};
use opsctl::model::inventory::Inventory;
use opsctl::model::param;
use opsctl::model::plan::Plan;
use opsctl::model::runbook::Runbook;
use opsctl::model::source::Source;
use serde_json::Value;

use crate::model::Model;

const SITE: &str = r#"name: opareta
hosts: { app: { address: local }, data: { address: local, standby: spare, fence: [add, fence] }, spare: { address: local } }
projects:
  opareta: { host: app, directory: /opt/opareta }
  store: { host: data, directory: /opt/store }
services:
  argus:
    project: opareta
    instances:
      argus-1: { health: "http://localhost:3001/api/health" }
      argus-2: { health: "http://localhost:3002/api/health" }
    database: argus
    cache: redis
    upstream: { proxy: nginx, name: argus_backend }
    version: /version
  docs:
    project: opareta
    instances: { docs: { health: "http://localhost:3100/" } }
databases:
  argus: { engine: postgres, project: store, service: postgres-argus, user: argus, name: argus_db, replica: true, backups: { directory: /srv, keep: 7, copy: [add, "{file}"] } }
  ledger: { engine: postgres, project: store, service: postgres-ledger, user: ledger, name: ledger, backups: { directory: /srv, pattern: "*", keep: 7 } }
caches: { redis: { project: store, service: redis, disposable: true, max_memory: 120, backups: { directory: /srv, keep: 7, copy: [add, "{file}"] } } }
certificates: { shop: { project: opareta, service: nginx, server_name: shop.test, renew: [renew, shop] } }
endpoints: { nginx: { host: app, health: "http://localhost/health" } }
"#;

/// A plan, and the world that it meets.
pub struct Case {
    pub name: String,
    pub plan: Plan,
    pub model: Model,
}

type Find<'a> = &'a dyn Fn(&str) -> opsctl::base::Result<Runbook>;

fn planned(find: Find<'_>, name: &str, given: &[(&str, &str)], model: &Model) -> Plan {
    let inventory = Inventory::read(&Source::new("opsctl.yaml", SITE)).unwrap();
    let mut facts = Facts::default();
    for host in ["app", "data", "spare"] {
        facts.hosts.insert(host.into(), HostFacts { compose: vec!["docker".into(), "compose".into()] });
    }
    for project in ["opareta", "store"] {
        let found = vec!["docker-compose.yml".into()];
        facts.projects.insert(project.into(), ProjectFacts { name: project.into(), found, has_pins: false });
    }
    let runbook = find(name).unwrap();
    let given = given.iter().map(|(param, value)| ((*param).to_owned(), Value::from(*value)));
    let params = param::bind(&runbook.params, given, &inventory).unwrap();
    let inventory = plan::seen_by(&runbook, &params, &inventory).unwrap().into_owned();
    let site = Site { inventory: &inventory, facts: &facts };
    let request =
        Request { runbook: &runbook, origin: "built-in", params: &params, inventory: "opsctl.yaml", site };
    let needs = plan::needs(find, request).unwrap_or_else(|error| panic!("{name}: {error}"));
    let facts = Facts { containers: model.snapshot(&needs.containers), ..facts.clone() };
    let request = Request { site: Site { inventory: &inventory, facts: &facts }, ..request };
    plan::make(find, request).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Every runbook that ships, each in a world where what it mends is broken. One that nobody has given a world fails here.
pub fn shipped() -> Vec<Case> {
    let catalog = Catalog::open(None).unwrap();
    let find = |name: &str| catalog.get(name).map(|entry| entry.runbook);
    let all = [
        "argus-1",
        "argus-2",
        "docker",
        "docs",
        "nginx",
        "postgres-argus",
        "postgres-ledger",
        "redis",
        "shop.test",
    ];
    let mut cases = releases(&find);
    cases.extend(restores(&find));
    for name in catalog.names() {
        let situations: &[(&str, &str, &[&str])] = match name {
            "instance-down" => {
                &[("instance", "argus-1", &["argus-1"]), ("instance", "argus-2", &["argus-2"])]
            }
            "service-down" => &[
                ("service", "argus", &["argus-1", "argus-2"]),
                ("service", "argus", &["argus-1", "argus-2", "postgres-argus", "redis"]),
                ("service", "docs", &["docs"]),
            ],
            "database-down" => &[("database", "argus", &["postgres-argus"])],
            "cache-down" => &[("cache", "redis", &["redis"])],
            // Below: they have more than one parameter.
            "cache-backup" | "cache-restore" | "cache-trial" | "volume-removal" => &[],
            "cache-damaged" => &[("cache", "redis", &["redis"])],
            "cache-full" => &[("cache", "redis", &["full redis"])],
            "certificate-expiring" => &[("certificate", "shop", &["shop.test"])],
            "disk-full" => &[("host", "app", &[])],
            "host-down" => &[("host", "app", &["docker"]), ("host", "data", &["docker"])],
            "host-lost" => &[("host", "data", &[])],
            "network-broken" => &[("project", "opareta", &["argus-1", "argus-2", "docs"])],
            "out-of-memory" => &[
                ("instance", "argus-1", &["full argus-1"]),
                ("instance", "argus-1", &["argus-1"]),
                ("instance", "docs", &["full docs"]),
            ],
            "recreate" | "resources" => &[("project", "opareta", &[])],
            "standby" => &[("host", "data", &[])],
            // Above: of their parameters one would not do.
            "roll" => &[],
            "database-backup" | "database-release" | "database-restore" | "database-tables"
            | "database-trial" => &[],
            "serving" => &[("service", "argus", &["argus-2"]), ("service", "docs", &[])],
            other => panic!("nobody simulates the runbook `{other}`: say here what it meets"),
        };
        for (param, value, down) in situations {
            let up = all.iter().filter(|service| !down.contains(service)).map(|up| (*up).to_owned());
            let full = down.iter().filter_map(|service| service.strip_prefix("full ")).map(str::to_owned);
            let model = Model { up: up.collect(), full: full.collect(), ..Model::default() };
            cases.push(Case {
                name: format!("{name} {value}, down: {}", down.join(" ")),
                plan: planned(&find, name, &[(param, value)], &model),
                model,
            });
        }
    }
    cases.extend(cache_backups(&find, &all));
    let model = Model { things: ["shop_old".to_owned()].into(), ..Model::default() };
    let plan = planned(&find, "volume-removal", &[("volume", "shop_old"), ("host", "app")], &model);
    cases.push(Case { name: "volume-removal".to_owned(), plan, model });
    cases
}

/// A cache that is backed up, and goes back to a backup.
fn cache_backups(find: Find<'_>, all: &[&str]) -> Vec<Case> {
    let file = [("cache", "redis"), ("file", "/srv/redis_1.rdb")];
    let restore = [&file[..], &[("at", "2"), ("safety", "/srv/redis_2.rdb")]].concat();
    let given = [("cache-backup", &file[..]), ("cache-trial", &file), ("cache-restore", &restore)];
    let model = Model { up: all.iter().map(|up| (*up).to_owned()).collect(), ..Model::default() };
    let case = |(name, given): (&str, &[(&str, &str)])| Case {
        name: name.to_owned(),
        plan: planned(find, name, given, &model),
        model: model.clone(),
    };
    given.into_iter().map(case).collect()
}

const OLD: &str = "registry/argus:v1.2.0";
const NEW: &str = "registry/argus:v1.1.0";

/// Instances that are given another image: one of two, both at once, and one without a proxy and with a variable.
fn releases(find: Find<'_>) -> Vec<Case> {
    [
        [("service", "argus"), ("instances", "argus-1"), ("others", "argus-2"), ("version", "v1.1.0")]
            .as_slice(),
        &[("service", "argus"), ("instances", "argus-1,argus-2")],
        &[("service", "docs"), ("instances", "docs"), ("variable", "DOCS_TAG"), ("version", "v1.1.0")],
    ]
    .into_iter()
    .map(|given| release(find, given, None))
    .collect()
}

/// Backups that are made, restored, restored in part, and what a restore has set aside.
fn restores(find: Find<'_>) -> Vec<Case> {
    let up = ["argus-1", "argus-2", "nginx", "postgres-argus", "redis"].map(str::to_owned).into();
    let model = Model { up, ..Model::default() };
    let given: [(&str, &[(&str, &str)]); 6] = [
        ("database-backup", &[]),
        ("database-backup", &[("verify", "true")]),
        ("database-trial", &[]),
        ("database-restore", &[("at", "1"), ("safety", "/srv/safety.dump")]),
        ("database-tables", &[("tables", "orders"), ("schema", "restored_1")]),
        ("database-release", &[("kept", "argus_db_until_1")]),
    ];
    given
        .into_iter()
        .map(|(name, given)| {
            let always = [("database", "argus"), ("file", "/srv/argus.dump")];
            let told: Vec<_> = given.iter().map(|(param, value)| format!("{param}={value}")).collect();
            let given: Vec<_> = always.into_iter().chain(given.iter().copied()).collect();
            let plan = planned(find, name, &given, &model);
            Case { name: format!("{name} {}", told.join(" ")), plan, model: model.clone() }
        })
        .collect()
}

/// A release whose image is no good: it goes back by itself.
pub fn bad_release() -> Case {
    let catalog = Catalog::open(None).unwrap();
    let find = |name: &str| catalog.get(name).map(|entry| entry.runbook);
    let given = [("service", "argus"), ("instances", "argus-1"), ("others", "argus-2")];
    release(&find, &given, Some(NEW.to_owned()))
}

fn release(find: Find<'_>, given: &[(&str, &str)], bad: Option<String>) -> Case {
    let instances = ["argus-1", "argus-2", "docs"];
    let up = instances.into_iter().chain(["nginx"]).map(str::to_owned).collect();
    let made = instances.map(|instance| (instance.to_owned(), OLD.to_owned())).into();
    // Where others serve meanwhile, it has to be out of the proxy.
    let has_others = given.iter().any(|(param, _)| *param == "others");
    let proxied = has_others.then(|| "argus-1".to_owned()).into_iter().collect();
    let model = Model { up, made, proxied, bad, ..Model::default() };
    let given = given.iter().copied().chain([("image", NEW), ("was", OLD)]);
    let given: Vec<_> = given.chain([("patience", "5s"), ("settle", "2s")]).collect();
    let told: Vec<_> = given.iter().map(|(param, value)| format!("{param}={value}")).collect();
    let of = if model.bad.is_some() { "a bad image, " } else { "" };
    Case { name: format!("roll {of}{}", told.join(" ")), plan: planned(find, "roll", &given, &model), model }
}

/// The runbooks beside this file.
pub fn made() -> Vec<Case> {
    let names = ["group", "approved", "questions", "rescue", "interrupted", "outputs", "turn-back"];
    let case = |name: &str| Case {
        name: name.to_owned(),
        plan: planned(&beside, name, &[], &Model::default()),
        model: Model::default(),
    };
    names.into_iter().map(case).collect()
}

/// Something to do on every host.
pub fn next() -> Plan {
    planned(&beside, "next", &[], &Model::default())
}

fn beside(name: &str) -> opsctl::base::Result<Runbook> {
    let text = match name {
        "group" => include_str!("runbooks/group.yaml"),
        "approved" => include_str!("runbooks/approved.yaml"),
        "questions" => include_str!("runbooks/questions.yaml"),
        "rescue" => include_str!("runbooks/rescue.yaml"),
        "mend" => include_str!("runbooks/mend.yaml"),
        "interrupted" => include_str!("runbooks/interrupted.yaml"),
        "outputs" => include_str!("runbooks/outputs.yaml"),
        "turn-back" => include_str!("runbooks/turn-back.yaml"),
        "next" => include_str!("runbooks/next.yaml"),
        other => panic!("there is no runbook `{other}`"),
    };
    Ok(Source::new(name, text).parse::<Runbook>().unwrap())
}
