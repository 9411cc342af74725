//! `opsctl completions`.

use std::io;
use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;
use crate::base::Result;

/// Print a completion script for a shell
///
/// For bash: opsctl completions bash > /etc/bash_completion.d/opsctl
#[derive(Debug, clap::Args)]
pub struct Completions {
    /// The shell that is to complete opsctl's commands and options
    shell: Shell,
}

impl Completions {
    pub fn run(&self) -> Result<ExitCode> {
        clap_complete::generate(self.shell, &mut Cli::command(), "opsctl", &mut io::stdout());
        Ok(ExitCode::SUCCESS)
    }
}
