//! What needs no host: asking from the machine that opsctl runs on, waiting, and conditions that are already worked out.

use std::time::Instant;

use serde_json::json;

use super::dial::{connect, no_answer, plain};
use super::failure::{Failure, FailureKind};
use super::limits::Limits;
use super::{http, tls};
use crate::model::operation::{Observation, Operation};

/// # Errors
/// [`FailureKind::Protocol`] for an operation that needs a host, or a person.
pub async fn perform(operation: &Operation) -> Result<Observation, Failure> {
    let value = match operation {
        Operation::Http(request) => http::ask(request, None, Instant::now(), Limits::default().output).await,
        Operation::Connect { address, port, deadline } => {
            let start = Instant::now();
            let stream = connect(address, *port);
            let error = match tokio::time::timeout(deadline.0, stream).await {
                Ok(Ok(_)) => None,
                Ok(Err(error)) => Some(plain(&error)),
                Err(_) => Some(no_answer(deadline.0)),
            };
            json!({ "connected": error.is_none(), "ms": start.elapsed().as_millis() as u64, "error": error })
        }
        Operation::Handshake(handshake) => tls::certificate(handshake).await,
        Operation::Sleep(span) => {
            tokio::time::sleep(span.0).await;
            json!({})
        }
        Operation::Assert { holds, .. } => json!({ "holds": holds }),
        Operation::Command(_)
        | Operation::Exec(_)
        | Operation::Docker(_)
        | Operation::Disks { .. }
        | Operation::Approve { .. } => {
            let message = format!("`{operation}` cannot be done from here");
            return Err(Failure::new("here", FailureKind::Protocol, message));
        }
    };
    Ok(Observation { value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::amount::Span;

    #[tokio::test]
    async fn what_needs_no_host_is_done_here_and_nothing_else_is() {
        let assertion = Operation::Assert { holds: false, message: "it holds".into() };
        assert_eq!(perform(&assertion).await.unwrap().value, json!({ "holds": false }));
        assert_eq!(perform(&Operation::Sleep(Span::millis(1))).await.unwrap().value, json!({}));
        let question = Operation::Approve { question: "really?".into() };
        assert_eq!(perform(&question).await.unwrap_err().kind, FailureKind::Protocol);
    }
}
