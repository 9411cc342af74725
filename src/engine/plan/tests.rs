use serde_json::json;

use super::*;
use crate::base::error::Kind;
use crate::engine::deferred::{self, Outputs};
use crate::model::facts::{Facts, HostFacts, ProjectFacts};
use crate::model::inventory::Inventory;
use crate::model::operation::Operation;
use crate::model::param;
use crate::model::plan::{Form, PlannedFailure, PlannedUndo, When};
use crate::model::runbook::OnInterrupted;
use crate::model::touched::Touched;

mod order;
mod refused;
mod touches;

const SITE: &str = r#"
name: opareta
hosts:
  app: { address: "ssh://deploy@203.0.113.10" }
  monitor: { address: "ssh://deploy@203.0.113.11" }
projects:
  opareta: { host: app, directory: /opt/opareta, files: [prod.yml] }
  watch: { host: monitor, directory: /opt/watch }
  spare: { host: app, directory: /opt/spare }
services:
  argus:
    project: opareta
    instances:
      argus-1: { health: "http://localhost:3001/health" }
      argus-2: { health: "http://localhost:3002/health", via: here }
    database: argus
databases:
  argus: { engine: postgres, project: opareta, service: postgres-argus, user: argus, name: argus_db }
"#;

/// A site, and what can be planned on it.
struct Scene {
    inventory: Inventory,
    facts: Facts,
    /// The first is planned, with these values of its parameters.
    runbooks: Vec<Runbook>,
    given: Map<String, Value>,
}

fn scene(runbooks: &[&str]) -> Scene {
    let compose = |words: &[&str]| HostFacts { compose: words.iter().map(|&word| word.to_owned()).collect() };
    let project = |name: &str| {
        (name.to_owned(), ProjectFacts { name: format!("{name}_prod"), ..ProjectFacts::default() })
    };
    Scene {
        inventory: serde_yaml::from_str(SITE).unwrap(),
        facts: Facts {
            hosts: [
                ("app".to_owned(), compose(&["docker", "compose"])),
                ("monitor".to_owned(), compose(&["docker-compose"])),
            ]
            .into(),
            projects: [project("opareta"), project("watch"), project("spare")].into(),
            ..Facts::default()
        },
        runbooks: runbooks.iter().map(|text| serde_yaml::from_str(text).unwrap()).collect(),
        given: Map::new(),
    }
}

/// A runbook of these steps, with the parameters `service` and `version`.
fn steps(steps: &str) -> Scene {
    let head = "runbook: main\ntitle: Main\nrisk: disruptive\nparams:\n  service: { type: service, default: argus }\n  \
                version: { type: version, default: v1 }\n";
    scene(&[&format!("{head}steps:\n{steps}")])
}

impl Scene {
    fn with<T>(&self, ask: impl FnOnce(Find<'_>, Request<'_>) -> T) -> T {
        let find = |name: &str| {
            let found = self.runbooks.iter().find(|runbook| runbook.runbook == name);
            found.cloned().ok_or_else(|| Error::invalid(format!("there is no runbook `{name}`")))
        };
        let runbook = &self.runbooks[0];
        let params = param::bind(&runbook.params, self.given.clone(), &self.inventory).unwrap();
        let site =
            Site { inventory: &seen_by(runbook, &params, &self.inventory).unwrap(), facts: &self.facts };
        let inventory = "opsctl.yaml";
        ask(&find, Request { runbook, origin: "built-in", params: &params, inventory, site })
    }

    fn plan(&self) -> Plan {
        self.with(make).unwrap_or_else(|error| panic!("{error}"))
    }

    fn refusal(&self) -> Error {
        self.with(make).expect_err("it should have been refused")
    }
}

/// Each step as `key @host: what it does`.
fn lines(plan: &Plan) -> Vec<String> {
    let shown = |step: &PlannedStep| {
        let host = step.task.host.as_deref().unwrap_or("-");
        match &step.task.form {
            Form::Ready(operation) => format!("{} @{host}: {operation}", step.key),
            Form::Deferred { .. } => format!("{} @{host}: later", step.key),
        }
    };
    plan.steps.iter().map(shown).collect()
}

