use schemars::JsonSchema;

use super::*;
use crate::action::registry;
use crate::base::amount::Span;
use crate::engine::catalog::Origin;
use crate::model::operation::Via;
use crate::model::result::ResultKind;

/// The arguments of a few actions, as far as these tests need them.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code, reason = "read by derive alone")]
struct Restart {
    project: String,
    service: String,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code, reason = "read by derive alone")]
struct Get {
    url: String,
    #[schemars(default)]
    timeout: Option<Span>,
    #[schemars(default)]
    via: Option<Via>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code, reason = "read by derive alone")]
struct Ready {
    database: String,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code, reason = "read by derive alone")]
struct Ping {
    cache: String,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code, reason = "read by derive alone")]
struct Look {
    project: String,
    service: Option<String>,
    /// How many of the last lines.
    tail: Option<u32>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code, reason = "read by derive alone")]
struct Run {
    argv: Option<Vec<String>>,
    shell: Option<String>,
    #[schemars(default)]
    reads: bool,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code, reason = "read by derive alone")]
struct Claim {
    that: String,
    message: String,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code, reason = "read by derive alone")]
struct Wait {
    r#for: Option<Span>,
    until: Option<Value>,
}

fn spec<A: JsonSchema>(name: &'static str, effect: fn(&Map<String, Value>) -> Effect) -> Spec {
    let field = |key: &str| if key == "that" { Field::Condition } else { Field::Template };
    let gives = registry::find(name).map_or(ResultKind::Command, |entry| entry.gives);
    Spec { name, gives, effect, schema: schemars::schema_for!(A).to_value(), field }
}

fn specs() -> Vec<Spec> {
    let reads: fn(&Map<String, Value>) -> Effect = |_| Effect::Reads;
    vec![
        spec::<Claim>("assert", reads),
        spec::<Run>("command", |args| match args.get("reads") {
            Some(Value::Bool(true)) => Effect::Reads,
            _ => Effect::Changes,
        }),
        spec::<Restart>("compose.restart", |_| Effect::Changes),
        spec::<Look>("container.inspect", reads),
        spec::<Look>("container.logs", reads),
        spec::<Look>("container.stats", reads),
        spec::<Get>("http.get", reads),
        spec::<Ready>("postgres.drop", |_| Effect::Destroys),
        spec::<Ready>("postgres.ready", reads),
        spec::<Ping>("redis.ping", reads),
        spec::<Wait>("wait", reads),
    ]
}

fn entry(text: &str) -> Entry {
    let source = Source::new("mine.yaml", text);
    Entry { runbook: source.parse().unwrap(), source, origin: Origin::BuiltIn }
}

fn catalog() -> Catalog {
    Catalog::open(None).unwrap()
}

fn shown(entry: &Entry, catalog: &Catalog) -> String {
    let mistakes = check(entry, &specs(), catalog).into_iter().map(|mistake| {
        let error = mistake.into_error(&entry.source);
        assert!(!error.hints.is_empty(), "{error} has no hint");
        format!(
            "error: {}\n{}\n{}\n",
            error.message,
            error.detail.unwrap_or_default(),
            error.hints.iter().map(|hint| format!("hint: {hint}\n")).collect::<String>()
        )
    });
    mistakes.collect()
}

const GOOD: &str = r#"runbook: mine
title: A runbook without a mistake
risk: disruptive
params:
  service: { type: service }
  mode: { type: choice, choices: [fast, safe], default: safe }
  careful: { type: boolean, default: true }
steps:
  - id: look
    title: Look at {{ service }}
    do: { container.logs: { project: "{{ service.project }}", tail: 100 } }
    outputs:
      errors: { count: "ERROR" }
  - id: restart
    title: Restart each
    when: mode == "safe" and outputs.look.errors > 0
    for_each: "{{ service.instances }}"
    on: "{{ item.host }}"
    do: { compose.restart: { project: "{{ service.project }}", service: "{{ item.name }}" } }
    expect:
      - { http.get: { url: "{{ item.health }}", timeout: 5s }, that: "status == 200", within: 60s, successes: 3 }
    undo: none
  - id: judge
    title: It was worth it
    do: { assert: { that: outputs.look.errors < 10, message: few errors were seen } }
    on_failure: { run: resources, with: { project: "{{ service.project }}" } }
"#;

