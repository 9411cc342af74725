//! `opsctl incident render`.

use std::process::ExitCode;

use clap::ValueEnum;
use serde_json::json;

use super::office::Room;
use crate::base::clock::Timestamp;
use crate::base::nearest::listed;
use crate::base::{Error, Kind, Result};
use crate::cli::Global;
use crate::cli::operator::operator;
use crate::incident::comms::{Fault, Gate};
use crate::incident::compose::{Parts, Refusal, Words};
use crate::incident::desk::Incident;
use crate::incident::document::{self, Document};
use crate::incident::envelope::Page;
use crate::incident::tell::{Subject, draft};
use crate::incident::{sample, word};
use crate::model::channel::MessageKind;
use crate::ui;
use crate::ui::paint::{Ink, visible};

/// Print a message about an incident as it would be sent now; nothing is sent
///
/// What opsctl knows it fills in, the rest you say. On standard error stand the subject, the channels that would take it, and what is wrong
/// with it. Without a message, `--check` tries every template that is in force on an incident that never happened.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Render {
    /// The message or the document
    #[arg(value_enum, required_unless_present = "check")]
    kind: Option<What>,
    /// The incident: `latest`, the start of its id, or its last characters
    #[arg(long, value_name = "INCIDENT", default_value = "latest")]
    incident: String,
    /// Of an incident that never happened
    #[arg(long, conflicts_with = "incident")]
    example: bool,
    /// Exit with 4 when it would be refused, and with 3 when a template cannot be filled in
    #[arg(long)]
    check: bool,
    /// How it stands, or what goes with a handoff
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// Why it happened, of a resolution
    #[arg(long, value_name = "TEXT")]
    cause: Option<String>,
    /// What was done about it
    #[arg(long, value_name = "TEXT")]
    resolution: Option<String>,
    /// What is still to be done; may be given again
    #[arg(long, value_name = "TEXT")]
    follow_up: Vec<String>,
    /// What comes next, of a summary or a handoff
    #[arg(long, value_name = "TEXT")]
    next_steps: Option<String>,
    /// To whom it is handed
    #[arg(long, value_name = "NAME")]
    to: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  opsctl incident render summary --next-steps 'the second copy is built'
  opsctl incident render resolution --cause 'the disk was full' --resolution 'room was made' --follow-up OPS-41
  opsctl incident render --check           every template of this inventory, such as in CI";

/// All that can be rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// The first word of an incident
    Alert,
    /// How it stands
    Update,
    /// It is over
    Resolution,
    /// Calls whoever is to answer
    Page,
    /// Gives it to somebody else
    Handoff,
    /// For those who decide
    Summary,
    /// How it stands, at length
    State,
    /// What there is to learn from it
    Postmortem,
}

/// What was made of a template.
struct Rendered {
    subject: Option<String>,
    text: String,
    channels: Vec<String>,
    faults: Vec<Fault>,
}

impl Render {
    pub fn run(&self, global: &Global) -> Result<ExitCode> {
        let room = Room::open(global)?;
        let office = room.office();
        let parts = office.parts();
        let Some(kind) = self.kind else {
            return check_all(parts, global);
        };
        let incident = match self.example {
            true => example(kind)?,
            false => room.desk.read(room.desk.find(&self.incident)?)?,
        };
        let now = if self.example { incident.state.changed_at } else { Timestamp::now() };
        let words = if self.example { words_of_an_example() } else { self.words(&incident) };
        let rendered = rendered(kind, &incident, &words, parts, now)?;
        if global.json {
            let faults = rendered.faults.iter();
            let faults: Vec<_> =
                faults.map(|fault| json!({ "is_refused": fault.is_refused, "what": fault.what })).collect();
            let document = json!({
                "kind": "message",
                "message": name(kind),
                "incident": incident.state.opening.incident,
                "subject": rendered.subject,
                "text": rendered.text,
                "channels": rendered.channels,
                "faults": faults,
            });
            ui::look::give(&format!("{document}\n"))?;
        } else {
            ui::look::give(&format!("{}\n", rendered.text))?;
            ui::look::say(&about(&rendered));
        }
        let is_refused = rendered.faults.iter().any(|fault| fault.is_refused);
        Ok(if self.check && is_refused {
            ExitCode::from(Kind::Refused.exit_code())
        } else {
            ExitCode::SUCCESS
        })
    }

    fn words(&self, incident: &Incident) -> Words {
        Words {
            text: self.text.clone(),
            cause: self.cause.clone(),
            resolution: self.resolution.clone(),
            follow_up: self.follow_up.clone(),
            next_steps: self.next_steps.clone(),
            from: Some(incident.state.held.as_ref().map_or_else(operator, |held| held.who.clone())),
            to: self.to.clone(),
            is_unattended: false,
        }
    }
}

