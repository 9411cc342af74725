//! When the next word is due, or for how long it has been.

use std::time::Duration;

use crate::base::clock::{Timestamp, elapsed};
use crate::incident::cadence;
use crate::incident::state::IncidentState;
use crate::ui::age;
use crate::ui::paint::Ink;

/// With how it is to be shown; nothing where none is due.
pub fn due(state: &IncidentState, now: Timestamp) -> Option<(Ink, String)> {
    if let Some(length) = cadence::overdue(state, now) {
        return Some((Ink::Bad, format!("✘ overdue for {}", age::words(length))));
    }
    let at = state.next_update_at?;
    Some((Ink::Plain, format!("due in {}", age::words(elapsed(now, at)))))
}

/// That an update is overdue, and what to type.
pub fn reminder(state: &IncidentState, overdue: Duration) -> String {
    let short = state.opening.incident.short();
    let what = format!("incident {short}: an update is overdue for {}", age::words(overdue));
    let command = format!("opsctl incident update 'how it stands' --incident {short}");
    format!("{}\n  {}\n", Ink::Bad.on(what), Ink::Command.on(command))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::sample;
    use crate::ui::look::Look;

    #[test]
    fn an_update_that_is_overdue_is_said_with_what_to_type() {
        let state = sample::state();
        let short = state.opening.incident.short();
        let said = Look::PLAIN.fit(&reminder(&state, Duration::from_secs(300)));
        assert_eq!(
            said,
            format!(
                "incident {short}: an update is overdue for 5 minutes\n  opsctl incident update 'how it stands' --incident {short}\n"
            )
        );
    }
}
