//! `opsctl cleanup disk --schedule`: a systemd service and a timer that make room every day.

use std::path::PathBuf;
use std::process::ExitCode;

use super::machine;
use crate::base::nearest::listed;
use crate::base::percent::Percent;
use crate::base::{Error, Result};
use crate::cli::open::Workplace;
use crate::cli::units::{Surroundings, Units, line, literal, of_path};
use crate::model::operation::{quoted, words};

/// Whatever it is at by then, it is ended in good order, and can be resumed.
const AT_MOST: &str = "2h";

/// A cleanup that comes while somebody works on the host waits for them, and no longer.
const WAITS: &str = "30m";

/// Everything that the units say.
#[derive(Debug)]
pub struct Schedule {
    surroundings: Surroundings,
    inventory: PathBuf,
    host: String,
    until_free: Percent,
}

impl Schedule {
    /// # Errors
    /// When the host is not named and there are several, and when this program does not know where it is.
    pub fn of(workplace: &Workplace, host: Option<&str>) -> Result<Schedule> {
        let inventory = &workplace.site.inventory;
        let Some(host) = machine::named(inventory, host)? else {
            let hosts = || inventory.standing().map(|(name, _)| name.as_str());
            let error =
                Error::usage(format!("a schedule is for one host, and there are {}", listed(hosts())));
            return Err(hosts().fold(error, |error, host| {
                error.hint(format!("opsctl cleanup disk --schedule --host {}", quoted(host)))
            }));
        };
        Ok(Schedule {
            surroundings: Surroundings::here()?,
            inventory: workplace.site.path.clone(),
            host,
            until_free: inventory.cleanup.until_free,
        })
    }

    /// Gives the two units as data, and says how they are installed.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn give(&self, is_json: bool) -> Result<ExitCode> {
        let units = Units {
            name: format!("opsctl-cleanup-{}", self.host),
            service: self.service(),
            timer: self.timer(),
            itself: self.itself(),
        };
        units.give(is_json)
    }

    fn service(&self) -> String {
        let until_free = self.until_free.to_string();
        let [program, inventory] =
            [&self.surroundings.program, &self.inventory].map(|path: &PathBuf| of_path(path));
        let line = line(&[
            &program,
            "cleanup",
            "disk",
            "--inventory",
            &inventory,
            "--host",
            &self.host,
            "--until-free",
            &until_free,
            "--yes",
            "--lock-wait",
            WAITS,
        ]);
        format!(
            "[Unit]\n\
             Description=Room on the disks of {host}: {free} free\n\
             Wants=network-online.target\n\
             After=network-online.target\n\
             \n\
             [Service]\n\
             Type=oneshot\n\
             {surroundings}\
             ExecStart={line}\n\
             # Ends it in good order; `opsctl resume latest` goes on with it.\n\
             TimeoutStartSec={AT_MOST}\n\
             KillMode=mixed\n\
             Nice=19\n\
             IOSchedulingClass=idle\n",
            host = literal(&self.host),
            free = literal(&until_free),
            surroundings = self.surroundings.lines(),
        )
    }

    fn timer(&self) -> String {
        format!(
            "[Unit]\n\
             Description=Room on the disks of {host}, every day\n\
             \n\
             [Timer]\n\
             OnCalendar=daily\n\
             RandomizedDelaySec=1h\n\
             Persistent=true\n\
             \n\
             [Install]\n\
             WantedBy=timers.target\n",
            host = literal(&self.host),
        )
    }

    /// The command that prints the units.
    fn itself(&self) -> String {
        let (inventory, until_free) = (of_path(&self.inventory), self.until_free.to_string());
        words(&[
            "opsctl",
            "cleanup",
            "disk",
            "--inventory",
            &inventory,
            "--host",
            &self.host,
            "--until-free",
            &until_free,
            "--schedule",
        ])
    }
}
