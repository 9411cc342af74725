//! `opsctl incident`.

pub mod aboard;
mod ack;
mod escalate;
mod handoff;
mod list;
mod note;
pub mod offer;
pub mod office;
pub mod open;
mod postmortem;
pub mod remind;
mod render;
mod resolve;
mod schedule;
mod show;
mod stats;
mod task;
mod tick;
mod update;

use std::process::ExitCode;

use clap::Subcommand;

use self::ack::Ack;
use self::escalate::Escalate;
use self::handoff::Handoff;
use self::list::List;
use self::note::Note;
use self::postmortem::Postmortem;
use self::render::Render;
use self::show::Show;
use self::stats::Stats;
use self::task::{Assign, Close, Done, Waive};
use self::tick::{Tick, Watch};
use super::Global;
use crate::base::Result;

/// Tell everyone what is wrong, in time, and keep a record that writes itself
///
/// An incident is what people are told about: how bad it is, how it stands, who has it, what was done, and what was said to whom. Incidents
/// are kept on this machine, below $OPSCTL_STATE_DIR or ~/.local/state/opsctl.
#[derive(Debug, clap::Args)]
pub struct Incident {
    #[command(subcommand)]
    command: Command,
}

/// Each type's own doc comment is the command's help.
#[derive(Debug, Subcommand)]
enum Command {
    Open(open::Open),
    Ack(Ack),
    Update(update::Update),
    Identify(update::Identify),
    Monitor(update::Monitor),
    Escalate(Escalate),
    Handoff(Handoff),
    Resolve(resolve::Resolve),
    List(List),
    Show(Show),
    Note(Note),
    Render(Render),
    Postmortem(Postmortem),
    Assign(Assign),
    Done(Done),
    Waive(Waive),
    Close(Close),
    Stats(Stats),
    Tick(Tick),
    Watch(Watch),
}

impl Incident {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        match &self.command {
            Command::Open(command) => command.run(global).await,
            Command::Ack(command) => command.run(global).await,
            Command::Escalate(command) => command.run(global).await,
            Command::Handoff(command) => command.run(global).await,
            Command::Tick(command) => command.run(global).await,
            Command::Watch(command) => command.run(global).await,
            Command::Update(command) => command.run(global).await,
            Command::Identify(command) => command.run(global).await,
            Command::Monitor(command) => command.run(global).await,
            Command::Resolve(command) => command.run(global).await,
            Command::List(command) => command.run(global),
            Command::Show(command) => command.run(global),
            Command::Note(command) => command.run(global).await,
            Command::Render(command) => command.run(global),
            Command::Postmortem(command) => command.run(global),
            Command::Assign(command) => command.run(global).await,
            Command::Done(command) => command.run(global).await,
            Command::Waive(command) => command.run(global).await,
            Command::Close(command) => command.run(global).await,
            Command::Stats(command) => command.run(global),
        }
    }
}
