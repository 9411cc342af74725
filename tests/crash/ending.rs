//! A step is ended before its time: nothing of it is left on the host, and the journal says so.

use std::fs;

use opsctl::run::event::{Event, Outcome};
use opsctl::run::receipt::Processes;

use crate::common::sshd::Sshd;
use crate::process::Process;
use crate::site::Site;
use crate::totals::{Totals, Wrong};
use crate::until::until;

/// What the step does that is hard to end: what it is, how it begins, and what it waits in.
const STUBBORN: [[&str; 3]; 3] = [
    ["ignores the request", "trap '' TERM", "while :; do sleep 0.1; done"],
    ["forks", "sleep 600 & (sleep 601; sleep 602) & (sh -c 'sleep 603; true') &", "wait"],
    [
        "forks what ignores the request",
        "sh -c 'trap : TERM; while :; do sleep 0.1; done' & sleep 604 &",
        "wait",
    ],
];

/// Who ends it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum By {
    /// Ctrl-C, twice.
    Interrupts,
    Terminate,
    Timeout,
    Command,
}

const ALL: [By; 4] = [By::Interrupts, By::Terminate, By::Timeout, By::Command];

fn write(site: &Site, [_, begin, wait]: [&str; 3], by: By) {
    let timeout = if by == By::Timeout { "\n    timeout: 1s" } else { "" };
    let begin = begin.strip_suffix('&').map_or(format!("{begin};"), |begin| format!("{begin}&"));
    // The group of a shell that was started within it.
    let group = format!("sh -c 'ps -o pgid= -p $$' >{}", site.path("group").display());
    site.runbook(
        "end",
        &format!(
            "runbook: end\ntitle: End\nrisk: disruptive\nsteps:\n  - id: end\n    title: End\n    on: app\n    \
             do: {{ command: {{ shell: \"{begin} {group}; {wait}\" }} }}\n    undo: none{timeout}\n"
        ),
    );
}

/// The group of the step's processes, once it has begun.
fn group(site: &Site) -> Option<u32> {
    fs::read_to_string(site.path("group")).ok()?.trim().parse().ok()
}

/// The processes of a group that are no zombies.
fn members(group: u32) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let stats = processes.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    let is_member = |stat: &String| {
        let fields: Vec<_> = stat.rsplit(") ").next().unwrap().split(' ').collect();
        fields[0] != "Z" && fields[0] != "X" && fields[2] == group.to_string()
    };
    stats.filter(is_member).collect()
}

async fn end(site: &Site, process: &mut Process, by: By) {
    match by {
        By::Timeout => {}
        By::Terminate => process.signal("TERM"),
        By::Interrupts => {
            process.signal("INT");
            // One alone lets the step come to its end.
            assert!(!process.ends_within(std::time::Duration::from_millis(400)).await);
            assert!(!members(group(site).unwrap()).is_empty(), "it was not to be ended yet");
            process.signal("INT");
        }
        By::Command => {
            let over = site.laptop("ada").start(&["cancel", "latest"]).over().await;
            assert_eq!(over.code, Some(0), "{}", over.story());
        }
    }
}

async fn ended(site: &Site, step: [&str; 3], by: By, totals: &mut Totals) {
    write(site, step, by);
    let ada = site.laptop("ada");
    let mut process = ada.start(&["run", "end", "--yes"]);
    until("the step began", || group(site).is_some()).await;
    end(site, &mut process, by).await;
    let over = process.over().await;
    let left = members(group(site).unwrap());
    let mut wrong = Vec::new();
    if !left.is_empty() {
        wrong.push(Wrong::State(format!("it left {left:?}")));
    }
    let records = ada.history().unwrap().unwrap().records;
    let outcomes = records.iter().filter_map(|record| match &record.event {
        Event::StepFinished { outcome, .. } => Some(outcome),
        _ => None,
    });
    let first = outcomes.take(1).next();
    if !matches!(first, Some(Outcome::Unknown { processes: Processes::Ended, .. })) {
        wrong.push(Wrong::State(format!("the journal says {first:?}")));
    }
    let due = if by == By::Timeout { [10, 11].as_slice() } else { &[130] };
    if !over.code.is_some_and(|code| due.contains(&code)) {
        wrong.push(Wrong::State(format!("it ended with {:?}", over.code)));
    }
    if let Err(left) = site.quiet().await {
        wrong.push(Wrong::State(format!("something still runs at the host:\n{left}")));
    }
    totals.count(0, &wrong, || format!("a step that {}, {by:?}: {}", step[0], over.story()));
}

#[tokio::test]
async fn nothing_is_left_of_a_step_that_was_ended_over_ssh() {
    let sshd = Sshd::start();
    let mut totals = Totals::default();
    for step in STUBBORN {
        for by in ALL {
            ended(&Site::behind(&sshd), step, by, &mut totals).await;
        }
    }
    totals.hold("a step was ended over ssh");
}

#[tokio::test]
async fn nothing_is_left_of_a_step_that_was_ended_on_this_machine() {
    let mut totals = Totals::default();
    for step in STUBBORN {
        for by in ALL {
            ended(&Site::here(), step, by, &mut totals).await;
        }
    }
    totals.hold("a step was ended on this machine");
}
