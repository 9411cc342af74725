//! Appending, following, and what happens when the disk says no.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use super::{clock, created, epoch, finished, plan, started, written};
use crate::base::Kind;
use crate::journal::follow::Follower;
use crate::journal::{History, Journal};
use crate::model::plan::Digest;
use crate::run::state::Status;

#[test]
fn what_was_appended_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let records = written(folder.path());
    let history = History::read(folder.path()).unwrap();
    assert_eq!(history.records, records);
    assert_eq!(history.plan, plan());
    assert_eq!(history.state().status, Status::Running);
    assert_eq!(history.state().records, 6);
}

#[test]
fn a_record_is_one_line_chained_to_the_one_before_and_the_first_to_the_plan() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path());
    let text = fs::read_to_string(folder.path().join("journal.jsonl")).unwrap();
    let mut before = Digest::of(&fs::read(folder.path().join("plan.json")).unwrap());
    for (number, line) in (1..).zip(text.lines()) {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(value["prev"], before.as_str());
        assert_eq!(value["seq"], number);
        assert_eq!(value["v"], 1);
        assert!(value["type"].is_string() && value["at"].is_string() && value["epoch"].is_u64());
        before = Digest::of(line.as_bytes());
    }
}

#[test]
fn an_event_that_cannot_follow_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(folder.path(), &plan(), clock()).unwrap();
    journal.append(created()).unwrap();
    let path = folder.path().join("journal.jsonl");
    let before = fs::read(&path).unwrap();
    assert_eq!(journal.append(finished("a")).unwrap_err().kind, Kind::Internal);
    assert_eq!(fs::read(&path).unwrap(), before);
    journal.append(epoch()).unwrap();
}

#[test]
fn a_full_disk_is_fatal_and_never_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path());
    let path = folder.path().join("journal.jsonl");
    let whole = fs::read(&path).unwrap();
    let (mut journal, _) = Journal::open(folder.path(), clock()).unwrap();
    // The same journal on a disk that is full.
    journal.write_to(OpenOptions::new().append(true).open("/dev/full").unwrap());
    assert!(journal.append(epoch()).unwrap_err().to_string().contains("No space left"));
    assert_eq!(journal.state().epoch, 1);
    // There is room again, but nobody knows what the disk holds.
    journal.write_to(OpenOptions::new().append(true).open(&path).unwrap());
    assert!(journal.append(epoch()).unwrap_err().to_string().contains("takes no more records"));
    assert_eq!(fs::read(&path).unwrap(), whole);
    let (mut next, _) = Journal::open(folder.path(), clock()).unwrap();
    next.append(epoch()).unwrap();
}

#[test]
fn a_failed_sync_is_as_fatal_as_a_failed_write() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path());
    let (mut journal, _) = Journal::open(folder.path(), clock()).unwrap();
    // Takes every byte, and cannot be synced.
    let (_reader, writer) = std::io::pipe().unwrap();
    journal.write_to(File::from(std::os::fd::OwnedFd::from(writer)));
    assert!(journal.append(epoch()).unwrap_err().to_string().contains("nothing more is done"));
    assert!(journal.append(epoch()).unwrap_err().to_string().contains("takes no more records"));
}

#[test]
fn a_folder_holds_one_journal() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path());
    assert!(Journal::create(folder.path(), &plan(), clock()).is_err());
    assert_eq!(History::read(folder.path()).unwrap().records.len(), 6);
}

#[test]
fn only_the_owner_reads_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path());
    for name in ["journal.jsonl", "plan.json"] {
        let mode = fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_follower_gives_each_record_once_and_a_torn_one_when_it_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let records = written(folder.path());
    let path = folder.path().join("journal.jsonl");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, b"").unwrap();
    let mut follower = Follower::new(folder.path()).unwrap();
    assert!(follower.poll().unwrap().is_empty());
    let mut seen = Vec::new();
    for byte in &whole {
        OpenOptions::new().append(true).open(&path).unwrap().write_all(&[*byte]).unwrap();
        seen.extend(follower.poll().unwrap());
    }
    assert_eq!(seen, records);
    assert_eq!(follower.state().records, 6);
    assert_eq!(follower.plan(), &plan());
}

#[test]
fn a_follower_waits_for_the_next_record() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(folder.path(), &plan(), clock()).unwrap();
    let mut follower = Follower::new(folder.path()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let early = tokio::time::timeout(Duration::from_millis(50), follower.next()).await;
        assert!(early.is_err(), "there is nothing yet");
        let first = journal.append(created()).unwrap();
        assert_eq!(follower.next().await.unwrap(), [first]);
        let more = [journal.append(epoch()).unwrap(), journal.append(started("a")).unwrap()];
        assert_eq!(follower.next().await.unwrap(), more);
    });
}

#[test]
fn a_follower_says_so_when_the_journal_was_changed() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path());
    let path = folder.path().join("journal.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("\"ms\":7", "\"ms\":8", 1)).unwrap();
    let error = Follower::new(folder.path()).unwrap().poll().unwrap_err();
    assert_eq!(error.kind, Kind::Corrupt);
    assert!(error.message.contains("line 5"), "{error}");
}
