//! Which steps a plan has, in which order: lists, included runbooks, rescues, conditions.

use super::*;
use crate::engine::catalog::Catalog;
use crate::model::backups::Backups;
use crate::model::param::ParamType;

#[test]
fn a_step_is_done_for_each_item_under_a_name_of_its_own() {
    let plan = steps(
        r#"
  - id: restart
    title: "Restart {{ item }}"
    for_each: "{{ service.instances }}"
    parallel: 2
    max_failures: 1
    when: item.via == 'host'
    do: { compose.restart: { project: "{{ item.project }}", service: "{{ item }}" } }
  - { id: say, title: Say, for_each: "{{ ['a b', 7] }}", on: app, do: { command: { shell: "echo {{ item }}" } } }
  - { id: never, title: Never, for_each: "{{ [] }}", on: app, do: { command: { argv: [id] } } }
"#,
    )
    .plan();
    assert_eq!(
        lines(&plan),
        [
            "restart[argus-1] @app: cd /opt/opareta && docker compose -f prod.yml restart argus-1",
            "restart[argus-2] @-: later",
            "say[a b] @app: echo 'a b'",
            "say[7] @app: echo 7",
        ]
    );
    assert_eq!(plan.steps[0].title, "Restart argus-1");
    let group = plan.steps[1].group.as_ref().unwrap();
    assert_eq!((group.of.as_str(), group.parallel, group.max_failures), ("restart", 2, 1));
    let Some(When::Fixed { holds: false, .. }) = plan.steps[1].when else { panic!("it is not done") };
}

const CHILD: &str = r#"
runbook: child
title: Child
risk: disruptive
params:
  instance: { type: instance }
steps:
  - { id: look, title: Look, do: { container.inspect: { project: "{{ instance.project }}", service: "{{ instance }}" } }, outputs: { n: { value: "containers | length" } } }
  - { id: act, title: Act, when: outputs.look.n == 1, on: "{{ instance.host }}", do: { command: { argv: [act, "{{ outputs.look.n }}"] } } }
"#;

#[test]
fn an_included_runbook_is_put_in_place_and_sees_its_own_outputs() {
    let main = r#"
runbook: main
title: Main
risk: disruptive
params: { service: { type: service, default: argus } }
steps:
  - id: all
    title: All
    for_each: "{{ service.instances }}"
    when: service.database
    do: { runbook: { name: child, with: { instance: "{{ item }}" } } }
"#;
    let plan = scene(&[main, CHILD]).plan();
    let keys: Vec<_> = plan.steps.iter().map(|step| step.key.as_str()).collect();
    assert_eq!(keys, ["all[argus-1]/look", "all[argus-1]/act", "all[argus-2]/look", "all[argus-2]/act"]);
    assert!(plan.steps.iter().all(|step| step.group.is_none() && step.when.is_some()));

    let given = |n: u32| serde_json::from_value(json!({ "n": n })).unwrap();
    let (one, two) = (given(1), given(2));
    let outputs = Outputs::of([(&plan.steps[0].key, &one), (&plan.steps[2].key, &two)]);
    let holds = |step: &PlannedStep| deferred::holds(step.when.as_ref().unwrap(), &outputs);
    assert_eq!((holds(&plan.steps[1]), holds(&plan.steps[3])), (Ok(true), Ok(false)));
    let act = deferred::complete(&plan.steps[3].task, &outputs, plan.basis.site()).unwrap();
    assert_eq!(act.to_string(), "act 2");
}

