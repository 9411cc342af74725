//! `opsctl`: parse, run, print the error, exit code.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = opsctl::cli::Cli::parse();
    let form = opsctl::ui::error::Form::of(cli.global.json);
    match opsctl::cli::run(cli) {
        Ok(exit) => exit,
        Err(error) => {
            opsctl::ui::error::print(&error, form);
            ExitCode::from(error.kind.exit_code())
        }
    }
}
