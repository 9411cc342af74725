//! What an author can look up about actions.

use crate::scene::Scene;

#[test]
fn all_actions_are_listed_and_each_is_told_with_its_arguments_and_its_result() {
    let scene = Scene::new();
    let listed = scene.opsctl(&["runbook", "actions"]);
    assert_eq!(listed.code, 0);
    assert!(
        listed.stdout.lines().any(|line| line.split_whitespace().take(2).eq(["compose.restart", "ensures"])),
        "{}",
        listed.stdout
    );
    insta::assert_snapshot!(scene.opsctl(&["runbook", "actions", "tcp.connect"]).stdout, @r"
    tcp.connect (reads)
    Checks that something accepts connections on a port, as the host sees it.

    ARGUMENT  TYPE      DEFAULT   MEANING
    address   text      required  A name or an IP address. `localhost` means the host.
    port      integer   required  The port.
    timeout   duration  SPAN  How long it may take.

    RESULT     MEANING
    connected  whether the port accepts connections
    ms         how long it took, in milliseconds
    error      why not, or null
    ");
}

#[test]
fn a_program_gets_the_schema_of_the_arguments() {
    let scene = Scene::new();
    let shown = scene.opsctl(&["runbook", "actions", "http.get", "--json"]).stdout;
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["arguments"]["required"], serde_json::json!(["url"]));
    assert_eq!(shown["result"][0]["name"], "status");
    let all = scene.opsctl(&["runbook", "actions", "--json"]).stdout;
    let all: serde_json::Value = serde_json::from_str(&all).unwrap();
    assert!(all.as_array().unwrap().contains(&shown));
}

#[test]
fn an_action_that_is_not_there_names_the_one_that_was_meant() {
    let said = Scene::new().opsctl(&["runbook", "actions", "compose.restrat"]).ends_with(2);
    assert!(said.contains("hint: opsctl runbook actions compose.restart"), "{said}");
}
