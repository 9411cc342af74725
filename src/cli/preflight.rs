//! The checks of a plan are tried once before anything is changed.

use super::Global;
use crate::base::{Error, Result};
use crate::engine::hosts::Hosts;
use crate::engine::preflight::{Preflight, preflight};
use crate::model::plan::Plan;
use crate::ui;

/// The option of everything that makes a plan and runs it.
#[derive(Debug, Clone, clap::Args)]
pub struct Preparation {
    /// Do not try the plan's checks once before anything is changed
    #[arg(long)]
    no_preflight: bool,
}

impl Preparation {
    /// Tries the checks, and says how many hold.
    ///
    /// # Errors
    /// When a check is broken itself: it would halt the run after its step has changed something.
    pub async fn of(&self, plan: &Plan, hosts: &Hosts, global: &Global) -> Result<()> {
        if self.no_preflight {
            return Ok(());
        }
        let Preflight { tried, hold, broken } = preflight(plan, hosts).await;
        let Some(first) = broken.first() else {
            if tried > 0 && !global.json && !global.quiet {
                ui::look::say(&ui::plan::preflight(tried, hold));
            }
            return Ok(());
        };
        let message =
            format!("the check `{}` of step `{}` is broken itself: {}", first.check, first.step, first.why);
        let others =
            broken.iter().skip(1).map(|other| format!("also of step `{}`: {}", other.step, other.why));
        let error = others.fold(Error::invalid(message), |error, other| error.hint(other));
        let error = error.hint("nothing was changed: mend the runbook or the inventory, and try again");
        Err(error.hint("add --no-preflight where an earlier step of the run makes what the check needs"))
    }
}
