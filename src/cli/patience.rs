//! How long to wait for hosts that somebody else has.

use crate::base::amount::Span;
use crate::cli::drive::Manner;

/// The option of everything that takes hosts.
#[derive(Debug, Clone, clap::Args)]
pub struct Patience {
    /// Wait that long for hosts that somebody else has locked, such as `10m`
    #[arg(long, value_name = "TIME")]
    lock_wait: Option<Span>,
}

impl Patience {
    pub fn manner(&self) -> Manner {
        Manner { lock_wait: self.lock_wait.map(|span| span.0).unwrap_or_default(), ..Manner::default() }
    }
}
