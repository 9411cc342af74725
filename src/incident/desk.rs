//! Where incidents are kept: `$OPSCTL_STATE_DIR/incidents/<incident>/{record.jsonl, lock}`.
//!
//! An incident is made under another name and renamed when it is whole, so that a crash in between leaves nothing that looks like one. One
//! process at a time writes into its record; the others read it meanwhile, or wait for their turn, which is never long in coming.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::event::{Event, Opening, Record};
use super::record::{Chain, Writer};
use super::state::IncidentState;
use crate::base::clock::{Clock, Timestamp};
use crate::base::id::IncidentId;
use crate::base::{Error, Kind, Result};
use crate::journal::lock::{Holder, Lock};
use crate::journal::{Store, disk};

/// How long a command waits for another one's turn: that gives messages to channels, which may take ten seconds twice.
const PATIENCE: Duration = Duration::from_secs(25);

/// Holds the time of the last tick.
const TICKED: &str = "ticked";

/// All incidents that are kept on this machine.
#[derive(Debug, Clone)]
pub struct Desk {
    root: PathBuf,
}

/// An incident as it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    pub state: IncidentState,
    pub records: Vec<Record>,
}

/// A process's turn at an incident: it alone writes.
#[derive(Debug)]
pub struct Hand {
    writer: Writer,
    clock: Clock,
    by: String,
    _lock: Lock,
}

impl Desk {
    /// The desk beside the runs of this person. Nothing is made before the first incident is.
    ///
    /// # Errors
    /// When there is no folder for it.
    pub fn open() -> Result<Desk> {
        Ok(Desk::at(&Store::open()?.root().join("incidents")))
    }

