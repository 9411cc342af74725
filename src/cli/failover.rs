//! `opsctl failover`.

use std::process::ExitCode;
use std::time::Duration;

use super::Global;
use super::consent::Consent;
use super::drive;
use super::incident::offer;
use super::open::Workplace;
use super::patience::Patience;
use super::preflight::Preparation;
use super::procedure::plan_of;
use super::remedy::runbook_for;
use super::status::rows;
use super::triage::survey_of;
use crate::base::clock::{Timestamp, elapsed};
use crate::base::{Error, Kind, Result};
use crate::engine::hosts::Hosts;
use crate::model::plan::Plan;
use crate::triage::finding;
use crate::triage::look::{Role, Seen};
use crate::triage::rules::Cause;
use crate::triage::subject::Subject;
use crate::triage::survey::Survey;
use crate::triage::target::{Blindness, Target, binding};
use crate::triage::untouched::untouched;
use crate::ui::recovery::{Recovered, Voice};

/// Find out what is wrong with a service or anything else, and recover it
///
/// It looks at everything, names what is behind the failure of the target, shows the plan, asks, recovers, and looks again, until the
/// target is well or there is nothing more that it can do. If nothing is wrong it says so and changes nothing. Healthy instances are
/// never touched.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Failover {
    /// A service, an instance, a host, a database, a cache, a certificate or a project, by its name in the inventory; where two have
    /// the same name, with what it is before it: `database/argus`
    target: String,
    /// The runbook to use, in place of the one that the findings mean
    #[arg(long, value_name = "RUNBOOK")]
    scenario: Option<String>,
    /// Open an incident first, unless one is open: everyone is told, and its timeline has every step
    #[arg(long, conflicts_with = "plan")]
    incident: bool,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    preparation: Preparation,
    #[command(flatten)]
    patience: Patience,
}

const EXAMPLES: &str = "\
Examples:
  opsctl failover argus --plan       what is wrong and what would be done; changes nothing
  opsctl failover argus              a service: look, show the plan, ask, recover, check
  opsctl failover argus-1 --yes      one instance, without being asked
  opsctl failover database/argus     the database of that name, and not the service";

/// How often a host is asked that does not say how the target is.
const LOOKS: usize = 3;

/// Between two of them.
const PAUSE: Duration = Duration::from_secs(2);

/// One thing that is to be mended, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Remedy {
    runbook: String,
    of: Subject,
    given: (String, String),
    why: String,
}

