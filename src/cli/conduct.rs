//! From a plan to its end: shown, agreed to, tried beforehand, and moved.

use std::process::ExitCode;
use std::time::Duration;

use super::Global;
use super::consent::Consent;
use super::drive::{self, Moved};
use super::incident::offer;
use super::patience::Patience;
use super::preflight::Preparation;
use crate::base::Result;
use crate::base::clock::{Timestamp, elapsed};
use crate::base::id::RunId;
use crate::engine::hosts::Hosts;
use crate::model::plan::Plan;

/// The options of everything that makes one plan and runs it.
#[derive(Debug, Clone, clap::Args)]
pub struct Conduct {
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    preparation: Preparation,
    #[command(flatten)]
    patience: Patience,
    /// Open an incident first for the services that this is about, unless one is open: everyone is told
    #[arg(long, conflicts_with = "plan")]
    incident: bool,
}

/// A run that was moved until it rested or ended.
#[derive(Debug, Clone, Copy)]
pub struct Conducted {
    pub run: RunId,
    pub exit: ExitCode,
    /// From the approval on.
    pub took: Duration,
}

impl Conduct {
    pub fn wants_only_the_plan(&self) -> bool {
        self.consent.wants_only_the_plan()
    }

    /// None where only the plan was to be shown; then with `next`, which is what to type to run it.
    ///
    /// # Errors
    /// When it is not agreed to, a check of it is broken, or as [`drive::start`].
    pub async fn run(
        &self,
        plan: &Plan,
        hosts: &Hosts,
        next: &str,
        global: &Global,
    ) -> Result<Option<Conducted>> {
        if self.consent.wants_only_the_plan() {
            Consent::show_all(std::slice::from_ref(plan), next, global)?;
            self.preparation.of(plan, hosts, global).await?;
            return Ok(None);
        }
        self.consent.present(plan, global);
        self.preparation.of(plan, hosts, global).await?;
        let approval = self.consent.obtain(plan)?;
        if self.incident {
            offer::open_for_plan(plan, hosts, global).await;
        }
        let began = Timestamp::now();
        let Moved { run, exit } = drive::start(plan, hosts, approval, self.patience.manner(), global).await?;
        Ok(Some(Conducted { run, exit, took: elapsed(began, Timestamp::now()) }))
    }
}
