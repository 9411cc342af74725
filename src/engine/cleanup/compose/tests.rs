//! The procedure of a cleanup: what is in it and in which order, that it passes its own check, and that it can be planned.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::Value;

use super::{of_step, params, runbook, written};
use crate::engine::catalog::{Catalog, Entry, Origin};
use crate::engine::lint::{self, Spec};
use crate::engine::plan::{self, Request};
use crate::model::clutter::contents::{Disk, Room};
use crate::model::clutter::judge::judge;
use crate::model::clutter::survey::{Fate, Item, Kind, Reason, Share, Survey};
use crate::model::clutter::world::{World, any_world, id};
use crate::model::facts::{Facts, HostFacts, ProjectFacts, Site};
use crate::model::inventory::Inventory;
use crate::model::plan::Plan;
use crate::model::runbook::Runbook;
use crate::model::source::Source;

const SITE: &str = r#"name: opareta
hosts: { app: { address: local }, other: { address: local } }
projects: { shop: { host: app, directory: /opt/shop }, far: { host: other, directory: /opt/far } }
services:
  argus: { project: shop, instances: { argus-1: { health: "http://localhost:1/" }, argus-2: { health: "http://localhost:2/" } } }
  hermes: { project: shop, instances: { hermes-1: { health: "http://localhost:3/" } } }
  far: { project: far, instances: { far-1: { health: "http://localhost:4/" } } }
databases:
  x: { engine: postgres, project: shop, service: x, user: x, name: x, backups: { directory: /b, keep: 1 } }
  y: { engine: postgres, project: shop, service: y, user: y, name: y, backups: { directory: /b, keep: 1 } }
caches: { x: { project: shop, service: redis, backups: { directory: /b, keep: 1 } } }
endpoints: { nginx: { host: app, health: "http://localhost/health" }, far: { host: other, health: "http://localhost/health" } }
"#;

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::open(None).unwrap());
static SPECS: LazyLock<Vec<Spec>> = LazyLock::new(Spec::all);

fn inventory() -> Inventory {
    Inventory::read(&Source::new("opsctl.yaml", SITE)).unwrap()
}

fn disk(mount: &str, used: u64) -> Share {
    let bytes = Room { used, free: 1000 - used };
    let disk = Disk { mount: mount.to_owned(), bytes, inodes: None };
    Share { disk, wanted: inventory().cleanup.until_free }
}

fn item(kind: Kind, name: &str, mount: &str, bytes: u64) -> Item {
    let id = matches!(kind, Kind::Container | Kind::ContainerLog | Kind::Network).then(|| "c".repeat(64));
    Item { id, bytes, files: 3, ..Item::new(kind, name, mount, Fate::Goes) }
}

fn image(name: &str, number: usize, fate: Fate) -> Item {
    let kind = if name.contains(':') { Kind::Image } else { Kind::DanglingImage };
    let names = if kind == Kind::Image { vec![name.to_owned()] } else { vec![] };
    Item { id: Some(id(number)), names, bytes: 5 << 20, ..Item::new(kind, name, "/docker", fate) }
}

/// A host of which two disks lack room, with one thing of each kind and more.
fn survey(disks: Vec<Share>) -> Survey {
    let backup =
        |name: &str, of: &str| Item { of: Some(of.to_owned()), ..item(Kind::Backup, name, "/", 2 << 30) };
    let log =
        Item { path: Some("/docker/x.log".to_owned()), ..item(Kind::ContainerLog, "db", "/docker", 7 << 20) };
    Survey {
        at: "2026-11-27T12:00:00Z".parse().unwrap(),
        disks,
        items: vec![
            item(Kind::Builds, "build cache", "/docker", 3 << 30),
            item(Kind::Container, "job", "/docker", 4096),
            image("e5", 5, Fate::Goes),
            image("r/argus:v1", 1, Fate::Goes),
            image("r/argus:v2", 2, Fate::Goes),
            image("r/argus:v3", 3, Fate::Stays(Reason::Release("argus".to_owned()))),
            image("r/other:v1", 4, Fate::Stays(Reason::Young)),
            item(Kind::RotatedLogs, "/var/log", "/", 1 << 20),
            log,
            item(Kind::Journal, "/var/log/journal", "/", 1 << 20),
            item(Kind::Packages, "/var/cache/apt/archives", "/", 1 << 20),
            item(Kind::Temporary, "/tmp", "/", 1 << 20),
            item(Kind::Temporary, "/var/tmp", "/", 0),
            item(Kind::Temporary, "/docker/tmp", "/docker", 1 << 20),
            item(Kind::Temporary, "/data/tmp", "/data", 1 << 20),
            item(Kind::Network, "old", "/docker", 0),
            backup("/b/1", "database/x"),
            backup("/b/2", "database/x"),
            backup("/b/3", "cache/x"),
        ],
        held: Vec::new(),
        spare: vec!["/opt/shop".to_owned()],
        unseen: Vec::new(),
    }
}

