//! The runs whose steps, or whose way back, may still need what is on a host: of this machine's own store, and of the copies that the host
//! keeps of everybody's.
//!
//! A run that has not ended may do any of its steps, or undo them. One that was undone or given up does nothing any more. One that has
//! succeeded can still be undone, by a person who finds that it made things worse. Where that is a release, its way back leads to the
//! release before, which the last releases of each service cover for as long as anybody likes; what else a plan names is kept for as
//! long as the inventory says that an unused thing stays, from the end of its run on: whoever wants back what is older than that makes a
//! new plan. A cleanup's plan names what goes, and not what it needs: it keeps nothing.
//!
//! Of several copies of a run the longest counts: a journal only ever grows.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::asked::{Asked, Seen, asked};
use super::question::{ask, lines};
use crate::base::amount::Span;
use crate::base::clock::{Timestamp, elapsed};
use crate::host::Host;
use crate::host::failure::Failure;
use crate::journal::store::Store;
use crate::model::clutter::contents::Unfinished;
use crate::model::inventory;
use crate::run::event::{End, Event, Record};

const SCRIPT: &str = include_str!("unfinished.sh");

const PATIENCE: Duration = Duration::from_secs(60);

/// The runbook that cleanups are run by.
const CLEANUP: &str = "cleanup-disk";

/// A copy of a run.
#[derive(Debug, Clone, PartialEq)]
struct Copy {
    records: u64,
    standing: Standing,
    /// Where it may be needed.
    plan: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Standing {
    Open,
    Ended { end: End, at: Timestamp },
}

/// Where the runner may keep copies of runs, and what time it is there.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kept {
    pub now: Timestamp,
    pub folders: Vec<String>,
}

/// Asks what time it is, and where a user's state is kept there.
///
/// # Errors
/// As for any command.
pub(super) async fn place(machine: &Host, entry: Option<&inventory::Host>) -> Result<Kept, Failure> {
    let now = Timestamp::from_second(machine.clock().await?).unwrap_or_default();
    let script = "printf '%s\\n' \"${XDG_STATE_HOME:-${HOME:-}/.local/state}\"";
    let asked = ask(machine, &[], script, None, PATIENCE).await?;
    let named = entry.and_then(|entry| entry.state_dir.clone());
    let on_disk = match named {
        Some(folder) => vec![folder],
        None => {
            vec!["/var/lib/opsctl".to_owned(), format!("{}/opsctl/host", asked.stdout.trim_end_matches('\n'))]
        }
    };
    // Where a disk is full, the runner keeps them in memory.
    let in_memory = on_disk.iter().map(|folder| format!("/dev/shm/opsctl{}", folder.replace('/', "-")));
    let folders = on_disk.iter().cloned().chain(in_memory).collect();
    Ok(Kept { now, folders })
}

pub(super) async fn look(
    machine: &Host,
    store: &Store,
    kept: &Kept,
    wanted_for: Span,
) -> Asked<Vec<Unfinished>> {
    let mut seen = Seen::default();
    let mut runs = BTreeMap::new();
    kept_here(store, &mut runs, &mut seen.unseen);
    // A minute more: the host's own clock and ours need not agree to the second.
    let minutes = (wanted_for.0.as_secs() / 60 + 2).to_string();
    let given = [("folders", lines(&kept.folders)), ("minutes", minutes)];
    let given = given.each_ref().map(|(name, value)| (*name, value.as_str()));
    let what = format!("the runs that host `{}` keeps copies of", machine.name());
    let answer = ask(machine, &given, SCRIPT, None, PATIENCE).await;
    if let Some(answer) = asked(machine, &what, answer, &mut seen.unseen)? {
        read(&answer.stdout, &what, &mut runs, &mut seen.unseen);
    }
    seen.found = needed(runs, kept.now, wanted_for);
    Ok(seen)
}

fn kept_here(store: &Store, runs: &mut BTreeMap<String, Copy>, unseen: &mut Vec<String>) {
    let listed = store.list().unwrap_or_else(|error| {
        unseen.push(format!("the runs that are kept here: {}", error.message));
        Vec::new()
    });
    for run in listed {
        match run.lines() {
            Ok(lines) => {
                let journal = String::from_utf8_lossy(&lines.journal);
                let last = journal.lines().rev().find_map(standing_of);
                let plan = String::from_utf8_lossy(&lines.plan).into_owned();
                let standing = last.unwrap_or(Standing::Open);
                add(runs, run.id.to_string(), journal.lines().count() as u64, standing, Some(plan));
            }
            Err(error) => unseen.push(format!("run {}: {}", run.id, error.message)),
        }
    }
}

/// What the host prints.
fn read(text: &str, what: &str, runs: &mut BTreeMap<String, Copy>, unseen: &mut Vec<String>) {
    let mut of: Option<(String, u64, Standing)> = None;
    for line in text.lines().chain([""]) {
        let plan = line.strip_prefix("P\t").map(str::to_owned);
        if let Some((run, records, standing)) = of.take() {
            add(runs, run, records, standing, plan);
        }
        let fields: Vec<&str> = line.splitn(4, '\t').collect();
        match fields[..] {
            ["R", run, records, last] => {
                let standing = standing_of(last).unwrap_or(Standing::Open);
                of = Some((run.to_owned(), records.trim().parse().unwrap_or_default(), standing));
            }
            ["W", folder] => unseen.push(format!("{what}: `{folder}` cannot be read")),
            _ => {}
        }
    }
}

