//! What is said about an incident, and what has to be done when it is over. Nothing of it needs a host that works.

use std::fs;

use serde_json::Value;

use crate::scene::Scene;

const REST: &str = "projects:\n  web: { host: here, directory: /srv/web }\nservices:\n  argus:\n    project: web\n    instances:\n      \
    argus-1: { health: 'http://localhost:1/health' }\nchannels:\n  ops: { to: { file: ops.jsonl } }\n  \
    status: { to: { file: status.jsonl }, for: [alert, update, resolution], public: true }\n";

/// A site with two channels; `more` goes with its inventory.
fn scene(more: &str) -> Scene {
    let scene = Scene::new();
    let inventory = fs::read_to_string(scene.path("opsctl.yaml")).unwrap();
    scene.file("opsctl.yaml", &format!("{inventory}{REST}{more}"));
    scene
}

fn open(scene: &Scene) {
    let words = [
        "incident",
        "open",
        "--service",
        "argus",
        "--title",
        "orders are refused",
        "--severity",
        "critical",
        "--yes",
    ];
    scene.opsctl(&words).ends_with(0);
}

fn resolve(scene: &Scene) {
    let words = [
        "incident",
        "resolve",
        "--cause",
        "a bad release",
        "--resolution",
        "it was rolled back",
        "--follow-up",
        "OPS-1",
    ];
    scene.opsctl(&[&words[..], &["--force", "the check is broken", "--yes"]].concat()).ends_with(0);
}

