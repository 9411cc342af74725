//! What is owed in the open incidents, said by the commands that somebody looks at everything with.

use crate::base::clock::Timestamp;
use crate::incident::cadence;
use crate::incident::desk::Desk;
use crate::ui;
use crate::ui::incident::due;

/// Says which incidents of a site have an update that is overdue. An incident that cannot be read is told of by `opsctl incident list`.
pub fn remind(site: &str) {
    let now = Timestamp::now();
    let Ok(desk) = Desk::open() else { return };
    for id in desk.ids().unwrap_or_default() {
        let Ok(incident) = desk.read(id) else { continue };
        let state = &incident.state;
        if let Some(overdue) = cadence::overdue(state, now).filter(|_| state.opening.site == site) {
            ui::look::say(&due::reminder(state, overdue));
        }
    }
}
