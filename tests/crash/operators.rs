//! Two laptops and one host: one of them has it, the other is told by whom, and who comes too late does nothing.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use opsctl::run::event::Event;
use opsctl::run::state::Status;

use crate::common::sshd::Sshd;
use crate::dice::Dice;
use crate::measure::{Form, seed};
use crate::procedure::{NAME, Procedure};
use crate::process::{Over, Process};
use crate::site::{Laptop, Site};
use crate::totals::{Totals, Wrong};
use crate::until::until;
use crate::verdict::judge;

/// Refused: somebody else has it, or took it over.
const REFUSED: i32 = 4;

/// A step that begins, and waits for the file `go`; and one after it.
fn waiting(site: &Site) {
    let (lines, go) = (site.path("lines"), site.path("go"));
    let (lines, go) = (lines.display(), go.display());
    let step = |id: &str, script: &str| {
        format!(
            "  - id: {id}\n    title: {id}\n    on: app\n    do: {{ command: {{ shell: \"{script}\" }} }}\n    undo: none\n"
        )
    };
    let wait = format!("echo first >>{lines}; until test -e {go}; do sleep 0.02; done; echo ended >>{lines}");
    let steps = step("first", &wait) + &step("second", &format!("echo second >>{lines}"));
    site.runbook("hold", &format!("runbook: hold\ntitle: Hold the host\nrisk: disruptive\nsteps:\n{steps}"));
}

async fn began(site: &Site) {
    until("the first step began", || site.lines().contains(&"first".to_owned())).await;
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// What the winner and the loser of a race should have come to.
fn judge_race(winner: &Over, loser: &Over, name_of_winner: &str) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    let mut hold = |holds: bool, what: String| wrong.extend((!holds).then_some(Wrong::State(what)));
    hold(winner.code == Some(0), format!("the winner ended with {:?}", winner.code));
    hold(loser.code == Some(REFUSED), format!("the loser ended with {:?}", loser.code));
    let says = loser.stderr.contains(name_of_winner);
    hold(says, format!("the loser is not told of {name_of_winner}"));
    wrong
}

/// Both run at once. Whoever loses ends first: the winner waits for `go`.
async fn race(site: &Site, mut both: [Process; 2], names: [&str; 2]) -> (Vec<Wrong>, String) {
    let loser = loop {
        tokio::time::sleep(Duration::from_millis(10)).await;
        if let Some(at) = both.iter_mut().position(|process| !process.runs()) {
            break at;
        }
        assert!(site.lines().len() < 2, "both have begun");
    };
    fs::write(site.path("go"), "").unwrap();
    let [first, second] = both;
    let (first, second) = (first.over().await, second.over().await);
    let story = first.story() + &second.story();
    let (winner, lost) = if loser == 0 { (&second, &first) } else { (&first, &second) };
    (judge_race(winner, lost, names[1 - loser]), story)
}

/// The lines of the two steps, each once.
fn judge_lines(site: &Site) -> Vec<Wrong> {
    let lines = site.lines();
    ["first", "ended", "second"]
        .iter()
        .filter_map(|due| match lines.iter().filter(|line| line == due).count() {
            0 => Some(Wrong::Lost(format!("`{due}` is not in {lines:?}"))),
            1 => None,
            _ => Some(Wrong::Doubled(format!("{lines:?}"))),
        })
        .collect()
}

async fn to_start(sshd: &Sshd, totals: &mut Totals) {
    let site = Site::behind(sshd);
    waiting(&site);
    let both = ["ada", "bob"].map(|name| site.laptop(name).start(&["run", "hold", "--yes"]));
    let (mut wrong, story) = race(&site, both, ["ada", "bob"]).await;
    wrong.extend(judge_lines(&site));
    let ends = ["ada", "bob"].map(|name| site.laptop(name).history().unwrap().unwrap().state().status);
    if !matches!(ends, [Status::Succeeded, Status::Abandoned] | [Status::Abandoned, Status::Succeeded]) {
        wrong.push(Wrong::State(format!("the runs are {ends:?}")));
    }
    totals.count(0, &wrong, || story);
}

/// How the other one comes by the run.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Copied {
    ByHand,
    FromTheHost,
}

/// One was killed in the middle of a step; its owner and somebody with a copy of it go on with it.
async fn to_resume(sshd: &Sshd, copied: Copied, totals: &mut Totals) {
    let site = Site::behind(sshd);
    waiting(&site);
    let (ada, bob) = (site.laptop("ada"), site.laptop("bob"));
    let process = ada.start(&["run", "hold", "--yes"]);
    began(&site).await;
    process.killed().await;
    let run = ada.run().unwrap();
    let words = match copied {
        Copied::ByHand => {
            copy(&run.path, &bob.state_dir().join("runs").join(run.id.to_string()));
            vec!["resume", "latest", "--yes"]
        }
        Copied::FromTheHost => vec!["resume", "--from-host", "app", "--yes"],
    };
    let both = [ada.start(&["resume", "latest", "--yes"]), bob.start(&words)];
    let (mut wrong, story) = race(&site, both, ["ada", "bob"]).await;
    wrong.extend(judge_lines(&site));
    totals.count(1, &wrong, || story);
}