/// How a run stands after a record; nothing where the record says nothing about it.
fn standing_of(line: &str) -> Option<Standing> {
    #[derive(Deserialize)]
    struct Kind<'a> {
        r#type: &'a str,
    }
    let kind: Kind<'_> = serde_json::from_str(line).ok()?;
    match kind.r#type {
        "undo_requested" => Some(Standing::Open),
        "run_ended" => match serde_json::from_str(line).ok()? {
            Record { event: Event::RunEnded { end }, at, .. } => Some(Standing::Ended { end, at }),
            _ => None,
        },
        _ => None,
    }
}

fn add(
    runs: &mut BTreeMap<String, Copy>,
    run: String,
    records: u64,
    standing: Standing,
    plan: Option<String>,
) {
    let copy = Copy { records, standing, plan };
    match runs.get_mut(&run) {
        Some(known) if known.records > records => {}
        // Both say the same; only one may have the plan.
        Some(known) if known.records == records && known.plan.is_some() => {}
        Some(known) => *known = copy,
        None => drop(runs.insert(run, copy)),
    }
}

fn needed(runs: BTreeMap<String, Copy>, now: Timestamp, wanted_for: Span) -> Vec<Unfinished> {
    let is_needed = |copy: &Copy| match copy.standing {
        Standing::Open => true,
        Standing::Ended { end: End::Succeeded, at } => elapsed(at, now) <= wanted_for.0,
        Standing::Ended { end: End::Undone | End::Abandoned, .. } => false,
    };
    let needed = runs.into_iter().filter(|(_, copy)| is_needed(copy));
    let needed = needed.filter_map(|(run, copy)| Some(Unfinished { run, plan: copy.plan? }));
    needed.filter(|run| !is_a_cleanup(&run.plan)).collect()
}

fn is_a_cleanup(plan: &str) -> bool {
    #[derive(Deserialize)]
    struct Head {
        runbook: String,
    }
    serde_json::from_str(plan).is_ok_and(|head: Head| head.runbook == CLEANUP)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = r#"{"v":1,"runbook":"rollback"}"#;

    fn now() -> Timestamp {
        "2026-11-27T12:00:00Z".parse().unwrap()
    }

    fn record(at: &str, event: &str) -> String {
        let prev = "0".repeat(64);
        format!(r#"{{"v":1,"seq":9,"prev":"{prev}","at":"{at}","epoch":1,{event}}}"#)
    }

    fn ended(at: &str, end: &str) -> String {
        record(at, &format!(r#""type":"run_ended","end":"{end}""#))
    }

    /// The runs that are needed, of what a host prints.
    fn told(lines: &[String]) -> (Vec<String>, Vec<String>) {
        let (mut runs, mut unseen) = (BTreeMap::new(), Vec::new());
        read(&lines.join("\n"), "runs", &mut runs, &mut unseen);
        let needed = needed(runs, now(), Span::secs(24 * 3600));
        (needed.into_iter().map(|run| run.run).collect(), unseen)
    }

    fn run(name: &str, records: u64, last: &str) -> [String; 2] {
        [format!("R\t{name}\t{records}\t{last}"), format!("P\t{PLAN}")]
    }

    #[test]
    fn what_has_not_ended_is_needed_and_what_succeeded_is_for_as_long_as_it_may_be_undone() {
        let back = record("2026-11-26T12:00:00Z", r#""type":"undo_requested","by":"ada""#);
        let lines = [
            run("open", 3, ""),
            run("succeeded-today", 9, &ended("2026-11-27T03:14:00Z", "succeeded")),
            run("succeeded-before", 9, &ended("2026-11-26T03:14:00Z", "succeeded")),
            run("undone", 9, &ended("2026-11-27T03:14:00Z", "undone")),
            run("abandoned", 9, &ended("2026-11-27T03:14:00Z", "abandoned")),
            run("going-back", 12, &back),
        ];
        let (needed, unseen) = told(&lines.concat());
        assert_eq!(needed, ["going-back", "open", "succeeded-today"]);
        assert!(unseen.is_empty());
    }

    #[test]
    fn of_two_copies_the_longer_one_counts() {
        let ended = ended("2026-11-27T03:14:00Z", "undone");
        let [head, plan] = run("one", 3, "");
        let lines = [head, plan, format!("R\tone\t9\t{ended}"), "W\t/root/x".to_owned()];
        assert_eq!(told(&lines), (Vec::new(), vec!["runs: `/root/x` cannot be read".to_owned()]));
        let [head, plan] = run("two", 9, "");
        assert_eq!(told(&[format!("R\ttwo\t3\t{ended}"), head, plan]).0, ["two"]);
    }

    #[test]
    fn a_cleanup_needs_nothing_of_what_it_names() {
        let lines = ["R\tclean\t3\t".to_owned(), r#"P	{"v":1,"runbook":"cleanup-disk"}"#.to_owned()];
        assert_eq!(told(&lines).0, Vec::<String>::new());
    }
}