#[test]
fn templates_are_tried_before_anybody_needs_them() {
    let scene = scene("");
    let said = scene.opsctl(&["incident", "render", "--check"]).ends_with(0);
    insta::assert_snapshot!(said, @r"
    ✔ alert (built-in)
    ✔ update (built-in)
    ✔ resolution (built-in)
    ✔ page (built-in)
    ✔ handoff (built-in)
    ✔ summary (built-in)
    ✔ state (built-in)
    ✔ postmortem (built-in)
    ");
    fs::create_dir(scene.path("templates")).unwrap();
    scene.file("templates/alert.txt", "{{ sevices }}\n").file("templates/update.txt", "{{ text }}\n");
    let said = scene.opsctl(&["incident", "render", "--check"]).ends_with(3);
    assert!(
        said.contains("✘ alert (DIR/templates/alert.txt)\n") && said.contains("there is no `sevices` here"),
        "{said}"
    );
    assert!(
        said.contains("✘ update (DIR/templates/update.txt)\n  it does not say when the next update comes\n"),
        "{said}"
    );
    assert_eq!(said.matches('✔').count(), 6, "{said}");
    scene.opsctl(&["incident", "render", "alert", "--example"]).ends_with(3);
}

#[test]
fn a_message_is_shown_with_what_is_wrong_with_it_before_it_is_sent() {
    let scene = scene("");
    open(&scene);
    let said = scene.opsctl(&["incident", "render", "resolution"]).ends_with(2);
    assert!(
        said.contains("opsctl incident render resolution --cause '...' --resolution '...' --follow-up '...'"),
        "{said}"
    );
    let words = ["incident", "render", "resolution", "--cause", "x", "--resolution", "y", "--follow-up", "z"];
    let said = scene.opsctl(&words).ends_with(0);
    assert!(said.contains("Root Cause: x\nResolution: y\nFollow-up: z\n"), "{said}");
    assert!(said.contains("✘ refused: it says \"resolved\", and nothing says that it works again"), "{said}");
    scene.opsctl(&[&words[..], &["--check"]].concat()).ends_with(4);
    let seen =
        scene.opsctl(&["incident", "render", "update", "--text", "here is back in 10 minutes", "--json"]);
    let shown: Value = serde_json::from_str(&seen.stdout).unwrap();
    assert_eq!(shown["subject"], "[UPDATE] test: orders are refused");
    assert_eq!(shown["channels"], serde_json::json!(["ops", "status"]));
    let faults: Vec<&str> =
        shown["faults"].as_array().unwrap().iter().map(|fault| fault["what"].as_str().unwrap()).collect();
    assert_eq!(
        faults,
        [
            "people outside read it, and it names `here`",
            "people outside read it, and it promises a time: `in 10 minutes`"
        ]
    );
    // Looking sends nothing.
    assert_eq!(scene.lines("status.jsonl").len(), 1);
}

#[test]
fn what_people_are_told_is_in_the_timeline_and_what_is_refused_has_not_happened() {
    let scene = scene("");
    open(&scene);
    let said = scene.opsctl(&["incident", "identify", "it is resolved"]).ends_with(4);
    assert!(said.contains("error: the message is not sent: it says \"resolved\""), "{said}");
    let said = scene.opsctl(&["incident", "show"]).ends_with(0);
    assert!(said.contains("investigating, critical") && !said.contains("it is resolved"), "{said}");
    let said = scene.opsctl(&["incident", "identify", "here is back in 10 minutes"]).ends_with(0);
    assert_eq!(said.matches("warning: people outside read it").count(), 2, "{said}");
    scene.opsctl(&["incident", "update", "the second copy is built"]).ends_with(0);
    let said = scene.opsctl(&["incident", "show"]).ends_with(0);
    for line in
        ["status: Identified: here is back in 10 minutes", "status: Identified: the second copy is built"]
    {
        assert!(said.contains(line), "{line}\n{said}");
    }
    let said = scene.opsctl(&["incident", "render", "summary"]).ends_with(0);
    assert!(said.contains("Overview: the second copy is built; affected: argus\n"), "{said}");
    let update: Value = serde_json::from_str(scene.lines("status.jsonl").last().unwrap()).unwrap();
    assert!(update["text"].as_str().unwrap().contains("\nUpdate: the second copy is built\n"), "{update}");
}

#[test]
fn an_update_that_is_overdue_is_said_everywhere() {
    let scene = scene("incidents: { update_every: { critical: 1ms } }\n");
    open(&scene);
    let said = scene.opsctl(&["incident", "show", "--check"]).ends_with(5);
    assert!(
        said.contains("✘ overdue for")
            && said.contains("opsctl incident update 'how it stands' --incident SHORT"),
        "{said}"
    );
    scene.opsctl(&["incident", "show"]).ends_with(0);
    let said = scene.opsctl(&["incident", "list", "--open"]).ends_with(0);
    assert!(said.contains("✘ overdue for"), "{said}");
    let rows: Value = serde_json::from_str(&scene.opsctl(&["incident", "list", "--json"]).stdout).unwrap();
    assert_eq!(rows[0]["is_overdue"], true);
    resolve(&scene);
    scene.opsctl(&["incident", "show", "--check"]).ends_with(0);
}

#[test]
fn a_note_is_in_the_timeline_and_goes_to_nobody() {
    let scene = scene("");
    open(&scene);
    let told = scene.lines("ops.jsonl").len();
    scene.opsctl(&["incident", "note", "the log says\nout of memory"]).ends_with(0);
    let said = scene.opsctl(&["incident", "show"]).ends_with(0);
    assert!(said.contains("tester  the log says out of memory\n"), "{said}");
    let said = scene.opsctl(&["incident", "note", "password=hunter2"]).ends_with(4);
    assert!(!said.contains("hunter2"), "{said}");
    scene.opsctl(&["incident", "note", " ... "]).ends_with(2);
    assert_eq!(scene.lines("ops.jsonl").len(), told);
}

#[test]
fn an_incident_is_closed_when_each_point_of_its_review_is_done_or_waived() {
    let scene = scene("");
    open(&scene);
    scene.opsctl(&["incident", "close"]).ends_with(4);
    scene.opsctl(&["incident", "postmortem"]).ends_with(4);
    let said = scene.opsctl(&["incident", "done", "1", "written down"]).ends_with(2);
    assert!(said.contains("has no tasks: they are set when it is resolved"), "{said}");
    resolve(&scene);
    let said = scene.opsctl(&["incident", "close"]).ends_with(4);
    insta::assert_snapshot!(said, @r"
    error: incident SHORT cannot be closed: 6 tasks are open
    1. Document what happened in the incident log
    2. Review alert effectiveness
    3. Update runbooks if needed
    4. Schedule a post-mortem for major incidents
    5. Create follow-up tickets for improvements
    6. OPS-1
    hint: opsctl incident done 1 'what was done' --incident SHORT
    hint: opsctl incident waive 1 --why 'why it will not be' --incident SHORT
    ");
    scene.opsctl(&["incident", "assign", "2"]).ends_with(2);
    scene.opsctl(&["incident", "assign", "2", "--to", "grace", "--due", "2027-01-04"]).ends_with(0);
    let said = scene.opsctl(&["incident", "show"]).ends_with(0);
    assert!(
        said.contains("2.  open  Review alert effectiveness                  grace   until 2027-01-04"),
        "{said}"
    );
    for task in ["1", "2", "4", "5", "6"] {
        scene.opsctl(&["incident", "done", task, "OPS-7"]).ends_with(0);
    }
    scene.opsctl(&["incident", "done", "1", "again"]).ends_with(4);
    scene.opsctl(&["incident", "done", "7", "more"]).ends_with(2);
    scene.opsctl(&["incident", "assign", "1", "--to", "grace"]).ends_with(4);
    scene.opsctl(&["incident", "waive", "3", "--why", ""]).ends_with(2);
    let said = scene.opsctl(&["incident", "waive", "3", "--why", "no runbook was used"]).ends_with(0);
    assert!(said.contains("nothing is left: opsctl incident close SHORT"), "{said}");
    scene.opsctl(&["incident", "close"]).ends_with(0);
    scene.opsctl(&["incident", "close"]).ends_with(4);
    let said = scene.opsctl(&["incident", "list", "--open"]).ends_with(0);
    assert_eq!(said, "no incident is open\n");
}

#[test]
fn a_post_mortem_is_written_once_and_never_over_what_people_wrote() {
    let scene = scene("");
    open(&scene);
    resolve(&scene);
    let words = [
        "incident",
        "postmortem",
        "-o",
        "postmortem.md",
        "--ics",
        "postmortem.ics",
        "--meeting",
        "2027-01-04T10:00+01:00",
    ];
    let said = scene.opsctl(&words).ends_with(0);
    assert!(said.contains("✔ postmortem.ics: the meeting, 2027-01-04 09:00 UTC"), "{said}");
    let text = fs::read_to_string(scene.path("postmortem.md")).unwrap();
    for line in [
        "# Post-mortem: orders are refused\n",
        "## Root cause\n\na bad release\n",
        "## Resolution\n\nit was rolled back\n",
        "| MTTR | resolved |",
        "said while something was not well: the check is broken",
        "- [ ] 3. Update runbooks if needed (owner: tester, due: ",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(
        fs::read_to_string(scene.path("postmortem.ics"))
            .unwrap()
            .contains("\r\nDTSTART:20270104T090000Z\r\n")
    );
    scene.file("postmortem.md", "what we learned\n");
    scene.opsctl(&["incident", "postmortem", "-o", "postmortem.md"]).ends_with(4);
    assert_eq!(fs::read_to_string(scene.path("postmortem.md")).unwrap(), "what we learned\n");
    let seen = scene.opsctl(&["incident", "postmortem"]);
    assert!(
        seen.code == 0 && seen.stdout.starts_with("# Post-mortem: orders are refused\n"),
        "{}",
        seen.stdout
    );
}

#[test]
fn how_fast_incidents_were_is_counted_over_a_time() {
    let scene = scene("");
    let said = scene.opsctl(&["incident", "stats"]).ends_with(0);
    assert_eq!(said, "there are no incidents of that time\n");
    open(&scene);
    resolve(&scene);
    let seen = scene.opsctl(&["incident", "stats", "--json", "--since", "1d"]);
    let stats: Value = serde_json::from_str(&seen.stdout).unwrap();
    let groups: Vec<_> = stats["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| (&group["by"], &group["name"], &group["mttr"]["count"]))
        .collect();
    assert_eq!(
        serde_json::json!(groups),
        serde_json::json!([["all", null, 1], ["severity", "critical", 1], ["service", "argus", 1]])
    );
    let said = scene.opsctl(&["incident", "stats"]).ends_with(0);
    assert!(said.contains("service argus  1      median"), "{said}");
    let said = scene.opsctl(&["incident", "stats", "--since", "2999-01-01"]).ends_with(0);
    assert_eq!(said, "there are no incidents of that time\n");
    scene.opsctl(&["incident", "stats", "--since", "lately"]).ends_with(2);
}