    pub fn at(root: &Path) -> Desk {
        Desk { root: root.to_owned() }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The incidents' ids, the oldest first. What is no incident is passed over.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn ids(&self) -> Result<Vec<IncidentId>> {
        let failed = |error: io::Error| {
            Error::internal(format!("cannot read `{}`", self.root.display())).caused_by(&error)
        };
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            let id =
                name.to_str().and_then(|name| IncidentId::parse(name).filter(|id| id.to_string() == name));
            ids.extend(id);
        }
        ids.sort();
        Ok(ids)
    }

    /// All incidents, the oldest first.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn list(&self) -> Result<Vec<Incident>> {
        self.ids()?.into_iter().map(|id| self.read(id)).collect()
    }

    /// The incident that a person means: `latest`, which is the newest that is not closed, or else the newest; the start of its id, or at
    /// least four characters of its end, as long as only one fits.
    ///
    /// # Errors
    /// [`Kind::Usage`] when none fits, or several do: then with those.
    pub fn find(&self, name: &str) -> Result<IncidentId> {
        let ids = self.ids()?;
        let refused = |message: String| Error::new(Kind::Usage, message).hint("opsctl incident list");
        if name == "latest" {
            // One that cannot be read is not known to be closed.
            let is_closed = |id: &IncidentId| self.read(*id).is_ok_and(|incident| incident.state.is_closed);
            let open = ids.iter().rev().find(|id| !is_closed(id));
            return open
                .or(ids.last())
                .copied()
                .ok_or_else(|| Error::usage("there are no incidents yet").hint("opsctl incident open"));
        }
        let fitting: Vec<_> = ids.into_iter().filter(|id| id.is_meant_by(name)).collect();
        match fitting[..] {
            [] => Err(refused(format!("there is no incident `{name}`"))),
            [one] => Ok(one),
            _ => Err(Error::new(Kind::Usage, format!("`{name}` may be any of {} incidents", fitting.len()))
                .detail(fitting.iter().map(IncidentId::to_string).collect::<Vec<_>>().join("\n"))
                .hint("give more of the id, or its last characters")),
        }
    }

    /// The incident as its record tells it at this moment.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] with the line, when the record was changed.
    pub fn read(&self, incident: IncidentId) -> Result<Incident> {
        let (chain, _) = Chain::read(incident, &self.folder(incident))?;
        let (state, records) = chain.into_parts();
        Ok(Incident { state, records })
    }

    /// Makes an incident. It is durable, locked, and has its first record when this returns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(&self, opening: Opening, by: &str, clock: Clock) -> Result<Hand> {
        let incident = opening.incident;
        let draft = self.root.join(format!(".{incident}.new"));
        let failed = |error: io::Error| {
            disk::failed(format!("cannot make an incident in `{}`", self.root.display()), &error)
        };
        disk::make(&draft).map_err(failed)?;
        let lock = Lock::take(&draft, &holder(by, &clock))?;
        let writer = Writer::create(&draft, opening, clock.now(), by)?;
        disk::rename(&draft, &self.folder(incident)).map_err(failed)?;
        disk::sync(&self.root).map_err(failed)?;
        Ok(Hand { writer, clock, by: by.to_owned(), _lock: lock })
    }

    /// Takes a turn at an incident. Where another process has its turn, that is waited for.
    ///
    /// # Errors
    /// [`Kind::Refused`] when the other does not end; else as [`Desk::read`].
    pub fn take(&self, incident: IncidentId, by: &str, clock: Clock) -> Result<Hand> {
        let folder = self.folder(incident);
        let begun = Instant::now();
        let lock = loop {
            match Lock::take(&folder, &holder(by, &clock)) {
                Ok(lock) => break lock,
                Err(error) if error.kind == Kind::Refused && begun.elapsed() < PATIENCE => {}
                Err(error) if error.kind == Kind::Refused => return Err(held(incident, &folder)),
                Err(error) => return Err(error),
            }
        };
        let writer = Writer::open(incident, &folder)?;
        Ok(Hand { writer, clock, by: by.to_owned(), _lock: lock })
    }

    /// When the last tick was.
    pub fn ticked_at(&self) -> Option<Timestamp> {
        let text = disk::read(&self.root.join(TICKED)).ok()?;
        String::from_utf8(text).ok()?.trim().parse().ok()
    }

    /// Somebody looked after all incidents.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn note_tick(&self, at: Timestamp) -> Result<()> {
        let text = format!("{at}\n");
        disk::make(&self.root).and_then(|()| disk::write(&self.root, TICKED, text.as_bytes())).map_err(
            |error| disk::failed(format!("cannot write `{}`", self.root.join(TICKED).display()), &error),
        )
    }

    fn folder(&self, incident: IncidentId) -> PathBuf {
        self.root.join(incident.to_string())
    }
}

impl Hand {
    pub fn id(&self) -> IncidentId {
        self.state().opening.incident
    }

    pub fn state(&self) -> &IncidentState {
        self.writer.chain().state()
    }

    pub fn records(&self) -> &[Record] {
        self.writer.chain().records()
    }

    /// How long the process lives, in a test.
    #[cfg(test)]
    pub fn lives(&mut self, life: &super::record::Life) {
        self.writer.lives(life);
    }

    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    pub fn by(&self) -> &str {
        &self.by
    }

    /// Makes an event durable.
    ///
    /// # Errors
    /// [`Kind::Refused`] when it cannot follow: then nothing was written. Else when it cannot be written.
    pub fn append(&mut self, event: Event) -> Result<()> {
        self.writer.append(self.clock.now(), &self.by, event)
    }
}

fn holder(by: &str, clock: &Clock) -> Holder {
    Holder { operator: by.to_owned(), pid: std::process::id(), since: clock.now() }
}

fn held(incident: IncidentId, folder: &Path) -> Error {
    let by = match Lock::holder(folder) {
        Some(Holder { operator, pid, since }) if pid != 0 => {
            format!("`{operator}` (process {pid} on this machine, since {since:.0})")
        }
        _ => "another process on this machine".to_owned(),
    };
    Error::new(Kind::Refused, format!("incident {} is held by {by}", incident.short()))
        .hint(format!("opsctl incident show {}", incident.short()))
}