fn operation(task: &Task) -> String {
    match &task.form {
        Form::Ready(operation) => operation.to_string(),
        Form::Deferred { .. } => panic!("it is not ready"),
    }
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let scene =
        steps("  - { id: a, title: A, for_each: \"{{ service.instances }}\", do: { wait: { for: 1s } } }");
    assert_eq!(scene.plan().to_bytes(), scene.plan().to_bytes());
    assert_eq!(scene.plan().digest(), scene.plan().digest());
    let read: Plan = serde_json::from_slice(&scene.plan().to_bytes()).unwrap();
    assert_eq!(read, scene.plan());
}

#[test]
fn a_plan_names_its_parameters_and_only_the_hosts_that_it_uses() {
    let plan =
        steps("  - { id: a, title: A, on: \"{{ service.host }}\", do: { command: { argv: [id] } } }").plan();
    assert_eq!(Value::Object(plan.params), json!({ "service": "argus", "version": "v1" }));
    assert_eq!(plan.hosts.keys().collect::<Vec<_>>(), ["app"]);
}

#[test]
fn a_host_is_what_the_step_says_or_where_the_thing_is_or_nobody() {
    let plan = steps(
        r#"
  - { id: said, title: A, on: monitor, do: { command: { shell: "echo {{ version }}" } } }
  - { id: found, title: A, do: { postgres.ready: { database: "{{ service.database }}" } } }
  - { id: none, title: A, do: { approve: { question: "go on with {{ service }}?" } } }
  - { id: here, title: A, do: { http.get: { url: "http://example.org/", via: here } } }
"#,
    )
    .plan();
    assert_eq!(
        lines(&plan),
        [
            "said @monitor: echo v1",
            "found @app: docker compose -f prod.yml exec -T postgres-argus pg_isready -h 127.0.0.1 -U argus -d argus_db -t 3",
            "none @-: ask: go on with argus?",
            "here @-: GET http://example.org/ (from here)",
        ]
    );
}

#[test]
fn a_check_and_an_undo_are_on_their_own_host_or_else_on_the_steps() {
    let plan = steps(
        r#"
  - id: a
    title: A
    on: monitor
    do: { command: { argv: [reload] } }
    undo: { command: { argv: [unload] } }
    done_when: { http.get: { url: "http://localhost/" } }
    expect:
      - { postgres.ready: { database: argus }, within: 10s }
      - { http.get: { url: "http://localhost/" }, on: app, that: "json.version == {{ version }}" }
  - { id: b, title: B, on: monitor, do: { wait: { until: { tcp.connect: { address: localhost, port: 80 }, within: 5s } } } }
"#,
    )
    .plan();
    let step = &plan.steps[0];
    let hosts: Vec<_> = tasks(step).map(|task| task.host.as_deref().unwrap()).collect();
    assert_eq!(hosts, ["monitor", "monitor", "monitor", "app", "app"]);
    assert_eq!(step.expect[1].that.as_deref(), Some("json.version == \"v1\""));
    let until = &plan.steps[1].expect[0];
    assert_eq!((plan.steps[1].task.host.as_deref(), until.task.host.as_deref()), (None, Some("monitor")));
    assert_eq!(operation(&until.task), "connect to localhost:80");
}

#[test]
fn what_is_not_known_to_be_repeatable_is_probed_or_asked_about_after_an_interruption() {
    let plan = steps(
        r#"
  - { id: reads, title: A, on: app, do: { command: { argv: [id], reads: true } } }
  - { id: ensures, title: A, do: { compose.restart: { project: opareta, service: argus-1 } } }
  - { id: probed, title: A, on: app, do: { command: { argv: [a] } }, done_when: { http.get: { url: "http://localhost/" } } }
  - { id: asked, title: A, on: app, do: { command: { argv: [a] } } }
  - { id: said, title: A, on: app, do: { command: { argv: [a] } }, on_interrupted: rerun }
"#,
    )
    .plan();
    let rules: Vec<_> = plan.steps.iter().map(|step| step.on_interrupted).collect();
    let expected = [
        OnInterrupted::Rerun,
        OnInterrupted::Rerun,
        OnInterrupted::Probe,
        OnInterrupted::Ask,
        OnInterrupted::Rerun,
    ];
    assert_eq!(rules, expected);
}

#[test]
fn the_point_of_no_return_and_its_question_are_in_the_plan() {
    let plan = steps(
        "  - { id: a, title: A, on: app, irreversible: true, approve: \"drop {{ service }}?\", do: { command: { argv: [drop] } } }",
    )
    .plan();
    assert_eq!(plan.steps[0].undo, PlannedUndo::Irreversible);
    assert_eq!(plan.steps[0].approve.as_deref(), Some("drop argus?"));
}

