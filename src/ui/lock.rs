//! Who has which host: the table of leases.

use serde::Serialize;

use super::paint::{Ink, clean};
use super::table::{Cell, Table};
use crate::run::lease::{Holder, Lease};

/// One host, as it was asked for its lease.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    pub host: String,
    #[serde(flatten)]
    pub seen: Seen,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "lock", rename_all = "snake_case")]
pub enum Seen {
    /// Nobody ever took it.
    Untaken,
    Taken {
        lease: Lease,
        /// Whether the holder's connection stands.
        is_connected: bool,
        /// The steps whose commands run at this moment.
        running: Vec<String>,
    },
    /// It could not be asked.
    Unknown { why: String },
}

pub fn text(rows: &[Row]) -> String {
    let mut table = Table::new(&["HOST", "LOCK", "FENCE", "BY", "SINCE", "RUN", "FOR", "AT THIS MOMENT"]);
    for row in rows {
        let host = Cell::from(row.host.as_str());
        table.row(match &row.seen {
            Seen::Untaken => vec![host, Cell::new(Ink::Good, "free")],
            Seen::Unknown { why } => {
                let blank = || Cell::from("");
                let why = clean(why).into();
                vec![
                    host,
                    Cell::new(Ink::Warn, "? unknown"),
                    blank(),
                    blank(),
                    blank(),
                    blank(),
                    blank(),
                    why,
                ]
            }
            Seen::Taken { lease, is_connected, running } => {
                let mut cells = vec![host];
                cells.extend(of_lease(lease));
                cells.push(now(lease, *is_connected, running));
                cells
            }
        });
    }
    table.text()
}

fn of_lease(lease: &Lease) -> [Cell; 6] {
    let fence = Cell::from(lease.fence.to_string());
    let at = |at: &crate::base::clock::Timestamp| Cell::from(format!("{at:.0}"));
    match &lease.holder {
        Holder::Run { run, operator, why, since, .. } => [
            Cell::new(Ink::Warn, "held"),
            fence,
            clean(operator).into(),
            at(since),
            run.short().into(),
            clean(why).into(),
        ],
        Holder::Released { run, operator, at: when, .. } => [
            Cell::new(Ink::Good, "free"),
            fence,
            clean(operator).into(),
            at(when),
            run.short().into(),
            "given back".into(),
        ],
        Holder::Broken { by, reason, at: when } => [
            Cell::new(Ink::Good, "free"),
            fence,
            clean(by).into(),
            at(when),
            "".into(),
            format!("broken: {}", clean(reason)).into(),
        ],
    }
}

fn now(lease: &Lease, is_connected: bool, running: &[String]) -> Cell {
    if !matches!(lease.holder, Holder::Run { .. }) {
        return "".into();
    }
    let running = match running {
        [] => String::new(),
        steps => {
            format!("runs {}", steps.iter().map(|step| format!("`{step}`")).collect::<Vec<_>>().join(", "))
        }
    };
    let who = if is_connected { "connected" } else { "nobody is at it" };
    let both = [who, &running].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    Cell::new(if is_connected { Ink::Plain } else { Ink::Warn }, both)
}

/// Who has a host, in words: for the second one who wants it.
pub fn in_words(lease: &Lease) -> String {
    match &lease.holder {
        Holder::Run { run, operator, why, since, .. } => {
            format!("`{operator}` has it since {since:.0} for {why} (run {})", run.short())
        }
        Holder::Released { run, operator, at, .. } => {
            format!("`{operator}` gave it back at {at:.0} (run {})", run.short())
        }
        Holder::Broken { by, reason, at } => format!("`{by}` broke the lock at {at:.0}: {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::RunId;
    use crate::model::plan::Digest;
    use crate::run::lease::Head;
    use crate::ui::look::Look;

    #[test]
    fn the_table_says_who_has_what_and_whether_anybody_is_at_it() {
        let run = RunId::parse("0190a2b4-0000-7000-8000-00001a2b3c4d").unwrap();
        let (since, head) =
            ("2026-03-01T03:14:00Z".parse().unwrap(), Head { seq: 3, digest: Digest::of(b"") });
        let taken = |fence, holder, is_connected, running: &[&str]| Seen::Taken {
            lease: Lease { v: 1, fence, holder },
            is_connected,
            running: running.iter().map(|step| (*step).to_owned()).collect(),
        };
        let held = Holder::Run {
            run,
            epoch: 1,
            operator: "ada@laptop".to_owned(),
            why: "service-down service=argus".to_owned(),
            since,
            head: head.clone(),
        };
        let rows = [
            ("app", taken(7, held.clone(), true, &["restart[argus-1]"])),
            ("db", taken(2, held, false, &[])),
            (
                "old",
                taken(4, Holder::Released { run, operator: "bob".to_owned(), at: since, head }, false, &[]),
            ),
            (
                "shut",
                taken(
                    9,
                    Holder::Broken { by: "bob".to_owned(), reason: "asleep".to_owned(), at: since },
                    false,
                    &[],
                ),
            ),
            ("new", Seen::Untaken),
            ("gone", Seen::Unknown { why: "no route".to_owned() }),
        ];
        let rows = rows.map(|(host, seen)| Row { host: host.to_owned(), seen });
        insta::assert_snapshot!(Look::PLAIN.fit(&text(&rows)));
    }
}
