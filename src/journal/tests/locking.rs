//! One process at a time.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::base::Kind;
use crate::base::clock::Timestamp;
use crate::journal::Lock;
use crate::journal::lock::Holder;

fn ada() -> Holder {
    Holder { operator: "ada@laptop".to_owned(), pid: 4711, since: Timestamp::UNIX_EPOCH }
}

fn bob() -> Holder {
    Holder { operator: "bob@desk".to_owned(), pid: 1, since: Timestamp::UNIX_EPOCH }
}

#[test]
fn a_second_turn_is_refused_while_the_first_holds_the_run_and_told_who_does() {
    let run = tempfile::tempdir().unwrap();
    let first = Lock::take(run.path(), &ada()).unwrap();
    let refused = Lock::take(run.path(), &bob()).unwrap_err();
    assert_eq!(refused.kind, Kind::Refused);
    for part in ["ada@laptop", "4711", "1970-01-01T00:00:00Z"] {
        assert!(refused.message.contains(part), "{refused}");
    }
    assert_eq!(Lock::holder(run.path()), Some(ada()));
    drop(first);
    assert_eq!(Lock::holder(run.path()), None);
    let _second = Lock::take(run.path(), &bob()).unwrap();
    assert_eq!(Lock::holder(run.path()), Some(bob()));
}

#[test]
fn a_lock_goes_with_the_process_that_held_it_however_it_dies() {
    let run = tempfile::tempdir().unwrap();
    let file = run.path().join("lock");
    let mut other = Command::new("flock")
        .arg("--no-fork")
        .arg(&file)
        .args(["sh", "-c", "echo held; exec sleep 60"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(other.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "held\n");
    assert_eq!(Lock::take(run.path(), &bob()).unwrap_err().kind, Kind::Refused);
    assert_eq!(Lock::holder(run.path()).map(|holder| holder.pid), Some(0), "nobody says who it is");
    other.kill().unwrap();
    other.wait().unwrap();
    Lock::take(run.path(), &bob()).unwrap();
}

#[test]
fn looking_whether_a_run_is_held_does_not_get_in_the_way_of_taking_it() {
    let run = tempfile::tempdir().unwrap();
    drop(Lock::take(run.path(), &ada()).unwrap());
    std::thread::scope(|scope| {
        scope.spawn(|| (0..2_000).for_each(|_| drop(Lock::holder(run.path()))));
        for _ in 0..200 {
            Lock::take(run.path(), &bob()).unwrap();
        }
    });
}

#[test]
fn a_text_in_the_lock_that_makes_no_sense_decides_nothing() {
    let run = tempfile::tempdir().unwrap();
    let mut file = std::fs::File::create(run.path().join("lock")).unwrap();
    file.write_all(b"{\"operator\":\"a very long leftover").unwrap();
    assert_eq!(Lock::holder(run.path()), None);
    let _held = Lock::take(run.path(), &ada()).unwrap();
    assert_eq!(Lock::holder(run.path()), Some(ada()));
}

#[test]
fn whoever_looks_sees_a_whole_name_or_none() {
    let run = tempfile::tempdir().unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let looker = scope.spawn(|| {
            let mut seen = Vec::new();
            while !is_over.load(Ordering::Relaxed) {
                seen.extend(Lock::holder(run.path()));
            }
            seen
        });
        for _ in 0..300 {
            drop(Lock::take(run.path(), &ada()).unwrap());
            drop(Lock::take(run.path(), &bob()).unwrap());
        }
        is_over.store(true, Ordering::Relaxed);
        // Where writing the name takes long, the lock is held by nobody knows whom.
        let is_known = |holder: &Holder| *holder == ada() || *holder == bob() || holder.pid == 0;
        let wrong = looker.join().unwrap().into_iter().find(|holder| !is_known(holder));
        assert_eq!(wrong, None);
    });
}

#[test]
fn a_name_does_not_outlive_its_turn() {
    let run = tempfile::tempdir().unwrap();
    drop(Lock::take(run.path(), &ada()).unwrap());
    assert_eq!(std::fs::read(run.path().join("lock")).unwrap(), b"");
}
