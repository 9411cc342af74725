//! What cannot be planned is refused in plain words that name the step.

use super::*;

/// What is said of a runbook with one step `a` of these fields.
fn told(fields: &str) -> String {
    let error = steps(&format!("  - {{ id: a, title: A, {fields} }}")).refusal();
    assert_eq!(error.kind, Kind::Invalid);
    error.message
}

#[test]
fn a_mistake_in_a_step_is_told_with_the_step_and_the_field() {
    for (fields, expected) in [
        ("do: { compose.rstart: {} }", "`compose.rstart`: there is no such action"),
        ("do: { compose.ps: { projct: x } }", "`compose.ps`: unknown field `projct`, expected `project`"),
        (
            "do: { compose.ps: { project: '{{ servce }}' } }",
            "`compose.ps`: `project`: there is no `servce` here",
        ),
        (
            "do: { compose.ps: { project: '{{ service.proj }}' } }",
            "`compose.ps`: `project`: `service` has no `proj`",
        ),
        ("do: { command: { argv: [id] } }", "`command`: no host is named: add `on: HOST`"),
        (
            "on: nowhere, do: { command: { argv: [id] } }",
            "`command`: there is no host `nowhere`: the inventory has `app`, `monitor`",
        ),
        (
            "on: monitor, do: { compose.ps: { project: opareta } }",
            "`compose.ps`: `on` says host `monitor`, but what the arguments name is on `app`",
        ),
        (
            "on: app, do: { command: { shell: \"echo '{{ version }}'\" } }",
            "`command`: `shell`: a value inside quotes",
        ),
        ("when: servce, do: { wait: { for: 1s } }", "`when`: there is no `servce` here"),
        (
            "when: '{{ version }}', do: { wait: { for: 1s } }",
            "`when`: `{{ version }}` is a condition already",
        ),
        ("for_each: '{{ version }}', do: { wait: { for: 1s } }", "`for_each`: `{{ version }}` is not a list"),
        (
            "for_each: '{{ outputs.x }}', do: { wait: { for: 1s } }",
            "`for_each`: it has to be known when the plan is made",
        ),
        ("parallel: 2, do: { wait: { for: 1s } }", "`parallel` and `max_failures` need `for_each`"),
        (
            "do: { wait: { until: { http.get: { url: 'http://localhost/' } } } }",
            "`wait`: `until` needs `within`",
        ),
        (
            "do: { wait: { until: { http.get: { url: 'http://localhost/' }, within: 1s } } }",
            "`until`: `http.get`: no host is named",
        ),
        (
            "do: { wait: { for: 1s } }, expect: [{ compose.restart: { project: opareta, service: x } }]",
            "`expect`: `compose.restart`: it may change something",
        ),
        (
            "do: { wait: { for: 1s } }, done_when: { approve: { question: 'x?' } }",
            "`done_when`: `approve`: it has no result",
        ),
        (
            "do: { wait: { for: 1s } }, expect: [{ postgres.ready: { database: argus }, that: 'status ==' }]",
            "`expect`: `that`: `status ==` cannot be read",
        ),
        (
            "do: { wait: { for: 1s } }, undo: { runbook: { name: x } }",
            "`undo`: `runbook`: a runbook can only be included",
        ),
        ("do: { wait: { for: 1s } }, on_interrupted: probe", "`on_interrupted: probe` needs a `done_when`"),
        (
            "do: { wait: { for: 1s } }, outputs: { x: { regex: '(' } }",
            "`outputs`: `x`: `(` is not a regular expression",
        ),
        ("do: { runbook: { name: nowhere } }", "runbook `nowhere`: there is no runbook `nowhere`"),
        (
            "do: { runbook: { name: main } }, retry: { attempts: 2 }",
            "`retry` says nothing about a whole runbook",
        ),
    ] {
        let message = told(fields);
        assert!(message.starts_with(&format!("step `a`: {expected}")), "{fields}: {message}");
    }
}

#[test]
fn a_runbook_that_includes_itself_is_shown_with_the_way_round() {
    let include = |name: &str, other: &str| {
        format!(
            "runbook: {name}\ntitle: T\nrisk: disruptive\nsteps: [{{ id: go, title: T, do: {{ runbook: {{ name: {other} }} }} }}]"
        )
    };
    let error = scene(&[&include("a", "b"), &include("b", "a")]).refusal();
    assert_eq!(error.to_string(), "runbook `a` leads back to itself: a -> b -> a");
}

#[test]
fn parameters_of_an_included_runbook_are_checked_and_the_valid_ones_listed() {
    let main = "runbook: a\ntitle: T\nrisk: disruptive\nsteps: [{ id: go, title: T, do: { runbook: { name: b, with: { host: ap } } } }]";
    let other = "runbook: b\ntitle: T\nrisk: disruptive\nparams: { host: { type: host } }\nsteps: []";
    let error = scene(&[main, other]).refusal();
    assert_eq!(error.message, "step `go`: runbook `b`: `host`: there is no host `ap` in the inventory");
    assert_eq!(error.hints[0], "did you mean `app`?");
}

#[test]
fn two_items_of_one_name_are_refused() {
    let error =
        steps("  - { id: a, title: A, for_each: \"{{ ['x', 'x'] }}\", do: { wait: { for: 1s } } }").refusal();
    assert_eq!(error.message, "two steps of `main` are called `a[x]`");
}
