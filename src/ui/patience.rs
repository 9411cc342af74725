//! Waiting that is not silent, outside of runs: those have a reporter.

use std::time::Duration;

use super::look::say;
use crate::base::amount::Span;

/// No silence is longer than this.
const SILENCE: Duration = Duration::from_secs(3);

/// Waits for `future`, and says every few seconds what is waited for.
pub async fn patiently<T>(what: &str, is_quiet: bool, future: impl Future<Output = T>) -> T {
    let complain = async {
        let mut so_far = Duration::ZERO;
        loop {
            tokio::time::sleep(SILENCE).await;
            so_far += SILENCE;
            if !is_quiet {
                say(&format!("still waiting for {what}, {} so far\n", Span(so_far)));
            }
        }
    };
    tokio::select! {
        value = future => value,
        never = complain => never,
    }
}
