//! `opsctl runbook coverage`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::Global;
use crate::base::{Kind, Result};
use crate::engine::catalog::Catalog;
use crate::model::source::Source;
use crate::triage::coverage::{AlertRule, rules};
use crate::ui;
use crate::ui::coverage::{Covered, Report};

/// Reads the files, and puts each alert beside the runbooks that name it. Exits with 5 when an alert has none, or can never fire.
///
/// # Errors
/// When a file cannot be read, or is no file of rules; when a runbook cannot be read.
pub fn run(catalog: &Catalog, files: &[PathBuf], global: &Global) -> Result<ExitCode> {
    let rules: Vec<AlertRule> = files.iter().map(|file| read(file)).collect::<Result<Vec<_>>>()?.concat();
    let named = named(catalog)?;
    let is_ruled = |alert: &str| rules.iter().any(|rule| rule.alert == alert);
    let unknown = named.iter().filter(|(alert, _)| !is_ruled(alert)).cloned().collect();
    let covered = rules.into_iter().map(|rule| {
        let of_it = named.iter().filter(|(alert, _)| *alert == rule.alert);
        Covered { runbooks: of_it.map(|(_, runbook)| runbook.clone()).collect(), rule }
    });
    let report = Report { covered: covered.collect(), unknown };
    ui::look::give(&if global.json { report.json() } else { report.text() })?;
    Ok(if report.is_well() { ExitCode::SUCCESS } else { ExitCode::from(Kind::Unhealthy.exit_code()) })
}

/// Each alert that a runbook is meant for, with that runbook's name.
fn named(catalog: &Catalog) -> Result<Vec<(String, String)>> {
    let mut named = Vec::new();
    for listing in catalog.list() {
        let runbook = listing.runbook?;
        named.extend(runbook.alerts.into_iter().map(|alert| (alert, listing.name.clone())));
    }
    named.sort();
    Ok(named)
}

fn read(file: &Path) -> Result<Vec<AlertRule>> {
    rules(&Source::open(file)?)
}
