//! `opsctl plan`.

use std::process::ExitCode;

use super::Global;
use super::consent::Consent;
use super::open::Workplace;
use super::preflight::Preparation;
use super::procedure::{pairs, plan_of};
use crate::base::Result;

/// Show what a runbook would do, exactly, and change nothing
///
/// The plan has the exact commands per host, in order, with what takes each step back, what is checked, and the point of no return.
/// The hosts are asked for what they alone know, such as how Compose is called there; then each check of the plan is tried once, so that
/// one that is broken itself is found now, and not by a run that waits for it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Plan {
    /// The runbook; `opsctl runbook list` has them
    runbook: String,
    /// Its parameters, such as `service=argus`; `opsctl runbook show RUNBOOK` has their names
    #[arg(value_name = "NAME=VALUE")]
    params: Vec<String>,
    #[command(flatten)]
    preparation: Preparation,
}

const EXAMPLES: &str = "\
Examples:
  opsctl plan service-down service=argus
  opsctl runbook show service-down      its parameters and steps, as they were written";

impl Plan {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let given = pairs(&self.params)?;
        let workplace = Workplace::open(global)?;
        let hosts = workplace.hosts();
        let plan = plan_of(&workplace, &hosts, &self.runbook, &given).await?;
        let next = format!("opsctl run {} {}", self.runbook, self.params.join(" "));
        Consent::show_all(std::slice::from_ref(&plan), next.trim_end(), global)?;
        self.preparation.of(&plan, &hosts, global).await?;
        hosts.close().await;
        Ok(ExitCode::SUCCESS)
    }
}
