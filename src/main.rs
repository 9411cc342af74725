//! `opsctl`: parse, run, print the error, exit code.

use std::process::ExitCode;

use clap::Parser;
use opsctl::{cli, ui};

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let is_json = cli.global.json;
    match cli::run(cli) {
        Ok(exit) => exit,
        Err(error) => {
            // There is nobody left to tell when this fails too.
            let _ = ui::error::show(&error, is_json);
            ExitCode::from(error.kind.exit_code())
        }
    }
}
