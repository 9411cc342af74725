//! `opsctl run`.

use std::process::ExitCode;

use super::Global;
use super::conduct::Conduct;
use super::open::Workplace;
use super::procedure::{pairs, plan_of};
use crate::base::Result;

/// Run a runbook: show its plan, ask, and do it step by step
///
/// Each step is on record before it begins, so that the run can be resumed after a crash, a lost connection or Ctrl-C.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Run {
    /// The runbook; `opsctl runbook list` has them
    runbook: String,
    /// Its parameters, such as `service=argus`; `opsctl runbook show RUNBOOK` has their names
    #[arg(value_name = "NAME=VALUE")]
    params: Vec<String>,
    #[command(flatten)]
    conduct: Conduct,
}

const EXAMPLES: &str = "\
Examples:
  opsctl run database-down database=argus --plan     the exact commands; changes nothing
  opsctl run database-down database=argus";

impl Run {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let given = pairs(&self.params)?;
        let workplace = Workplace::open(global)?;
        let hosts = workplace.hosts();
        let plan = plan_of(&workplace, &hosts, &self.runbook, &given).await?;
        let next = format!("opsctl run {} {}", self.runbook, self.params.join(" "));
        let done = self.conduct.run(&plan, &hosts, next.trim_end(), global).await?;
        hosts.close().await;
        Ok(done.map_or(ExitCode::SUCCESS, |done| done.exit))
    }
}
