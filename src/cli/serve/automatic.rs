//! Runbooks that are run for an alert without asking anybody, as far as the inventory allows it.
//!
//! The alert and triage have to mean the same, and nobody may have the incident yet. A run is a process of its own: it goes on when the receiver
//! ends, and links itself to the incident as every run of a person does.

use std::collections::HashMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};

use crate::base::clock::{Timestamp, elapsed};
use crate::base::id::IncidentId;
use crate::base::{Error, Kind, Result};
use crate::cli::open::Workplace;
use crate::incident::desk::Incident;
use crate::incident::event::{Event, Record};
use crate::incident::intake;
use crate::incident::state::IncidentState;
use crate::model::inventory::Inventory;
use crate::model::runbook::Risk;
use crate::triage::rules::Cause;
use crate::triage::survey::Survey;
use crate::triage::target::binding;

/// How many in an hour, where the inventory does not say.
const RUNS: u32 = 3;

const HOUR: Duration = Duration::from_secs(3600);

/// How often it is looked whether triage sees what an alert means.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// How the note begins that a run was begun. What is counted are these notes.
const BEGAN: &str = "begun without asking: ";

/// A run to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errand {
    pub incident: IncidentId,
    pub runbook: String,
    /// As `opsctl failover` takes it.
    pub target: String,
    pub alert: String,
}

/// What was begun, and is not at its end.
struct Running {
    child: Child,
    errand: Errand,
}

/// One run at a time is under way: what it mends may mend the rest.
#[derive(Default)]
pub struct Automat {
    running: Option<Running>,
    looked_at: HashMap<IncidentId, Instant>,
}

/// # Errors
/// [`Kind::Invalid`] when the inventory allows a runbook that is not there, or one that may lose data.
pub fn check(workplace: &Workplace) -> Result<()> {
    for (index, automatic) in workplace.site.inventory.incidents.automatic.iter().enumerate() {
        let runbook = workplace.catalog.get(&automatic.runbook)?.runbook;
        if runbook.risk == Risk::Destructive {
            let message = format!("`{}` can lose data, and is never run without asking", automatic.runbook);
            return Err(Error::new(Kind::Invalid, message)
                .cause(format!("`incidents.automatic[{index}]` of the inventory names it"))
                .hint("take it out there; the incident names the runbook all the same"));
        }
    }
    Ok(())
}

impl Errand {
    pub fn note(&self) -> String {
        let Errand { runbook, target, alert, .. } = self;
        format!(
            "{BEGAN}`opsctl failover {target} --scenario {runbook}`, which the inventory allows for `{alert}`"
        )
    }

    /// Quietly, in a process group of its own: Ctrl-C at the receiver is not meant for it.
    fn command(&self, workplace: &Workplace) -> Result<Command> {
        let program = std::env::current_exe()
            .map_err(|error| Error::internal("cannot tell where this program is").caused_by(&error))?;
        let mut command = Command::new(program);
        command.args(["failover", &self.target, "--scenario", &self.runbook, "--yes", "--quiet"]);
        command.arg("--inventory").arg(&workplace.site.path);
        command.env("OPSCTL_OPERATOR", Record::ITSELF);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit()).process_group(0);
        Ok(command)
    }
}

impl Automat {
    /// Whether the incident may want a run, so that a look at everything is due.
    pub fn wants(
        &mut self,
        incident: &Incident,
        all: &[Incident],
        workplace: &Workplace,
        now: Timestamp,
    ) -> bool {
        let state = &incident.state;
        let allowed = workplace.site.inventory.incidents.receiver.runs_in_an_hour.unwrap_or(RUNS);
        let is_due = self.running.is_none()
            && state.held.is_none()
            && state.milestones.mitigated_at.is_none()
            && allowed_for(incident, &workplace.site.inventory).next().is_some()
            && begun_within_an_hour(all, now) < allowed as usize;
        if !is_due {
            return false;
        }
        let last = self.looked_at.get(&state.opening.incident);
        let is_time = last.is_none_or(|last| last.elapsed() >= LOOK_EVERY);
        if is_time {
            self.looked_at.insert(state.opening.incident, Instant::now());
        }
        is_time
    }

    /// Begins what is noted already.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn begin(&mut self, errand: Errand, workplace: &Workplace) -> Result<()> {
        let child = errand
            .command(workplace)?
            .spawn()
            .map_err(|error| Error::internal("cannot begin a run").caused_by(&error))?;
        self.running = Some(Running { child, errand });
        Ok(())
    }

    /// The one that has come to its end, with words for it where that is no success.
    pub fn ended(&mut self) -> Option<(Errand, Option<String>)> {
        let running = self.running.as_mut()?;
        let status = running.child.try_wait().ok().flatten()?;
        let errand = running.errand.clone();
        self.running = None;
        let failed = (!status.success()).then(|| {
            let how = status.code().map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"));
            format!("`opsctl failover {} --scenario {}` ended with {how}", errand.target, errand.runbook)
        });
        Some((errand, failed))
    }
}

/// What triage sees and an alert that fires means, where the inventory allows its runbook and it was not begun before.
pub fn errand(incident: &Incident, survey: &Survey, workplace: &Workplace) -> Option<Errand> {
    let state = &incident.state;
    let of = |(alert, runbook): (String, String)| {
        let cause = survey.causes.iter().find(|cause| {
            cause.scenario.as_ref() == Some(&runbook) && is_concerned(cause, state, workplace)
        })?;
        let target = target(cause, &runbook, workplace)?;
        Some(Errand { incident: state.opening.incident, runbook, target, alert })
    };
    allowed_for(incident, &workplace.site.inventory).find_map(of)
}

