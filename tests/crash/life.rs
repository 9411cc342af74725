//! A run from its beginning to its end: processes die over it, and others go on, until nothing is left to do.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use opsctl::model::plan::Plan;
use opsctl::run::event::Rest;
use opsctl::run::state::{Course, RunState, Status};

use crate::common::sshd::Sshd;
use crate::procedure::{NAME, Procedure};
use crate::process::{Over, Process};
use crate::site::{Laptop, Site};
use crate::totals::{Totals, Wrong};
use crate::verdict::judge;

/// Far more than any run here needs.
const MOST_TURNS: usize = 14;

/// How a turn at a run comes to its end.
#[derive(Debug, Clone)]
pub enum Death {
    /// It does not die.
    None,
    /// The process is killed after so long.
    After(Duration),
    /// It kills itself at the passing of a crash point, such as `journal.synced:3`; on a disk that loses what was not synced,
    /// where there is a seed.
    At(String, Option<u64>),
    /// Its SSH clients are killed at the passing of a crash point, and it lives on.
    CutAt(String),
    /// It does not, and logs every crash point that it passes.
    Watched(PathBuf),
    /// Its SSH client is killed after so long, and it lives on.
    Client(Duration),
    /// The server's side of its connection is.
    Server(Duration),
}

/// What is wanted of the run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    /// That it succeeds.
    There,
    /// That it succeeds, and then is undone.
    ThereAndBack,
    /// That it is undone, from the first death on.
    Back,
}

pub struct Life<'a> {
    pub site: &'a Site,
    /// The server that the host is behind, where it is.
    pub sshd: Option<&'a Sshd>,
    pub procedure: &'a Procedure,
    pub goal: Goal,
    /// How its turns end, the first one first; the others do not die.
    pub deaths: Vec<Death>,
    /// From which turn on these are meant.
    pub since: Since,
}

/// The first turn that may die.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Since {
    Beginning,
    Undo,
}

/// One process.
pub struct Turn {
    death: Death,
    pub has_died: bool,
    pub lasted: Duration,
    over: Over,
}

/// How it all went.
pub struct Ended {
    pub turns: Vec<Turn>,
    pub wrong: Vec<Wrong>,
    lines: Vec<String>,
    records: String,
}

