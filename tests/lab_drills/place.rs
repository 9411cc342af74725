//! The places of the lab that have a stack, and whose turn it is at each.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::site::Way;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    App,
    /// A host like the first one, so that two drills have one each.
    Twin,
    /// A host with a small disk.
    Small,
    /// The engine of this machine.
    Local,
    /// Another stack on the engine of this machine.
    Fleet,
}

impl Place {
    /// Those that a way may lead to; any of them will do.
    fn all_of(way: Way) -> &'static [Place] {
        match way {
            Way::Sudo | Way::Group => &[Place::App, Place::Twin],
            // The second host stands by for the first one.
            Way::Spare => &[Place::App],
            Way::Small => &[Place::Small],
            Way::Local | Way::Loopback => &[Place::Local],
            Way::Fleet => &[Place::Fleet],
        }
    }

    /// How the scripts of the lab are told of it.
    pub fn flag(self) -> Option<&'static str> {
        match self {
            Place::App => None,
            Place::Twin => Some("--twin"),
            Place::Small => Some("--small"),
            Place::Local => Some("--local"),
            Place::Fleet => Some("--fleet"),
        }
    }

    /// The host; none where it is this machine.
    pub fn host(self) -> Option<&'static str> {
        match self {
            Place::App => Some(APP),
            Place::Twin => Some("opsctl-lab-twin"),
            Place::Small => Some("opsctl-lab-small"),
            Place::Local | Place::Fleet => None,
        }
    }

    /// Its inventory, beside what `tests/run` gives.
    fn inventory(self, way: Way) -> PathBuf {
        let variable =
            if self.host().is_some() { "OPSCTL_LAB_INVENTORY" } else { "OPSCTL_LAB_LOCAL_INVENTORY" };
        let given = std::env::var_os(variable).map(PathBuf::from).unwrap_or_else(|| {
            panic!("{variable} is not set: run this test with tests/run, which brings the lab up")
        });
        match (self, way) {
            (Place::App, Way::Group) => given.with_file_name("ops.yaml"),
            (Place::App, Way::Spare) => given.with_file_name("spare.yaml"),
            (Place::Twin, Way::Group) => given.with_file_name("twin-ops.yaml"),
            (Place::Twin, _) => given.with_file_name("twin.yaml"),
            (Place::Small, _) => given.with_file_name("small.yaml"),
            (Place::Fleet, _) => given.parent().unwrap().with_file_name("fleet.yaml"),
            (Place::App | Place::Local, _) => given,
        }
    }

    /// Who breaks one of this machine's stacks may break the other.
    fn lock(self) -> PathBuf {
        std::env::temp_dir().join(match self {
            Place::App => "opsctl-drill-app.lock",
            Place::Twin => "opsctl-drill-twin.lock",
            Place::Small => "opsctl-drill-small.lock",
            Place::Local | Place::Fleet => "opsctl-drill-local.lock",
        })
    }

    /// Waits until one that the way leads to is nobody else's; whoever drops the file gives it back. A lab may be without the twin.
    pub fn take(way: Way) -> (Place, PathBuf, File) {
        let is_up = |place: &Place, inventory: &Path| *place != Place::Twin || inventory.exists();
        loop {
            for place in Place::all_of(way) {
                let inventory = place.inventory(way);
                if !is_up(place, &inventory) {
                    continue;
                }
                let turn = File::create(place.lock()).unwrap();
                if turn.try_lock().is_ok() {
                    return (*place, inventory, turn);
                }
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// The first host.
pub const APP: &str = "opsctl-lab-app";
