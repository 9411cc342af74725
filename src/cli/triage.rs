//! `opsctl triage`.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::Global;
use super::incident::remind::remind;
use super::open::Workplace;
use super::remedy::runbook_for;
use crate::base::amount::Span;
use crate::base::{Error, Kind, Result};
use crate::engine::hosts::Hosts;
use crate::triage::survey::{Survey, survey};
use crate::ui;
use crate::ui::triage::{Remedy, Report};

/// Say what is wrong, what is behind it, and what to run
///
/// Everything that the inventory names is asked at once and nothing is changed: health endpoints, containers, databases, caches, disks
/// and memory of the hosts, and the alerts that fire. What is found is put down to its causes, each with the runbook that mends it. Exits
/// with 5 when anything was found.
#[derive(Debug, clap::Args)]
pub struct Triage {
    /// Look again every so often, and show it in place, until Ctrl-C
    #[arg(long)]
    watch: bool,
    /// How often, with `--watch`
    #[arg(long, value_name = "DURATION", default_value = "5s", requires = "watch")]
    every: Span,
}

impl Triage {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let workplace = Workplace::open(global)?;
        let hosts = workplace.hosts();
        let exit = if self.watch {
            self.watch(&workplace, &hosts, global).await
        } else {
            once(&workplace, &hosts, global).await
        };
        hosts.close().await;
        exit
    }

    async fn watch(&self, workplace: &Workplace, hosts: &Hosts, global: &Global) -> Result<ExitCode> {
        let every = self.every.0.max(Duration::from_millis(100));
        loop {
            let start = Instant::now();
            tokio::select! {
                biased;
                // The terminal, or whoever reads, has had enough.
                ended = tokio::signal::ctrl_c() => {
                    ended.map_err(|error| Error::internal("cannot wait for Ctrl-C").caused_by(&error))?;
                    return Ok(ExitCode::SUCCESS);
                }
                report = report(workplace, hosts) => {
                    ui::look::give(&if global.json { report.json() } else { report.in_place() })?;
                }
            }
            tokio::select! {
                biased;
                _ = tokio::signal::ctrl_c() => return Ok(ExitCode::SUCCESS),
                () = tokio::time::sleep(every.saturating_sub(start.elapsed())) => {}
            }
        }
    }
}

async fn once(workplace: &Workplace, hosts: &Hosts, global: &Global) -> Result<ExitCode> {
    let report = report(workplace, hosts).await;
    ui::look::give(&if global.json { report.json() } else { report.text() })?;
    remind(&workplace.site.inventory.name);
    Ok(if report.survey.is_well() { ExitCode::SUCCESS } else { ExitCode::from(Kind::Unhealthy.exit_code()) })
}

async fn report(workplace: &Workplace, hosts: &Hosts) -> Report {
    let start = Instant::now();
    let survey = survey_of(workplace, hosts).await;
    let took = Span::rounded(start.elapsed());
    let remedies = survey.causes.iter().map(|cause| {
        let runbook = runbook_for(workplace, cause)?;
        Some(Remedy {
            runbook: runbook.runbook,
            risk: runbook.risk,
            rto: runbook.rto,
            of: cause.subject.clone(),
        })
    });
    let responder = survey.level.map(|level| workplace.site.inventory.escalation.responder(level));
    Report { remedies: remedies.collect(), responder, survey, took }
}

/// Looks at everything.
pub async fn survey_of(workplace: &Workplace, hosts: &Hosts) -> Survey {
    let (facts, unreachable) = workplace.facts(hosts).await;
    workplace.patiently(survey(&workplace.site.inventory, &facts, &unreachable, hosts)).await
}
