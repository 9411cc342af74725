//! A command in a running container that only reads.

use std::time::Duration;

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::exec::StartExecResults;
use bollard::models::{ContainerInspectResponse, ExecConfig};
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::{Refusal, containers};
use crate::host::Host;
use crate::host::capture::Lines;
use crate::host::failure::Failure;
use crate::host::run::Sink;
use crate::model::operation::ContainerCommand;
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
        let keep = self.limits.output;
        let answer = async {
            let api = self.docker().await?;
            exec(api, command, keep, output).await.map_err(|refusal| self.refused(refusal))
        };
        self.within(Some(deadline), answer).await
    }
}

async fn exec(
    api: &Docker,
    command: &ContainerCommand,
    keep: usize,
    output: Sink<'_>,
) -> Result<Value, Refusal> {
    let found = containers::find(api, &command.container).await?;
    let Some(container) = found.iter().find(|container| containers::is_running(container)) else {
        let why = found.first().map_or_else(|| containers::none_of(&command.container), not_running);
        return Ok(json!({ "status": null, "stdout": "", "stderr": why }));
    };
    let config = ExecConfig {
        cmd: Some(command.argv.clone()),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        ..ExecConfig::default()
    };
    let id = container.id.as_deref().unwrap_or_default();
    let created = api.create_exec(id, config).await?;
    let (mut out, mut err) = (Lines::new(keep), Lines::new(keep));
    if let StartExecResults::Attached { output: mut pieces, .. } = api.start_exec(&created.id, None).await? {
        while let Some(piece) = pieces.next().await {
            match piece? {
                LogOutput::StdErr { message } => {
                    err.push(&message, &mut |line| output(Stream::Err, line));
                }
                piece => out.push(&piece.into_bytes(), &mut |line| output(Stream::Out, line)),
            }
        }
    }
    let ended = api.inspect_exec(&created.id).await?;
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
