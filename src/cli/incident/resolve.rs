//! `opsctl incident resolve`.

use std::process::ExitCode;

use super::office::Room;
use crate::base::clock::Timestamp;
use crate::base::{Error, Kind, Result};
use crate::cli::Global;
use crate::cli::open::Workplace;
use crate::cli::triage::survey_of;
use crate::incident::comms::{self, Gate};
use crate::incident::compose::Words;
use crate::incident::event::Event;
use crate::incident::follow::follow;
use crate::incident::review;
use crate::incident::state::IncidentState;
use crate::incident::tell::{Subject, draft, tell};
use crate::journal::store::Store;
use crate::model::channel::MessageKind;
use crate::model::inventory::Inventory;
use crate::triage::survey::Survey;
use crate::triage::target::Target;
use crate::ui;
use crate::ui::prompt::{self, Answer};

/// Say that it is over: look whether it is, show the message, ask, and tell everyone
///
/// Everything is looked at once more; as long as a service of the incident is not well, nobody is told that it is. What has to be done after it
/// becomes its tasks.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Resolve {
    /// The incident: `latest`, the start of its id, or its last characters
    #[arg(default_value = "latest")]
    incident: String,
    /// Why it happened
    #[arg(long, value_name = "TEXT")]
    cause: String,
    /// What was done about it
    #[arg(long, value_name = "TEXT")]
    resolution: String,
    /// What is still to be done; again and again
    #[arg(long, value_name = "TEXT", required = true)]
    follow_up: Vec<String>,
    /// Say so although something is not well, and why; it stays on record
    #[arg(long, value_name = "REASON")]
    force: Option<String>,
    /// Send without being asked
    #[arg(long, short)]
    yes: bool,
}

const EXAMPLES: &str = "\
Examples:
  opsctl incident resolve --cause 'the disk was full' --resolution 'room was made' --follow-up 'an alert at 80%'";

impl Resolve {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let room = Room::open(global)?;
        // The turn is not held while everything is looked at.
        let state = {
            let mut hand = room.take(&self.incident)?;
            follow(&mut hand, &Store::open()?)?;
            hand.state().clone()
        };
        if state.is_resolved() {
            let short = state.opening.incident.short();
            return Err(Error::new(Kind::Refused, format!("incident {short} is resolved already"))
                .hint(format!("opsctl incident show {short}")));
        }
        let inventory = &room.site.inventory;
        let fit = |what: &str, text: &str| comms::fit(what, text, inventory);
        let cause = fit("the cause", &self.cause)?;
        let resolution = fit("the resolution", &self.resolution)?;
        let follow_up: Vec<String> =
            self.follow_up.iter().map(|text| fit("the follow-up", text)).collect::<Result<_>>()?;
        let forced = self.force.as_ref().map(|why| fit("the reason", why)).transpose()?;
        let ill = self.ill(&state, global).await?;
        if let (Some(first), None) = (ill.first(), &forced) {
            let message = format!("it is not over: {first}");
            let error = Error::new(Kind::Unhealthy, message).hint("opsctl triage");
            let error = ill[1..].iter().fold(error, |error, why| error.cause(why.clone()));
            return Err(error.hint("where you know better, say why: --force 'the check itself is broken'"));
        }
        let words = Words {
            cause: Some(cause.clone()),
            resolution: Some(resolution.clone()),
            follow_up: follow_up.clone(),
            ..Words::default()
        };
        self.agreed(&state, &words, &room, global)?;
        let mut hand = room.take(&state.opening.incident.to_string())?;
        // Where everything was well, nothing had to be forced.
        let forced = forced.filter(|_| !ill.is_empty());
        hand.append(Event::Resolved { cause, resolution, follow_up, forced })?;
        review::begin(&mut hand, &room.office().zone)?;
        tell(&mut hand, &room.office(), MessageKind::Resolution, &words, None)?;
        let exit = room.deliver(&mut hand, global).await?;
        if !global.json && !global.quiet {
            ui::look::say(&ui::incident::sent::next(hand.state(), Timestamp::now()));
        }
        Ok(exit)
    }

    /// What is not well, in words.
    async fn ill(&self, state: &IncidentState, global: &Global) -> Result<Vec<String>> {
        let workplace = Workplace::open(global)?;
        let hosts = workplace.hosts();
        let survey = survey_of(&workplace, &hosts).await;
        hosts.close().await;
        let runs = state.runs.iter().filter(|(_, linked)| !linked.is_ended);
        let runs = runs
            .map(|(run, linked)| format!("run {} of `{}` is not at its end", run.short(), linked.runbook));
        Ok(unwell(state, survey, &workplace.site.inventory).into_iter().chain(runs).collect())
    }

    fn agreed(&self, state: &IncidentState, words: &Words, room: &Room, global: &Global) -> Result<()> {
        let now = Timestamp::now();
        let kind = MessageKind::Resolution;
        let subject = Subject { kind, state, words, page: None, gate: Gate::Green, now };
        let draft = draft(subject, room.office().parts())?;
        if let Some(error) = comms::refused(&draft.faults) {
            return Err(error);
        }
        if !self.yes || (!global.quiet && !global.json) {
            ui::look::say(&ui::incident::sent::draft(&draft));
        }
        if self.yes {
            return Ok(());
        }
        match prompt::confirm("say that it is over?") {
            Ok(Answer::Yes) => Ok(()),
            Ok(Answer::No) => Err(Error::new(Kind::Refused, "the incident goes on, and nobody was told")),
            Ok(Answer::NotATerminal) => {
                let message =
                    "the message has to be agreed to, and there is no terminal to ask at: nobody was told";
                Err(Error::new(Kind::Refused, message).hint("read it above, then add --yes"))
            }
            Err(error) => Err(Error::internal("cannot ask at the terminal").caused_by(&error)),
        }
    }
}

/// What triage sees of the incident's services. An alert goes on firing for a while after what it is about is well again.
fn unwell(state: &IncidentState, mut survey: Survey, inventory: &Inventory) -> Vec<String> {
    survey.causes.retain(|cause| !cause.is_an_alert_alone());
    let mut found = Vec::new();
    for service in &state.opening.services {
        let Ok(target) = Target::find(inventory, &format!("service/{service}")) else { continue };
        found.extend(target.blindness(&survey, inventory).map(|blindness| blindness.why));
        found.extend(target.concerned(&survey, inventory).iter().map(|cause| cause.why()));
    }
    found.dedup();
    found
}
