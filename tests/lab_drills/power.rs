//! The host loses power in the middle of a step and comes back: nobody is left to say how the step ended. What is done then is what
//! the runbook says, and nothing else.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use opsctl::journal::store::Store;
use opsctl::run::event::Rest;
use opsctl::run::state::{RunState, Status};

use crate::measure::Form;
use crate::site::{Site, Way, text};
use crate::totals::{Totals, Wrong};

/// The folder on the host that the steps use.
const FOLDER: &str = "/var/tmp/opsctl-drill";

/// A step that leaves a line, and sleeps in its first attempt; and what it says of being interrupted.
struct Case {
    name: &'static str,
    /// What it leaves before it sleeps, besides its line.
    first: &'static str,
    says: &'static str,
    /// What becomes of it: how often its line is there in the end, and whether a person is asked.
    lines: usize,
    is_asked: bool,
}

const CASES: [Case; 4] = [
    Case {
        name: "had-happened",
        first: "touch done",
        says: "done_when: { command: { argv: [test, -e, /var/tmp/opsctl-drill/done], reads: true } }",
        lines: 1,
        is_asked: false,
    },
    Case {
        name: "had-not-happened",
        first: "true",
        says: "done_when: { command: { argv: [test, -e, /var/tmp/opsctl-drill/done], reads: true } }",
        lines: 2,
        is_asked: false,
    },
    Case { name: "may-be-repeated", first: "true", says: "on_interrupted: rerun", lines: 2, is_asked: false },
    Case { name: "nobody-knows", first: "true", says: "on_interrupted: ask", lines: 1, is_asked: true },
];

/// A folder with the lab's inventory and a runbook of its own.
fn project(site: &Site, case: &Case) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let beside = site.inventory().parent().unwrap();
    let text = fs::read_to_string(site.inventory()).unwrap();
    let text = text
        .replace("ssh_config: ssh_config", &format!("ssh_config: {}", beside.join("ssh_config").display()));
    fs::write(folder.path().join("opsctl.yaml"), text).unwrap();
    fs::create_dir(folder.path().join("runbooks")).unwrap();
    let Case { name, first, says, .. } = case;
    let script = format!(
        "cd {FOLDER}; echo line >>lines; test -e again || {{ touch again; {first}; echo >began; sleep 600; }}; touch done"
    );
    let runbook = format!(
        "runbook: {name}\ntitle: {name}\nrisk: disruptive\nsteps:\n  - id: step\n    title: Sleep\n    on: app\n    \
         do: {{ command: {{ shell: \"{script}\" }} }}\n    undo: none\n    {says}\n"
    );
    fs::write(folder.path().join(format!("runbooks/{name}.yaml")), runbook).unwrap();
    folder
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while !holds() {
        assert!(Instant::now() < deadline, "not within two minutes: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn state(site: &Site) -> RunState {
    let run = Store::at(site.state_dir()).list().unwrap().into_iter().max_by_key(|run| run.id).unwrap();
    run.history().unwrap().state().clone()
}

fn power_is_lost(site: &Site, case: &Case, totals: &mut Totals) {
    site.on_host(&format!("rm -rf {FOLDER} && mkdir -m 777 {FOLDER}"));
    let project = project(site, case);
    let command = |arguments: &[&str]| {
        let mut command: Command = site.opsctl(arguments);
        command.env("OPSCTL_INVENTORY", project.path().join("opsctl.yaml"));
        command
    };
    let run =
        command(&["run", case.name, "--yes"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    until("the step sleeps", || {
        site.on_host(&format!("cat {FOLDER}/began 2>/dev/null || echo no")).trim().is_empty()
    });
    site.lab("break", &["kill", "host"]);
    let first = run.wait_with_output().unwrap();
    let mut story = text(&first.stderr);
    let mut wrong = Vec::new();
    let waits_for_the_host = |site: &Site| matches!(state(site).rest, Some(Rest::WaitingForHost { .. }));
    if first.status.code() != Some(11) || !waits_for_the_host(site) {
        wrong.push(Wrong::State(format!("without the host it came to {:?}", first.status.code())));
    }
    site.power_on();
    let mut last = None;
    until("the host is back", || {
        let output = command(&["resume", "latest"]).output().unwrap();
        story += &text(&output.stderr);
        last = output.status.code();
        !waits_for_the_host(site)
    });
    if case.is_asked {
        if last != Some(11) || !matches!(state(site).rest, Some(Rest::WaitingForPerson { .. })) {
            wrong.push(Wrong::State(format!("nobody is asked: {last:?}")));
        }
        if !story.contains("opsctl resolve") {
            wrong.push(Wrong::State("it does not say how to answer".to_owned()));
        }
        let answer = ["resolve", "latest", "step", "--happened", "--reason", "its line is there"];
        assert!(command(&answer).status().unwrap().success());
        last = command(&["resume", "latest"]).status().unwrap().code();
    }
    if last != Some(0) || state(site).status != Status::Succeeded {
        wrong.push(Wrong::State(format!("it came to {last:?}: {:?}", state(site).status)));
    }
    let lines = site.on_host(&format!("cat {FOLDER}/lines")).lines().count();
    match lines.cmp(&case.lines) {
        std::cmp::Ordering::Greater => wrong.push(Wrong::Doubled(format!("its line is there {lines} times"))),
        std::cmp::Ordering::Less => wrong.push(Wrong::Lost(format!("its line is there {lines} times"))),
        std::cmp::Ordering::Equal => {}
    }
    totals.count(1, &wrong, || format!("{}:\n{story}", case.name));
}

#[test]
fn a_step_under_way_when_the_host_lost_power_is_settled_as_its_runbook_says() {
    let site = Site::take(Way::Sudo);
    let mut totals = Totals::default();
    // Each costs the start of a machine.
    let count = if Form::of_this_run().is_long() { CASES.len() } else { 1 };
    CASES.iter().take(count).for_each(|case| power_is_lost(&site, case, &mut totals));
    site.lab("reset", &[]);
    site.on_host(&format!("rm -rf {FOLDER}"));
    totals.hold("the host lost power in the middle of a step");
}
