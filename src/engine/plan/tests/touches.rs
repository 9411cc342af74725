//! Which containers a plan's approval stands on.

use super::{LOOK, Plan, steps};
use crate::model::touched::Touched;

/// Each as `project: services`.
fn shown(touches: &[Touched]) -> Vec<String> {
    let shown = |touched: &Touched| {
        let services: Vec<_> = touched.services.iter().map(String::as_str).collect();
        format!("{}: {}", touched.project, services.join(" ")).trim_end().to_owned()
    };
    touches.iter().map(shown).collect()
}

fn each(plan: &Plan) -> Vec<String> {
    plan.steps.iter().flat_map(|step| shown(&step.touches)).collect()
}

#[test]
fn what_changes_something_touches_the_services_that_it_names_or_else_the_whole_project() {
    let plan = steps(
        r#"
  - { id: one, title: A, do: { compose.restart: { project: opareta, service: argus-1 } } }
  - { id: two, title: A, do: { compose.stop: { project: opareta, service: [argus-1, argus-2] } } }
  - { id: all, title: A, do: { compose.up: { project: watch } } }
  - { id: deps, title: A, do: { compose.up: { project: watch, service: grafana, no_deps: false } } }
  - { id: exec, title: A, do: { container.exec: { project: opareta, service: nginx, argv: [nginx, -s, reload] } } }
"#,
    )
    .plan();
    assert_eq!(
        each(&plan),
        ["opareta: argus-1", "opareta: argus-1 argus-2", "watch:", "watch:", "opareta: nginx"]
    );
    assert_eq!(shown(&plan.touches()), ["opareta: argus-1 argus-2 nginx", "watch:"]);
}

#[test]
fn what_only_looks_and_what_names_no_project_touches_no_container() {
    let plan = steps(
        r#"
  - { id: looks, title: A, do: { container.inspect: { project: opareta, service: argus-1 } } }
  - { id: reads, title: A, do: { container.exec: { project: opareta, service: nginx, argv: [id], reads: true } } }
  - { id: any, title: A, on: app, do: { command: { argv: [docker, restart, argus-1] } } }
  - { id: never, title: A, when: "false", do: { compose.up: { project: opareta } } }
"#,
    )
    .plan();
    assert_eq!(each(&plan), [""; 0]);
}

#[test]
fn an_undo_counts_to_its_step() {
    let plan = steps(
        r#"
  - id: swap
    title: A
    do: { compose.stop: { project: opareta, service: argus-1 } }
    undo: { compose.start: { project: opareta, service: [argus-1, redis] } }
"#,
    )
    .plan();
    assert_eq!(each(&plan), ["opareta: argus-1 redis"]);
}

#[test]
fn what_comes_out_later_may_be_any_service_or_any_project_of_the_host() {
    let rest = r#"
  - { id: known, title: A, do: { compose.restart: { project: opareta, service: argus-1, timeout: "{{ outputs.look.version }}" } } }
  - { id: service, title: A, do: { compose.restart: { project: opareta, service: "{{ outputs.look.version }}" } } }
  - { id: project, title: A, on: app, do: { compose.restart: { project: "{{ outputs.look.version }}", service: x } } }
"#;
    let plan = steps(&format!("{LOOK}{rest}")).plan();
    assert_eq!(each(&plan), ["opareta: argus-1", "opareta:", "opareta:", "spare:"]);
}

#[test]
fn a_plan_of_before_there_were_such_facts_still_loads_and_stands_on_nothing() {
    let plan =
        steps("  - { id: a, title: A, do: { compose.restart: { project: opareta, service: x } } }").plan();
    let mut older = serde_json::to_value(&plan).unwrap();
    let step = older["steps"][0].as_object_mut().unwrap();
    assert!(step.remove("touches").is_some());
    assert_eq!(older["basis"]["facts"].get("containers"), None, "nothing was read, nothing is written");
    let older: Plan = serde_json::from_value(older).unwrap();
    assert!(older.touches().is_empty() && older.basis.facts.containers.is_empty());
}
