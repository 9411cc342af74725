//! `opsctl incident tick --schedule`: a systemd service and a timer that look after all incidents.

use std::path::Path;
use std::process::ExitCode;

use crate::base::Result;
use crate::cli::units::{Surroundings, Units, line, of_path};
use crate::model::operation::words;

const NAME: &str = "opsctl-incidents";

/// Gives the two units as data, and says how they are installed.
///
/// # Errors
/// When this program does not know where it is, and when standard output cannot be written.
pub fn give(inventory: &Path, is_json: bool) -> Result<ExitCode> {
    let surroundings = Surroundings::here()?;
    let (program, inventory) = (of_path(&surroundings.program), of_path(inventory));
    let units = Units {
        name: NAME.to_owned(),
        service: service(&surroundings, &line(&[&program, "incident", "tick", "--inventory", &inventory])),
        timer: timer(),
        itself: words(&["opsctl", "incident", "tick", "--inventory", &inventory, "--schedule"]),
    };
    units.give(is_json)
}

fn service(surroundings: &Surroundings, line: &str) -> String {
    format!(
        "[Unit]\n\
         Description=Calls whoever is due in an incident, and sends what waits\n\
         Wants=network-online.target\n\
         After=network-online.target\n\
         \n\
         [Service]\n\
         Type=oneshot\n\
         {}\
         ExecStart={line}\n\
         # It may die at any moment: the next one goes on with it.\n\
         TimeoutStartSec=5min\n",
        surroundings.lines()
    )
}

fn timer() -> String {
    "[Unit]\n\
     Description=Looks after incidents, twice a minute\n\
     \n\
     [Timer]\n\
     OnCalendar=*:*:0/30\n\
     AccuracySec=1s\n\
     \n\
     [Install]\n\
     WantedBy=timers.target\n"
        .to_owned()
}
