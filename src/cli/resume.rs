//! `opsctl resume`.

use std::process::ExitCode;

use super::Global;
use super::arrive::arrive;
use super::consent::{Approval, Consent};
use super::open::Workplace;
use super::operator::operator;
use super::patience::Patience;
use super::{drive, turn};
use crate::base::Result;
use crate::base::clock::Clock;
use crate::journal::History;
use crate::journal::store::Turn;
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
    /// Take the run from the copy that this host keeps: it was begun on another machine. Without a run: the one that has the host
    #[arg(long, value_name = "HOST")]
    from_host: Option<String>,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    patience: Patience,
}

impl Resume {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let (turn, history) = match &self.from_host {
            Some(host) => self.arrived(host, global).await?,
            None => turn::take(&self.run)?,
        };
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
            self.consent.present(plan, global);
            match self.consent.obtain(plan)? {
                Approval::NotNeeded => {}
                approval => decisions.splice(..0, approval.events(plan, &by)).for_each(drop),
            }
        }
        let hosts = turn::hosts_of(plan, global)?;
        let exit =
            drive::continue_with(turn, plan, &hosts, decisions, self.patience.manner(), global).await?;
        hosts.close().await;
        Ok(exit)
    }

    async fn arrived(&self, host: &str, global: &Global) -> Result<(Turn, History)> {
        let workplace = Workplace::open(global)?;
        let hosts = workplace.hosts();
        let arrived = arrive(&hosts, host, &self.run, global).await;
        hosts.close().await;
        arrived?.take_turn(&operator(), Clock::System)
    }
}
