//! A run that comes from another machine: from the copy that a host keeps, or from a colleague.
//!
//! What comes is verified before anything is written. A run that is here already is extended, or stays as it is, whichever has
//! more; where the two copies diverge the one that comes is in force, and ours is kept aside and never removed. At every
//! instant the run's folder holds one copy or the other, whole; only where the plans differ, too, a crash may leave one that
//! is refused as corrupt until it is imported again.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::disk;
use super::elsewhere::Elsewhere;
use super::history::{JOURNAL, PLAN, present};
use super::store::{RunDir, Store, holder};
use super::travel::{Lines, Travel};
use super::{History, Lock, lock};
use crate::base::clock::Clock;
use crate::base::id::RunId;
use crate::base::{Error, Kind, Result, crash};
use crate::run::lease::Head;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    pub dir: RunDir,
    pub arrival: Arrival,
}

/// What came of importing a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// It was not here before.
    New,
    /// These many records were added to ours.
    Extended { records: u64 },
    /// Ours has all that came, and these many records more.
    Kept { records: u64 },
    /// The two diverge after so many records: the one that came is in force, ours is in that folder.
    Superseded { common: u64, aside: PathBuf },
}

impl Store {
    /// Takes in a run from elsewhere. It is durable when this returns, and held by nobody.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] when it is no such run, or was changed; [`Kind::Refused`] when a process has its turn at the run
    /// here, or a newer opsctl wrote it. Nothing was written then.
    pub fn import(&self, run: RunId, theirs: &Lines, operator: &str, clock: &Clock) -> Result<Imported> {
        let history = History::of(&theirs.plan, &theirs.journal)?;
        let of = history.state().run;
        if of != Some(run) {
            let what = of.map_or("has no record".to_owned(), |of| format!("is the run {of}"));
            return Err(Error::new(Kind::Corrupt, format!("what came for the run {run} {what}")));
        }
        let last = Head { seq: history.state().records, digest: history.chain.last().clone() };
        let dir = RunDir { id: run, path: self.runs.join(run.to_string()) };
        let failed = |error: io::Error| {
            disk::failed(format!("cannot take the run in at `{}`", dir.path.display()), &error)
        };
        if !disk::is_folder(&dir.path) && self.begin(&dir, theirs, &last).map_err(failed)? {
            return Ok(Imported { dir, arrival: Arrival::New });
        }
        let _lock = Lock::take(&dir.path, &holder(operator, clock))?;
        let ours = Lines::new(
            present(&dir.path, PLAN).map_err(failed)?,
            present(&dir.path, JOURNAL).map_err(failed)?,
        );
        let arrival = match ours.travel(theirs) {
            Travel::Same => Arrival::Kept { records: 0 },
            Travel::Ahead { records } => Arrival::Kept { records },
            Travel::Behind { records } => {
                replace(&dir.path, &ours, theirs, last.seq - records, &last).map_err(failed)?;
                Arrival::Extended { records }
            }
            Travel::Diverged { common } => {
                let aside = self.keep_aside(&dir).map_err(failed)?;
                crash::point("import.aside");
                replace(&dir.path, &ours, theirs, common, &last).map_err(failed)?;
                Arrival::Superseded { common, aside }
            }
        };
        Ok(Imported { dir, arrival })
    }

    /// Makes the run's folder. Not so when somebody else made it in the meantime.
    fn begin(&self, dir: &RunDir, theirs: &Lines, last: &Head) -> io::Result<bool> {
        let draft = self.runs.join(format!(".{}.{}.new", dir.id, RunId::generate()));
        disk::make(&draft)?;
        replace(&draft, &Lines::default(), theirs, 0, last)?;
        crash::point("import.made");
        match disk::rename(&draft, &dir.path) {
            Err(error) if matches!(error.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists) => {
                fs::remove_dir_all(&draft)?;
                return Ok(false);
            }
            renamed => renamed?,
        }
        disk::sync(&self.runs)?;
        Ok(true)
    }

    /// A durable copy of a run, under a name that is no run's.
    fn keep_aside(&self, dir: &RunDir) -> io::Result<PathBuf> {
        let named = |number| format!(".{}.superseded-{number}", dir.id);
        let mut number = 1;
        while disk::is_folder(&self.runs.join(named(number))) {
            number += 1;
        }
        let aside = self.runs.join(named(number));
        let draft = self.runs.join(named(number) + ".new");
        disk::make(&draft)?;
        copy_all(&dir.path, &draft)?;
        disk::rename(&draft, &aside)?;
        disk::sync(&self.runs)?;
        Ok(aside)
    }
}

/// Puts what came in the place of ours, in a folder that we hold. The records after `after` come without their outputs.
fn replace(folder: &Path, ours: &Lines, theirs: &Lines, after: u64, last: &Head) -> io::Result<()> {
    Elsewhere::note(folder, after, last.clone())?;
    if ours.plan != theirs.plan {
        disk::write(folder, PLAN, &theirs.plan)?;
    }
    disk::write(folder, JOURNAL, &theirs.journal)
}

/// Copies the files of a run's folder, but for its lock, which is its own.
fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if entry.file_type()?.is_dir() {
            disk::make(&to.join(&name))?;
            copy_all(&entry.path(), &to.join(&name))?;
        } else if let Some(name) = name.to_str().filter(|name| !name.starts_with('.') && *name != lock::FILE)
        {
            disk::write(to, name, &disk::read(&entry.path())?)?;
        }
    }
    Ok(())
}