fn short() -> Survey {
    survey(vec![disk("/", 900), disk("/docker", 1000), disk("/data", 500)])
}

fn ids(runbook: &Runbook) -> Vec<&str> {
    runbook.steps.iter().map(|step| step.id.as_str()).collect()
}

fn removing(runbook: &Runbook) -> Vec<&str> {
    ids(runbook).into_iter().filter(|id| of_step(id).is_some()).collect()
}

fn planned(runbook: &Runbook) -> Plan {
    let inventory = inventory();
    let mut facts = Facts::default();
    facts.hosts.insert("app".into(), HostFacts { compose: vec!["docker".into(), "compose".into()] });
    facts.projects.insert("shop".into(), ProjectFacts { name: "shop".into(), ..ProjectFacts::default() });
    let find = |name: &str| CATALOG.get(name).map(|entry| entry.runbook);
    let params = params(&inventory, "app");
    let site = Site { inventory: &inventory, facts: &facts };
    let request = Request { runbook, origin: "built-in", params: &params, inventory: "opsctl.yaml", site };
    plan::make(&find, request).unwrap_or_else(|error| panic!("{error}: {:?}", error.detail))
}

/// What is wrong with it, as `opsctl runbook check` says.
fn refused(survey: &Survey) -> Option<String> {
    let source = Source::new("cleanup-disk.yaml", format!("{:#}", written(survey, &inventory(), "app")));
    let entry = Entry { runbook: source.parse().unwrap(), source, origin: Origin::BuiltIn };
    let error = lint::refuse(&entry, &SPECS, &CATALOG).err()?;
    Some(format!("{error}\n{}", error.detail.clone().unwrap_or_default()))
}

#[test]
fn each_kind_is_a_step_in_order_and_a_full_disk_gets_a_little_first() {
    let runbook = runbook(&short(), &inventory(), "app");
    let steps: Vec<_> = runbook.steps.iter().map(|step| format!("{}: {}", step.id, step.title)).collect();
    insta::assert_snapshot!(steps.join("\n"));
    let first = &runbook.steps[1];
    assert_eq!(first.action.args["until_free"], "2%");
    assert_eq!(first.done_when.as_ref().unwrap().call.args["below"], 98);
    assert_eq!(refused(&short()), None);
}

#[test]
fn a_step_names_all_that_it_lets_go_of_and_what_it_must_not_touch() {
    let runbook = runbook(&short(), &inventory(), "app");
    let written: BTreeMap<&str, Value> = runbook
        .steps
        .iter()
        .filter(|step| of_step(&step.id).is_some() || ["kept", "room"].contains(&step.id.as_str()))
        .map(|step| (step.id.as_str(), serde_json::json!({ step.action.action.as_str(): step.action.args })))
        .collect();
    insta::assert_json_snapshot!(written);
}

#[test]
fn it_is_planned_on_its_host_and_ends_in_what_has_to_be_well() {
    let plan = planned(&runbook(&short(), &inventory(), "app"));
    let keys: Vec<_> = plan.steps.iter().map(|step| step.key.as_str()).collect();
    let from = keys.iter().position(|key| *key == "kept").unwrap();
    assert_eq!(
        keys[from..],
        [
            "kept",
            "databases[x]",
            "databases[y]",
            "caches[x]",
            "endpoints[nginx]",
            "serving[argus]/running[argus-1]",
            "serving[argus]/running[argus-2]",
            "serving[argus]/answers[argus-1]",
            "serving[argus]/answers[argus-2]",
            "serving[hermes]/running[hermes-1]",
            "serving[hermes]/answers[hermes-1]",
            "room",
            "room-2",
        ]
    );
    // A wait is nobody's; what it asks is.
    assert!(plan.steps.iter().all(|step| step.task.host.as_deref().is_none_or(|host| host == "app")));
    let again = planned(&runbook(&short(), &inventory(), "app"));
    assert_eq!(plan.digest(), again.digest());
}

