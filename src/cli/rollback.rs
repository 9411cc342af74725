//! `opsctl rollback`.

use std::process::ExitCode;

use super::Global;
use super::rolling::Rolling;
use crate::base::Result;
use crate::base::amount::Span;
use crate::engine::rollout::choose::Wanted;

/// Go back to a version of a service that was healthy, one instance at a time
///
/// Without a version it is the last release that was healthy and that nobody went back from; the history is kept on the host. Without a
/// service every one goes back, those first that others need. Where the image is on the host no registry is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Rollback {
    /// The service, by its name in the inventory [default: every service]
    service: Option<String>,
    /// The version to go back to [default: the last release that was healthy]
    version: Option<String>,
    #[command(flatten)]
    rolling: Rolling,
}

const EXAMPLES: &str = "\
Examples:
  opsctl rollback hermes --plan     what would be done to each instance; changes nothing
  opsctl rollback hermes            to the last release that was healthy
  opsctl rollback hermes v1.0.0     to that one
  opsctl rollback                   every service
  opsctl releases hermes            what can be gone back to";

impl Rollback {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let services: Vec<_> = self.service.iter().cloned().collect();
        let wanted = self.version.as_deref().map_or(Wanted::Previous, Wanted::Rollback);
        self.rolling.run(&services, wanted, (0, Span::default()), global).await
    }
}
