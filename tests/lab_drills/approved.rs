//! Somebody replaces a container by hand between an approval and what was approved.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};

use serde_json::Value;

use crate::site::{Altered, Site, Way, text};

/// What the runbooks wait for: without it they halt.
const GO: &str = "/tmp/opsctl-drill-go";

fn go(site: &Site) -> Altered<'_> {
    site.altered(&format!("touch {GO}"), &format!("rm -f {GO}"))
}

fn runbook(steps: &str) -> String {
    format!(
        "runbook: careful\ntitle: A restart that somebody has to agree to\nrisk: disruptive\nsteps:\n{steps}\n  \
         - {{ id: argus, title: Restart it, do: {{ compose.restart: {{ project: opareta, service: argus-1 }} }}, \
         approve: Is argus-1 drained?, undo: none }}\n"
    )
}

fn gate() -> String {
    let check = format!("test -e {GO}");
    format!("  - {{ id: gate, title: Wait, on: app, do: {{ command: {{ shell: {check}, reads: true }} }} }}")
}

/// By hand: the same service in another container.
fn replace(site: &Site, service: &str) {
    let label = |name: &str| {
        format!(
            "$(docker inspect -f '{{{{index .Config.Labels \"com.docker.compose.project.{name}\"}}}}' $id)"
        )
    };
    site.on_host(&format!(
        "id=$(docker ps -aqf label=com.docker.compose.service={service}) && cd {} && \
         docker compose -f {} up -d --no-deps --force-recreate --wait {service} 2>&1",
        label("working_dir"),
        label("config_files"),
    ));
}

/// As much of a container's id as is shown.
fn id(site: &Site, service: &str) -> String {
    site.containers()[service][..12].to_owned()
}

#[track_caller]
fn ends(site: &Site, arguments: &[&str], code: i32) -> String {
    let output = site.run(arguments);
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    said
}

fn plan_lapses(way: Way) {
    let site = Site::take(way);
    site.runbook("careful", &runbook(&gate()));
    let then = id(&site, "argus-1");
    let said = ends(&site, &["run", "careful", "--yes"], 10);
    assert!(said.contains("approval is bound to 1 container on app"), "{said}");
    replace(&site, "argus-1");
    let (now, before) = (id(&site, "argus-1"), site.containers());
    assert_ne!(then, now, "nothing was replaced");
    let _go = go(&site);
    let said = ends(&site, &["resume", "latest"], 4);
    assert!(said.contains(&then) && said.contains(&now) && said.contains("opsctl plan careful"), "{said}");
    assert_eq!(site.containers(), before, "a container was touched");
    let runs: Value = serde_json::from_slice(&site.run(&["runs", "list", "--json"]).stdout).unwrap();
    assert_eq!(runs[0]["state"], "abandoned", "{runs}");
    // Seen again, and approved on what is there now.
    ends(&site, &["run", "careful", "--yes"], 0);
    assert_ne!(site.containers()["argus-1"], before["argus-1"]);
}

/// Reads lines of JSON up to the one that is looked for.
#[track_caller]
fn until(lines: &mut Lines<BufReader<ChildStdout>>, what: &str, is_it: impl Fn(&Value) -> bool) {
    let mut told = lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap());
    assert!(told.any(|line: Value| is_it(&line)), "it ended before this: {what}");
}

fn told(child: &mut Child) -> Lines<BufReader<ChildStdout>> {
    BufReader::new(child.stdout.take().unwrap()).lines()
}

/// A run that was approved waits for its host, which another one has; meanwhile the container is replaced.
fn plan_lapses_while_it_waits(way: Way) {
    let site = Site::take(way);
    let hold = format!("until test -e {GO}; do sleep 0.1; done");
    site.runbook(
        "hold",
        &format!(
            "runbook: hold\ntitle: Hold the host\nrisk: disruptive\nsteps:\n  \
             - {{ id: hold, title: Hold it, on: app, do: {{ command: {{ shell: {hold:?} }} }}, undo: none }}\n"
        ),
    );
    site.runbook("careful", &runbook(&gate()));
    let start = |arguments: &[&str]| {
        site.opsctl(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
    };
    let mut first = start(&["run", "hold", "--yes", "--json"]);
    let mut lines = told(&mut first);
    until(&mut lines, "it has the host", |line| line["type"] == "lease_taken");
    let mut second = start(&["run", "careful", "--yes", "--json", "--lock-wait", "120s"]);
    let mut its_lines = told(&mut second);
    until(&mut its_lines, "it waits for the host", |line| line["kind"] == "waiting");
    replace(&site, "argus-1");
    let before = site.containers();
    let _go = go(&site);
    until(&mut its_lines, "its approval lapses", |line| line["kind"] == "lapsed");
    its_lines.chain(lines).for_each(drop);
    assert_eq!((first.wait().unwrap().code(), second.wait().unwrap().code()), (Some(0), Some(4)));
    assert_eq!(site.containers(), before, "a container was touched");
}

fn step_lapses(way: Way) {
    let site = Site::take(way);
    let first = "  - { id: first, title: First, do: { compose.restart: { project: opareta, service: prometheus } }, undo: none }\n";
    site.runbook("careful", &runbook(&format!("{first}{}", gate())));
    ends(&site, &["run", "careful", "--yes"], 10);
    ends(&site, &["resolve", "latest", "argus", "--approve"], 0);
    let then = id(&site, "argus-1");
    replace(&site, "argus-1");
    let (now, before) = (id(&site, "argus-1"), site.containers());
    let _go = go(&site);
    let said = ends(&site, &["resume", "latest"], 11);
    assert!(said.contains(&then) && said.contains(&now) && said.contains("Is argus-1 drained?"), "{said}");
    assert_eq!(site.containers(), before, "a container was touched");
    ends(&site, &["resolve", "latest", "argus", "--approve"], 0);
    ends(&site, &["resume", "latest"], 0);
    assert_eq!(id(&site, "argus-1"), now);
    assert_ne!(site.containers()["argus-1"], before["argus-1"], "it was restarted");
}

#[test]
fn a_plan_whose_container_was_replaced_changes_nothing_over_ssh() {
    plan_lapses(Way::Sudo);
}

#[test]
fn a_plan_whose_container_was_replaced_changes_nothing_locally() {
    plan_lapses(Way::Local);
}

#[test]
fn a_run_whose_container_is_replaced_while_it_waits_for_its_host_changes_nothing_over_ssh() {
    plan_lapses_while_it_waits(Way::Sudo);
}

#[test]
fn a_step_whose_container_was_replaced_is_asked_about_again_over_ssh() {
    step_lapses(Way::Group);
}

#[test]
fn a_step_whose_container_was_replaced_is_asked_about_again_locally() {
    step_lapses(Way::Local);
}
