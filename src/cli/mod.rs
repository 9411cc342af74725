//! The command line: clap types, whose doc comments are the help text, and one file per command.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Args, Parser, Subcommand};

use crate::base::{Kind, Result, crash};

mod abandon;
mod actions;
mod alerts;
mod arrive;
mod audit;
mod backup;
mod backups;
mod cancel;
mod channel;
mod cleanup;
mod completions;
mod conduct;
mod consent;
mod coverage;
mod deploy;
mod doctor;
mod drive;
mod failover;
mod handoff;
mod incident;
mod inventory;
mod lock;
mod message;
mod next;
mod open;
mod operator;
mod patience;
mod plan;
mod preflight;
mod procedure;
mod release;
mod releases;
mod remedy;
mod resolve;
mod restore;
mod resume;
mod rollback;
mod rolling;
mod run;
mod runbook;
mod runs;
mod serve;
mod status;
mod template;
mod terminal;
mod triage;
mod turn;
mod undo;
mod units;

/// Executable, checkpointed runbooks for Docker Compose hosts.
///
/// Every procedure shows its exact commands before it runs, asks, journals each step, and can be resumed or undone.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, after_help = EXAMPLES)]
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

Exit codes:
  0 succeeded           5 unhealthy      13 undone after a failure
  1 internal           10 halted         14 journal corrupt
  2 usage              11 waiting        15 recovered, but nobody was told
  3 invalid file       12 stuck         130 interrupted, resumable
  4 refused";

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
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
    /// Whether somebody was to be told of an incident and was not.
    #[arg(skip)]
    unheard: Arc<AtomicBool>,
}

impl Global {
    /// Somebody was not told: if all else goes well, the exit code says it.
    pub fn note_unheard(&self) {
        self.unheard.store(true, Ordering::Relaxed);
    }
}

/// Each type's own doc comment is the command's help.
#[derive(Debug, Subcommand)]
enum Command {
    Failover(failover::Failover),
    Deploy(deploy::Deploy),
    Rollback(rollback::Rollback),
    Releases(releases::Releases),
    Backup(backup::Backup),
    Backups(backups::Backups),
    Restore(restore::Restore),
    Cleanup(cleanup::Cleanup),
    Status(status::Status),
    Triage(triage::Triage),
    Alerts(alerts::Alerts),
    Channel(channel::Channel),
    Incident(incident::Incident),
    Serve(serve::Serve),
    Plan(plan::Plan),
    Run(run::Run),
    Runbook(runbook::Runbook),
    Template(template::Template),
    Inventory(inventory::Inventory),
    Runs(runs::Runs),
    Audit(audit::Audit),
    Resume(resume::Resume),
    Undo(undo::Undo),
    Cancel(cancel::Cancel),
    Handoff(handoff::Handoff),
    Resolve(resolve::Resolve),
    Abandon(abandon::Abandon),
    Lock(lock::Lock),
    Doctor(doctor::Doctor),
    Completions(completions::Completions),
}

/// Runs the command and gives its exit code.
///
/// # Errors
/// What went wrong, with the kind that fixes the exit code.
pub fn run(cli: Cli) -> Result<ExitCode> {
    crash::check()?;
    let Cli { global, command } = cli;
    let unheard = global.unheard.clone();
    let exit = perform(command, global)?;
    let is_all_but_heard = exit == ExitCode::SUCCESS && unheard.load(Ordering::Relaxed);
    Ok(if is_all_but_heard { ExitCode::from(Kind::Unnotified.exit_code()) } else { exit })
}

fn perform(command: Command, global: Global) -> Result<ExitCode> {
    match command {
        Command::Completions(command) => command.run(),
        Command::Runbook(command) => command.run(&global),
        Command::Template(command) => command.run(&global),
        Command::Inventory(command) => command.run(&global),
        Command::Runs(command) => command.run(&global),
        Command::Audit(command) => on_runtime(command.run(&global)),
        Command::Abandon(command) => on_runtime(command.run(&global)),
        Command::Failover(command) => on_runtime(command.run(&global)),
        Command::Deploy(command) => on_runtime(command.run(&global)),
        Command::Rollback(command) => on_runtime(command.run(&global)),
        Command::Releases(command) => on_runtime(command.run(&global)),
        Command::Backup(command) => on_runtime(command.run(&global)),
        Command::Backups(command) => on_runtime(command.run(&global)),
        Command::Restore(command) => on_runtime(command.run(&global)),
        Command::Cleanup(command) => on_runtime(command.run(&global)),
        Command::Status(command) => on_runtime(command.run(&global)),
        Command::Triage(command) => on_runtime(command.run(&global)),
        Command::Alerts(command) => on_runtime(command.run(&global)),
        Command::Channel(command) => on_runtime(command.run(&global)),
        Command::Incident(command) => on_runtime(command.run(&global)),
        Command::Serve(command) => on_runtime(command.run(&global)),
        Command::Cancel(command) => on_runtime(command.run(&global)),
        Command::Handoff(command) => on_runtime(command.run(&global)),
        Command::Lock(command) => on_runtime(command.run(&global)),
        Command::Doctor(command) => on_runtime(command.run(&global)),
        Command::Plan(command) => on_runtime(command.run(&global)),
        Command::Run(command) => on_runtime(command.run(&global)),
        Command::Resume(command) => on_runtime(command.run(&global)),
        Command::Undo(command) => on_runtime(command.run(&global)),
        Command::Resolve(command) => on_runtime(command.run(&global)),
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn silent(command: &clap::Command, path: &str) -> Vec<String> {
        let path = format!("{path} {}", command.get_name());
        let is_told = |text: Option<&clap::builder::StyledStr>| {
            text.is_some_and(|text| !text.to_string().trim().is_empty())
        };
        let own = (!is_told(command.get_about())).then(|| path.clone());
        let arguments = command.get_arguments().filter(|argument| !is_told(argument.get_help()));
        let arguments = arguments.map(|argument| format!("{path} {}", argument.get_id()));
        let below = command.get_subcommands().flat_map(|command| silent(command, &path));
        own.into_iter().chain(arguments).chain(below).collect()
    }

    #[test]
    fn every_command_and_every_argument_says_what_it_is_for() {
        let command = Cli::command();
        assert_eq!(silent(&command, ""), Vec::<String>::new());
        command.debug_assert();
    }
}
