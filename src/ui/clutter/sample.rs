//! A made-up host that is full, for the tests of the screen.

use crate::base::percent::Percent;
use crate::model::clutter::contents::{Disk, Held, Room};
use crate::model::clutter::survey::{Fate, Item, Kind, Reason, Share, Survey};
use crate::model::clutter::terms::Cleanup;
use crate::ui::clutter::left::Place;

const KIB: u64 = 1 << 10;
pub const MIB: u64 = 1 << 20;
pub const GIB: u64 = 1 << 30;

pub fn disk(mount: &str, used: u64, free: u64, inodes: Option<[u64; 2]>) -> Share {
    let inodes = inodes.map(|[used, free]| Room { used, free });
    let disk = Disk { mount: mount.to_owned(), bytes: Room { used, free }, inodes };
    Share { disk, wanted: Percent(20.0) }
}

pub fn goes(kind: Kind, name: &str, bytes: u64, files: u64) -> Item {
    Item { bytes, files, ..Item::new(kind, name, "/", Fate::Goes) }
}

pub fn stays(kind: Kind, name: &str, bytes: u64, reason: Reason) -> Item {
    Item { bytes, ..Item::new(kind, name, "/", Fate::Stays(reason)) }
}

/// Of everything something, with names that nobody would choose.
pub fn survey() -> Survey {
    let release = || Reason::Release("argus".to_owned());
    let used = |name: &str| Reason::UsedBy(name.to_owned());
    let image = |tag: &str| format!("registry.example:5000/opareta/argus:{tag}");
    let digest = format!("registry.example:5000/opareta/argus@sha256:{}", "ab".repeat(32));
    Survey {
        at: "2026-03-01T03:14:00Z".parse().unwrap(),
        disks: vec![
            disk("/", 93 * GIB, 7 * GIB, Some([400_000, 6_100_000])),
            disk("/srv", 40 * GIB, 60 * GIB, Some([990, 10])),
            disk("/mnt/two words", GIB, 9 * GIB, None),
        ],
        items: vec![
            goes(Kind::Builds, "build cache", 1_400 * MIB, 41),
            stays(Kind::Builds, "build cache", 300 * MIB, Reason::Rule),
            goes(Kind::Container, "old-job", 14 * MIB, 0),
            stays(Kind::Container, "opareta-postgres-argus-1", 2_200 * MIB, Reason::Runs),
            stays(Kind::Container, "opareta-argus-1-1", 63 * KIB, Reason::Runs),
            stays(Kind::Container, "once", 12 * KIB, Reason::Young),
            Item {
                id: Some(format!("sha256:{}", "cd".repeat(32))),
                names: vec![image("v0.9.0")],
                digest: Some(digest),
                ..goes(Kind::Image, &image("v0.9.0"), 900 * MIB, 0)
            },
            goes(Kind::Image, &format!("{}-\u{1b}[31mred", image("v0.8.0")), 890 * MIB, 0),
            stays(Kind::Image, &image("v1.2.0"), 120 * MIB, release()),
            stays(Kind::Image, &image("v1.1.0"), 110 * MIB, release()),
            stays(Kind::Image, &image("v1.0.0"), 110 * MIB, release()),
            stays(Kind::Image, "postgres:17", 420 * MIB, used("opareta-postgres-argus-1")),
            stays(Kind::Image, "redis:8", 130 * MIB, used("opareta-redis-1")),
            stays(Kind::Image, "tool:1", 90 * MIB, Reason::Unknown("attic".to_owned())),
            goes(Kind::RotatedLogs, "/var/log", 700 * MIB, 212),
            Item { files: 31, ..stays(Kind::RotatedLogs, "/var/log", 90 * MIB, Reason::Rule) },
            goes(Kind::ContainerLog, "opareta-nginx-1", 5 * GIB, 1),
            stays(Kind::ContainerLog, "opareta-nginx-1", MIB, Reason::Rule),
            goes(Kind::Journal, "/var/log/journal", 600 * MIB, 0),
            stays(Kind::Journal, "/var/log/journal", 200 * MIB, Reason::Rule),
            Item { files: 900, ..Item::new(Kind::Temporary, "/srv/tmp", "/srv", Fate::Goes) },
            stays(Kind::Network, "bridge", 0, Reason::Own),
            stays(Kind::Network, "opareta_default", 0, used("9 containers")),
            Item {
                of: Some("database/argus".to_owned()),
                ..stays(Kind::Backup, "/var/backups/opareta/argus_2.dump", 17 * MIB, Reason::Verified)
            },
            stays(Kind::Volume, "opareta_pgdata", 51 * GIB, used("opareta-postgres-argus-1")),
            stays(Kind::Volume, "old data", 9 * GIB, Reason::Data),
        ],
        held: vec![Held {
            pid: 4711,
            process: "java".to_owned(),
            path: "/var/log/hermes/\u{202e}gc.log".to_owned(),
            bytes: 3 * GIB,
            mount: Some("/".to_owned()),
        }],
        spare: Vec::new(),
        unseen: vec!["the journal of systemd: `journalctl` is not there".to_owned()],
    }
}

/// What is typed for the host's own shell.
pub fn typed(line: &str) -> String {
    format!("ssh ssh://deploy@203.0.113.10 '{line}'")
}

pub fn place(terms: &Cleanup) -> Place<'_> {
    Place { host: "app", terms, typed: &typed }
}
