//! A command in a running container that only reads.

use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::exec::StartExecResults;
use bollard::models::{ContainerInspectResponse, ExecConfig};
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use super::{NO_ANSWER, Refusal, containers};
use crate::host::Host;
use crate::host::capture::Lines;
use crate::host::failure::Failure;
use crate::host::run::Sink;
use crate::model::operation::{ContainerCommand, words};
use crate::run::signal::Stream;

impl Host {
    /// `status`, `stdout`, `stderr`. A container that does not run is an answer, without a status and with the reason in
    /// `stderr`: what is asked in it is not so, and the host is not to be waited for. Within the command's own deadline, or `timeout` where that is shorter.
    pub(in crate::host) async fn exec(
        &self,
        command: &ContainerCommand,
        timeout: Option<Duration>,
        output: Sink<'_>,
    ) -> Result<Value, Failure> {
        let deadline = timeout.unwrap_or(command.deadline.0).min(command.deadline.0);
        let (keep, begun_at) = (self.limits.output, Instant::now());
        let begin = async {
            let api = self.docker().await?;
            begin(api, command).await.map_err(|refusal| self.refused(refusal))
        };
        // An engine that does not get to it says nothing about what would have been asked.
        let begun = self.within(Some(deadline), NO_ANSWER, begin).await.map_err(Failure::not_begun)?;
        let (id, attached) = match begun {
            Begun::Runs { id, attached } => (id, attached),
            Begun::Refused { why } => return Ok(json!({ "status": null, "stdout": "", "stderr": why })),
        };
        let end = async {
            let api = self.docker().await?;
            follow(api, &id, attached, keep, output).await.map_err(|refusal| self.refused(refusal))
        };
        let what_if_not = format!("`{}` in the container did not end", words(&command.argv));
        self.within(Some(deadline.saturating_sub(begun_at.elapsed())), &what_if_not, end).await
    }
}

enum Begun {
    Runs {
        id: String,
        attached: StartExecResults,
    },
    /// There is no container that runs.
    Refused {
        why: String,
    },
}

async fn begin(api: &Docker, command: &ContainerCommand) -> Result<Begun, Refusal> {
    let found = containers::find(api, &command.container).await?;
    let Some(container) = found.iter().find(|container| containers::is_running(container)) else {
        let why = found.first().map_or_else(|| containers::none_of(&command.container), not_running);
        return Ok(Begun::Refused { why });
    };
    let config = ExecConfig {
        cmd: Some(command.argv.clone()),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        ..ExecConfig::default()
    };
    let id = container.id.as_deref().unwrap_or_default();
    let id = api.create_exec(id, config).await?.id;
    let attached = api.start_exec(&id, None).await?;
    Ok(Begun::Runs { id, attached })
}

async fn follow(
    api: &Docker,
    id: &str,
    mut attached: StartExecResults,
    keep: usize,
    output: Sink<'_>,
) -> Result<Value, Refusal> {
    let (mut out, mut err) = (Lines::new(keep), Lines::new(keep));
    if let StartExecResults::Attached { output: pieces, .. } = &mut attached {
        while let Some(piece) = pieces.next().await {
            match piece? {
                LogOutput::StdErr { message } => {
                    err.push(&message, &mut |line| output(Stream::Err, line));
                }
                piece => out.push(&piece.into_bytes(), &mut |line| output(Stream::Out, line)),
            }
        }
    }
    let ended = api.inspect_exec(id).await?;
    Ok(json!({
        "status": ended.exit_code,
        "stdout": out.finish(&mut |line| output(Stream::Out, line)),
        "stderr": err.finish(&mut |line| output(Stream::Err, line)),
    }))
}

fn not_running(container: &ContainerInspectResponse) -> String {
    let state = container.state.as_ref().and_then(|state| state.status);
    let state = state.map(|status| status.to_string()).unwrap_or_default();
    format!("container `{}` does not run: it is {state}", containers::name(container))
}