const LOOK: &str = r#"
  - id: look
    title: Look
    on: app
    do: { command: { argv: [cat, /etc/version], reads: true } }
    outputs: { version: { first: 1 } }
"#;

#[test]
fn what_uses_an_output_waits_for_it_with_everything_else_at_hand() {
    let rest = r#"
  - id: say
    title: Say
    on: monitor
    when: outputs.look.version != version
    do: { command: { shell: "echo {{ outputs.look.version }} {{ service }}" } }
    expect:
      - { http.get: { url: "http://localhost/" }, that: "json.version == {{ outputs.look.version }}" }
  - { id: sure, title: Sure, do: { assert: { that: "outputs.look.version == 'v 2'", message: it came } } }
"#;
    let plan = steps(&format!("{LOOK}{rest}")).plan();
    assert_eq!(lines(&plan)[1..], ["say @monitor: later", "sure @-: later"]);
    let say = &plan.steps[1];
    let Form::Deferred { scope, .. } = &say.task.form else { panic!("it should wait") };
    assert_eq!(scope.keys().collect::<Vec<_>>(), ["service"]);

    let given = serde_json::from_value(json!({ "version": "v 2" })).unwrap();
    let outputs = Outputs::of([(&plan.steps[0].key, &given)]);
    let site = plan.basis.site();
    let said = deferred::complete(&say.task, &outputs, site).unwrap();
    assert_eq!(said.to_string(), "echo 'v 2' argus");
    assert_eq!(deferred::holds(say.when.as_ref().unwrap(), &outputs), Ok(true));
    let (_, that) = deferred::complete_check(&say.expect[0], &outputs, site).unwrap();
    assert_eq!(that.as_deref(), Some("json.version == \"v 2\""));
    let sure = deferred::complete(&plan.steps[2].task, &outputs, site).unwrap();
    assert!(matches!(sure, Operation::Assert { holds: true, .. }));

    let missing = deferred::complete(&say.task, &Outputs::default(), site);
    assert_eq!(missing, Err("`shell`: `outputs` has no `look`".to_owned()));
}

#[test]
fn an_output_cannot_move_a_step_to_another_host() {
    let rest = r#"
  - id: go
    title: Go
    on: app
    do: { compose.ps: { project: "{{ outputs.look.version }}" } }
"#;
    let plan = steps(&format!("{LOOK}{rest}")).plan();
    let complete = |project: &str| {
        let given = serde_json::from_value(json!({ "version": project })).unwrap();
        let outputs = Outputs::of([(&plan.steps[0].key, &given)]);
        deferred::complete(&plan.steps[1].task, &outputs, plan.basis.site())
    };
    assert!(complete("opareta").is_ok());
    assert_eq!(complete("watch"), Err("it came out for host `monitor`, planned was `app`".to_owned()));
}

#[test]
fn only_what_the_plan_uses_has_to_be_asked_for() {
    let needs = |text: &str| steps(text).with(needs).unwrap();
    let set = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>();
    let command = needs("  - { id: a, title: A, on: monitor, do: { command: { argv: [docker-compose] } } }");
    assert_eq!(command, Needs { hosts: set(&["monitor"]), ..Needs::default() });
    let restart = needs("  - { id: a, title: A, do: { compose.restart: { project: opareta, service: x } } }");
    let projects = set(&["opareta"]);
    let containers = vec![Touched { project: "opareta".to_owned(), services: set(&["x"]) }];
    assert_eq!(restart, Needs { hosts: set(&["app"]), compose: set(&["app"]), projects, containers });
    let ready = needs("  - { id: a, title: A, do: { postgres.ready: { database: argus } } }");
    let projects = set(&["opareta"]);
    let (hosts, compose) = (set(&["app"]), set(&["app"]));
    assert_eq!(ready, Needs { hosts, compose, projects, ..Needs::default() });
    let later = needs(&format!(
        "{LOOK}  - {{ id: a, title: A, on: app, do: {{ compose.ps: {{ project: \"{{{{ outputs.look.version }}}}\" }} }} }}"
    ));
    assert_eq!(later.projects, set(&["opareta", "spare"]));
}
