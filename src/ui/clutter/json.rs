//! What fills the disks of a host, for a program.

use serde::Serialize;

use super::words;
use crate::base::clock::Timestamp;
use crate::base::percent::Percent;
use crate::model::clutter::contents::Room;
use crate::model::clutter::survey::{Fate, Item, Kind, Share, Survey};

/// Part of the public interface.
#[derive(Serialize)]
#[serde(tag = "kind", rename = "clutter")]
struct Document<'a> {
    host: &'a str,
    at: Timestamp,
    disks: Vec<Disk<'a>>,
    items: Vec<Thing<'a>>,
    held: Vec<Open<'a>>,
    unseen: &'a [String],
}

/// A filesystem. Part of the public interface.
#[derive(Serialize)]
pub(super) struct Disk<'a> {
    mount: &'a str,
    bytes: Amount,
    #[serde(skip_serializing_if = "Option::is_none")]
    inodes: Option<Amount>,
    wanted: Percent,
    is_met: bool,
}

#[derive(Serialize)]
pub(super) struct Amount {
    used: u64,
    free: u64,
}

#[derive(Serialize)]
struct Thing<'a> {
    kind: Kind,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    names: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a str>,
    /// Whose backup it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<&'a str>,
    bytes: u64,
    files: u64,
    mount: &'a str,
    fate: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// Who or what the reason is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
}

#[derive(Serialize)]
struct Open<'a> {
    pid: u32,
    process: &'a str,
    path: &'a str,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    mount: Option<&'a str>,
}

impl Amount {
    fn of(Room { used, free }: Room) -> Amount {
        Amount { used, free }
    }
}

impl Disk<'_> {
    pub(super) fn of(share: &Share) -> Disk<'_> {
        Disk {
            mount: &share.disk.mount,
            bytes: Amount::of(share.disk.bytes),
            inodes: share.disk.inodes.map(Amount::of),
            wanted: share.wanted,
            is_met: share.is_met(),
        }
    }
}

/// One JSON object in a line.
pub fn json(survey: &Survey, host: &str) -> String {
    let held = survey.held.iter().map(|held| Open {
        pid: held.pid,
        process: &held.process,
        path: &held.path,
        bytes: held.bytes,
        mount: held.mount.as_deref(),
    });
    let document = Document {
        host,
        at: survey.at,
        disks: survey.disks.iter().map(Disk::of).collect(),
        items: survey.items.iter().map(thing).collect(),
        held: held.collect(),
        unseen: &survey.unseen,
    };
    format!("{}\n", serde_json::to_string(&document).expect("it is made of maps with string keys"))
}

fn thing(item: &Item) -> Thing<'_> {
    let reason = match &item.fate {
        Fate::Goes => None,
        Fate::Stays(reason) => Some(reason),
    };
    Thing {
        kind: item.kind,
        name: &item.name,
        id: item.id.as_deref(),
        names: &item.names,
        digest: item.digest.as_deref(),
        of: item.of.as_deref(),
        bytes: item.bytes,
        files: item.files,
        mount: &item.mount,
        fate: if reason.is_none() { "goes" } else { "stays" },
        reason: reason.map(words::code),
        by: reason.and_then(words::name),
    }
}
