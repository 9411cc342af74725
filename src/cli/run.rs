//! `opsctl run`.

use std::process::ExitCode;

use super::Global;
use super::confirm::consent;
use super::drive::{self, Ending};
use super::open::Workplace;
use super::procedure::{Consent, pairs, plan_of};
use crate::base::Result;
use crate::ui;

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
        if self.consent.plan {
            let next = format!("opsctl run {} {}", self.runbook, self.params.join(" "));
            ui::plan::print(&plan, global.json, Some(next.trim_end()));
            return Ok(ExitCode::SUCCESS);
        }
        let approval = consent(&plan, &self.consent, global)?;
        let Ending { exit, .. } = drive::start(plan, hosts, approval, global).await?;
        Ok(exit)
    }
}
