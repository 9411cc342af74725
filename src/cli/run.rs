//! `opsctl run`.

use std::process::ExitCode;

use super::Global;
use super::consent::Consent;
use super::drive;
use super::open::Workplace;
use super::procedure::{pairs, plan_of};
use crate::base::Result;

/// Runs a runbook: shows its plan, asks, and does it step by step.
#[derive(Debug, clap::Args)]
pub struct Run {
    /// The runbook; `opsctl runbook list` has them
    runbook: String,
    /// Its parameters
    #[arg(value_name = "NAME=VALUE")]
    params: Vec<String>,
    #[command(flatten)]
    consent: Consent,
}

impl Run {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let given = pairs(&self.params)?;
        let workplace = Workplace::open(global)?;
        let hosts = workplace.hosts();
        let plan = plan_of(&workplace, &hosts, &self.runbook, &given).await?;
        let exit = if self.consent.wants_only_the_plan() {
            let next = format!("opsctl run {} {}", self.runbook, self.params.join(" "));
            Consent::show_all(&[plan], next.trim_end(), global)?;
            ExitCode::SUCCESS
        } else {
            let approval = self.consent.obtain(&plan, global)?;
            drive::start(&plan, &hosts, approval, global).await?
        };
        hosts.close().await;
        Ok(exit)
    }
}
