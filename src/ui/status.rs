//! The health table: what is up and what is down, for a person and for a program.

use std::time::Duration;

use serde::Serialize;

use super::paint::{Ink, clean};
use super::table::{Cell, Table};
use crate::base::amount::Span;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The service, database, cache or endpoint that it belongs to.
    pub target: String,
    /// Empty for what has no instances.
    pub instance: String,
    pub host: String,
    /// The container's state in Docker's words; empty when there is none.
    pub container: String,
    pub health: Verdict,
    /// How long the health check took to answer.
    pub latency: Option<Duration>,
    /// What is wrong, or worth knowing.
    pub note: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Healthy,
    Down,
    /// It could not be asked.
    Unknown,
}

impl Verdict {
    /// A mark and the word, for a table.
    pub fn cell(self) -> Cell {
        match self {
            Verdict::Healthy => Cell::new(Ink::Good, "✔ healthy"),
            Verdict::Down => Cell::new(Ink::Bad, "✘ down"),
            Verdict::Unknown => Cell::new(Ink::Warn, "? unknown"),
        }
    }
}

/// The table and a line that counts, painted.
pub fn text(rows: &[Row]) -> String {
    if rows.is_empty() {
        return "nothing to look at: the inventory names no service, database, cache or endpoint\n"
            .to_owned();
    }
    let mut table = Table::new(&["TARGET", "INSTANCE", "HOST", "HEALTH", "CONTAINER", "LATENCY", "NOTE"]);
    for row in rows {
        let latency = row.latency.map(|latency| Span::rounded(latency).to_string()).unwrap_or_default();
        table.row([
            Cell::from(row.target.as_str()),
            row.instance.as_str().into(),
            row.host.as_str().into(),
            row.health.cell(),
            clean(&row.container).into(),
            latency.into(),
            clean(&row.note).into(),
        ]);
    }
    let Counts { healthy, down, unknown } = Counts::of(rows);
    let mut summary = vec![format!("{healthy} healthy")];
    for (number, word, ink) in [(down, "down", Ink::Bad), (unknown, "unknown", Ink::Warn)] {
        if number > 0 {
            summary.push(ink.on(format!("{number} {word}")));
        }
    }
    format!("{}\n{}\n", table.text(), summary.join(", "))
}

/// Part of the public interface.
#[derive(Serialize)]
#[serde(tag = "kind", rename = "status")]
struct Document<'a> {
    rows: Vec<Line<'a>>,
    #[serde(flatten)]
    counts: Counts,
}

#[derive(Serialize)]
struct Line<'a> {
    target: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    instance: &'a str,
    host: &'a str,
    health: Verdict,
    #[serde(skip_serializing_if = "str::is_empty")]
    container: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<u64>,
    #[serde(skip_serializing_if = "str::is_empty")]
    note: &'a str,
}

impl Line<'_> {
    fn of(row: &Row) -> Line<'_> {
        let Row { target, instance, host, container, health, latency, note } = row;
        let latency_ms = latency.map(|latency| latency.as_millis() as u64);
        Line { target, instance, host, health: *health, container, latency_ms, note }
    }
}

#[derive(Serialize)]
struct Counts {
    healthy: usize,
    down: usize,
    unknown: usize,
}

impl Counts {
    fn of(rows: &[Row]) -> Counts {
        let count = |verdict| rows.iter().filter(|row| row.health == verdict).count();
        Counts {
            healthy: count(Verdict::Healthy),
            down: count(Verdict::Down),
            unknown: count(Verdict::Unknown),
        }
    }
}

/// One JSON object in a line: `rows`, and how many are `healthy`, `down` and `unknown`.
pub fn json(rows: &[Row]) -> String {
    let document = Document { rows: rows.iter().map(Line::of).collect(), counts: Counts::of(rows) };
    let text = serde_json::to_string(&document).expect("texts and numbers can be written as JSON");
    format!("{text}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::look::Look;

    fn rows() -> Vec<Row> {
        let row = |target: &str, instance: &str, container: &str, health, latency, note: &str| Row {
            target: target.into(),
            instance: instance.into(),
            host: "app".into(),
            container: container.into(),
            health,
            latency,
            note: note.into(),
        };
        vec![
            row("argus", "argus-1", "exited (137)", Verdict::Down, None, "connection refused"),
            row("argus", "argus-2", "running", Verdict::Healthy, Some(Duration::from_millis(7)), ""),
            row("postgres-argus", "", "", Verdict::Unknown, None, "no answer within 5s"),
        ]
    }

    #[test]
    fn the_health_table_says_in_words_what_its_marks_say() {
        insta::assert_snapshot!(Look::PLAIN.fit(&text(&rows())), @r"
        TARGET          INSTANCE  HOST  HEALTH     CONTAINER     LATENCY  NOTE
        argus           argus-1   app   ✘ down     exited (137)           connection refused
        argus           argus-2   app   ✔ healthy  running       7ms
        postgres-argus            app   ? unknown                         no answer within 5s

        1 healthy, 1 down, 1 unknown
        ");
    }

    #[test]
    fn an_ascii_terminal_gets_the_same_table() {
        let plain = Look { is_coloured: false, is_utf8: false }.fit(&text(&rows()));
        assert!(plain.is_ascii() && plain.contains("x down") && plain.contains("+ healthy"), "{plain}");
    }

    #[test]
    fn a_program_reads_the_health_as_one_json_line() {
        insta::assert_snapshot!(json(&rows()), @r#"{"kind":"status","rows":[{"target":"argus","instance":"argus-1","host":"app","health":"down","container":"exited (137)","note":"connection refused"},{"target":"argus","instance":"argus-2","host":"app","health":"healthy","container":"running","latency_ms":7},{"target":"postgres-argus","host":"app","health":"unknown","note":"no answer within 5s"}],"healthy":1,"down":1,"unknown":1}"#);
    }
}