impl Failover {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let mut workplace = Workplace::open(global)?;
        let target = Target::find(&workplace.site.inventory, &self.target)
            .map_err(|known: Vec<String>| unknown_target(&self.target, &known))?;
        let hosts = workplace.hosts();
        let result = self.recover(&mut workplace, &hosts, &target, global).await;
        hosts.close().await;
        result
    }

    async fn recover(
        &self,
        workplace: &mut Workplace,
        hosts: &Hosts,
        target: &Target,
        global: &Global,
    ) -> Result<ExitCode> {
        let voice = Voice { is_json: global.json, is_quiet: global.quiet };
        let before = look_at(workplace, hosts, target).await;
        voice.saw(&rows(&concerning(workplace, target, &before.seen)))?;
        let found = self.remedies(workplace, target, &before);
        if found.as_ref().is_ok_and(Vec::is_empty) {
            voice.nothing_to_do(&target.name)?;
            return Ok(ExitCode::SUCCESS);
        }
        if self.consent.wants_only_the_plan() {
            return self.show(workplace, hosts, target, &found?, global).await;
        }
        // Where there is no recovery, people have to know all the more.
        let is_an_outage = |error: &Error| matches!(error.kind, Kind::Unhealthy | Kind::Waiting);
        if found.as_ref().err().is_none_or(is_an_outage) {
            self.tell(workplace, hosts, target, &before, global).await?;
        }
        let mut remedies = found?;
        let began = Timestamp::now();
        let mut tried: Vec<Remedy> = Vec::new();
        let mut now = before.clone();
        // What is mended first may have mended the rest: so after each, everything is looked at anew.
        while let Some(remedy) = remedies.into_iter().next() {
            if tried.iter().any(|other| other.runbook == remedy.runbook && other.of == remedy.of) {
                let message = format!("`{}` succeeded, but {}", remedy.runbook, remedy.why);
                return Err(still_unhealthy(target, message));
            }
            voice.names(&remedy.runbook, &remedy.why)?;
            let plan = plan_for(workplace, hosts, &remedy).await?;
            self.consent.present(&plan, global);
            self.preparation.of(&plan, hosts, global).await?;
            let approval = self.consent.obtain(&plan)?;
            let exit = drive::start(&plan, hosts, approval, self.patience.manner(), global).await?.exit;
            if exit != ExitCode::SUCCESS {
                return Ok(exit);
            }
            tried.push(remedy);
            if let Some(lost) = &plan.lost {
                workplace.site.inventory = workplace.site.inventory.without(lost).map_err(Error::internal)?;
            }
            now = look_at(workplace, hosts, target).await;
            // An alert goes on firing for a while after what it is about is well again.
            now.causes.retain(|cause| !cause.is_an_alert_alone());
            voice.saw(&rows(&concerning(workplace, target, &now.seen)))?;
            // A runbook that was named is run once.
            remedies =
                if self.scenario.is_some() { Vec::new() } else { self.remedies(workplace, target, &now)? };
        }
        conclude(workplace, target, &before, &now, began, voice)
    }

    /// Opens an incident where that is wanted, or where a person agrees to it. Who cannot be told holds up no recovery.
    async fn tell(
        &self,
        workplace: &Workplace,
        hosts: &Hosts,
        target: &Target,
        survey: &Survey,
        global: &Global,
    ) -> Result<()> {
        let services = offer::services(target, &workplace.site.inventory);
        let is_wanted = self.incident || offer::is_agreed(workplace, &services, global)?;
        if is_wanted {
            offer::open(workplace, hosts, services, survey, global).await;
        }
        Ok(())
    }

    async fn show(
        &self,
        workplace: &Workplace,
        hosts: &Hosts,
        target: &Target,
        remedies: &[Remedy],
        global: &Global,
    ) -> Result<ExitCode> {
        let voice = Voice { is_json: global.json, is_quiet: global.quiet };
        let mut plans = Vec::new();
        for remedy in remedies {
            voice.names(&remedy.runbook, &remedy.why)?;
            plans.push(plan_for(workplace, hosts, remedy).await?);
        }
        Consent::show_all(&plans, &format!("opsctl failover {}", target.name), global)?;
        for plan in &plans {
            self.preparation.of(plan, hosts, global).await?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// What is to be done about the target, in order; nothing when nothing is wrong with it.
    fn remedies(&self, workplace: &Workplace, target: &Target, survey: &Survey) -> Result<Vec<Remedy>> {
        let inventory = &workplace.site.inventory;
        if let Some(Blindness { why, is_out_of_reach }) = target.blindness(survey, inventory) {
            if is_out_of_reach
                && let Some(remedy) = takeover(workplace, target, survey)?
                && self.scenario.as_ref().is_none_or(|name| *name == remedy.runbook)
            {
                return Ok(vec![remedy]);
            }
            const NOTHING: &str = "nothing is known about the target, so nothing was changed";
            return Err(match is_out_of_reach {
                true => {
                    Error::new(Kind::Waiting, why).hint(format!("{NOTHING}; try again when the host answers"))
                }
                false => Error::new(Kind::Refused, why).hint(NOTHING).hint("opsctl doctor"),
            });
        }
        if let Some(name) = &self.scenario {
            return self.named(workplace, name, target, survey);
        }
        let causes = target.concerned(survey, inventory);
        let mut remedies = Vec::new();
        for cause in &causes {
            remedies.extend(remedy(workplace, cause, survey)?);
        }
        match causes.first() {
            Some(cause) if remedies.is_empty() => {
                let scenario = cause.scenario.as_deref().unwrap_or("something that no scenario explains");
                Err(Error::new(Kind::Unhealthy, format!("{scenario}: {}", cause.why()))
                    .hint("there is no runbook for this: a person has to look")
                    .hint("opsctl triage"))
            }
            _ => Ok(remedies),
        }
    }

    /// The runbook that the person named, bound to the target; one about an instance, to each instance that is not well.
    fn named(
        &self,
        workplace: &Workplace,
        name: &str,
        target: &Target,
        survey: &Survey,
    ) -> Result<Vec<Remedy>> {
        let inventory = &workplace.site.inventory;
        let params = &workplace.catalog.get(name)?.runbook.params;
        let bind = |subject: &Subject| binding(name, params, subject, inventory);
        let subjects = match (&target.subject, bind(&target.subject)) {
            (Subject::Service(service), Err(_)) => {
                instances(survey, service, false).map(Subject::Instance).collect()
            }
            _ => vec![target.subject.clone()],
        };
        let why = "named with --scenario".to_owned();
        let remedies = subjects.into_iter().map(|of| {
            let given =
                bind(&of).map_err(|why| Error::usage(why).hint(format!("opsctl runbook show {name}")))?;
            Ok(Remedy { runbook: name.to_owned(), of, given, why: why.clone() })
        });
        remedies.collect()
    }
}

/// Looks at everything, and again where the host is there and did not say how the target is: what was just started, or is about to
/// fail, keeps it busy.
async fn look_at(workplace: &Workplace, hosts: &Hosts, target: &Target) -> Survey {
    let is_told = |survey: &Survey| {
        target.blindness(survey, &workplace.site.inventory).is_none_or(|blindness| blindness.is_out_of_reach)
    };
    let mut survey = survey_of(workplace, hosts).await;
    for _ in 1..LOOKS {
        if is_told(&survey) {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        survey = survey_of(workplace, hosts).await;
    }
    survey
}

/// What gives the target's host up, where another stands by and can be reached.
fn takeover(workplace: &Workplace, target: &Target, survey: &Survey) -> Result<Option<Remedy>> {
    let inventory = &workplace.site.inventory;
    let is_lost = |host: &str| {
        let findings =
            survey.findings.iter().filter(|finding| finding.kind == finding::Kind::HostUnreachable);
        findings
            .map(|finding| &finding.subject)
            .any(|subject| matches!(subject, Subject::Host(lost) if lost == host))
    };
    let host = target.subject.host(inventory);
    let standby = host.and_then(|host| inventory.hosts.get(host)?.standby.as_deref());
    if standby.is_none_or(is_lost) {
        return Ok(None);
    }
    let is_its =
        |cause: &&Cause| cause.subject.host(inventory) == host && matches!(cause.subject, Subject::Host(_));
    let cause = survey.causes.iter().find(is_its);
    Ok(cause.map(|cause| remedy(workplace, cause, survey)).transpose()?.flatten())
}

/// The runbook for a cause; nothing where there is none.
fn remedy(workplace: &Workplace, cause: &Cause, survey: &Survey) -> Result<Option<Remedy>> {
    let Some(runbook) = runbook_for(workplace, cause) else { return Ok(None) };
    let (inventory, of) = (&workplace.site.inventory, cause.subject.clone());
    let given = binding(&runbook.runbook, &runbook.params, &of, inventory).map_err(Error::invalid)?;
    let mut why = cause.why();
    if let (Subject::Instance(_), Some(service)) = (&of, of.service(inventory)) {
        let healthy: Vec<_> = instances(survey, service, true).map(|name| format!("`{name}`")).collect();
        let verb = if healthy.len() == 1 { "is" } else { "are" };
        if !healthy.is_empty() {
            why.push_str(&format!("; {} {verb} healthy and will not be touched", healthy.join(", ")));
        }
    }
    Ok(Some(Remedy { runbook: runbook.runbook, of, given, why }))
}

/// The instances of a service that are healthy, or that are not.
fn instances<'a>(
    survey: &'a Survey,
    service: &'a str,
    are_healthy: bool,
) -> impl Iterator<Item = String> + 'a {
    let is_meant = move |seen: &&Seen| {
        matches!(&seen.role, Role::Instance { service: of } if of == service)
            && seen.health.is_healthy() == are_healthy
    };
    survey.seen.iter().filter(is_meant).map(|seen| seen.name.clone())
}

