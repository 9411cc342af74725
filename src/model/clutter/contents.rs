//! What was found on a host.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::clock::Timestamp;
use crate::base::image::Reference;
use crate::model::backups::Kind as Engine;
use crate::model::manifest::Listing;

/// Everything that a host has on its disks, as far as it is anybody's to let go of.
#[derive(Debug, Clone, PartialEq)]
pub struct Contents {
    /// By the clock of the host.
    pub now: Timestamp,
    pub disks: Vec<Disk>,
    /// Where Docker keeps everything; none where no engine answers.
    pub engine: Option<Engined>,
    /// The files below folders that are looked through by rules.
    pub piles: Vec<Pile>,
    /// The folders and files that no rule takes anything of, wherever they are.
    pub spared: Vec<String>,
    pub journal: Option<Journal>,
    /// Files that have no name any more, and are open.
    pub held: Vec<Held>,
    pub vaults: Vec<Vault>,
    /// What each service was released with, of the services of this host.
    pub services: Vec<Released>,
    /// The plans of runs that have not ended, or were done so lately that somebody may want them undone, wherever they were begun.
    pub unfinished: Vec<Unfinished>,
    /// What could not be looked at, in words.
    pub unseen: Vec<String>,
}

/// A filesystem.
#[derive(Debug, Clone, PartialEq)]
pub struct Disk {
    pub mount: String,
    pub bytes: Room,
    /// None where there is no end of them.
    pub inodes: Option<Room>,
}

/// What is kept for root is neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    pub used: u64,
    pub free: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Engined {
    /// Docker's own folder, and the filesystem that it is on.
    pub root: String,
    pub mount: String,
    pub images: Vec<Image>,
    pub containers: Vec<Container>,
    pub volumes: Vec<Volume>,
    pub networks: Vec<Network>,
    pub builds: Builds,
    /// Every Compose project on the host, of the inventory or not.
    pub projects: Vec<Project>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// Docker's own: `sha256:...`.
    pub id: String,
    /// `repository:tag`.
    pub tags: Vec<String>,
    /// `repository@sha256:...`.
    pub digests: Vec<String>,
    /// With all of its layers.
    pub bytes: u64,
    /// Of layers that no other image has.
    pub own_bytes: u64,
    pub created: Option<Timestamp>,
    /// When it was pulled, built or tagged here.
    pub tagged: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Container {
    pub id: String,
    pub name: String,
    /// The id of its image.
    pub image: String,
    pub project: Option<String>,
    pub is_running: bool,
    /// When it was made, or last stopped.
    pub since: Option<Timestamp>,
    /// What it has written beside its image.
    pub bytes: u64,
    /// Its log, where Docker keeps that as JSON in a file.
    pub log: Option<Log>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Log {
    pub path: String,
    pub bytes: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Volume {
    pub name: String,
    /// None where Docker does not say.
    pub bytes: Option<u64>,
    /// The names of the containers that use it, running or not.
    pub users: Vec<String>,
    /// The projects that declare it.
    pub projects: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    pub id: String,
    pub name: String,
    pub project: Option<String>,
    /// How many containers are on it, running or not.
    pub containers: usize,
    pub created: Option<Timestamp>,
    /// One of Docker's own: `bridge`, `host`, `none`.
    pub is_own: bool,
}

/// The steps of image builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Builds {
    /// Those that `docker builder prune` takes.
    pub dangling: u64,
    pub bytes: u64,
    /// Of all of them.
    pub all_bytes: u64,
}

/// A Compose project, with what its files say.
#[derive(Debug, Clone, PartialEq)]
pub struct Project {
    pub name: String,
    /// Its images, as written.
    pub images: Vec<String>,
    /// The whole names of its volumes and networks.
    pub volumes: Vec<String>,
    pub networks: Vec<String>,
    /// Why its files could not be read, where they could not.
    pub unread: Option<String>,
    /// They are nowhere on the host that its containers tell of; never of one of the inventory.
    pub is_gone: bool,
}

/// By which rule files below a folder are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Packages that were installed from.
    Packages,
    /// Logs that were put aside by rotation.
    RotatedLogs,
    /// Files that nobody has open and that have not been changed for long.
    Temporary,
}

/// The files below a folder of a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Pile {
    pub rule: Rule,
    pub directory: String,
    pub mount: String,
    /// Those that the rule takes.
    pub files: u64,
    pub bytes: u64,
    /// Of all below it.
    pub all_files: u64,
    pub all_bytes: u64,
}

/// The journal of systemd.
#[derive(Debug, Clone, PartialEq)]
pub struct Journal {
    pub directory: String,
    pub mount: String,
    /// Of archived files that end before the time from which on they are kept.
    pub old_bytes: u64,
    pub all_bytes: u64,
}

/// A file without a name that a process has open.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    pub pid: u32,
    /// What it is called, and its container where it is in one.
    pub process: String,
    pub path: String,
    pub bytes: u64,
    pub mount: Option<String>,
}

/// The backups of a database or a cache.
#[derive(Debug, Clone, PartialEq)]
pub struct Vault {
    pub kind: Engine,
    /// In the inventory.
    pub name: String,
    pub mount: String,
    pub keep: Keep,
    pub listing: Listing,
}

/// How the inventory says that backups are kept; times in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    pub count: u32,
    pub seconds: Option<u64>,
    pub rpo_seconds: Option<u64>,
}

/// A service of the inventory on this host.
#[derive(Debug, Clone, PartialEq)]
pub struct Released {
    pub service: String,
    /// Without a tag.
    pub repository: String,
    /// What was healthy when it was released, each image once, the newest first; what runs is among them.
    pub images: Vec<Reference>,
}

/// A run that has not ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Unfinished {
    pub run: String,
    /// Its plan, as JSON text.
    pub plan: String,
}

impl Rule {
    pub fn word(self) -> &'static str {
        match self {
            Rule::Packages => "packages",
            Rule::RotatedLogs => "rotated-logs",
            Rule::Temporary => "temporary",
        }
    }

    /// The names of the files that it takes, as a shell has patterns.
    pub fn patterns(self) -> &'static [&'static str] {
        match self {
            Rule::Packages => &["*.deb", "*.rpm", "*.apk"],
            Rule::RotatedLogs => &[
                "*.gz",
                "*.xz",
                "*.zst",
                "*.bz2",
                "*.[0-9]",
                "*.[0-9][0-9]",
                "*.old",
                "*-20[0-9][0-9][0-9][0-9][0-9][0-9]*",
            ],
            Rule::Temporary => &["*"],
        }
    }
}
