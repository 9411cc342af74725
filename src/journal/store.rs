//! Where runs are kept: `$XDG_STATE_HOME/opsctl/runs/<run>/{plan.json, journal.jsonl, lock, blobs/<sha256>}`.
//!
//! `OPSCTL_STATE_DIR` takes the place of `$XDG_STATE_HOME/opsctl`. A run is made under another name and renamed when it is
//! whole, so that a crash in between leaves nothing that looks like one. Everything is the owner's alone.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::blob::Blobs;
use super::disk;
use super::follow::Follower;
use super::history::{JOURNAL, PLAN, read_file};
use super::lock::Holder;
use super::travel::Lines;
use super::{History, Journal, Lock};
use crate::base::clock::Clock;
use crate::base::id::RunId;
use crate::base::{Error, Kind, Result, crash};
use crate::model::plan::Plan;
use crate::run::event::Event;

/// All runs of this person on this machine.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) runs: PathBuf,
}

/// The folder of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDir {
    pub id: RunId,
    pub path: PathBuf,
}

/// A process's turn at a run: it alone writes.
#[derive(Debug)]
pub struct Turn {
    pub dir: RunDir,
    pub journal: Journal,
    _lock: Lock,
}

impl Store {
    /// The store that the environment names. Nothing is made before the first run is.
    ///
    /// # Errors
    /// When there is neither `OPSCTL_STATE_DIR` nor a home.
    pub fn open() -> Result<Store> {
        root(|name| env::var_os(name)).map(|root| Store::at(&root)).ok_or_else(|| {
            Error::new(Kind::Usage, "there is no folder to keep runs in: `HOME` is not set")
                .hint("export OPSCTL_STATE_DIR=/var/lib/opsctl")
        })
    }

    pub fn at(root: &Path) -> Store {
        Store { runs: root.join("runs") }
    }

    /// The folder that all of it is in.
    pub fn root(&self) -> &Path {
        self.runs.parent().unwrap_or(&self.runs)
    }

    /// Makes a run of a plan. It is durable, locked, and has its first record when this returns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create_run(&self, plan: &Plan, operator: &str, clock: Clock) -> Result<Turn> {
        let id = RunId::generate();
        let draft = self.runs.join(format!(".{id}.new"));
        let path = self.runs.join(id.to_string());
        let failed = |error: std::io::Error| {
            disk::failed(format!("cannot make a run in `{}`", self.runs.display()), &error)
        };
        disk::make(&draft).map_err(failed)?;
        let lock = Lock::take(&draft, &holder(operator, &clock))?;
        let mut journal = Journal::create(&draft, plan, clock)?;
        journal.append(Event::RunCreated {
            run: id,
            plan: plan.digest(),
            runbook: plan.runbook.clone(),
            operator: operator.to_owned(),
        })?;
        crash::point("run.made");
        disk::rename(&draft, &path).map_err(failed)?;
        crash::point("run.renamed");
        disk::sync(&self.runs).map_err(failed)?;
        Ok(Turn { dir: RunDir { id, path }, journal, _lock: lock })
    }

    /// What tells this store from every other: a lease that was taken from here for a run whose lock we have is no longer
    /// anybody else's.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn seat(&self) -> Result<String> {
        let root = self.root();
        let path = root.join("seat");
        let failed =
            |error: std::io::Error| disk::failed(format!("cannot write `{}`", path.display()), &error);
        match disk::read(&path) {
            Ok(seat) if !seat.is_empty() => return Ok(String::from_utf8_lossy(&seat).trim().to_owned()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        // Of two processes that make it at once the later one counts. The other's lease then looks like that of another
        // store, and stands for as long as its connection does.
        let seat = uuid::Uuid::now_v7().simple().to_string();
        disk::make(root).and_then(|()| disk::write(root, "seat", seat.as_bytes())).map_err(failed)?;
        let seat = disk::read(&path).map_err(failed)?;
        Ok(String::from_utf8_lossy(&seat).trim().to_owned())
    }

    /// All runs, the oldest first. What is no run is passed over.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn list(&self) -> Result<Vec<RunDir>> {
        let entries = match fs::read_dir(&self.runs) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => {
                return Err(
                    Error::internal(format!("cannot read `{}`", self.runs.display())).caused_by(&error)
                );
            }
        };
        let mut runs: Vec<_> = entries
            .filter_map(|entry| {
                let name = entry.ok()?.file_name();
                let name = name.to_str()?;
                let id = RunId::parse(name).filter(|id| id.to_string() == name)?;
                Some(RunDir { id, path: self.runs.join(name) })
            })
            .collect();
        runs.sort_by_key(|run| run.id);
        Ok(runs)
    }

    /// The run that a person means: `latest`, the start of its id, or at least four characters of its end, as long as only
    /// one run fits. The start of an id is the time it was made, which runs of the same hour share; the end is what people can
    /// tell apart.
    ///
    /// # Errors
    /// [`Kind::Usage`] when no run fits, or several do: then with those.
    pub fn find(&self, name: &str) -> Result<RunDir> {
        let mut runs = self.list()?;
        let refused = |message: String| Error::new(Kind::Usage, message).hint("opsctl runs list");
        if name == "latest" {
            return runs.pop().ok_or_else(|| refused("there are no runs yet".to_owned()));
        }
        let mut fitting: Vec<_> = runs.into_iter().filter(|run| run.id.is_meant_by(name)).collect();
        match fitting.len() {
            0 => Err(refused(format!("there is no run `{name}`"))),
            1 => Ok(fitting.remove(0)),
            several => Err(Error::new(Kind::Usage, format!("`{name}` may be any of {several} runs"))
                .detail(fitting.iter().map(|run| run.id.to_string()).collect::<Vec<_>>().join("\n"))
                .hint("give more of the id, or its last characters")),
        }
    }
}

