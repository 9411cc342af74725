//! `opsctl deploy`.

use std::process::ExitCode;

use super::Global;
use super::rolling::Rolling;
use crate::base::amount::Span;
use crate::base::{Error, Result};
use crate::engine::rollout::choose::Wanted;

/// Release a version of a service, one instance at a time
///
/// The image is pulled by its digest before anything stops. Then each instance is taken out of the proxy, made anew, proved to be healthy
/// with the new version, and put back, while the others serve. The first that does not become healthy ends it: everything is taken back,
/// and the version is remembered as bad.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Deploy {
    /// The service, by its name in the inventory
    service: String,
    /// The version: a tag of its image, or a tag with its digest
    version: String,
    /// How many instances go first, and are watched before the others follow
    #[arg(long, value_name = "N", default_value_t = 0)]
    canary: u16,
    /// For how long they are watched: their health, and the service's error rate where the inventory has a query for it
    #[arg(long, value_name = "TIME", requires = "canary")]
    watch: Option<Span>,
    #[command(flatten)]
    rolling: Rolling,
}

const EXAMPLES: &str = "\
Examples:
  opsctl deploy hermes v1.2.0 --plan                  what would be done to each instance; changes nothing
  opsctl deploy hermes v1.2.0
  opsctl deploy hermes v1.2.0 --canary 1 --watch 5m   one instance first
  opsctl deploy hermes v1.2.0 --batch 3 --serving 7   three at once, and never fewer than seven that serve";

impl Deploy {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        if self.watch.is_some() && self.canary == 0 {
            return Err(Error::usage("`--watch` is for instances that go first").hint("--canary 1"));
        }
        let watch = self.watch.unwrap_or(Span::secs(300));
        let services = [self.service.clone()];
        self.rolling.run(&services, Wanted::Deploy(&self.version), (self.canary, watch), global).await
    }
}
