//! `opsctl incident open`.

use std::process::ExitCode;

use super::aboard::is_about;
use super::office::Room;
use crate::base::clock::{Clock, Timestamp};
use crate::base::id::IncidentId;
use crate::base::nearest::listed;
use crate::base::{Error, Kind, Result};
use crate::cli::Global;
use crate::cli::open::Workplace;
use crate::cli::operator::operator;
use crate::cli::remedy::runbook_for;
use crate::cli::triage::survey_of;
use crate::engine::hosts::Hosts;
use crate::incident::comms::{self, Gate};
use crate::incident::compose::Words;
use crate::incident::desk::Hand;
use crate::incident::event::{Event, Opening, Record};
use crate::incident::proposal::{Lack, Said, lack, propose, triaged};
use crate::incident::state::IncidentState;
use crate::incident::tell::{Draft, Subject, draft, tell};
use crate::model::channel::MessageKind;
use crate::model::inventory::Inventory;
use crate::model::plan::Digest;
use crate::model::thresholds::Severity;
use crate::triage::alert::Alert;
use crate::triage::survey::{Survey, firing};
use crate::ui;
use crate::ui::prompt::{self, Answer};

/// Open an incident: look at everything, show the first message, ask, and tell everyone
///
/// What is affected, how bad it is, what it is and since when is taken from triage and from the alerts that fire; options take their place.
/// Those who are to answer are paged, and the time until the next message begins.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Open {
    /// A service that is affected; again and again
    #[arg(long, value_name = "NAME")]
    service: Vec<String>,
    /// How bad it is
    #[arg(long, value_name = "critical|warning", value_parser = severity)]
    severity: Option<Severity>,
    /// What is wrong, in one line
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// When it began to be wrong, such as 2026-03-01T03:10Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    started: Option<Timestamp>,
    /// Send without being asked
    #[arg(long, short)]
    yes: bool,
}

const EXAMPLES: &str = "\
Examples:
  opsctl incident open                        from what is wrong at this moment
  opsctl incident open --service argus --severity critical --title 'orders are refused' --yes";

impl Open {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let workplace = Workplace::open(global)?;
        let room = Room::open(global)?;
        let hosts = workplace.hosts();
        let survey = survey_of(&workplace, &hosts).await;
        let firing = alerts(&workplace, &hosts).await;
        hosts.close().await;
        let inventory = &room.site.inventory;
        let mut said = Said {
            services: self.service.clone(),
            severity: self.severity,
            title: self.title.clone(),
            started_at: self.started,
        };
        let lack = lack(&said, &survey, &firing, inventory);
        ask_for(&mut said, lack, inventory)?;
        said.title = said.title.map(|title| comms::fit("the title", &title, inventory)).transpose()?;
        let opening = propose(&said, &survey, &firing, &room.site, Timestamp::now())?;
        if let Some(open) = open_for(&room, &opening.services)? {
            let short = open.short();
            let message = format!("incident {short} is open for this already");
            return Err(Error::new(Kind::Refused, message)
                .hint(format!("opsctl incident update 'how it stands' --incident {short}"))
                .hint(format!("opsctl incident show {short}")));
        }
        let draft = preview(&room, &opening)?;
        if let Some(error) = comms::refused(&draft.faults) {
            return Err(error);
        }
        if !self.yes {
            agreed(&draft)?;
        } else if !global.quiet && !global.json {
            ui::look::say(&ui::incident::sent::draft(&draft));
        }
        let mut hand = begin(&room, &workplace, opening, &survey)?;
        let exit = room.deliver(&mut hand, global).await?;
        if !global.json && !global.quiet {
            ui::look::say(&ui::incident::sent::next(hand.state(), Timestamp::now()));
        }
        Ok(exit)
    }
}

/// Asks at the terminal for what nothing else says. Where nobody can be asked it stays missing, and is told of.
fn ask_for(said: &mut Said, lack: Lack, inventory: &Inventory) -> Result<()> {
    let ask = |question: &str| {
        prompt::words(question)
            .map_err(|error| Error::internal("cannot ask at the terminal").caused_by(&error))
    };
    if lack.services {
        let known = listed(inventory.services.keys().map(String::as_str));
        let typed = ask(&format!("nothing is found to be wrong. Which services are affected ({known})?"))?;
        let typed = typed.unwrap_or_default();
        said.services = typed.split([',', ' ']).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    }
    if lack.title && !(lack.services && said.services.is_empty()) {
        said.title = ask("What is wrong, in one line?")?;
    }
    Ok(())
}

/// The alerts that fire; none where nobody says.
pub async fn alerts(workplace: &Workplace, hosts: &Hosts) -> Vec<Alert> {
    match workplace.site.inventory.prometheus() {
        Some(_) => firing(&workplace.site.inventory, hosts).await.unwrap_or_default(),
        None => Vec::new(),
    }
}

/// Puts an incident and its first message into a record. Nothing is sent yet.
///
/// # Errors
/// When it cannot be written, or there can be no message.
pub fn begin(room: &Room, workplace: &Workplace, opening: Opening, survey: &Survey) -> Result<Hand> {
    let mut hand = room.desk.create(opening, &operator(), Clock::System)?;
    let runbook = survey.causes.iter().find_map(|cause| runbook_for(workplace, cause));
    hand.append(triaged(survey, runbook.map(|runbook| runbook.runbook)))?;
    tell(&mut hand, &room.office(), MessageKind::Alert, &Words::default(), None)?;
    Ok(hand)
}

/// The incident that is open for one of these services.
///
/// # Errors
/// When the desk cannot be read.
pub fn open_for(room: &Room, services: &[String]) -> Result<Option<IncidentId>> {
    let site = &room.site.inventory.name;
    let mut ids = room.desk.ids()?.into_iter().rev();
    Ok(ids.find(|id| room.desk.read(*id).is_ok_and(|incident| is_about(&incident.state, site, services))))
}

/// The first message as it would be sent now.
fn preview(room: &Room, opening: &Opening) -> Result<Draft> {
    let now = opening.detected_at;
    let record = Record {
        v: Record::VERSION,
        seq: 1,
        prev: Digest::of(opening.incident.to_string().as_bytes()),
        at: now,
        by: operator(),
        event: Event::Opened(opening.clone()),
    };
    let state = IncidentState::begin(&record).map_err(|illegal| Error::internal(illegal.0))?;
    let words = Words::default();
    let subject =
        Subject { kind: MessageKind::Alert, state: &state, words: &words, page: None, gate: Gate::Red, now };
    Ok(draft(subject, room.office().parts())?)
}

/// Shows it, and asks.
fn agreed(draft: &Draft) -> Result<()> {
    ui::look::say(&ui::incident::sent::draft(draft));
    match prompt::confirm("open the incident and send this?") {
        Ok(Answer::Yes) => Ok(()),
        Ok(Answer::No) => Err(Error::new(Kind::Refused, "nothing was opened, and nobody was told")),
        Ok(Answer::NotATerminal) => {
            let message =
                "the message has to be agreed to, and there is no terminal to ask at: nobody was told";
            Err(Error::new(Kind::Refused, message).hint("read it above, then add --yes"))
        }
        Err(error) => Err(Error::internal("cannot ask at the terminal").caused_by(&error)),
    }
}

fn severity(text: &str) -> Result<Severity, String> {
    match text.to_lowercase().as_str() {
        "critical" => Ok(Severity::Critical),
        "warning" => Ok(Severity::Warning),
        _ => Err("it is `critical` or `warning`".to_owned()),
    }
}

fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "write it with its offset, such as `2026-03-01T03:10Z`".to_owned())
}
