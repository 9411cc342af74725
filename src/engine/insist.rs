//! Asking a host that does not answer again: most of the time it is the connection that was lost, and not the host.

use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::host::failure::{Failure, FailureKind};
use crate::run::signal::Signal;

/// Half a minute in all.
const PAUSES: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(15),
];

/// Asks once more, over a new connection, when the one that there was is lost.
///
/// # Errors
/// The last failure.
pub async fn once_more<'a, T>(ask: impl Fn() -> BoxFuture<'a, Result<T, Failure>>) -> Result<T, Failure> {
    match ask().await {
        Err(failure) if failure.kind == FailureKind::Lost => ask().await,
        answer => answer,
    }
}

/// Asks with growing pauses until there is an answer. `what` is waited for, in words.
///
/// # Errors
/// The last failure, when the host stays out of reach; and the first that is of another kind.
pub async fn insist<'a, T>(
    what: &str,
    tell: &(dyn Fn(Signal) + Send + Sync),
    ask: impl Fn() -> BoxFuture<'a, Result<T, Failure>>,
) -> Result<T, Failure> {
    let mut pauses = PAUSES.into_iter();
    loop {
        let failure = match ask().await {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        let Some(pause) = pauses.next().filter(|_| failure.is_out_of_reach()) else { return Err(failure) };
        tell(Signal::Waiting { what: format!("{what}: {}", failure.message), at_most: None });
        tokio::time::sleep(pause).await;
    }
}