impl RunDir {
    /// The run as its journal tells it, for showing.
    ///
    /// # Errors
    /// As [`History::read`].
    pub fn history(&self) -> Result<History> {
        History::read(&self.path)
    }

    /// Takes a turn at the run: its lock, and its journal to append to. The next record is `epoch_started`.
    ///
    /// # Errors
    /// [`Kind::Refused`] when another process has its turn; else as [`History::read`].
    pub fn take_turn(&self, operator: &str, clock: Clock) -> Result<(Turn, History)> {
        let lock = Lock::take(&self.path, &holder(operator, &clock))?;
        let (journal, history) = Journal::open(&self.path, clock)?;
        Ok((Turn { dir: self.clone(), journal, _lock: lock }, history))
    }

    /// Who has its turn at the run at this moment.
    pub fn holder(&self) -> Option<Holder> {
        Lock::holder(&self.path)
    }

    pub fn blobs(&self) -> Blobs {
        Blobs::of(&self.path)
    }

    /// The run as bytes, for taking it elsewhere.
    ///
    /// # Errors
    /// When the plan or the journal cannot be read.
    pub fn lines(&self) -> Result<Lines> {
        Ok(Lines::new(read_file(&self.path, PLAN)?, read_file(&self.path, JOURNAL)?))
    }

    /// # Errors
    /// As [`History::read`].
    pub fn follow(&self) -> Result<Follower> {
        Follower::new(&self.path)
    }
}

pub(super) fn holder(operator: &str, clock: &Clock) -> Holder {
    Holder { operator: operator.to_owned(), pid: std::process::id(), since: clock.now() }
}

/// The XDG Base Directory Specification: a value that is empty or relative counts as none.
fn root(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let absolute = |name| set(name).filter(|path| path.is_absolute());
    set("OPSCTL_STATE_DIR")
        .or_else(|| absolute("XDG_STATE_HOME").map(|state| state.join("opsctl")))
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state/opsctl")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_kept_where_the_environment_says() {
        let root = |variables: &[(&str, &str)]| {
            let found = |name: &str| variables.iter().find(|(known, _)| *known == name);
            super::root(|name| found(name).map(|(_, value)| OsString::from(value)))
        };
        let home = ("HOME", "/home/ada");
        assert_eq!(root(&[home]), Some("/home/ada/.local/state/opsctl".into()));
        assert_eq!(root(&[home, ("XDG_STATE_HOME", "/state")]), Some("/state/opsctl".into()));
        assert_eq!(root(&[home, ("XDG_STATE_HOME", "state")]), root(&[home]));
        assert_eq!(
            root(&[home, ("XDG_STATE_HOME", "/state"), ("OPSCTL_STATE_DIR", "here")]),
            Some("here".into())
        );
        assert_eq!(root(&[home, ("OPSCTL_STATE_DIR", "")]), root(&[home]));
        assert_eq!(root(&[]), None);
    }
}
