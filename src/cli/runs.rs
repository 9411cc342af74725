//! `opsctl runs`.

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::Subcommand;
use serde_json::{Value, json};

use super::Global;
use super::message::Message;
use super::turn::status_word;
use crate::base::Result;
use crate::base::clock::Clock;
use crate::engine::deferred::{Outputs, filled};
use crate::journal::store::{RunDir, Store};
use crate::model::param::written;
use crate::run::signal::Signal;
use crate::ui;
use crate::ui::paint::Ink;
use crate::ui::report::Extra;
use crate::ui::reporter::{Options, choose};
use crate::ui::table::{Cell, Table};

/// How often a journal that somebody else writes is looked at.
const GLANCE: Duration = Duration::from_millis(100);

/// List, show and follow runs, and tell people about them
///
/// Runs are kept on this machine, below $OPSCTL_STATE_DIR or ~/.local/state/opsctl.
#[derive(Debug, clap::Args)]
pub struct Runs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List all runs of this machine, the newest first
    List,
    /// Show how a run stands: what changed, what is left, what to type next
    Show {
        /// The run: `latest`, the start of its id, or its last characters
        #[arg(default_value = "latest")]
        run: String,
    },
    /// Show a run's events, the past ones and those to come, until it rests or ends
    Follow {
        /// The run: `latest`, the start of its id, or its last characters
        #[arg(default_value = "latest")]
        run: String,
    },
    Message(Message),
}

impl Runs {
    pub fn run(&self, global: &Global) -> Result<ExitCode> {
        let store = Store::open()?;
        match &self.command {
            Command::List => list(&store, global),
            Command::Show { run } => show(&store.find(run)?, global),
            Command::Follow { run } => follow(&store.find(run)?, global),
            Command::Message(message) => message.run(&store, global),
        }?;
        Ok(ExitCode::SUCCESS)
    }
}

fn list(store: &Store, global: &Global) -> Result<()> {
    let runs = store.list()?;
    if global.json {
        let rows: Vec<Value> = runs.iter().rev().map(row).collect();
        return ui::look::give(&format!("{}\n", Value::Array(rows)));
    }
    if runs.is_empty() {
        ui::look::say("there are no runs yet\n");
        return Ok(());
    }
    let mut table = Table::new(&["RUN", "STATE", "RUNBOOK", "WITH", "BEGUN", "OPERATOR"]);
    for run in runs.iter().rev() {
        table.row(match run.history() {
            Ok(history) => {
                let state = history.state();
                let with: Vec<_> =
                    history.plan.params.iter().map(|(name, value)| named(name, value)).collect();
                let begun = state.created_at.map(|at| format!("{at:.0}")).unwrap_or_default();
                [
                    Cell::new(Ink::Bold, run.id.short()),
                    status_word(run, state).into(),
                    history.plan.runbook.as_str().into(),
                    with.join(" ").into(),
                    begun.into(),
                    state.operator.clone().unwrap_or_default().into(),
                ]
            }
            Err(error) => [
                Cell::new(Ink::Bold, run.id.short()),
                Cell::new(Ink::Bad, "unreadable"),
                error.message.into(),
                "".into(),
                "".into(),
                "".into(),
            ],
        });
    }
    ui::look::give(&table.text())
}

fn named(name: &str, value: &Value) -> String {
    format!("{name}={}", written(value))
}

fn row(run: &RunDir) -> Value {
    match run.history() {
        Ok(history) => {
            let state = history.state();
            json!({
                "run": run.id,
                "state": status_word(run, state),
                "runbook": history.plan.runbook,
                "with": history.plan.params,
                "begun": state.created_at,
                "changed": state.changed_at,
                "operator": state.operator,
            })
        }
        Err(error) => json!({ "run": run.id, "state": "unreadable", "error": error.to_string() }),
    }
}

fn show(run: &RunDir, global: &Global) -> Result<()> {
    let history = run.history()?;
    if global.json {
        let shown = json!({
            "kind": "run",
            "run": run.id,
            "state": status_word(run, history.state()),
            "plan": history.plan,
            "fold": history.state(),
            "records": history.records,
        });
        return ui::look::give(&format!("{shown}\n"));
    }
    let next = super::next::commands(run, history.state());
    let extra = Extra { is_held: run.holder().is_some(), next };
    let plan = filled(&history.plan, &Outputs::of(history.state().outputs()));
    ui::look::give(&ui::report::text(&plan, &history.records, &extra))
}

fn follow(run: &RunDir, global: &Global) -> Result<()> {
    let mut follower = run.follow()?;
    let options = Options::detect(global.json, global.quiet, global.verbose);
    let mut screen = choose(options, follower.plan(), Clock::System);
    screen.signal(&Signal::Opened { run: run.id });
    loop {
        // Asked before the journal is: whoever held the run may have written its last record in between.
        let is_held = run.holder().is_some();
        let records = follower.poll()?;
        let is_quiet = records.is_empty();
        records.into_iter().for_each(|record| screen.signal(&Signal::Recorded(record)));
        if is_quiet && !is_held {
            break;
        }
        screen.tick();
        thread::sleep(GLANCE);
    }
    screen.finish();
    Ok(())
}
