//! Which runbook mends what.

use super::open::Workplace;
use crate::model::runbook::Runbook;
use crate::triage::rules::Cause;
use crate::triage::subject::Subject;

/// The runbook for a cause, unless there is none, or it cannot be used here: a host without a standby cannot be given up.
pub fn runbook_for(workplace: &Workplace, cause: &Cause) -> Option<Runbook> {
    let name = cause.scenario.as_deref().filter(|name| workplace.catalog.has(name))?;
    let runbook = workplace.catalog.get(name).ok()?.runbook;
    let has_standby =
        |host: &String| workplace.site.inventory.hosts.get(host).is_some_and(|host| host.standby.is_some());
    let is_usable = match &cause.subject {
        Subject::Host(host) => runbook.lost.is_none() || has_standby(host),
        _ => true,
    };
    is_usable.then_some(runbook)
}