/// The alerts of the incident that fire, each with the runbook that may be run for it and was not.
fn allowed_for<'a>(
    incident: &'a Incident,
    inventory: &'a Inventory,
) -> impl Iterator<Item = (String, String)> + 'a {
    let automatic = &inventory.incidents.automatic;
    let firing = intake::firing(&incident.state);
    firing.flat_map(move |alert| {
        let allowed = automatic.iter().filter(|allowed| allowed.alert == alert.name);
        let is_new = |runbook: &str| {
            let option = format!("--scenario {runbook}`");
            !began(incident).any(|(_, text)| text.contains(&option))
        };
        allowed
            .filter(move |allowed| is_new(&allowed.runbook))
            .map(|allowed| (alert.name.clone(), allowed.runbook.clone()))
    })
}

fn began(incident: &Incident) -> impl Iterator<Item = (Timestamp, &str)> {
    incident.records.iter().filter_map(|record| match &record.event {
        Event::Noted { text } if record.by == Record::ITSELF && text.starts_with(BEGAN) => {
            Some((record.at, text.as_str()))
        }
        _ => None,
    })
}

fn begun_within_an_hour(all: &[Incident], now: Timestamp) -> usize {
    all.iter().flat_map(began).filter(|(at, _)| elapsed(*at, now) < HOUR).count()
}

/// Whether the cause is about a service of the incident; one that is about none is about all.
fn is_concerned(cause: &Cause, state: &IncidentState, workplace: &Workplace) -> bool {
    let (inventory, services) = (&workplace.site.inventory, &state.opening.services);
    let is_needed = |service: &String| {
        cause.subject.service(inventory) == Some(service) || cause.subject.is_needed_by(service, inventory)
    };
    services.is_empty() || services.iter().any(is_needed)
}

/// What is to be recovered, by its full name; nothing where the runbook is not about it.
fn target(cause: &Cause, runbook: &str, workplace: &Workplace) -> Option<String> {
    let params = workplace.catalog.get(runbook).ok()?.runbook.params;
    binding(runbook, &params, &cause.subject, &workplace.site.inventory).ok()?;
    Some(cause.subject.path())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Clock;
    use crate::incident::desk::{Desk, Hand};
    use crate::incident::event::{Alert, Opening};
    use crate::model::escalation::Level;
    use crate::model::source::Source;
    use crate::model::thresholds::Severity;

    const SITE: &str = "name: shop\nhosts: { app: { address: local } }\n\
                        incidents: { automatic: [{ alert: Down, runbook: service-down }] }\n";

    fn inventory() -> Inventory {
        Inventory::read(&Source::new("opsctl.yaml", SITE)).unwrap()
    }

    /// An incident in which an alert fires.
    fn incident(desk: &Desk, by: &str, at: Timestamp, alert: &str) -> Hand {
        let opening = Opening {
            incident: IncidentId::generate(),
            site: "shop".to_owned(),
            title: "argus does not answer".to_owned(),
            severity: Severity::Critical,
            services: vec!["argus".to_owned()],
            started_at: at,
            detected_at: at,
            level: Level::L2,
            group: None,
            inventory: "opsctl.yaml".to_owned(),
        };
        let alert = Alert {
            fingerprint: "a".to_owned(),
            name: alert.to_owned(),
            labels: Default::default(),
            about: String::new(),
            started_at: at,
            ended_at: None,
        };
        let mut hand = desk.create(opening, by, Clock::fixed(at)).unwrap();
        hand.append(Event::Alerted { group: "g".to_owned(), alerts: vec![alert] }).unwrap();
        hand
    }

    fn begin(hand: &mut Hand) {
        let errand = Errand {
            incident: hand.id(),
            runbook: "service-down".to_owned(),
            target: "service/argus".to_owned(),
            alert: "Down".to_owned(),
        };
        hand.append(Event::Noted { text: errand.note() }).unwrap();
    }

    fn allowed(hand: &Hand) -> Vec<String> {
        let incident = Incident { state: hand.state().clone(), records: hand.records().to_vec() };
        allowed_for(&incident, &inventory()).map(|(alert, runbook)| format!("{alert}: {runbook}")).collect()
    }

    #[test]
    fn a_runbook_is_allowed_for_its_alert_and_once_in_an_incident() {
        let folder = tempfile::tempdir().unwrap();
        let desk = Desk::at(folder.path());
        let mut down = incident(&desk, Record::ITSELF, Timestamp::UNIX_EPOCH, "Down");
        assert_eq!(allowed(&down), ["Down: service-down"]);
        begin(&mut down);
        assert_eq!(allowed(&down), Vec::<String>::new());
        let slow = incident(&desk, Record::ITSELF, Timestamp::UNIX_EPOCH, "Slow");
        assert_eq!(allowed(&slow), Vec::<String>::new());
    }

    #[test]
    fn what_was_begun_within_an_hour_is_counted_over_all_incidents() {
        let folder = tempfile::tempdir().unwrap();
        let desk = Desk::at(folder.path());
        let now = Timestamp::UNIX_EPOCH + 2 * HOUR;
        for (by, minutes_ago) in [(Record::ITSELF, 1), (Record::ITSELF, 59), (Record::ITSELF, 61), ("ada", 1)]
        {
            begin(&mut incident(&desk, by, now - Duration::from_secs(60 * minutes_ago), "Down"));
        }
        assert_eq!(begun_within_an_hour(&desk.list().unwrap(), now), 2, "a person's note is no run of ours");
    }
}
