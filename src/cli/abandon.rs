//! `opsctl abandon`.

use std::process::ExitCode;

use super::Global;
use super::operator::operator;
use super::turn;
use crate::base::Result;
use crate::run::event::{Choice, End, Event};
use crate::ui;

/// Leave a run as it is, for good
///
/// It is neither resumed nor undone any more. What it changed stays; `opsctl runs show RUN` has it.
#[derive(Debug, clap::Args)]
pub struct Abandon {
    /// The run: `latest`, the start of its id, or its last characters
    run: String,
    /// Why, for whoever reads the journal
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Abandon {
    pub fn run(&self, global: &Global) -> Result<ExitCode> {
        let (mut turn, history) = turn::take(&self.run)?;
        turn::refuse_ended(&turn.dir, history.state(), "abandoned")?;
        let by = operator();
        let abandon =
            Event::Decision { by: by.clone(), choice: Choice::Abandon, reason: Some(self.reason.clone()) };
        turn.journal.append(Event::EpochStarted { operator: by, pid: std::process::id() })?;
        turn.journal.append(abandon)?;
        turn.journal.append(Event::RunEnded { end: End::Abandoned })?;
        let run = turn.dir.id.short();
        if global.json {
            ui::look::give(&format!("{}\n", serde_json::json!({ "kind": "abandoned", "run": turn.dir.id })))?;
        } else {
            ui::look::say(&format!(
                "run {run} is abandoned; what it changed stays: opsctl runs show {run}\n"
            ));
        }
        Ok(ExitCode::SUCCESS)
    }
}
