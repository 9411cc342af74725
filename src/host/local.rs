//! Commands on this machine.

use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

use tokio::process::Command;

use super::channel::{Channel, Exit, Input};

/// Starts a program at the head of a process group of its own: Ctrl-C at the terminal is opsctl's to act on, and a program
/// whose time is up can be ended with all its children.
pub(super) fn start(argv: &[String], input: Input) -> std::io::Result<Channel> {
    let mut child = Command::new(&argv[0])
        .args(&argv[1..])
        .process_group(0)
        .stdin(if input == Input::Pipe { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let missing = || std::io::Error::other("the program has no output");
    Ok(Channel {
        stdin: child.stdin.take().map(|stdin| Box::new(stdin) as _),
        stdout: Box::new(child.stdout.take().ok_or_else(missing)?),
        stderr: Box::new(child.stderr.take().ok_or_else(missing)?),
        exit: Box::pin(async move {
            match child.wait().await {
                Ok(status) => match (status.code(), status.signal()) {
                    (Some(code), _) => Exit::Status(code),
                    (None, Some(signal)) => Exit::Status(128 + signal),
                    (None, None) => Exit::Unknown,
                },
                Err(_) => Exit::Unknown,
            }
        }),
        keep: Box::new(()),
    })
}
