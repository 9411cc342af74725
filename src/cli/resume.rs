//! `opsctl resume`.

use std::process::ExitCode;

use super::Global;
use super::consent::{Approval, Consent};
use super::operator::operator;
use super::{drive, turn};
use crate::base::Result;
use crate::run::event::{Choice, Event};

/// Go on with a run that was interrupted, halted or is waiting
///
/// What is unknown is settled first: by the step's `done_when`, by doing a step again that may be repeated, or by asking. A step that
/// failed is tried again.
#[derive(Debug, clap::Args)]
pub struct Resume {
    /// The run: `latest`, the start of its id, or its last characters
    #[arg(default_value = "latest")]
    run: String,
    #[command(flatten)]
    consent: Consent,
}

impl Resume {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let (turn, history) = turn::take(&self.run)?;
        let (plan, state) = (&history.plan, history.state());
        turn::refuse_ended(&turn.dir, state, "resumed")?;
        if self.consent.wants_only_the_plan() {
            let next = format!("opsctl resume {}", turn.dir.id.short());
            Consent::show_all(std::slice::from_ref(plan), &next, global)?;
            return Ok(ExitCode::SUCCESS);
        }
        let by = operator();
        let mut decisions = Vec::new();
        if state.status.is_resting() {
            decisions.push(Event::Decision { by: by.clone(), choice: Choice::Resume, reason: None });
        }
        // It died before anybody had approved it.
        if state.approved_by.is_none() && state.undo_requested_by.is_none() {
            match self.consent.obtain(plan, global)? {
                Approval::NotNeeded => {}
                approval => decisions.splice(..0, approval.events(plan, &by)).for_each(drop),
            }
        }
        let hosts = turn::hosts_of(plan);
        let exit = drive::continue_with(turn, plan, &hosts, decisions, global).await?;
        hosts.close().await;
        Ok(exit)
    }
}
