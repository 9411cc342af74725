//! The command line: clap types, whose doc comments are the help text, and one file per command.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::base::Result;

mod abandon;
mod actions;
mod completions;
mod consent;
mod drive;
mod failover;
mod inventory;
mod message;
mod next;
mod open;
mod operator;
mod plan;
mod procedure;
mod resolve;
mod resume;
mod run;
mod runbook;
mod runs;
mod status;
mod template;
mod terminal;
mod turn;
mod undo;

/// Executable, checkpointed runbooks for Docker Compose hosts.
///
/// Every procedure shows its exact commands before it runs, asks, journals each step, and can be resumed or undone.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, arg_required_else_help = true, after_help = EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  opsctl status                    what is healthy and what is not
  opsctl failover argus --plan     what would be done, exactly; changes nothing
  opsctl failover argus            look, show the plan, ask, recover, verify
  opsctl resume latest             go on after a crash, a lost connection or Ctrl-C
  opsctl undo latest               take back what the last run did

Exit codes: 0 succeeded, 1 internal, 2 usage, 3 invalid inventory or runbook, 4 refused, 5 unhealthy, 10 halted,
11 waiting, 12 stuck, 13 undone after failure, 14 journal corrupt, 15 recovered but not notified, 130 interrupted";

#[derive(Debug, Clone, Args)]
pub struct Global {
    /// The inventory file [default: ./opsctl.yaml and upward, then the user's config folder]
    #[arg(long, short = 'i', global = true, env = "OPSCTL_INVENTORY", value_name = "FILE")]
    pub inventory: Option<PathBuf>,
    /// Print data as JSON; while a run moves, one event a line
    #[arg(long, global = true)]
    pub json: bool,
    /// Say only what failed and how it ended
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more: every check that is tried
    #[arg(long, short, global = true)]
    pub verbose: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Find out what is wrong with a service or an instance, and recover it
    Failover(failover::Failover),
    /// Show the health of everything in the inventory
    Status(status::Status),
    /// Show what a runbook would do, exactly, and change nothing
    Plan(plan::Plan),
    /// Run a runbook
    Run(run::Run),
    /// Check, list and show runbooks
    Runbook(runbook::Runbook),
    Template(template::Template),
    /// Check the inventory
    Inventory(inventory::Inventory),
    /// List, show and follow runs
    Runs(runs::Runs),
    /// Go on with a run that was interrupted, halted or is waiting
    Resume(resume::Resume),
    /// Take back what a run did, in reverse order
    Undo(undo::Undo),
    /// Say what became of a step that nobody knows the end of
    Resolve(resolve::Resolve),
    /// Leave a run as it is, for good
    Abandon(abandon::Abandon),
    /// Print a completion script for a shell
    Completions(completions::Completions),
}

/// Runs the command and gives its exit code.
///
/// # Errors
/// What went wrong, with the kind that fixes the exit code.
pub fn run(cli: Cli) -> Result<ExitCode> {
    let Cli { global, command } = cli;
    match command {
        Command::Completions(command) => command.run(),
        Command::Runbook(command) => command.run(&global),
        Command::Template(command) => command.run(&global),
        Command::Inventory(command) => command.run(&global),
        Command::Runs(command) => command.run(&global),
        Command::Abandon(command) => command.run(&global),
        Command::Failover(command) => on_runtime(command.run(&global)),
        Command::Status(command) => on_runtime(command.run(&global)),
        Command::Plan(command) => on_runtime(command.run(&global)),
        Command::Run(command) => on_runtime(command.run(&global)),
        Command::Resume(command) => on_runtime(command.run(&global)),
        Command::Undo(command) => on_runtime(command.run(&global)),
        Command::Resolve(command) => command.run(&global),
    }
}

/// One thread is enough: everything here waits for something else.
fn on_runtime(command: impl Future<Output = Result<ExitCode>>) -> Result<ExitCode> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| crate::base::Error::internal("cannot start the runtime").caused_by(&error))?
        .block_on(command)
}