#[test]
fn a_failing_step_leads_to_the_steps_that_mend_it_item_by_item() {
    let main = r#"
runbook: main
title: Main
risk: disruptive
params: { service: { type: service, default: argus } }
steps:
  - id: up
    title: Up
    for_each: "{{ service.instances }}"
    do: { container.health: { project: "{{ item.project }}", service: "{{ item }}" } }
    on_failure: { run: mend, with: { instance: "{{ item }}" } }
"#;
    let mend = r#"
runbook: mend
title: Mend
risk: disruptive
params: { instance: { type: instance } }
steps:
  - id: restart
    title: Restart
    do: { compose.restart: { project: opareta, service: "{{ instance }}" } }
    on_failure: { run: last }
"#;
    let last = "runbook: last\ntitle: L\nrisk: disruptive\nsteps: [{ id: ask, title: Ask, do: { approve: { question: 'x?' } } }]";
    let plan = scene(&[main, mend, last]).plan();
    let mends: Vec<_> = plan
        .steps
        .iter()
        .map(|step| (step.key.as_str(), step.rescues.as_ref().map_or("", |mended| mended.as_str())))
        .collect();
    assert_eq!(
        mends,
        [
            ("up[argus-1]", ""),
            ("up[argus-1]/restart", "up[argus-1]"),
            ("up[argus-1]/restart/ask", "up[argus-1]/restart"),
            ("up[argus-2]", ""),
            ("up[argus-2]/restart", "up[argus-2]"),
            ("up[argus-2]/restart/ask", "up[argus-2]/restart"),
        ]
    );
    assert_eq!(plan.steps[0].on_failure, PlannedFailure::Rescue);
    assert_eq!(plan.steps[2].on_failure, PlannedFailure::Halt);
}

#[test]
fn a_step_whose_condition_is_false_needs_nothing_of_what_it_would_use() {
    let plan = steps(
        r#"
  - { id: cache, title: "Ping {{ service }}", when: service.cache, do: { redis.ping: { cache: "{{ service.cache }}" } }, on_failure: { run: gone } }
  - { id: each, title: "Each {{ item }}", when: service.cache, for_each: "{{ inventory.caches[service.cache].list }}", do: { runbook: { name: gone } } }
"#,
    )
    .plan();
    assert_eq!(lines(&plan), ["cache @-: later", "each @-: later"]);
    assert_eq!(plan.steps[0].title, "Ping argus");
    for step in &plan.steps {
        let when = When::Fixed { holds: false, text: "service.cache".to_owned() };
        assert_eq!((step.when.as_ref(), step.on_failure), (Some(&when), PlannedFailure::Halt));
    }
}

#[test]
fn every_built_in_runbook_can_be_planned() {
    let catalog = Catalog::open(None).unwrap();
    let mut scene = scene(&[]);
    scene.inventory.caches = serde_yaml::from_str("{ redis: { project: opareta, service: redis } }").unwrap();
    let backups: Option<Backups> = serde_yaml::from_str("{ directory: /srv, keep: 7 }").unwrap();
    scene.inventory.caches.values_mut().for_each(|cache| cache.backups.clone_from(&backups));
    scene.inventory.databases.values_mut().for_each(|database| database.backups.clone_from(&backups));
    scene.inventory.certificates =
        serde_yaml::from_str("{ www: { project: opareta, service: nginx, renew: [renew] } }").unwrap();
    let mut spare = scene.inventory.hosts["app"].clone();
    scene.facts.hosts.insert("spare".to_owned(), scene.facts.hosts["app"].clone());
    scene.inventory.hosts["app"].standby = Some("spare".to_owned());
    scene.inventory.databases.values_mut().for_each(|database| database.replica = true);
    spare.address = "ssh://spare".parse().unwrap();
    scene.inventory.hosts.insert("spare".to_owned(), spare);
    scene.runbooks = catalog.names().map(|name| catalog.get(name).unwrap().runbook).collect();
    for _ in 0..scene.runbooks.len() {
        scene.runbooks.rotate_left(1);
        let required = scene.runbooks[0].params.iter().filter(|(_, param)| param.default.is_none());
        let given = required.map(|(name, param)| {
            let value = match param.kind {
                ParamType::Instance | ParamType::Instances => "argus-1",
                ParamType::Cache => "redis",
                ParamType::Certificate => "www",
                ParamType::Project => "opareta",
                ParamType::Host => "app",
                ParamType::Backup => "/srv/argus.dump",
                ParamType::String if name == "kept" => "argus_db_until_1",
                _ => "argus",
            };
            (name.clone(), json!(value))
        });
        scene.given = given.collect();
        assert!(!scene.plan().steps.is_empty(), "{}", scene.runbooks[0].runbook);
    }
}
