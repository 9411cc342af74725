//! How fast incidents were noticed, answered, mended and over, in a table.

use std::time::Duration;

use serde_json::{Value, json};

use crate::incident::measure::Measure;
use crate::incident::stats::{Group, Of, Spread};
use crate::ui::age;
use crate::ui::paint::Ink;
use crate::ui::table::{Cell, Table};

pub fn text(groups: &[Group]) -> String {
    let mut table = Table::new(&["INCIDENTS", "COUNT", "", "MTTD", "MTTA", "MTTM", "MTTR"]);
    for group in groups {
        let name = match &group.of {
            Of::All => Cell::new(Ink::Bold, "all"),
            Of::Severity(name) => Cell::from(name.as_str()),
            Of::Service(name) => Cell::from(format!("service {name}")),
        };
        let cells = |of: fn(&Spread) -> Duration| {
            let cell = move |(_, spread): &(Measure, Option<_>)| match spread {
                Some(spread) => Cell::from(age::words(of(spread))),
                None => Cell::new(Ink::Dim, "–"),
            };
            group.spread.iter().map(cell).collect::<Vec<_>>()
        };
        let median = [name, group.count.to_string().into(), "median".into()];
        table.row(median.into_iter().chain(cells(|spread| spread.median)));
        table.row(["".into(), "".into(), "90 %".into()].into_iter().chain(cells(|spread| spread.p90)));
    }
    table.text()
}

/// Part of the public interface.
pub fn json(groups: &[Group]) -> String {
    let groups = groups.iter().map(|group| {
        let (by, name) = match &group.of {
            Of::All => ("all", None),
            Of::Severity(name) => ("severity", Some(name)),
            Of::Service(name) => ("service", Some(name)),
        };
        let spread = group.spread.iter().map(|(measure, spread)| {
            let seconds = spread.map(|spread| {
                json!({
                    "count": spread.count,
                    "median_s": spread.median.as_secs(),
                    "p90_s": spread.p90.as_secs(),
                })
            });
            (measure.abbreviation().to_lowercase(), json!(seconds))
        });
        let mut row = json!({ "by": by, "name": name, "count": group.count });
        if let Value::Object(row) = &mut row {
            row.extend(spread);
        }
        row
    });
    format!("{}\n", json!({ "kind": "incident_stats", "groups": groups.collect::<Vec<_>>() }))
}
