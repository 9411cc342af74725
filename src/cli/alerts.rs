//! `opsctl alerts`.

use std::cmp::Reverse;
use std::process::ExitCode;

use super::Global;
use super::open::Workplace;
use crate::base::{Error, Kind, Result};
use crate::model::param::Param;
use crate::model::runbook::Runbook;
use crate::model::thresholds::Severity;
use crate::triage::alert::Alert;
use crate::triage::survey::firing;
use crate::ui;
use crate::ui::alerts::{Next, Row};

/// List the alerts that fire, each with the runbook that is meant for it
///
/// Prometheus is asked, and Alertmanager for what is silenced; nothing else is looked at, and nothing is changed. A runbook is meant for
/// the alerts that it names. Exits with 5 when an alert fires that is a warning or worse and nobody has silenced.
#[derive(Debug, clap::Args)]
pub struct Alerts {}

impl Alerts {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let workplace = Workplace::open(global)?;
        let Some((host, prometheus)) = workplace.site.inventory.prometheus() else {
            return Err(Error::invalid("the inventory names no Prometheus that could be asked for alerts")
                .hint(
                    "say where it is: `monitoring: { host: HOST, prometheus: \"http://localhost:9090\" }`",
                ));
        };
        let hosts = workplace.hosts();
        let asked = workplace.patiently(firing(&workplace.site.inventory, &hosts)).await;
        hosts.close().await;
        let unheard = |why: String| {
            let message =
                format!("Prometheus at {prometheus} of host `{host}` does not tell its alerts: {why}");
            Error::new(Kind::Waiting, message).hint("opsctl triage # looks at everything else")
        };
        let mut alerts = asked.map_err(unheard)?;
        alerts.sort_by(|a, b| order(a).cmp(&order(b)));
        let is_well = alerts.iter().all(|alert| alert.is_silenced || alert.severity < Severity::Warning);
        // One that cannot be read names none, and is in nobody's way but its own.
        let runbooks: Vec<_> =
            workplace.catalog.list().into_iter().filter_map(|listing| listing.runbook.ok()).collect();
        let next = |alert: &Alert| {
            let runbook = runbooks.iter().find(|runbook| runbook.alerts.contains(&alert.name))?;
            Some(next(alert, runbook, &workplace))
        };
        let rows: Vec<Row> = alerts.into_iter().map(|alert| Row { next: next(&alert), alert }).collect();
        ui::look::give(&if global.json { ui::alerts::json(&rows) } else { ui::alerts::text(&rows) })?;
        Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::from(Kind::Unhealthy.exit_code()) })
    }
}

/// The worst first, and what somebody knows of already last.
fn order(alert: &Alert) -> (bool, Reverse<Severity>, &str) {
    (alert.is_silenced, Reverse(alert.severity), &alert.name)
}

/// What to type. What the labels do not name is left for the person to fill in.
fn next(alert: &Alert, runbook: &Runbook, workplace: &Workplace) -> Next {
    let name = &runbook.runbook;
    let bound = alert.binding(name, &runbook.params, &workplace.site.inventory);
    let required = runbook.params.iter().filter(|(_, param): &(_, &Param)| !param.is_optional());
    let words: Vec<String> = match bound {
        Some((param, value)) => vec![format!("{param}={value}")],
        None => required.map(|(param, _)| format!("{param}={}", param.to_uppercase())).collect(),
    };
    Next {
        runbook: name.clone(),
        command: format!("opsctl run {name} {}", words.join(" ")).trim_end().to_owned(),
    }
}
