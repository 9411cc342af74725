//! `opsctl incident stats`.

use std::process::ExitCode;

use super::list::readable;
use crate::base::amount::Span;
use crate::base::clock::Timestamp;
use crate::base::{Kind, Result};
use crate::cli::Global;
use crate::incident::desk::Desk;
use crate::incident::stats::stats;
use crate::ui;

/// Say how fast incidents were detected, acknowledged, mitigated and resolved
///
/// Detection, mitigation and resolution are measured from the beginning, acknowledgement from detection. The median says what is usual, and
/// nine of ten were as fast as the second line or faster.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Stats {
    /// Only those that began since then: a time, a day, or how long ago, such as 30d
    #[arg(long, value_name = "WHEN", value_parser = since)]
    since: Option<Timestamp>,
}

const EXAMPLES: &str = "\
Examples:
  opsctl incident stats --since 90d
  opsctl incident stats --since 2026-01-01 --json";

impl Stats {
    pub fn run(&self, global: &Global) -> Result<ExitCode> {
        let (incidents, is_whole) = readable(&Desk::open()?)?;
        let states = incidents.iter().map(|incident| &incident.state);
        let is_meant = |at: Timestamp| self.since.is_none_or(|since| at >= since);
        let states: Vec<_> = states.filter(|state| is_meant(state.opening.started_at)).collect();
        let groups = stats(&states);
        if global.json {
            ui::look::give(&ui::incident::stats::json(&groups))?;
        } else if groups.is_empty() {
            ui::look::say("there are no incidents of that time\n");
        } else {
            ui::look::give(&ui::incident::stats::text(&groups))?;
        }
        Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::from(Kind::Corrupt.exit_code()) })
    }
}

fn since(text: &str) -> Result<Timestamp, String> {
    let ago = |span: Span| Timestamp::now().checked_sub(span.0).ok();
    let day =
        |day: jiff::civil::Date| day.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|start| start.timestamp());
    text.parse()
        .ok()
        .or_else(|| text.parse().ok().and_then(day))
        .or_else(|| text.parse().ok().and_then(ago))
        .ok_or_else(|| "write how long ago, such as `30d`, or a day, such as `2026-03-01`".to_owned())
}