/// Every template on an example: what is wrong with each is said, in the order in which they are sent.
fn check_all(parts: Parts<'_>, global: &Global) -> Result<ExitCode> {
    let mut rows = Vec::new();
    for kind in What::value_variants() {
        let incident = example(*kind)?;
        let now = incident.state.changed_at;
        let wrong = match rendered(*kind, &incident, &words_of_an_example(), parts, now) {
            Ok(rendered) => {
                rendered.faults.into_iter().filter(|fault| fault.is_refused).map(|fault| fault.what).collect()
            }
            Err(error) => vec![error.to_string()],
        };
        let origin = parts.templates.get(name(*kind))?.origin.to_string();
        rows.push((name(*kind), origin, wrong));
    }
    let is_sound = rows.iter().all(|(_, _, wrong)| wrong.is_empty());
    if global.json {
        let templates: Vec<_> = rows
            .iter()
            .map(|(name, origin, wrong)| json!({ "template": name, "origin": origin, "wrong": wrong }))
            .collect();
        ui::look::give(&format!("{}\n", json!({ "kind": "templates", "templates": templates })))?;
    } else {
        for (name, origin, wrong) in &rows {
            let name = format!("{name} ({})", visible(origin));
            let text = match wrong.as_slice() {
                [] => format!("{}\n", Ink::Good.on(format!("✔ {name}"))),
                wrong => {
                    format!("{}\n  {}\n", Ink::Bad.on(format!("✘ {name}")), visible(&wrong.join("\n  ")))
                }
            };
            ui::look::give(&text)?;
        }
    }
    Ok(if is_sound { ExitCode::SUCCESS } else { ExitCode::from(Kind::Invalid.exit_code()) })
}

fn rendered(
    kind: What,
    incident: &Incident,
    words: &Words,
    parts: Parts<'_>,
    now: Timestamp,
) -> Result<Rendered> {
    let state = &incident.state;
    let of_document = |document| {
        let text = document::write(document, incident, words, parts, now);
        let text = text.map_err(|refusal| unfilled(kind, refusal))?;
        Ok(Rendered { subject: None, text, channels: Vec::new(), faults: Vec::new() })
    };
    let message = match kind {
        What::State => return of_document(Document::State),
        What::Postmortem => return of_document(Document::PostMortem),
        What::Alert => MessageKind::Alert,
        What::Update => MessageKind::Update,
        What::Resolution => MessageKind::Resolution,
        What::Page => MessageKind::Page,
        What::Handoff => MessageKind::Handoff,
        What::Summary => MessageKind::Summary,
    };
    let page = (message == MessageKind::Page).then(|| {
        let round = state.pages.get(&state.level).map_or(0, Vec::len) as u32 + 1;
        Page { level: state.level, round, who: parts.inventory.escalation.responder(state.level).who }
    });
    let subject = Subject { kind: message, state, words, page: page.as_ref(), gate: Gate::of(state), now };
    let draft = draft(subject, parts).map_err(|refusal| unfilled(kind, refusal))?;
    Ok(Rendered {
        subject: Some(draft.composed.subject),
        text: draft.composed.text,
        channels: draft.channels,
        faults: draft.faults,
    })
}

/// With an option for each blank.
fn unfilled(kind: What, refusal: Refusal) -> Error {
    let Refusal::Unfilled { blanks, .. } = &refusal else {
        return refusal.into();
    };
    let options = blanks.iter().map(|blank| match blank.as_str() {
        "root_cause" => " --cause '...'".to_owned(),
        "follow_up" => " --follow-up '...'".to_owned(),
        other => format!(" --{other} '...'"),
    });
    let hint = format!("opsctl incident render {}{}", name(kind), options.collect::<String>());
    Error { hints: vec![hint], ..refusal.into() }
}

/// Said beside the message: what it is called, where it would go, what is wrong with it.
fn about(rendered: &Rendered) -> String {
    let mut text = String::new();
    if let Some(subject) = &rendered.subject {
        let to = match rendered.channels.as_slice() {
            [] => "no channel of the inventory takes it".to_owned(),
            channels => format!("to {}", listed(channels.iter().map(String::as_str))),
        };
        text.push_str(&format!("\n{}\n", Ink::Dim.on(format!("subject: {}\n{to}", visible(subject)))));
    }
    for fault in &rendered.faults {
        let (ink, mark) = if fault.is_refused { (Ink::Bad, "✘ refused:") } else { (Ink::Warn, "warning:") };
        text.push_str(&format!("{} {}\n", ink.on(mark), visible(&fault.what)));
    }
    text
}

fn name(kind: What) -> &'static str {
    match kind {
        What::Alert => word::kind(MessageKind::Alert),
        What::Update => word::kind(MessageKind::Update),
        What::Resolution => word::kind(MessageKind::Resolution),
        What::Page => word::kind(MessageKind::Page),
        What::Handoff => word::kind(MessageKind::Handoff),
        What::Summary => word::kind(MessageKind::Summary),
        What::State => Document::State.name(),
        What::Postmortem => Document::PostMortem.name(),
    }
}

/// As far as the message needs it.
fn example(kind: What) -> Result<Incident> {
    let records = match kind {
        What::Resolution | What::Postmortem => sample::resolved(),
        _ => sample::records(),
    };
    let state =
        sample::fold(&records).ok_or_else(|| Error::internal("the example of an incident cannot be read"))?;
    Ok(Incident { state, records })
}

fn words_of_an_example() -> Words {
    Words {
        text: Some("both instances run again".to_owned()),
        from: Some("ada".to_owned()),
        to: Some("grace".to_owned()),
        ..Words::default()
    }
}
