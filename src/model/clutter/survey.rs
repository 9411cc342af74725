//! What could go from the disks of a host, and what stays and why.

use serde::Serialize;

use super::contents::{Disk, Held, Room};
use crate::base::clock::Timestamp;
use crate::base::percent::Percent;

/// What was decided about everything that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    /// By the clock of the host.
    pub at: Timestamp,
    pub disks: Vec<Share>,
    /// In the order in which they would go: that of [`Kind`]; of a kind the largest first.
    pub items: Vec<Item>,
    pub held: Vec<Held>,
    /// Folders that are left whole, whatever a rule for files says.
    pub spare: Vec<String>,
    /// What could not be looked at, in words.
    pub unseen: Vec<String>,
}

/// A filesystem, and what of it is wanted to be free.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    pub disk: Disk,
    pub wanted: Percent,
}

/// What things are, in the order in which they are let go of: the least regretted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Builds,
    Container,
    /// An image without a name.
    DanglingImage,
    Image,
    RotatedLogs,
    ContainerLog,
    Journal,
    Packages,
    Temporary,
    Network,
    Backup,
    /// Never goes by a cleanup.
    Volume,
}

/// One thing, or the files of a folder that a rule takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    pub kind: Kind,
    /// As people know it: a container's name, an image's tag, a path.
    pub name: String,
    /// As Docker knows it, where it does.
    pub id: Option<String>,
    /// By which names an image is let go of, one after the other; it has no other.
    pub names: Vec<String>,
    /// What can be pulled again: `repository@sha256:...`.
    pub digest: Option<String>,
    /// What is free when it is gone; at least.
    pub bytes: u64,
    pub files: u64,
    /// The filesystem that it is on.
    pub mount: String,
    /// Where the log of a container is.
    pub path: Option<String>,
    /// Whose backup it is: `database/argus`, `cache/redis`.
    pub of: Option<String>,
    pub fate: Fate,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Fate {
    Goes,
    Stays(Reason),
}

/// Why something stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The container of that name runs.
    Runs,
    /// A container of that name uses it, running or not; of a network, so many.
    UsedBy(String),
    /// One of the last releases of a service.
    Release(String),
    /// A Compose project needs it.
    Project(String),
    /// A run that has not ended needs it.
    Run(String),
    /// It has not been there, or not been stopped, for long enough.
    Young,
    /// Among the newest so many that are kept.
    Newest,
    /// A verified backup, or newer than one that is needed.
    Verified,
    /// Newer than the RPO.
    Rpo,
    /// Made for a reason, or by somebody else.
    NotOurs,
    /// What is in it can be had nowhere else.
    Data,
    /// One of Docker's own.
    Own,
    /// Some of its projects' files could not be read, so nobody knows whether it is needed.
    Unknown(String),
    /// What a rule keeps of a folder: what is younger, open, or not its kind.
    Rule,
}

impl Kind {
    pub const ALL: [Kind; 12] = [
        Kind::Builds,
        Kind::Container,
        Kind::DanglingImage,
        Kind::Image,
        Kind::RotatedLogs,
        Kind::ContainerLog,
        Kind::Journal,
        Kind::Packages,
        Kind::Temporary,
        Kind::Network,
        Kind::Backup,
        Kind::Volume,
    ];
}

impl Survey {
    /// What goes, of a kind and a filesystem.
    pub fn going(&self, kind: Kind, mount: &str) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(move |item| item.kind == kind && item.mount == mount && item.goes())
    }
}

impl Item {
    /// One of which no more is known than where it is, and whether it goes.
    pub fn new(kind: Kind, name: impl Into<String>, mount: &str, fate: Fate) -> Item {
        Item {
            kind,
            name: name.into(),
            id: None,
            names: Vec::new(),
            digest: None,
            bytes: 0,
            files: 0,
            mount: mount.to_owned(),
            path: None,
            of: None,
            fate,
        }
    }

    pub fn goes(&self) -> bool {
        self.fate == Fate::Goes
    }
}

impl Share {
    /// Whether as much is free as is wanted, in bytes and in inodes.
    pub fn is_met(&self) -> bool {
        self.has_bytes() && self.disk.inodes.is_none_or(|inodes| self.is_enough(inodes))
    }

    /// Whether it is not bytes that it lacks.
    pub fn has_bytes(&self) -> bool {
        self.is_enough(self.disk.bytes)
    }

    fn is_enough(&self, room: Room) -> bool {
        Percent::of(room.used, room.used + room.free).0 < 100.0 - self.wanted.0
    }

    /// Whether hardly anything can be written to it.
    pub fn is_full(&self) -> bool {
        let is_full = |room: Room| Percent::of(room.used, room.used + room.free).0 >= 99.0;
        is_full(self.disk.bytes) || self.disk.inodes.is_some_and(is_full)
    }
}
