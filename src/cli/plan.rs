//! `opsctl plan`.

use std::process::ExitCode;

use super::Global;
use super::consent::Consent;
use super::open::Workplace;
use super::procedure::{pairs, plan_of};
use crate::base::Result;

/// Shows what a runbook would do: the exact commands per host, in order, with undo, expectations and the point of no return.
///
/// The hosts are asked for what only they know (how Compose is called there, what the projects are called); nothing is changed.
#[derive(Debug, clap::Args)]
pub struct Plan {
    /// The runbook; `opsctl runbook list` has them
    runbook: String,
    /// Its parameters
    #[arg(value_name = "NAME=VALUE")]
    params: Vec<String>,
}

impl Plan {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let given = pairs(&self.params)?;
        let workplace = Workplace::open(global)?;
        let hosts = workplace.hosts();
        let plan = plan_of(&workplace, &hosts, &self.runbook, &given).await?;
        hosts.close().await;
        let next = format!("opsctl run {} {}", self.runbook, self.params.join(" "));
        Consent::show_all(&[plan], next.trim_end(), global)?;
        Ok(ExitCode::SUCCESS)
    }
}
