//! `opsctl undo`.

use std::process::ExitCode;

use super::Global;
use super::operator::operator;
use super::patience::Patience;
use super::{drive, turn};
use crate::base::{Error, Kind, Result};
use crate::run::event::Event;
use crate::run::state::{Course, Status};
use crate::ui;
use crate::ui::prompt::Answer;

/// Take back what a run did, the last step first
///
/// It works on a run that failed and on one that succeeded. Every step that may have had an effect is undone. Nothing is undone past
/// a step that is irreversible, unless a person says so: `opsctl resolve RUN STEP --undo-past`.
#[derive(Debug, clap::Args)]
pub struct Undo {
    /// The run: `latest`, the start of its id, or its last characters
    #[arg(default_value = "latest")]
    run: String,
    /// Show what would be undone and stop: nothing is changed
    #[arg(long, conflicts_with = "yes")]
    plan: bool,
    /// Undo without being asked
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    patience: Patience,
}

impl Undo {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let (turn, history) = turn::take(&self.run)?;
        let (plan, state) = (&history.plan, history.state());
        let run = turn.dir.id.short();
        if state.status == Status::Abandoned {
            turn::refuse_ended(&turn.dir, state, "undone")?;
        }
        if state.course == Course::Back {
            let status = state.status.word();
            let error = Error::new(Kind::Usage, format!("run {run} went back already: it is {status}"));
            let hint = if state.status.is_final() {
                "opsctl runs list".to_owned()
            } else {
                format!("opsctl resume {run}")
            };
            return Err(error.hint(hint));
        }
        let left = state.left_to_undo();
        if self.plan {
            let text = if global.json { ui::undo::json(plan, &left) } else { ui::undo::text(plan, &left) };
            ui::look::give(&text)?;
            return Ok(ExitCode::SUCCESS);
        }
        if !global.json {
            ui::look::say(&ui::undo::text(plan, &left));
        }
        if !self.yes {
            self.ask(&run)?;
        }
        let hosts = turn::hosts_of(plan, global)?;
        let requested = Event::UndoRequested { by: operator() };
        let exit =
            drive::continue_with(turn, plan, &hosts, vec![requested], self.patience.manner(), global).await?;
        hosts.close().await;
        Ok(exit)
    }

    fn ask(&self, run: &str) -> Result<()> {
        match ui::prompt::confirm("undo this?") {
            Ok(Answer::Yes) => Ok(()),
            Ok(Answer::No) => Err(Error::new(Kind::Refused, "not approved: nothing was changed")),
            Ok(Answer::NotATerminal) => {
                let message =
                    "the undo has to be approved, and there is no terminal to ask at: nothing was changed";
                Err(Error::new(Kind::Refused, message).hint(format!("opsctl undo {run} --yes")))
            }
            Err(error) => Err(Error::internal("cannot ask at the terminal").caused_by(&error)),
        }
    }
}
