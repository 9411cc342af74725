//! An approval is bound to the commands and to the containers that they are about.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::docker::Docker;
use crate::scene::Seen;

const RESTART: &str = r#"
  - { id: restart, title: Restart, do: { compose.restart: { project: shop, service: web } }, undo: none }
"#;

/// A step that only looks, and does not like what it sees before there is a file `go`.
const LOOK: &str = r#"
  - { id: look, title: Look, on: here, do: { command: { shell: 'test -e "$DIR/go"', reads: true } } }
"#;

/// Somebody else replaces the container `web`.
const REPLACED: &[(&str, &str)] = &[("web", "anew"), ("db", "base")];

impl Docker {
    /// What was done to the containers.
    fn done(&self) -> Vec<String> {
        self.scene.lines("log")
    }

    fn events(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.scene.run_folder().join("journal.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Holds that the run was given up for the difference, and that nothing was done.
#[track_caller]
fn assert_lapsed(docker: &Docker, seen: Seen) -> String {
    let said = seen.ends_with(4);
    assert!(said.contains("error: the approval has lapsed"), "{said}");
    assert_eq!(docker.done(), [""; 0]);
    let events = docker.events();
    let [.., decision, end, released] = &events[..] else { panic!("{events:?}") };
    assert_eq!((&decision["choice"]["choice"], &decision["by"]), (&"abandon".into(), &"tester".into()));
    let reason = decision["reason"].as_str().unwrap();
    assert_eq!(reason, "the approval has lapsed: container `web` was thenthenthen, and is anewanewanew");
    assert_eq!((&end["type"], &end["end"]), (&"run_ended".into(), &"abandoned".into()));
    assert_eq!(released["type"], "lease_released");
    said
}

#[test]
fn a_plan_says_on_which_containers_its_approval_stands() {
    let docker = Docker::new();
    docker.scene.runbook("again", RESTART);
    let shown = docker.opsctl(&["plan", "again"]).ends_with(0);
    assert!(shown.contains("approval is bound to 1 container on here"), "{shown}");
    let plan = docker.opsctl(&["plan", "again", "--json"]);
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    let bound = &plan["basis"]["facts"]["containers"]["shop"];
    assert_eq!(bound.as_array().unwrap().len(), 1, "{bound}");
    assert_eq!(bound[0]["name"], "web");
}

/// Lines of JSON, up to one that is looked for, or to the end.
struct Told {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Told {
    fn by(mut command: Command) -> Told {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Told { child, lines }
    }

    #[track_caller]
    fn until(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) {
        let mut told = self.lines.by_ref().map(|line| serde_json::from_str(&line.unwrap()).unwrap());
        assert!(told.any(|line: Value| is_it(&line)), "it ended before this: {what}");
    }

    fn code(mut self) -> Option<i32> {
        self.lines.by_ref().for_each(drop);
        self.child.wait().unwrap().code()
    }
}

#[test]
fn a_container_that_is_replaced_while_a_run_waits_for_its_host_ends_it_before_its_first_step() {
    let docker = Docker::new();
    docker.scene.runbook("again", &(LOOK.to_owned() + RESTART));
    docker.scene.runbook(
        "hold",
        r#"
  - { id: hold, title: Hold, on: here, do: { command: { shell: 'while test -d "$DIR" && ! test -e "$DIR/go"; do sleep 0.02; done' } }, undo: none }
"#,
    );
    let mut first = Told::by(docker.command(&["run", "hold", "--yes", "--json"]));
    first.until("it has the host", |line| line["type"] == "lease_taken");
    let patient = ["run", "again", "--yes", "--json", "--lock-wait", "60s"];
    let mut second = Told::by(docker.command(&patient));
    second.until("it waits for the host", |line| line["kind"] == "waiting");
    docker.containers(REPLACED);
    docker.scene.file("go", "");
    second.until("its approval lapses", |line| line["kind"] == "lapsed" && line.get("step").is_none());
    assert_eq!((first.code(), second.code()), (Some(0), Some(4)));
    assert_eq!(docker.done(), [""; 0]);
    let shown = docker.opsctl(&["runs", "show", "latest", "--json"]);
    let run: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(run["fold"]["steps"]["look"]["status"], "pending", "{run}");
}

#[test]
fn a_container_that_is_replaced_before_the_first_change_ends_the_run_and_is_shown() {
    let docker = Docker::new();
    // It says that it only looks, and does what somebody else might do at that moment.
    let replace = r#"
  - { id: look, title: Look, on: here, do: { command: { shell: 'cp "$DIR/made" "$DIR/containers"', reads: true } } }
"#;
    docker.scene.runbook("again", &(replace.to_owned() + RESTART));
    docker.made(REPLACED);
    let seen = docker.opsctl(&["run", "again", "--yes"]);
    insta::assert_snapshot!(seen.stderr);
    assert_lapsed(&docker, seen);
    docker.opsctl(&["resume", "latest"]).ends_with(2);
}

#[test]
fn a_run_that_has_changed_nothing_yet_lapses_when_it_is_resumed_on_other_containers() {
    let docker = Docker::new();
    docker.scene.runbook("again", &(LOOK.to_owned() + RESTART));
    docker.opsctl(&["run", "again", "--yes"]).ends_with(10);
    docker.containers(REPLACED);
    docker.scene.file("go", "");
    let said = assert_lapsed(&docker, docker.opsctl(&["resume", "latest"]));
    assert!(said.contains("hint: opsctl plan again"), "{said}");
    docker.opsctl(&["run", "again", "--yes"]).ends_with(0);
}

#[test]
fn a_program_reads_what_has_lapsed_and_why() {
    let docker = Docker::new();
    docker.scene.runbook("again", &(LOOK.to_owned() + RESTART));
    docker.opsctl(&["run", "again", "--yes"]).ends_with(10);
    docker.containers(REPLACED);
    docker.scene.file("go", "");
    let seen = docker.command(&["resume", "latest", "--json"]).output().unwrap();
    let text = String::from_utf8(seen.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let lapsed = lines.iter().find(|line| line["kind"] == "lapsed").unwrap_or_else(|| panic!("{text}"));
    let difference = &lapsed["differences"][0];
    assert_eq!((&difference["what"], &difference["container"]), (&"container".into(), &"web".into()));
    assert_eq!(difference["then"], "then".repeat(16));
    assert_eq!(difference["now"], "anew".repeat(16));
    assert_eq!(lines.last().unwrap()["error"]["exit_code"], 4);
}

#[test]
fn what_an_outage_changes_by_itself_is_no_difference() {
    let docker = Docker::new();
    docker.scene.runbook("again", &(LOOK.to_owned() + RESTART));
    docker.opsctl(&["run", "again", "--yes"]).ends_with(10);
    docker.state("exited");
    docker.containers(&[("web", "then"), ("db", "other")]);
    docker.scene.file("go", "");
    docker.opsctl(&["resume", "latest"]).ends_with(0);
    assert_eq!(docker.done().len(), 1, "{:?}", docker.done());
}

#[test]
fn a_run_waits_for_a_docker_that_does_not_answer_and_never_guesses() {
    let docker = Docker::new();
    docker.scene.runbook("again", &(LOOK.to_owned() + RESTART));
    docker.opsctl(&["run", "again", "--yes"]).ends_with(10);
    docker.scene.file("go", "");
    let said = docker.without_engine(|| docker.opsctl(&["resume", "latest"])).ends_with(11);
    assert!(said.contains("waiting for host `here`"), "{said}");
    assert_eq!(docker.done(), [""; 0]);
    docker.opsctl(&["resume", "latest"]).ends_with(0);
    assert_eq!(docker.done().len(), 1);
}

#[test]
fn a_plan_is_made_without_docker_and_says_that_its_approval_stands_on_nothing() {
    let docker = Docker::new();
    docker.scene.runbook("again", RESTART);
    let shown = docker.without_engine(|| docker.opsctl(&["plan", "again"])).ends_with(0);
    assert!(shown.contains("bound to no containers: the Docker of `shop` did not answer"), "{shown}");
}

/// A run that has restarted `db`, stands before a step that it may not do yet, and is to be approved at `web` after that.
fn standing() -> Docker {
    let docker = Docker::new();
    let first = r#"
  - { id: first, title: First, do: { compose.restart: { project: shop, service: db } }, undo: none }
"#;
    let asks = RESTART.replace("undo: none", "undo: none, approve: Is it drained?");
    docker.scene.runbook("again", &(first.to_owned() + LOOK + &asks));
    docker.opsctl(&["run", "again", "--yes"]).ends_with(10);
    docker.scene.file("go", "");
    docker
}

#[test]
fn a_step_that_was_approved_on_other_containers_is_asked_about_again() {
    let docker = standing();
    docker.opsctl(&["resolve", "latest", "restart", "--approve"]).ends_with(0);
    docker.containers(REPLACED);
    let seen = docker.opsctl(&["resume", "latest"]);
    assert_eq!(seen.code, 11, "{}", seen.stderr);
    insta::assert_snapshot!(seen.stderr);
    assert_eq!(docker.done().len(), 1, "only the first was restarted");
    docker.opsctl(&["resolve", "latest", "restart", "--approve"]).ends_with(0);
    docker.opsctl(&["resume", "latest"]).ends_with(0);
    assert_eq!(docker.done().len(), 2);
}

#[test]
fn a_step_that_was_approved_stays_so_on_the_same_containers() {
    let docker = standing();
    docker.containers(REPLACED);
    docker.opsctl(&["resolve", "latest", "restart", "--approve"]).ends_with(0);
    docker.opsctl(&["resume", "latest"]).ends_with(0);
    assert_eq!(docker.done().len(), 2);
}

#[test]
fn a_step_is_not_approved_on_containers_that_nobody_can_look_at() {
    let docker = standing();
    let before = docker.events().len();
    let said =
        docker.without_engine(|| docker.opsctl(&["resolve", "latest", "restart", "--approve"])).ends_with(11);
    assert!(said.contains("`restart` cannot be approved"), "{said}");
    assert_eq!(docker.events().len(), before, "nothing is on record");
    docker.without_engine(|| docker.opsctl(&["resolve", "latest", "restart", "--decline"])).ends_with(0);
}

#[test]
fn what_the_run_itself_replaces_takes_no_approval_back() {
    let docker = Docker::new();
    let up = r#"
  - { id: up, title: Up, do: { compose.up: { project: shop, service: web } }, undo: none }
"#;
    let asks = RESTART.replace("undo: none", "undo: none, approve: Is it drained?");
    docker.scene.runbook("again", &(up.to_owned() + &asks));
    docker.made(REPLACED);
    docker.opsctl(&["run", "again", "--yes"]).ends_with(0);
    assert_eq!(docker.done().len(), 2);
}
