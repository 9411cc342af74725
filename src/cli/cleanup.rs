//! `opsctl cleanup`.

mod aftermath;
mod disk;
mod machine;
mod schedule;
mod volume;
mod ways;

use std::process::ExitCode;

use clap::Subcommand;

use self::disk::Disk;
use self::volume::Volume;
use super::Global;
use crate::base::Result;

/// Make room on a host, without losing what is needed to go back
///
/// It looks at everything that fills the disks, shows what could go and why the rest must not, and lets go of the least regretted first, until
/// enough is free. What a rollback, a restore or another run's undo needs stays, and every volume.
#[derive(Debug, clap::Args)]
pub struct Cleanup {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Disk(Disk),
    Volume(Volume),
}

impl Cleanup {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        match &self.command {
            Command::Disk(disk) => disk.run(global).await,
            Command::Volume(volume) => volume.run(global).await,
        }
    }
}
