//! What an audit found, run by run.

use serde::Serialize;
use serde_json::{Value, json};

use super::paint::{Ink, clean, visible};
use crate::base::id::RunId;
use crate::journal::audit::{Fault, Report};

/// One run, as it was verified.
#[derive(Debug, Clone)]
pub struct Row {
    pub run: RunId,
    pub report: Report,
    /// How many hosts told what they remember.
    pub asked: usize,
    pub unasked: Vec<Unasked>,
}

/// A host that may remember the run and did not tell.
#[derive(Debug, Clone, Serialize)]
pub struct Unasked {
    pub host: String,
    pub why: String,
}

/// The better one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Intact,
    /// A newer opsctl wrote some of it: that much was not checked.
    Unchecked,
    Corrupt,
}

impl Row {
    pub fn verdict(&self) -> Verdict {
        match (self.report.faults.is_empty(), self.report.newer) {
            (false, _) => Verdict::Corrupt,
            (true, Some(_)) => Verdict::Unchecked,
            (true, None) => Verdict::Intact,
        }
    }
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Verdict::Intact => "intact",
            Verdict::Unchecked => "unchecked",
            Verdict::Corrupt => "corrupt",
        }
    }

    fn marked(self) -> String {
        match self {
            Verdict::Intact => Ink::Good.on("✔ intact"),
            Verdict::Unchecked => Ink::Warn.on("? unchecked"),
            Verdict::Corrupt => Ink::Bad.on("✘ corrupt"),
        }
    }
}

pub fn text(rows: &[Row]) -> String {
    rows.iter().map(of_run).collect()
}

fn of_run(row: &Row) -> String {
    let Row { run, report, .. } = row;
    let mut text = format!("{}  {}  {}\n", Ink::Bold.on(run.short()), row.verdict().marked(), extent(row));
    let mut add = |line: &str| text.push_str(&format!("  {}\n", visible(line)));
    for fault in &report.faults {
        add(&format!("byte {}: {fault}", fault.byte));
    }
    if let Some(newer) = report.newer {
        add(&format!(
            "record {newer} was written by a newer opsctl; from there on only the chain was checked"
        ));
    }
    match &report.elsewhere[..] {
        [] => {}
        [one] => add(&format!("the output of record {one} is on the machine where that was recorded")),
        several => {
            let numbers: Vec<_> = several.iter().map(u64::to_string).collect();
            let numbers = numbers.join(", ");
            add(&format!("the outputs of records {numbers} are on the machine where they were recorded"));
        }
    }
    if report.torn > 0 {
        add(&format!(
            "the last {} bytes are no whole record: nothing was done on their strength",
            report.torn
        ));
    }
    for Unasked { host, why } in &row.unasked {
        add(&format!("not checked against `{host}`: {}", clean(why)));
    }
    text
}

/// How much there is, and how much of it somebody else vouches for.
fn extent(row: &Row) -> String {
    let Report { records, anchors, .. } = row.report;
    let hosts = counted(row.asked, "host");
    let vouched = match (row.asked, anchors) {
        (0, _) => "no host was asked".to_owned(),
        (_, 0) => format!("{hosts} asked: no receipt and no lease is about it"),
        (_, 1) => format!("{hosts} asked: 1 receipt or lease agrees"),
        (_, several) => format!("{hosts} asked: {several} receipts and leases agree"),
    };
    format!("{}; {vouched}", counted(records as usize, "record"))
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Part of the public interface.
pub fn json(rows: &[Row]) -> String {
    let runs: Vec<Value> = rows.iter().map(of_run_json).collect();
    format!("{}\n", json!({ "kind": "audit", "runs": runs }))
}

fn of_run_json(row: &Row) -> Value {
    let mut value = json!(row.report);
    value["run"] = json!(row.run);
    value["verdict"] = json!(row.verdict().word());
    value["faults"] = row.report.faults.iter().map(of_fault).collect();
    value["asked"] = json!(row.asked);
    value["unasked"] = json!(row.unasked);
    value
}

fn of_fault(fault: &Fault) -> Value {
    let mut value = json!(fault);
    value["message"] = json!(fault.to_string());
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::audit::{Damage, Witness};
    use crate::ui::look::Look;

    fn rows() -> [Row; 4] {
        let run = RunId::parse("0190a2b4-0000-7000-8000-00001a2b3c4d").unwrap();
        let intact = Report { records: 17, anchors: 3, ..Report::default() };
        let row = |asked, report| Row { run, report, asked, unasked: Vec::new() };
        let edited = Damage::Edited { witness: Witness::Record { seq: 6 } };
        let cut = Damage::Truncated { last: 9, from: "`app` (lease 7)".to_owned() };
        let corrupt = Report {
            records: 9,
            faults: vec![
                Fault { record: 5, byte: 1234, damage: edited },
                Fault { record: 12, byte: 2345, damage: cut },
            ],
            torn: 37,
            ..Report::default()
        };
        let unasked = vec![Unasked { host: "db".to_owned(), why: "no answer\u{1b}[2J".to_owned() }];
        let newer = Report { records: 1, newer: Some(1), elsewhere: vec![1], ..Report::default() };
        [
            row(2, intact),
            Row { unasked, ..row(1, corrupt) },
            row(0, newer),
            row(1, Report { records: 4, anchors: 1, elsewhere: vec![3, 4], ..Report::default() }),
        ]
    }

    #[test]
    fn an_audit_says_what_is_wrong_and_what_was_not_checked() {
        insta::assert_snapshot!(Look::PLAIN.fit(&text(&rows())), @r"
        1a2b3c4d  ✔ intact  17 records; 2 hosts asked: 3 receipts and leases agree
        1a2b3c4d  ✘ corrupt  9 records; 1 host asked: no receipt and no lease is about it
          byte 1234: record 5 was edited: it is not the one that record 6 belongs to
          byte 2345: the journal was cut off after record 9, or went on elsewhere: `app` (lease 7) remembers record 12
          the last 37 bytes are no whole record: nothing was done on their strength
          not checked against `db`: no answer
        1a2b3c4d  ? unchecked  1 record; no host was asked
          record 1 was written by a newer opsctl; from there on only the chain was checked
          the output of record 1 is on the machine where that was recorded
        1a2b3c4d  ✔ intact  4 records; 1 host asked: 1 receipt or lease agrees
          the outputs of records 3, 4 are on the machine where they were recorded
        ");
    }

    #[test]
    fn a_program_reads_the_same() {
        insta::assert_json_snapshot!(serde_json::from_str::<Value>(&json(&rows()[1..2])).unwrap(), @r#"
        {
          "kind": "audit",
          "runs": [
            {
              "anchors": 0,
              "asked": 1,
              "faults": [
                {
                  "byte": 1234,
                  "fault": "edited",
                  "message": "record 5 was edited: it is not the one that record 6 belongs to",
                  "record": 5,
                  "witness": {
                    "from": "record",
                    "seq": 6
                  }
                },
                {
                  "byte": 2345,
                  "fault": "truncated",
                  "from": "`app` (lease 7)",
                  "last": 9,
                  "message": "the journal was cut off after record 9, or went on elsewhere: `app` (lease 7) remembers record 12",
                  "record": 12
                }
              ],
              "records": 9,
              "run": "0190a2b4-0000-7000-8000-00001a2b3c4d",
              "torn": 37,
              "unasked": [
                {
                  "host": "db",
                  "why": "no answer\u001b[2J"
                }
              ],
              "verdict": "corrupt"
            }
          ]
        }
        "#);
    }
}
