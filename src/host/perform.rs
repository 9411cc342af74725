//! Performs an operation on a host and says what came of it, in the fields that
//! [`Observation`] lists.

use std::time::Duration;

use super::failure::Failure;
use super::run::Sink;
use super::{Host, here};
use crate::model::operation::{Observation, Operation, Via};

impl Host {
    /// Performs any operation but a question to a person. Lines of a command go to `output` as they come.
    ///
    /// # Errors
    /// When the way to the host failed. A command that ran and failed, a URL or port that does not answer: those are
    /// observations.
    pub async fn perform(
        &self,
        operation: &Operation,
        timeout: Option<Duration>,
        output: Sink<'_>,
    ) -> Result<Observation, Failure> {
        let value = match operation {
            Operation::Command(command) => self.run(command, timeout, output).await?.into_value(),
            Operation::Exec(command) => self.exec(command, timeout, output).await?,
            Operation::Disks { at, .. } => self.disks(at.as_deref(), timeout, output).await?,
            Operation::Docker(query) => self.query(query, timeout).await?,
            Operation::Http(request) if request.via == Via::Host => self.ask(request).await?,
            Operation::Connect { address, port, deadline } => {
                self.try_connect(address, *port, *deadline).await?
            }
            Operation::Handshake(handshake) if handshake.via == Via::Host => {
                self.certificate(handshake).await?
            }
            Operation::Http(_)
            | Operation::Handshake(_)
            | Operation::Sleep(_)
            | Operation::Assert { .. }
            | Operation::Approve { .. } => {
                return here::perform(operation).await;
            }
        };
        Ok(Observation { value })
    }
}
