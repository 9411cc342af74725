//! `opsctl status`.

use std::process::ExitCode;
use std::time::Duration;

use super::Global;
use super::incident::remind::remind;
use super::open::Workplace;
use crate::base::{Kind, Result};
use crate::engine::hosts::Hosts;
use crate::triage::look::{Health, Role, Seen};
use crate::triage::survey::glance;
use crate::ui;
use crate::ui::status::{Row, Verdict};

/// Show the health of everything in the inventory
///
/// Every instance, database, cache and endpoint is asked, and nothing is changed. Exits with 5 when anything is down or could not be
/// asked.
#[derive(Debug, clap::Args)]
pub struct Status {}

impl Status {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let workplace = Workplace::open(global)?;
        let hosts = workplace.hosts();
        let seen = look_at(&workplace, &hosts).await;
        hosts.close().await;
        let rows = rows(&seen);
        ui::look::give(&if global.json { ui::status::json(&rows) } else { ui::status::text(&rows) })?;
        remind(&workplace.site.inventory.name);
        let is_well = seen.iter().all(|seen| seen.health.is_healthy());
        Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::from(Kind::Unhealthy.exit_code()) })
    }
}

/// Looks at everything. What an unreachable host carries is unknown, and says why.
async fn look_at(workplace: &Workplace, hosts: &Hosts) -> Vec<Seen> {
    let (facts, unreachable) = workplace.facts(hosts).await;
    workplace.patiently(glance(&workplace.site.inventory, &facts, &unreachable, hosts)).await
}

/// What was seen, as the health table shows it.
pub fn rows(seen: &[Seen]) -> Vec<Row> {
    seen.iter().map(row).collect()
}

fn row(seen: &Seen) -> Row {
    let (target, instance) = match &seen.role {
        Role::Instance { service } => (service.clone(), seen.name.clone()),
        Role::Database | Role::Cache | Role::Endpoint => (seen.label(), String::new()),
    };
    let (health, latency, note) = match &seen.health {
        Health::Healthy { ms } => (Verdict::Healthy, ms.map(Duration::from_millis), String::new()),
        Health::Unhealthy { why } => (Verdict::Down, None, why.clone()),
        Health::Unknown { why } => (Verdict::Unknown, None, why.clone()),
    };
    let container = seen.container.as_ref().map(|container| container.describe()).unwrap_or_default();
    Row { target, instance, host: seen.host.clone(), container, health, latency, note }
}
