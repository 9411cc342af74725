//! `opsctl incident postmortem`.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;

use super::office::Room;
use crate::base::clock::Timestamp;
use crate::base::{Error, Kind, Result};
use crate::cli::Global;
use crate::incident::compose::Words;
use crate::incident::document::{self, Document};
use crate::incident::{calendar, time};
use crate::model::operation::quoted;
use crate::ui;
use crate::ui::paint::{Ink, visible};

/// Write the post-mortem of an incident from its record
///
/// It is Markdown: the impact, the cause, how fast it was detected, acknowledged, mitigated and resolved, the timeline with its evidence,
/// and what has to be done, with owners and dates. What was learned is for you to write.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Postmortem {
    /// The incident: `latest`, the start of its id, or its last characters
    #[arg(default_value = "latest")]
    incident: String,
    /// The file to write; one that is there is left alone
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write the meeting about it for a calendar, too
    #[arg(long, value_name = "FILE")]
    ics: Option<PathBuf>,
    /// When the meeting is, such as 2026-03-04T10:00+01:00 [default: the third working day after it was over, at ten]
    #[arg(long, value_name = "TIME", requires = "ics", value_parser = time_of)]
    meeting: Option<Timestamp>,
}

const EXAMPLES: &str = "\
Examples:
  opsctl incident postmortem
  opsctl incident postmortem -o postmortem.md --ics postmortem.ics";

impl Postmortem {
    pub fn run(&self, global: &Global) -> Result<ExitCode> {
        let room = Room::open(global)?;
        let office = room.office();
        let incident = room.desk.read(room.desk.find(&self.incident)?)?;
        let state = &incident.state;
        let short = state.opening.incident.short();
        if !state.is_resolved() {
            return Err(Error::new(Kind::Refused, format!("incident {short} is not resolved yet"))
                .hint(format!("opsctl incident render state --incident {short} # how it stands"))
                .hint(format!(
                    "opsctl incident resolve {short} --cause '...' --resolution '...' --follow-up '...'"
                )));
        }
        let now = Timestamp::now();
        let text = document::write(Document::PostMortem, &incident, &Words::default(), office.parts(), now)?;
        let text = text + "\n";
        if let Some(path) = &self.ics {
            let at = match self.meeting {
                Some(at) => at,
                None => calendar::usual(state, &office.zone, now)?,
            };
            write(path, &calendar::meeting(state, at, now))?;
            let at = time::text(at, &office.zone);
            ui::look::say(&format!("{} {}: the meeting, {at}\n", Ink::Good.on("✔"), visible(&shown(path))));
        }
        match &self.output {
            Some(path) => {
                write(path, &text)?;
                ui::look::say(&format!("{} {}: the post-mortem\n", Ink::Good.on("✔"), visible(&shown(path))));
            }
            None if global.json => {
                let document =
                    json!({ "kind": "postmortem", "incident": state.opening.incident, "text": text });
                ui::look::give(&format!("{document}\n"))?;
            }
            None => ui::look::give(&text)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A file that is there may hold what people wrote into it.
fn write(path: &Path, text: &str) -> Result<()> {
    let written = OpenOptions::new().write(true).create_new(true).open(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_data()
    });
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Error::new(Kind::Refused, format!("`{}` is there already, and is left alone", shown(path)))
                .hint(format!("mv {0} {0}.old", quoted(&shown(path))))
        }
        _ => Error::internal(format!("cannot write `{}`", shown(path))).caused_by(&error),
    })
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn time_of(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "write it with its offset, such as `2026-03-04T10:00+01:00`".to_owned())
}