/// Two break the lock of a third, who is at it and has nothing more to say from then on.
async fn to_break(sshd: &Sshd, totals: &mut Totals) {
    let site = Site::behind(sshd);
    waiting(&site);
    let holder = site.laptop("cleo").start(&["run", "hold", "--yes"]);
    began(&site).await;
    let names = ["ada", "bob"];
    let both = names.map(|name| {
        site.laptop(name).start(&["lock", "break", "app", "--reason", &format!("{name} has to"), "--yes"])
    });
    let [first, second] = both;
    let (first, second) = (first.over().await, second.over().await);
    let story = first.story() + &second.story();
    let winner = usize::from(first.code != Some(0));
    let (won, lost) = if winner == 0 { (&first, &second) } else { (&second, &first) };
    let mut wrong = judge_race(won, lost, names[winner]);
    let journal = site.laptop("cleo").run().unwrap().path.join("journal.jsonl");
    let before = fs::read(&journal).unwrap();
    fs::write(site.path("go"), "").unwrap();
    let held = holder.over().await;
    let lines = site.lines();
    if held.code != Some(REFUSED) || !held.stderr.contains(names[winner]) {
        wrong.push(Wrong::State(format!("who held it is not told: {}", held.story())));
    }
    if lines.contains(&"second".to_owned()) {
        wrong.push(Wrong::Doubled("a command of a stale holder began".to_owned()));
    }
    let after = fs::read(&journal).unwrap();
    if !after.starts_with(&before) {
        wrong.push(Wrong::State("the stale holder's journal was changed".to_owned()));
    }
    totals.count(0, &wrong, || story);
}

#[tokio::test]
async fn of_two_who_race_one_wins_and_the_other_is_told_by_whom() {
    let sshd = Sshd::start();
    let mut totals = Totals::default();
    for number in 0..Form::of_this_run().count(4, 200) {
        match number % 4 {
            0 => to_start(&sshd, &mut totals).await,
            1 => to_resume(&sshd, Copied::ByHand, &mut totals).await,
            2 => to_resume(&sshd, Copied::FromTheHost, &mut totals).await,
            _ => to_break(&sshd, &mut totals).await,
        }
    }
    totals.hold("races to start, to resume and to break a lock");
}

/// Takes the run over from the host, and brings it to its end.
async fn taken_over(laptop: &Laptop<'_>) -> Vec<Over> {
    let broken =
        laptop.start(&["lock", "break", "app", "--reason", "ada's laptop is asleep", "--yes"]).over().await;
    let resumed = laptop.start(&["resume", "--from-host", "app", "--yes"]).over().await;
    vec![broken, resumed]
}

/// How long a laptop sleeps at least: more than `engine::vigil` takes for an absence.
const SLEEP: Duration = Duration::from_millis(1_300);

/// A laptop falls asleep at some instant, another one takes its run over, and then it wakes up.
async fn asleep(
    sshd: &Sshd,
    dice: &mut Dice,
    procedure: &Procedure,
    lasts: Duration,
    totals: &mut Totals,
) -> bool {
    let site = Site::behind(sshd);
    procedure.write(&site);
    let (ada, bob) = (site.laptop("ada"), site.laptop("bob"));
    let mut process = ada.start(&["run", NAME, "--yes"]);
    if process.ends_within(lasts.mul_f64(dice.fraction())).await {
        return false;
    }
    process.signal("STOP");
    let fell_asleep = Instant::now();
    let has_begun = ada.run().is_some_and(|run| {
        let history = run.history();
        history.is_ok_and(|history| {
            history.records.iter().any(|record| matches!(record.event, Event::LeaseTaken { .. }))
        })
    });
    let is_over = |laptop: &Laptop<'_>| laptop.history().unwrap().unwrap().state().status;
    if !has_begun || is_over(&ada).is_final() {
        process.signal("CONT");
        process.over().await;
        return false;
    }
    let mut wrong = Vec::new();
    let overs = taken_over(&bob).await;
    let journal = || fs::read(ada.run().unwrap().path.join("journal.jsonl")).unwrap();
    let before = journal();
    // Nobody takes over and is done within a second but this test: a shorter sleep is none that a laptop would notice.
    tokio::time::sleep(SLEEP.saturating_sub(fell_asleep.elapsed())).await;
    process.signal("CONT");
    let woken = process.over().await;
    if woken.code != Some(REFUSED) {
        wrong.push(Wrong::State(format!("who woke up ended with {:?}", woken.code)));
    }
    if journal() != before {
        wrong.push(Wrong::State("who woke up wrote to the journal".to_owned()));
    }
    if let Err(left) = site.quiet().await {
        wrong.push(Wrong::State(format!("something still runs at the host:\n{left}")));
    }
    match bob.history() {
        Ok(Some(history)) if history.state().status == Status::Succeeded => {
            wrong.extend(judge(procedure, &site.lines(), Status::Succeeded));
        }
        other => wrong.push(Wrong::State(format!("the run that was taken over: {:?}", other.map(|_| ())))),
    }
    totals.count(1, &wrong, || {
        let stories: Vec<_> = overs.iter().chain([&woken]).map(Over::story).collect();
        format!("{}\n{:?}\n{}", stories.concat(), site.lines(), String::from_utf8_lossy(&before))
    });
    true
}

#[tokio::test]
async fn who_wakes_up_after_another_took_over_is_refused_and_writes_nothing() {
    let sshd = Sshd::start();
    let mut dice = Dice::of(seed());
    let mut totals = Totals::default();
    let wanted = Form::of_this_run().count(3, 40);
    while totals.runs < wanted {
        let procedure = Procedure::random(&mut dice);
        let site = Site::behind(&sshd);
        procedure.write(&site);
        let start = Instant::now();
        site.laptop("ada").start(&["run", NAME, "--yes"]).over().await;
        let lasts = start.elapsed();
        for _ in 0..6 {
            if totals.runs < wanted {
                asleep(&sshd, &mut dice, &procedure, lasts, &mut totals).await;
            }
        }
    }
    totals.hold("taken over from a laptop that was asleep");
}
