//! `opsctl cancel`.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::Global;
use super::drive::{self, Manner};
use super::operator::operator;
use super::turn;
use crate::base::{Error, Kind, Result};
use crate::journal::lock::Holder;
use crate::journal::store::{RunDir, Store};
use crate::run::event::{Choice, Event, Rest};
use crate::ui;

/// For a process to end what it has under way, which takes its hosts seconds.
const PATIENCE: Duration = Duration::from_secs(60);

const GLANCE: Duration = Duration::from_millis(100);

/// End what a run has under way, and let it rest
///
/// The commands under way are ended at their hosts, with all their processes, and the journal says whether these are proved to be gone.
/// It works on a run that another opsctl of this machine moves, and on one whose opsctl died. The run can be resumed or undone.
#[derive(Debug, clap::Args)]
pub struct Cancel {
    /// The run: `latest`, the start of its id, or its last characters
    run: String,
}

impl Cancel {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let dir = Store::open()?.find(&self.run)?;
        match dir.holder() {
            Some(holder) => ask_to_end(&dir, &holder).await?,
            None => return self.end_what_was_left(global).await,
        }
        let history = dir.history()?;
        let status = history.state().status;
        if status.is_moving() {
            // It died before it could.
            return self.end_what_was_left(global).await;
        }
        if global.json {
            let cancelled = serde_json::json!({ "kind": "cancelled", "run": dir.id, "state": status });
            ui::look::give(&format!("{cancelled}\n"))?;
        } else {
            let (run, status) = (dir.id.short(), status.word());
            ui::look::say(&format!("run {run} is {status}; what was ended: opsctl runs show {run}\n"));
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn end_what_was_left(&self, global: &Global) -> Result<ExitCode> {
        let (turn, history) = turn::take(&self.run)?;
        let (plan, state) = (&history.plan, history.state());
        turn::refuse_ended(&turn.dir, state, "cancelled")?;
        if state.status.is_resting() && state.in_doubt().next().is_none() {
            let run = turn.dir.id.short();
            return Err(Error::usage(format!("run {run} rests: it has nothing under way"))
                .hint(format!("opsctl resume {run}"))
                .hint(format!("opsctl undo {run}")));
        }
        let by = operator();
        let goes_on = Event::Decision { by, choice: Choice::Resume, reason: None };
        let decisions = if state.status.is_resting() { vec![goes_on] } else { Vec::new() };
        let hosts = turn::hosts_of(plan, global)?;
        let manner = Manner { ends_what_was_left: true, ..Manner::default() };
        let dir = turn.dir.clone();
        let exit = drive::continue_with(turn, plan, &hosts, decisions, manner, global).await;
        hosts.close().await;
        // Whatever it waits for now, nothing of it runs; unless a host did not say.
        let rest = dir.history()?.state().rest.clone();
        match rest {
            Some(Rest::Cancelled { .. } | Rest::WaitingForPerson { .. }) => exit.map(|_| ExitCode::SUCCESS),
            _ => exit,
        }
    }
}

/// Tells the process that moves the run, and waits until it has let go.
async fn ask_to_end(dir: &RunDir, holder: &Holder) -> Result<()> {
    let told = tokio::process::Command::new("kill").args(["-TERM", &holder.pid.to_string()]).output().await;
    let is_told = told.is_ok_and(|output| output.status.success());
    let start = Instant::now();
    while dir.holder().as_ref() == Some(holder) {
        if !is_told || start.elapsed() > PATIENCE {
            let message =
                format!("process {} of `{}` does not let go of the run", holder.pid, holder.operator);
            return Err(
                Error::new(Kind::Refused, message).hint(format!("opsctl runs follow {}", dir.id.short()))
            );
        }
        tokio::time::sleep(GLANCE).await;
    }
    Ok(())
}