/// What is written, and what is written in its place.
const MISTAKES: &[(&str, &str)] = &[
    // What takes effect.
    ("    undo: none\n", ""),
    ("    undo: none\n", "    undo: none\n    irreversible: true\n"),
    (
        "compose.restart: { project: \"{{ service.project }}\", service: \"{{ item.name }}\" }",
        "postgres.drop: { database: x }",
    ),
    ("risk: disruptive", "risk: read-only"),
    ("http.get: { url: \"{{ item.health }}\", timeout: 5s }", "command: { argv: [touch, x] }"),
    ("    undo: none\n", "    undo: none\n    on_interrupted: probe\n"),
    // Actions and arguments.
    ("compose.restart:", "compose.restrat:"),
    ("tail: 100", "tial: 100"),
    ("tail: 100", "tail: many"),
    ("tail: 100", "tail: -1"),
    ("timeout: 5s", "timeout: 5"),
    ("timeout: 5s", "timeout: soon"),
    ("timeout: 5s", "via: there"),
    (", service: \"{{ item.name }}\" }", " }"),
    ("undo: none", "undo: { compose.start: {} }"),
    ("assert: { that: outputs.look.errors < 10, message: few errors were seen }", "wait: {}"),
    (
        "assert: { that: outputs.look.errors < 10, message: few errors were seen }",
        "wait: { until: { redis.png: { cache: redis } } }",
    ),
    ("assert: { that: outputs.look.errors < 10, message: few errors were seen }", "command: { reads: true }"),
    // Names in templates.
    ("project: \"{{ service.project }}\", tail", "project: \"{{ servce.project }}\", tail"),
    ("project: \"{{ service.project }}\", tail", "project: \"{{ service.projet }}\", tail"),
    ("project: \"{{ service.project }}\", tail", "project: \"{{ item.project }}\", tail"),
    ("project: \"{{ service.project }}\", tail", "project: \"{{ outputs.restart.x }}\", tail"),
    ("project: \"{{ service.project }}\", tail", "project: \"{{ inventory.service.argus }}\", tail"),
    ("project: \"{{ service.project }}\", tail", "project: \"{{ service.project }\", tail"),
    ("item.health", "item.helth"),
    ("outputs.look.errors >", "outputs.look.error >"),
    ("outputs.look.errors >", "outputs.look.errors >>"),
    ("status == 200", "code == 200"),
    ("careful: {", "is-careful: {"),
    ("careful: {", "item: {"),
    ("title: Look at {{ service }}", "title: Look at {{ outputs.look.errors }}"),
    ("on: \"{{ item.host }}\"", "on: \"{{ outputs.look.errors }}\""),
    ("for_each: \"{{ service.instances }}\"", "for_each: service.instances"),
    ("when: mode == \"safe\" and outputs.look.errors > 0", "when: \"{{ careful }}\""),
    // Reach.
    ("when: mode == \"safe\" and outputs.look.errors > 0", "when: mode == \"sfae\" and careful"),
    ("when: mode == \"safe\" and outputs.look.errors > 0", "when: false"),
    ("when: mode == \"safe\" and outputs.look.errors > 0", "when: careful or not careful"),
    // Includes.
    ("run: resources", "run: resorces"),
    ("with: { project:", "with: { projet:"),
    ("run: resources", "run: mine"),
    ("on_failure: { run: resources", "on_failure: { run: \"{{ mode }}\""),
    (
        "assert: { that: outputs.look.errors < 10, message: few errors were seen }",
        "runbook: { name: resources, wiht: {} }",
    ),
    ("    undo: none\n", "    undo: { runbook: { name: resources } }\n"),
    ("http.get: { url: \"{{ item.health }}\", timeout: 5s }", "wait: { for: 5s }"),
    // The form of a step.
    ("id: judge", "id: look"),
    ("id: judge", "id: 1st judge"),
    ("title: It was worth it", "title: \"\""),
    ("successes: 3", "successes: 0"),
    (", within: 60s", ""),
    ("    undo: none\n", "    undo: none\n    parallel: 0\n"),
    ("    undo: none\n", "    undo: none\n    retry: { attempts: 0, backoff: 0.5 }\n"),
    (
        "      errors: { count: \"ERROR\" }\n",
        "      errors: { count: \"ERROR\" }\n    done_when: { redis.ping: { cache: x } }\n",
    ),
    ("    undo: none\n", "    undo: none\n    timeout: 0s\n"),
    ("    outputs:\n", "    parallel: 2\n    outputs:\n"),
    (
        "    undo: none\n",
        "    undo: none\n    parallel: 2\n    on_failure: { run: resources, with: { project: \"{{ service.project }}\" } }\n",
    ),
    ("count: \"ERROR\"", "count: \"ERR(OR\""),
    ("count: \"ERROR\"", "from: stdout"),
    ("count: \"ERROR\"", "count: \"ERROR\", first: 1"),
    ("count: \"ERROR\"", "pointer: $.errors"),
    ("count: \"ERROR\"", "value: lins - 1"),
    ("count: \"ERROR\"", "from: body, count: ERROR"),
    ("choices: [fast, safe], ", ""),
    ("default: safe", "default: slow"),
];

#[test]
fn a_runbook_without_a_mistake_passes() {
    assert_eq!(shown(&entry(GOOD), &catalog()), "");
}

#[test]
fn a_step_that_may_be_found_done_can_say_what_it_gave_for_the_record() {
    let recorded =
        "    undo: none\n    outputs: { said: { last: 1 } }\n    done_when: { redis.ping: { cache: x } }\n";
    assert_eq!(shown(&entry(&GOOD.replacen("    undo: none\n", recorded, 1)), &catalog()), "");
}

#[test]
fn every_mistake_is_found_at_its_place_with_its_mend() {
    let mut all = String::new();
    for (good, bad) in MISTAKES {
        assert!(GOOD.contains(good), "{good}");
        let shown = shown(&entry(&GOOD.replacen(good, bad, 1)), &catalog());
        assert!(!shown.is_empty(), "{bad}");
        all.push_str(&format!("# {} -> {}\n{shown}\n", good.trim_end(), bad.trim_end()));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn runbooks_that_include_each_other_are_refused_with_the_way_round() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("runbooks")).unwrap();
    for (name, next) in [("one", "two"), ("two", "three"), ("three", "one")] {
        let text = format!(
            "runbook: {name}\ntitle: t\nrisk: read-only\nsteps:\n  - id: a\n    title: t\n    do: {{ runbook: {{ name: {next} }} }}\n"
        );
        std::fs::write(folder.path().join(format!("runbooks/{name}.yaml")), text).unwrap();
    }
    let catalog = Catalog::open(Some(folder.path())).unwrap();
    let mistakes = check(&catalog.get("two").unwrap(), &specs(), &catalog);
    assert_eq!(mistakes.len(), 1);
    assert_eq!(mistakes[0].message, "this leads back here: two -> three -> one -> two");
}
