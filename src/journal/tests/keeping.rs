//! Where runs are kept, and how they are found.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{clock, epoch, plan, started};
use crate::base::Kind;
use crate::journal::{History, Store};
use crate::model::plan::Digest;
use crate::run::event::Event;

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::at(&folder.path().join("state"));
    (folder, store)
}

#[test]
fn a_new_run_is_whole_held_and_private() {
    let (_folder, store) = store();
    let turn = store.create_run(&plan(), "ada", clock()).unwrap();
    let History { plan: kept, records, .. } = turn.dir.history().unwrap();
    assert_eq!(kept, plan());
    let [record] = &records[..] else { panic!("{records:?}") };
    assert!(matches!(&record.event, Event::RunCreated { run, .. } if *run == turn.dir.id));
    assert_eq!(turn.dir.holder().map(|holder| holder.operator), Some("ada".to_owned()));
    let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(turn.dir.path.clone()), 0o700);
    assert_eq!(mode(turn.dir.path.parent().unwrap().to_owned()), 0o700);
    assert_eq!(mode(turn.dir.path.join("lock")), 0o600);
}

#[test]
fn the_next_turn_goes_on_where_the_last_one_stopped() {
    let (_folder, store) = store();
    let mut first = store.create_run(&plan(), "ada", clock()).unwrap();
    let dir = first.dir.clone();
    first.journal.append(epoch()).unwrap();
    first.journal.append(started("a")).unwrap();
    assert_eq!(dir.take_turn("bob", clock()).unwrap_err().kind, Kind::Refused);
    drop(first);
    let (mut second, history) = dir.take_turn("bob", clock()).unwrap();
    assert_eq!(history.records.len(), 3);
    assert_eq!(second.journal.append(epoch()).unwrap().epoch, 2);
    assert_eq!(dir.history().unwrap().records.len(), 4);
}

#[test]
fn what_a_crash_left_of_a_run_that_was_being_made_is_not_listed() {
    let (_folder, store) = store();
    assert_eq!(store.list().unwrap(), []);
    let dir = store.create_run(&plan(), "ada", clock()).unwrap().dir;
    let runs = dir.path.parent().unwrap();
    let draft = runs.join(format!(".{}.new", crate::base::id::RunId::generate()));
    fs::create_dir(&draft).unwrap();
    fs::write(draft.join(".plan.json.1.new"), b"{").unwrap();
    fs::write(runs.join("notes.txt"), b"").unwrap();
    assert_eq!(store.list().unwrap(), std::slice::from_ref(&dir));
    assert_eq!(store.find("latest").unwrap(), dir);
}

#[test]
fn a_run_is_found_by_any_start_or_by_an_end_that_only_it_has() {
    let (_folder, store) = store();
    let runs: Vec<_> = (0..3).map(|_| store.create_run(&plan(), "ada", clock()).unwrap().dir).collect();
    assert_eq!(store.list().unwrap(), runs);
    assert_eq!(store.find("latest").unwrap(), runs[2]);
    for run in &runs {
        let id = run.id.to_string();
        assert_eq!(store.find(&id).unwrap(), *run);
        assert_eq!(store.find(&id.replace('-', "").to_uppercase()).unwrap(), *run);
        assert_eq!(store.find(&id[id.len() - 8..]).unwrap(), *run);
    }
    let shared = &runs[0].id.to_string()[..6];
    let error = store.find(shared).unwrap_err();
    assert_eq!(error.kind, Kind::Usage);
    let detail = error.detail.unwrap();
    assert!(runs.iter().all(|run| detail.contains(&run.id.to_string())), "{detail}");
}

#[test]
fn a_name_that_fits_no_run_is_refused() {
    let (_folder, store) = store();
    assert_eq!(store.find("latest").unwrap_err().kind, Kind::Usage);
    let id = store.create_run(&plan(), "ada", clock()).unwrap().dir.id.to_string();
    let middle = &id[10..20];
    for name in ["", "-", "zz", middle, &format!("{id}0")] {
        assert!(store.find(name).is_err(), "{name}");
    }
    let other = |c| if c == '0' { '1' } else { '0' };
    let three = &id[id.len() - 3..];
    // The start of an id is the time: whatever it is, it does not begin with this end.
    if !id.starts_with(three) {
        assert!(store.find(three).is_err(), "three characters of the end are too few");
    }
    let wrong = format!("{}{}", &id[..id.len() - 1], other(id.chars().last().unwrap()));
    assert!(store.find(&wrong).is_err());
}

#[test]
fn a_blob_is_kept_once_and_given_back_only_as_it_was() {
    let (_folder, store) = store();
    let turn = store.create_run(&plan(), "ada", clock()).unwrap();
    let blobs = turn.dir.blobs();
    let digest = blobs.put(b"output").unwrap();
    assert_eq!(blobs.put(b"output").unwrap(), digest);
    assert_eq!(blobs.get(&digest).unwrap(), b"output");
    let folder = turn.dir.path.join("blobs");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    fs::write(folder.join(digest.as_str()), b"other").unwrap();
    assert_eq!(blobs.get(&digest).unwrap_err().kind, Kind::Corrupt);
    assert_eq!(blobs.put(b"output").unwrap(), digest);
    assert_eq!(blobs.get(&digest).unwrap(), b"output", "what was damaged is kept anew");
    assert_eq!(blobs.get(&Digest::of(b"never kept")).unwrap_err().kind, Kind::Corrupt);
}

#[test]
fn a_blob_name_cannot_lead_out_of_its_folder() {
    let (_folder, store) = store();
    let turn = store.create_run(&plan(), "ada", clock()).unwrap();
    let name: Digest = serde_json::from_str("\"../plan.json\"").unwrap();
    let error = turn.dir.blobs().get(&name).unwrap_err();
    assert_eq!(error.kind, Kind::Corrupt);
    assert!(error.message.contains("no digest"), "{error}");
}
