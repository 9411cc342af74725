//! What one durable record of a journal costs, beside an append with fdatasync of the same bytes.
//!
//! A run of fifty steps is made, and its records are appended to new journals once more: so the plan, the events and the state
//! that they fold into are real. Each record is written both ways in turns, to two files of the same folder, since what a disk
//! does at the time is to be in both. Prints the median of each in nanoseconds, as JSON.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use opsctl::base::clock::Clock;
use opsctl::journal::{History, Journal, Store};
use serde_json::json;

const STEPS: usize = 50;
const JOURNALS: usize = 10;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let history = run(folder.path());
    let mut floor = OpenOptions::new().create(true).append(true).open(folder.path().join("floor")).unwrap();
    let (mut records, mut appends) = (Vec::new(), Vec::new());
    for journal in 0..JOURNALS {
        let path = folder.path().join(journal.to_string());
        std::fs::create_dir(&path).unwrap();
        let mut journal = Journal::create(&path, &history.plan, Clock::System).unwrap();
        for known in &history.records {
            let start = Instant::now();
            let record = journal.append(known.event.clone()).unwrap();
            records.push(start.elapsed());
            let mut line = serde_json::to_vec(&record).unwrap();
            line.push(b'\n');
            appends.push(append(&mut floor, &line));
        }
    }
    let result = json!({ "a record": median(records), "append + fdatasync": median(appends) });
    println!("{result}");
}

/// Runs fifty steps that need no host.
fn run(folder: &Path) -> History {
    let step = |number| json!({ "id": format!("s{number}"), "title": "A step", "do": { "assert": { "that": "true", "message": "it holds" } } });
    let steps: Vec<_> = (1..=STEPS).map(step).collect();
    let runbook = json!({ "runbook": "bench", "title": "Steps", "risk": "read-only", "steps": steps });
    std::fs::create_dir(folder.join("runbooks")).unwrap();
    std::fs::write(folder.join("runbooks/bench.yaml"), runbook.to_string()).unwrap();
    std::fs::write(folder.join("opsctl.yaml"), "name: bench\nhosts:\n  here: { address: local }\n").unwrap();
    let state = folder.join("state");
    let status = Command::new(env!("CARGO_BIN_EXE_opsctl"))
        .args(["run", "bench", "--yes"])
        .current_dir(folder)
        .env("OPSCTL_STATE_DIR", &state)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
    Store::at(&state).find("latest").unwrap().history().unwrap()
}

fn append(file: &mut File, line: &[u8]) -> Duration {
    let start = Instant::now();
    file.write_all(line).and_then(|()| file.sync_data()).unwrap();
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> u64 {
    times.sort();
    times[times.len() / 2].as_nanos() as u64
}
