//! `opsctl runs message`.

use std::path::Path;

use jiff::tz::TimeZone;
use serde_json::json;

use super::Global;
use super::turn::status_word;
use crate::base::clock::Timestamp;
use crate::base::{Error, Kind, Result};
use crate::engine::templates::Templates;
use crate::incident::message::{self, Blank, Refusal, Subject, Told};
use crate::journal::History;
use crate::journal::store::{RunDir, Store};
use crate::model::operation::quoted;
use crate::model::runbook::Risk;
use crate::ui;

/// Print a message about a run, ready to paste into a chat
///
/// It is filled in from a template: `alert` as long as nothing is resolved, `resolution` once the run succeeded. What only you
/// can know, such as the root cause, you say; a message with a blank in it is refused.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Message {
    /// The run: `latest`, the start of its id, or its last characters
    #[arg(default_value = "latest")]
    run: String,
    /// The template, in place of the one that fits; `opsctl template list` has them
    #[arg(long, value_name = "NAME")]
    template: Option<String>,
    /// Why it happened
    #[arg(long, value_name = "TEXT")]
    root_cause: Option<String>,
    /// What is still to be done about it
    #[arg(long, value_name = "TEXT")]
    follow_up: Option<String>,
    /// The affected services, in place of those that the run's parameters lead to
    #[arg(long, value_name = "TEXT")]
    services: Option<String>,
    /// When it began to be wrong, such as 2026-03-01T03:10Z; without it, the run's beginning counts
    #[arg(long, value_name = "TIME", value_parser = time)]
    began: Option<Timestamp>,
}

const EXAMPLES: &str = "\
Examples:
  opsctl runs message                     about the latest run
  opsctl runs message --root-cause 'the disk was full' --follow-up OPS-41";

impl Message {
    pub fn run(&self, store: &Store, global: &Global) -> Result<()> {
        let run = store.find(&self.run)?;
        let history = run.history()?;
        let (plan, state) = (&history.plan, history.state());
        if let (Some(told), Some(created)) = (self.began, state.created_at)
            && told > created
        {
            let message = format!("`--began` is later than the run, which was begun at {created:.0}");
            return Err(
                Error::usage(message).hint("leave it out, or give the time when it began to be wrong")
            );
        }
        let told = self.told();
        let now = Timestamp::now();
        let subject = Subject { plan, state, told: &told, now, zone: &TimeZone::system() };
        let name = self.template.as_deref().unwrap_or(message::fitting(plan, state));
        let templates = Templates::open(Path::new(&plan.inventory).parent())?;
        let template = templates.get(name)?;
        let text = message::render(&template.text, subject).map_err(|refusal| match refusal {
            Refusal::NotResolved => not_resolved(name, &run, &history),
            Refusal::Unfilled(blanks) => self.unfilled(name, &run, &blanks),
            Refusal::Template(why) => {
                Error::invalid(format!("the template `{name}` cannot be filled in: {why}"))
                    .cause(format!("in `{}`", template.file))
                    .hint(format!("opsctl template show {name}"))
            }
        })?;
        if global.json {
            let origin = template.origin.to_string();
            return ui::look::give(&format!(
                "{}\n",
                json!({ "template": name, "origin": origin, "text": text })
            ));
        }
        ui::look::give(&format!("{text}\n"))
    }

    fn told(&self) -> Told {
        Told {
            root_cause: self.root_cause.clone(),
            follow_up: self.follow_up.clone(),
            services: self.services.clone(),
            began: self.began,
        }
    }

    /// Names the blanks, and gives the whole command with a place for each.
    fn unfilled(&self, name: &str, run: &RunDir, blanks: &[Blank]) -> Error {
        let told = [
            ("--template", self.template.clone()),
            ("--began", self.began.map(|began| began.to_string())),
            (option(Blank::Services), self.services.clone()),
            (option(Blank::RootCause), self.root_cause.clone()),
            (option(Blank::FollowUp), self.follow_up.clone()),
        ];
        let options = told.into_iter().filter_map(|(name, text)| {
            let is_blank = blanks.iter().any(|blank| option(*blank) == name);
            Some(if is_blank { format!(" {name} '...'") } else { format!(" {name} {}", quoted(&text?)) })
        });
        let command = format!("opsctl runs message {}{}", run.id.short(), options.collect::<String>());
        let names = blanks.iter().map(|blank| format!("`{}`", option(*blank))).collect::<Vec<_>>().join(", ");
        Error::usage(format!("the template `{name}` has blanks that only you can fill in: {names}"))
            .hint(command)
    }
}

fn option(blank: Blank) -> &'static str {
    match blank {
        Blank::RootCause => "--root-cause",
        Blank::FollowUp => "--follow-up",
        Blank::Services => "--services",
    }
}

fn not_resolved(name: &str, run: &RunDir, history: &History) -> Error {
    let (plan, state) = (&history.plan, history.state());
    let why = match plan.risk {
        Risk::ReadOnly => "it only looked".to_owned(),
        _ => format!("it is {}", status_word(run, state)),
    };
    let run = run.id.short();
    let message = format!("`{name}` tells of an end, and run {run} has resolved nothing: {why}");
    Error::new(Kind::Refused, message)
        .hint(format!("opsctl runs message {run} --template {}", message::ALERT))
}

fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "write it with its offset, such as `2026-03-01T03:10Z`".to_owned())
}
