//! Two people, one host; and a run that goes from one machine to another.

use std::process::{Child, Stdio};

use serde_json::Value;

use crate::scene::Scene;
use crate::surviving::until;

const STEPS: &str = r#"
  - id: wait
    title: Wait for a sign
    on: here
    do: { command: { shell: 'echo began >> "$DIR/log"; echo one; while test -d "$DIR" && ! test -e "$DIR/go"; do sleep 0.02; done; echo two; echo ended >> "$DIR/log"' } }
    undo: { command: { shell: 'echo undone >> "$DIR/log"' } }
  - id: after
    title: After
    on: here
    do: { command: { shell: 'echo after >> "$DIR/log"' } }
    undo: none
"#;

/// Another machine with the same hosts: its own store, and another operator.
const BOB: [(&str, &str); 2] = [("OPSCTL_STATE_DIR", "state of bob"), ("OPSCTL_OPERATOR", "bob")];

fn begun(scene: &Scene) -> Child {
    scene.runbook("long", STEPS);
    let mut command = scene.command(&["run", "long", "--yes"]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("the step began", || scene.lines("log") == ["began"]);
    child
}

fn killed(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The step that was under way ends, and nothing of it runs any more.
fn ended_by_itself(scene: &Scene) {
    scene.file("go", "");
    until("nothing runs", || {
        let list = scene.opsctl(&["lock", "list", "--json"]).ends_with(0);
        let list: Value = serde_json::from_str(&list).unwrap();
        list["hosts"][0]["running"] == serde_json::json!([])
    });
    assert_eq!(scene.lines("log"), ["began", "ended"]);
}

fn bob(scene: &Scene, arguments: &[&str]) -> crate::scene::Seen {
    let mut command = scene.command(arguments);
    for (name, value) in BOB {
        let value =
            if name == "OPSCTL_STATE_DIR" { scene.path(value).into_os_string() } else { value.into() };
        command.env(name, value);
    }
    scene.seen(&command.output().unwrap())
}

#[test]
fn the_second_operator_is_told_who_has_the_host_and_nothing_is_changed() {
    let scene = Scene::new();
    let mut child = begun(&scene);
    insta::assert_snapshot!(bob(&scene, &["run", "long", "--yes"]).ends_with(4));
    insta::assert_snapshot!(scene.opsctl(&["lock", "list"]).ends_with(0));
    scene.file("go", "");
    assert!(child.wait().unwrap().success());
    assert_eq!(scene.lines("log"), ["began", "ended", "after"]);
    assert!(scene.opsctl(&["lock", "list"]).ends_with(0).contains("given back"));
}

#[test]
fn who_waits_for_the_lock_gets_it_when_it_is_given_back() {
    let scene = Scene::new();
    let mut child = begun(&scene);
    let waiting = std::thread::scope(|threads| {
        let waiting = threads.spawn(|| bob(&scene, &["run", "long", "--yes", "--lock-wait", "1m"]));
        scene.file("go", "");
        assert!(child.wait().unwrap().success());
        waiting.join().unwrap()
    });
    waiting.ends_with(0);
    assert_eq!(scene.lines("log"), ["began", "ended", "after", "began", "ended", "after"]);
}

#[test]
fn a_lock_of_somebody_who_is_connected_is_not_broken_unasked_and_then_their_next_command_is_refused() {
    let scene = Scene::new();
    let child = begun(&scene);
    let refused = bob(&scene, &["lock", "break", "here", "--reason", "ada sleeps"]).ends_with(4);
    assert!(refused.contains("--yes"), "{refused}");
    bob(&scene, &["lock", "break", "here", "--reason", "ada sleeps", "--yes"]).ends_with(0);
    scene.file("go", "");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(scene.lines("log"), ["began", "ended"], "the step that follows was refused by the host");
    let list = scene.opsctl(&["lock", "list", "--json"]).ends_with(0);
    let list: Value = serde_json::from_str(&list).unwrap();
    assert_eq!(list["hosts"][0]["lease"]["holder"]["reason"], "ada sleeps", "{list}");
    assert!(bob(&scene, &["lock", "break", "here", "--reason", "again"]).ends_with(4).contains("changed"));
}

#[test]
fn a_run_goes_on_elsewhere_when_its_first_machine_is_gone_and_the_step_happens_once() {
    let scene = Scene::new();
    killed(begun(&scene));
    std::fs::remove_dir_all(scene.path("state")).unwrap();
    scene.file("go", "");
    let said = bob(&scene, &["resume", "--from-host", "here", "--yes"]).ends_with(0);
    assert!(said.contains("came here from `here`"), "{said}");
    assert_eq!(scene.lines("log"), ["began", "ended", "after"]);
}

#[test]
fn a_run_that_was_handed_over_is_refused_where_it_came_from() {
    let scene = Scene::new();
    killed(begun(&scene));
    insta::assert_snapshot!(scene.opsctl(&["handoff", "latest"]).ends_with(0));
    scene.file("go", "");
    bob(&scene, &["resume", "--from-host", "here", "--yes"]).ends_with(0);
    let refused = scene.opsctl(&["resume", "latest"]).ends_with(4);
    assert!(refused.contains("went on elsewhere") && refused.contains("--from-host here"), "{refused}");
    assert_eq!(scene.lines("log"), ["began", "ended", "after"]);
}

#[test]
fn what_a_run_has_under_way_is_ended_by_cancel_whether_its_process_lives_or_died() {
    for dies in [false, true] {
        let scene = Scene::new();
        let mut child = begun(&scene);
        if dies {
            child.kill().unwrap();
        }
        scene.opsctl(&["cancel", "latest"]).ends_with(0);
        // Killed by a signal, it has no exit code.
        assert_eq!(child.wait().unwrap().code(), if dies { None } else { Some(130) });
        let journal = std::fs::read_to_string(scene.run_folder().join("journal.jsonl")).unwrap();
        assert!(journal.contains(r#""processes":"ended""#), "{journal}");
        scene.file("go", "");
        assert_eq!(scene.lines("log"), ["began"], "nothing of it goes on");
        scene.opsctl(&["undo", "latest", "--yes"]).ends_with(0);
        assert_eq!(scene.lines("log"), ["began", "undone"]);
    }
}

#[test]
fn a_resumed_run_shows_what_it_found_and_what_it_will_do() {
    let scene = Scene::new();
    killed(begun(&scene));
    scene.file("go", "");
    until("the step ended by itself", || scene.lines("log") == ["began", "ended"]);
    insta::assert_snapshot!(scene.opsctl(&["resume", "latest"]).ends_with(0));
    assert_eq!(scene.lines("log"), ["began", "ended", "after"]);
}

#[test]
fn an_abandoned_run_gives_back_what_its_process_had_when_it_died_once_nothing_of_it_runs() {
    let scene = Scene::new();
    killed(begun(&scene));
    let refused = scene.opsctl(&["abandon", "latest", "--reason", "gone"]).ends_with(4);
    assert!(refused.contains("still runs on `here`") && refused.contains("opsctl cancel"), "{refused}");
    assert!(scene.opsctl(&["lock", "list"]).ends_with(0).contains("tester"));
    ended_by_itself(&scene);
    scene.opsctl(&["abandon", "latest", "--reason", "mended by hand"]).ends_with(0);
    let list = scene.opsctl(&["lock", "list", "--json"]).ends_with(0);
    let list: Value = serde_json::from_str(&list).unwrap();
    assert_eq!(list["hosts"][0]["lease"]["holder"]["is"], "released", "{list}");
    scene.opsctl(&["audit", "verify"]).ends_with(0);
}

#[test]
fn a_run_that_somebody_else_goes_on_with_is_not_abandoned_under_their_hands() {
    let scene = Scene::new();
    killed(begun(&scene));
    let mut command = scene.command(&["resume", "--from-host", "here", "--yes"]);
    command.env(BOB[0].0, scene.path(BOB[0].1)).env(BOB[1].0, BOB[1].1);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("bob has the host", || {
        let list = scene.opsctl(&["lock", "list", "--json"]).ends_with(0);
        let list: Value = serde_json::from_str(&list).unwrap();
        list["hosts"][0]["lease"]["holder"]["operator"] == "bob"
    });
    let refused = scene.opsctl(&["abandon", "latest", "--reason", "gone"]).ends_with(4);
    assert!(refused.contains("went on elsewhere") && refused.contains("--from-host here"), "{refused}");
    scene.file("go", "");
    assert!(child.wait().unwrap().success());
    assert_eq!(scene.lines("log"), ["began", "ended", "after"]);
}

#[test]
fn an_abandoned_run_says_which_hosts_may_be_locked_for_it_still() {
    let scene = Scene::new();
    killed(begun(&scene));
    ended_by_itself(&scene);
    // What keeps the leases is a file now, so that nobody can say who has the host.
    std::fs::rename(scene.path("host"), scene.path("away")).unwrap();
    scene.file("host", "");
    let said = scene.opsctl(&["abandon", "latest", "--reason", "mended by hand"]).ends_with(0);
    assert!(said.contains("host `here` may still be locked for this run"), "{said}");
    std::fs::remove_file(scene.path("host")).unwrap();
    std::fs::rename(scene.path("away"), scene.path("host")).unwrap();
    // Whoever needs it next gives it back.
    scene.opsctl(&["run", "long", "--yes"]).ends_with(0);
}
