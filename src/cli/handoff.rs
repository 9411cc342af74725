//! `opsctl handoff`.

use std::process::ExitCode;

use super::Global;
use super::drive::{self, Manner};
use super::turn;
use crate::base::{Error, Result};
use crate::ui;

/// Bring all of a run to its hosts, so that another machine can go on with it
///
/// The hosts keep the plan and the journal, and are given back. On the other machine: `opsctl resume --from-host HOST RUN`.
#[derive(Debug, clap::Args)]
pub struct Handoff {
    /// The run: `latest`, the start of its id, or its last characters
    run: String,
}

impl Handoff {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let (turn, history) = turn::take(&self.run)?;
        let plan = &history.plan;
        turn::refuse_ended(&turn.dir, history.state(), "handed over")?;
        let run = turn.dir.id;
        let hosts = turn::hosts_of(plan, global)?;
        let handed = drive::hand_off(turn, plan, &hosts, Manner::default(), global).await;
        hosts.close().await;
        let names = handed?;
        let Some(first) = names.first() else {
            let short = run.short();
            return Err(Error::usage(format!("run {short} has nothing left to do on any host"))
                .hint(format!("opsctl resume {short}")));
        };
        let next = format!("opsctl resume --from-host {first} {}", run.short());
        if global.json {
            let handed =
                serde_json::json!({ "kind": "handed_off", "run": run, "hosts": names, "next": next });
            ui::look::give(&format!("{handed}\n"))?;
        } else {
            let at = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            ui::look::say(&format!(
                "all of run {} is at {at}, free for whoever goes on with it; on the other machine: {next}\n",
                run.short()
            ));
        }
        Ok(ExitCode::SUCCESS)
    }
}