impl Life<'_> {
    /// Lives it, and judges what is left.
    pub async fn live(&self) -> Ended {
        self.procedure.write(self.site);
        let laptop = self.site.laptop("ada");
        let (mut turns, mut wrong) = (Vec::new(), Vec::new());
        let mut deaths = self.deaths.iter();
        let end = loop {
            let seen = match laptop.history() {
                Ok(seen) => seen.map(|history| (history.state().clone(), history.plan)),
                Err(error) => {
                    wrong.push(Wrong::State(format!("its journal: {error}")));
                    break None;
                }
            };
            if let Some(bad) = turns.last().and_then(|turn| self.misfit(turn, seen.as_ref())) {
                wrong.push(Wrong::State(bad));
                break None;
            }
            if turns.len() == MOST_TURNS {
                wrong.push(Wrong::State(format!("it has not ended after {MOST_TURNS} turns")));
                break None;
            }
            let state = seen.map(|(state, _)| state);
            let Some(arguments) = self.next(state.as_ref(), &turns) else {
                break state.map(|state| state.status);
            };
            let may_die =
                self.since == Since::Beginning || arguments[0] == "undo" || turns.iter().any(is_undo);
            let death = if may_die { deaths.next().cloned() } else { None };
            turns.push(self.turn(&laptop, &arguments, death.unwrap_or(Death::None)).await);
        };
        if let Err(left) = self.site.quiet().await {
            wrong.push(Wrong::State(format!("something still runs at the host:\n{left}")));
        }
        let lines = self.site.lines();
        if let Some(end) = end {
            wrong.extend(judge(self.procedure, &lines, end));
        }
        let records = laptop.run().map(|run| std::fs::read_to_string(run.path.join("journal.jsonl")));
        Ended { turns, wrong, lines, records: records.and_then(std::io::Result::ok).unwrap_or_default() }
    }

    /// What somebody types who looks at the run; nothing when it has come to where it should.
    fn next(&self, state: Option<&RunState>, turns: &[Turn]) -> Option<Vec<String>> {
        let words = |line: &str| Some(line.split(' ').map(String::from).collect());
        // A run that did not get its hosts is abandoned, and nothing was begun.
        let begun = state.filter(|state| state.status != Status::Abandoned);
        let Some(state) = begun else { return words(&format!("run {NAME} --yes")) };
        let has_died = turns.iter().any(|turn| turn.has_died);
        match (state.status, self.goal) {
            (Status::Succeeded, Goal::There) | (Status::Undone, _) => return None,
            (Status::Succeeded, _) => return words("undo latest --yes"),
            (_, Goal::Back) if has_died && state.course == Course::Forward => {
                return words("undo latest --yes");
            }
            _ => {}
        }
        match &state.rest {
            // Its plan was approved, and the process died before it had noted the same of the step.
            Some(Rest::WaitingForPerson { step, .. }) if state.steps[step].approved_by.is_none() => {
                words(&format!("resolve latest {step} --approve"))
            }
            _ => words("resume latest --yes"),
        }
    }

    async fn turn(&self, laptop: &Laptop<'_>, arguments: &[String], death: Death) -> Turn {
        let words: Vec<_> = arguments.iter().map(String::as_str).collect();
        let mut command = laptop.command(&words);
        let mark = self.site.path("cut");
        match &death {
            Death::Watched(log) => drop(command.env("OPSCTL_CRASH_LOG", log)),
            Death::At(passing, None) => drop(command.env("OPSCTL_CRASH_AT", passing)),
            Death::At(passing, Some(seed)) => {
                command.env("OPSCTL_CRASH_AT", passing).env("OPSCTL_LOSSY_DISK", "1");
                command.env("OPSCTL_LOSSY_SEED", seed.to_string());
            }
            Death::CutAt(passing) => {
                let config = self.sshd.map(|sshd| sshd.folder().join("ssh_config")).unwrap_or_default();
                let (config, mark) = (config.display(), mark.display());
                let cut = format!("if pkill -KILL -f '^ssh .*{config}'; then >{mark}; fi");
                command.env("OPSCTL_CRASH_AT", passing).env("OPSCTL_CRASH_DO", cut);
            }
            Death::None | Death::After(_) | Death::Client(_) | Death::Server(_) => {}
        }
        let start = Instant::now();
        let mut process = Process::start(command);
        let mut has_died = false;
        if let Death::After(span) | Death::Client(span) | Death::Server(span) = &death {
            has_died = !process.ends_within(*span).await;
        }
        let over = match (&death, self.sshd) {
            (Death::After(_), _) if has_died => process.killed().await,
            (Death::Client(_), Some(sshd)) if has_died => {
                sshd.signal_clients("KILL");
                process.over().await
            }
            (Death::Server(_), Some(sshd)) if has_died => {
                sshd.signal_connections("KILL");
                process.over().await
            }
            _ => process.over().await,
        };
        let has_died = has_died || over.code.is_none() || std::fs::remove_file(mark).is_ok();
        Turn { has_died, lasted: start.elapsed(), death, over }
    }

    /// What a turn should not have come to.
    fn misfit(&self, turn: &Turn, seen: Option<&(RunState, Plan)>) -> Option<String> {
        let words = &turn.over.words;
        if turn.over.hung {
            return Some(format!("`{words}` hangs"));
        }
        let is_cut_off =
            turn.has_died && matches!(turn.death, Death::Client(_) | Death::Server(_) | Death::CutAt(_));
        let Some(code) = turn.over.code else {
            let may_die = matches!(turn.death, Death::After(_) | Death::At(..));
            return (!may_die).then(|| format!("`{words}` was killed by somebody"));
        };
        let Some((state, plan)) = seen else {
            // There is no run without a connection.
            return (!is_cut_off).then(|| format!("`{words}` ended with {code}, and there is no run"));
        };
        let due = match (state.status, &state.rest) {
            _ if words.contains(" resolve ") => 0,
            (Status::Succeeded | Status::Undone, _) => 0,
            (Status::Waiting, Some(Rest::WaitingForHost { .. })) if is_cut_off => 11,
            (Status::Waiting, Some(Rest::WaitingForPerson { step, .. }))
                if plan.step(step).is_some_and(|step| step.approve.is_some()) =>
            {
                11
            }
            (Status::Abandoned, _) if is_cut_off && self.site.lines().is_empty() => 11,
            (Status::Stuck, _) if self.procedure.gets_stuck() => 12,
            // The connection was gone before the turn began.
            (Status::Running | Status::Undoing | Status::Created, _) if is_cut_off => return None,
            (status, rest) => return Some(format!("`{words}` ended with {code}, {status:?}: {rest:?}")),
        };
        (code != due).then(|| format!("`{words}` ended with {code}, not {due}"))
    }
}

fn is_undo(turn: &Turn) -> bool {
    turn.over.words.starts_with("opsctl undo ")
}

impl Ended {
    pub fn deaths(&self) -> usize {
        self.turns.iter().filter(|turn| turn.has_died).count()
    }

    /// Adds it to the totals. `name` says which life it was.
    pub fn count(&self, totals: &mut Totals, name: &str) {
        totals.count(self.deaths(), &self.wrong, || self.story(name));
    }

    fn story(&self, name: &str) -> String {
        let mut story = format!("{name}:\n");
        for Turn { death, over, lasted, .. } in &self.turns {
            let _ = writeln!(story, "{death:?}, after {lasted:.3?}:\n{}", over.story());
        }
        let _ = writeln!(story, "lines: {}", self.lines.join(" "));
        story + &self.records
    }
}
