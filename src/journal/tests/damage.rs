//! Journals that were cut short by a crash, and journals that somebody changed.

use std::fs;
use std::path::Path;

use super::{clock, created, epoch, finished, plan, started, written};
use crate::base::{Error, Kind};
use crate::journal::{History, Journal};
use crate::run::event::Event;

fn damaged(change: impl Fn(Vec<u8>) -> Vec<u8>, file: &str) -> Error {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path());
    let path = folder.path().join(file);
    fs::write(&path, change(fs::read(&path).unwrap())).unwrap();
    match History::read(folder.path()) {
        Ok(history) => panic!("{} records were read", history.records.len()),
        Err(error) => error,
    }
}

fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

/// The event that follows so many records of [`written`].
fn following(records: usize) -> Event {
    match records {
        0 => created(),
        1 => epoch(),
        2 => started("a"),
        3 => finished("a"),
        4 => started("b"),
        5 => finished("b"),
        _ => epoch(),
    }
}

fn append_to(folder: &Path) -> (History, History) {
    let (mut journal, before) = Journal::open(folder, clock()).unwrap();
    journal.append(following(before.records.len())).unwrap();
    (before, History::read(folder).unwrap())
}

#[test]
fn a_journal_that_was_cut_anywhere_is_an_exact_prefix_and_can_be_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let records = written(folder.path());
    let path = folder.path().join("journal.jsonl");
    let whole = fs::read(&path).unwrap();
    for cut in 0..=whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let complete = whole[..cut].iter().filter(|byte| **byte == b'\n').count();
        let shown = History::read(folder.path()).unwrap();
        assert_eq!(shown.records, records[..complete], "cut at byte {cut}");
        assert_eq!(fs::read(&path).unwrap(), &whole[..cut], "reading changes nothing");
        let (before, after) = append_to(folder.path());
        assert_eq!(before.records, records[..complete], "cut at byte {cut}");
        assert_eq!(after.records[..complete], records[..complete], "cut at byte {cut}");
        assert_eq!(after.records.len(), complete + 1, "cut at byte {cut}");
    }
}

#[test]
fn a_torn_line_of_anything_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let records = written(folder.path());
    let path = folder.path().join("journal.jsonl");
    let whole = fs::read(&path).unwrap();
    for torn in [&b"\0\0\0\0"[..], b"{", b"\xff\xfe", b"{\"v\":1,\"seq\":7}"] {
        fs::write(&path, [&whole, torn].concat()).unwrap();
        let (before, after) = append_to(folder.path());
        assert_eq!(before.records, records);
        assert_eq!(after.records.len(), 7);
    }
}

#[test]
fn any_bit_that_was_flipped_before_the_last_record_is_found() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path());
    let path = folder.path().join("journal.jsonl");
    let whole = fs::read(&path).unwrap();
    let last = lines(&whole).last().unwrap().len();
    for place in 0..whole.len() - last {
        for bit in [0, 3, 7] {
            let mut bytes = whole.clone();
            bytes[place] ^= 1 << bit;
            fs::write(&path, &bytes).unwrap();
            let error = History::read(folder.path()).expect_err("a flipped bit");
            assert!(matches!(error.kind, Kind::Corrupt | Kind::Refused), "byte {place}: {error}");
            assert!(Journal::open(folder.path(), clock()).is_err());
        }
    }
}

#[test]
fn any_bit_of_the_plan_that_was_flipped_is_found() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path());
    let path = folder.path().join("plan.json");
    let whole = fs::read(&path).unwrap();
    for place in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert_eq!(History::read(folder.path()).unwrap_err().kind, Kind::Corrupt, "byte {place}");
    }
}

#[test]
fn a_line_that_was_removed_repeated_or_moved_is_named() {
    let journal = "journal.jsonl";
    for line in 1..=5 {
        let removed = damaged(
            |bytes| {
                let mut lines = lines(&bytes);
                lines.remove(line - 1);
                lines.concat()
            },
            journal,
        );
        assert_eq!(removed.kind, Kind::Corrupt);
        assert!(removed.message.contains(&format!("line {line} of the journal")), "{removed}");
        let repeated = damaged(
            |bytes| {
                let mut lines = lines(&bytes);
                lines.insert(line, lines[line - 1].clone());
                lines.concat()
            },
            journal,
        );
        assert!(repeated.message.contains(&format!("line {} of the journal", line + 1)), "{repeated}");
        let moved = damaged(
            |bytes| {
                let mut lines = lines(&bytes);
                lines.swap(line - 1, line);
                lines.concat()
            },
            journal,
        );
        assert!(moved.message.contains(&format!("line {line} of the journal")), "{moved}");
    }
}

#[test]
fn a_bad_line_that_is_terminated_is_not_taken_for_a_torn_one() {
    for bad in ["{\n", "\n", "{}\n", "null\n"] {
        let error = damaged(|bytes| [bytes, bad.as_bytes().to_vec()].concat(), "journal.jsonl");
        assert_eq!(error.kind, Kind::Corrupt);
        assert!(error.message.contains("line 7 of the journal"), "{error}");
    }
}

#[test]
fn a_last_record_that_could_not_have_followed_is_found_although_nothing_comes_after_it() {
    for (from, to) in
        [("\"seq\":6", "\"seq\":7"), ("\"epoch\":1", "\"epoch\":2"), ("\"attempt\":1", "\"attempt\":2")]
    {
        let error = damaged(
            |bytes| {
                let mut lines = lines(&bytes);
                let last = String::from_utf8(lines.pop().unwrap()).unwrap();
                assert!(last.contains(from));
                lines.push(last.replacen(from, to, 1).into_bytes());
                lines.concat()
            },
            "journal.jsonl",
        );
        assert_eq!(error.kind, Kind::Corrupt);
        assert!(error.message.contains("line 6 of the journal"), "{error}");
    }
}

#[test]
fn a_journal_of_a_newer_opsctl_is_refused_and_not_called_corrupt() {
    let error = damaged(
        |bytes| String::from_utf8(bytes).unwrap().replacen("\"v\":1", "\"v\":2", 1).into_bytes(),
        "journal.jsonl",
    );
    assert_eq!(error.kind, Kind::Refused);
    assert!(error.message.contains("a newer opsctl wrote it"), "{error}");
}

#[test]
fn a_run_without_its_plan_or_its_journal_is_corrupt() {
    for name in ["plan.json", "journal.jsonl"] {
        let folder = tempfile::tempdir().unwrap();
        written(folder.path());
        fs::remove_file(folder.path().join(name)).unwrap();
        assert_eq!(History::read(folder.path()).unwrap_err().kind, Kind::Corrupt);
    }
}

#[test]
fn a_plan_that_was_exchanged_for_another_is_found() {
    let other = {
        let mut plan = plan();
        plan.title = "Another".to_owned();
        plan.to_bytes()
    };
    let error = damaged(|_| other.clone(), "plan.json");
    assert_eq!(error.kind, Kind::Corrupt);
    assert!(error.message.contains("does not follow the plan"), "{error}");
}