#[test]
fn a_disk_that_has_room_is_left_alone() {
    let survey = survey(vec![disk("/", 799), disk("/docker", 500), disk("/data", 800)]);
    assert!(survey.disks[0].is_met() && !survey.disks[2].is_met());
    let runbook = runbook(&survey, &inventory(), "app");
    assert_eq!(removing(&runbook), ["temporary"]);
    let at = &runbook.steps.last().unwrap().action.args["until"]["disk.usage"]["at"];
    assert_eq!((ids(&runbook).last(), at), (Some(&"room"), &Value::from("/data")));
}

#[test]
fn what_gives_no_inode_is_left_where_only_inodes_are_short() {
    let no_inodes = |mount, used| {
        let mut share = disk(mount, used);
        share.disk.inodes = Some(Room { used: 1000, free: 0 });
        share
    };
    let of = |disk: Share| runbook(&survey(vec![disk]), &inventory(), "app");
    let only_inodes = of(no_inodes("/docker", 100));
    let expected =
        ["first-temporary", "builds", "containers", "dangling-images", "images", "temporary", "networks"];
    assert_eq!(removing(&only_inodes), expected);
    assert!(removing(&of(no_inodes("/docker", 900))).contains(&"container-logs"));
}

#[test]
fn a_step_is_known_by_its_id() {
    for (id, kind) in [
        ("builds", Some(Kind::Builds)),
        ("dangling-images-2", Some(Kind::DanglingImage)),
        ("first-container-logs-12", Some(Kind::ContainerLog)),
        ("images", Some(Kind::Image)),
        ("room-2", None),
        ("kept", None),
        ("volumes", None),
    ] {
        assert_eq!(of_step(id), kind, "{id}");
    }
}

/// Of each kind and filesystem, what a runbook names.
fn named(runbook: &Runbook) -> BTreeSet<(Kind, String, String)> {
    let mut named = BTreeSet::new();
    for step in &runbook.steps {
        let Some(kind) = of_step(&step.id) else { continue };
        let at = step.done_when.as_ref().unwrap().call.args["at"].as_str().unwrap().to_owned();
        let args = &step.action.args;
        let listed = ["containers", "images", "logs", "networks"].iter().find_map(|key| args.get(*key));
        let text = |value: &Value| value.as_str().unwrap().trim_matches(['{', '}', ' ', '"']).to_owned();
        match (listed, kind) {
            (Some(all), _) => {
                let ids = all
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|one| text(one.get("id").unwrap_or(&one["container"])));
                named.extend(ids.map(|id| (kind, at.clone(), id)));
            }
            (None, Kind::Backup) => {
                let (noun, name) = args.iter().next().unwrap();
                named.insert((kind, at, format!("{noun}/{}", text(name))));
            }
            (None, Kind::Builds) => {
                named.insert((kind, at, String::new()));
            }
            (None, _) => {
                named.insert((kind, at, text(&args["directory"])));
            }
        }
    }
    named
}

/// Of each kind and filesystem that lacks room, what goes by the survey.
fn goes(survey: &Survey) -> BTreeSet<(Kind, String, String)> {
    let gives = |share: &Share, item: &Item| {
        !share.is_met() && (!share.has_bytes() || !matches!(item.kind, Kind::ContainerLog | Kind::Journal))
    };
    let is_short =
        |item: &&Item| survey.disks.iter().any(|share| share.disk.mount == item.mount && gives(share, item));
    let going = survey.items.iter().filter(|item| item.goes()).filter(is_short);
    let named = |item: &Item| match item.kind {
        Kind::Backup => item.of.clone().unwrap(),
        Kind::Builds => String::new(),
        _ => item.id.clone().unwrap_or_else(|| item.name.trim_matches(['{', '}', ' ', '"']).to_owned()),
    };
    going.map(|item| (item.kind, item.mount.clone(), named(item))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_a_cleanup_names_is_exactly_what_the_survey_lets_go(world in any_world()) {
        let World { contents, terms, .. } = world;
        let survey = judge(&contents, &terms);
        let inventory = Inventory { cleanup: terms, ..inventory() };
        let composed = runbook(&survey, &inventory, "app");
        prop_assert_eq!(named(&composed), goes(&survey));
        let kinds: Vec<Kind> = composed.steps.iter().filter(|step| !step.id.starts_with("first-")).filter_map(|step| of_step(&step.id)).collect();
        prop_assert!(kinds.is_sorted());
        prop_assert_eq!(&composed, &runbook(&survey, &inventory, "app"));
        prop_assert_eq!(refused(&survey), None);
        planned(&composed);
    }
}