async fn plan_for(workplace: &Workplace, hosts: &Hosts, remedy: &Remedy) -> Result<Plan> {
    plan_of(workplace, hosts, &remedy.runbook, std::slice::from_ref(&remedy.given)).await
}

/// "Success" means checked: says what changed and how long it took, or that the target is still not healthy.
fn conclude(
    workplace: &Workplace,
    target: &Target,
    before: &Survey,
    after: &Survey,
    began: Timestamp,
    voice: Voice,
) -> Result<ExitCode> {
    if let Some(cause) = target.concerned(after, &workplace.site.inventory).first() {
        return Err(still_unhealthy(target, format!("the run succeeded, but {}", cause.why())));
    }
    let now = Timestamp::now();
    let ms_since = |since| elapsed(since, now).as_millis() as u64;
    let was = concerning(workplace, target, &before.seen);
    let down_since = was
        .iter()
        .filter(|seen| !seen.health.is_healthy())
        .filter_map(|seen| seen.container.as_ref()?.down_since())
        .min();
    voice.recovered(&Recovered {
        target: target.name.clone(),
        recovery_ms: ms_since(began),
        outage_ms: down_since.map(ms_since),
        untouched: untouched(&was, &concerning(workplace, target, &after.seen)),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn still_unhealthy(target: &Target, message: String) -> Error {
    Error::new(Kind::Unhealthy, message)
        .hint("opsctl triage")
        .hint(format!("opsctl failover {}", target.name))
}

/// What is the target, belongs to it, or is needed by it.
fn concerning(workplace: &Workplace, target: &Target, seen: &[Seen]) -> Vec<Seen> {
    let inventory = &workplace.site.inventory;
    let service = target.subject.service(inventory);
    let is_concerned = |seen: &&Seen| {
        let subject = Subject::from(*seen);
        match service {
            Some(service) => subject.is_needed_by(service, inventory),
            None => subject == target.subject || target.is_about(&subject, inventory),
        }
    };
    seen.iter().filter(is_concerned).cloned().collect()
}

fn unknown_target(name: &str, known: &[String]) -> Error {
    let error = Error::usage(format!("`{name}` is nothing that the inventory has"));
    error.hint(format!(
        "it has {}",
        known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    ))
}
