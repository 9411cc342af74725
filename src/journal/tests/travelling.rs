//! A run that goes from machine to machine.

use std::fs;
use std::path::Path;

use super::{clock, epoch, finished, plan, started};
use crate::base::Kind;
use crate::base::id::RunId;
use crate::journal::elsewhere::Elsewhere;
use crate::journal::import::{Arrival, Imported};
use crate::journal::store::{RunDir, Store};
use crate::journal::travel::Lines;
use crate::run::event::Event;
use crate::run::lease::Head;

/// Two machines, each with its own store.
struct Machines {
    _folder: tempfile::TempDir,
    here: Store,
    there: Store,
}

impl Machines {
    fn new() -> Machines {
        let folder = tempfile::tempdir().unwrap();
        let store = |name: &str| Store::at(&folder.path().join(name));
        Machines { here: store("here"), there: store("there"), _folder: folder }
    }

    /// A run there, of so many records.
    fn run_there(&self, records: usize) -> RunDir {
        let turn = self.there.create_run(&plan(), "ada", clock()).unwrap();
        let dir = turn.dir.clone();
        drop(turn);
        go_on(&dir, &[epoch(), started("a"), finished("a")][..records - 1]);
        dir
    }

    fn import_here(&self, dir: &RunDir) -> Imported {
        self.here.import(dir.id, &dir.lines().unwrap(), "bob", &clock()).unwrap()
    }
}

fn go_on(dir: &RunDir, events: &[Event]) {
    let (mut turn, _) = dir.take_turn("ada", clock()).unwrap();
    for event in events {
        turn.journal.append(event.clone()).unwrap();
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_run_from_elsewhere_is_the_same_run_and_goes_on_here() {
    let machines = Machines::new();
    let there = machines.run_there(3);
    let Imported { dir, arrival } = machines.import_here(&there);
    assert_eq!(arrival, Arrival::New);
    assert_eq!(dir.id, there.id);
    assert_eq!(dir.lines().unwrap(), there.lines().unwrap());
    assert_eq!(machines.here.list().unwrap(), std::slice::from_ref(&dir));
    assert_eq!(dir.holder(), None);
    go_on(&dir, &[epoch(), epoch()]);
    assert_eq!(dir.history().unwrap().records.len(), 5);
}

#[test]
fn a_torn_last_line_does_not_travel() {
    let machines = Machines::new();
    let there = machines.run_there(3);
    let journal = fs::read(there.path.join("journal.jsonl")).unwrap();
    let torn = Lines::new(plan().to_bytes(), journal[..journal.len() - 1].to_vec());
    let dir = machines.here.import(there.id, &torn, "bob", &clock()).unwrap().dir;
    assert_eq!(dir.history().unwrap().records, there.history().unwrap().records[..2]);
}

#[test]
fn of_two_copies_the_longer_one_stays() {
    let machines = Machines::new();
    let there = machines.run_there(2);
    let dir = machines.import_here(&there).dir;
    assert_eq!(machines.import_here(&there).arrival, Arrival::Kept { records: 0 });
    go_on(&there, &[epoch(), started("a")]);
    assert_eq!(machines.import_here(&there).arrival, Arrival::Extended { records: 2 });
    assert_eq!(dir.lines().unwrap(), there.lines().unwrap());
    go_on(&dir, &[epoch()]);
    let longer = dir.lines().unwrap();
    assert_eq!(machines.import_here(&there).arrival, Arrival::Kept { records: 1 });
    assert_eq!(dir.lines().unwrap(), longer);
}

#[test]
fn a_torn_line_of_ours_is_no_reason_to_diverge() {
    let machines = Machines::new();
    let there = machines.run_there(2);
    let dir = machines.import_here(&there).dir;
    go_on(&there, &[epoch()]);
    let whole = fs::read(there.path.join("journal.jsonl")).unwrap();
    let torn = &whole[..whole.len() - 5];
    fs::write(dir.path.join("journal.jsonl"), torn).unwrap();
    assert_eq!(machines.import_here(&there).arrival, Arrival::Extended { records: 1 });
    assert_eq!(dir.lines().unwrap(), there.lines().unwrap());
}

#[test]
fn of_two_copies_that_diverge_ours_is_kept_aside_and_theirs_is_in_force() {
    let machines = Machines::new();
    let there = machines.run_there(2);
    let dir = machines.import_here(&there).dir;
    go_on(&there, &[epoch()]);
    for number in 1..=2 {
        let output = dir.blobs().put(b"an output of ours").unwrap();
        go_on(&dir, &[Event::EpochStarted { operator: format!("bob {number}"), pid: number }]);
        let ours = dir.lines().unwrap();
        go_on(&there, &[epoch()]);
        let Arrival::Superseded { common, aside } = machines.import_here(&there).arrival else {
            panic!("they diverge");
        };
        assert_eq!(common, u64::from(number) + if number == 1 { 1 } else { 2 });
        assert_eq!(dir.lines().unwrap(), there.lines().unwrap());
        let expected = format!(".{}.superseded-{number}", dir.id);
        assert_eq!(aside.file_name().unwrap().to_str(), Some(expected.as_str()));
        let kept = RunDir { id: dir.id, path: aside };
        assert_eq!(kept.lines().unwrap(), ours);
        assert_eq!(kept.blobs().get(&output).unwrap(), b"an output of ours");
    }
    assert_eq!(machines.here.list().unwrap(), [dir], "what is kept aside is not a run");
}

#[test]
fn what_is_damaged_here_is_mended_by_what_comes_and_kept_all_the_same() {
    for file in ["plan.json", "journal.jsonl"] {
        for damage in [Some(&b"{}\n"[..]), None] {
            let machines = Machines::new();
            let there = machines.run_there(3);
            let dir = machines.import_here(&there).dir;
            match damage {
                Some(bytes) => fs::write(dir.path.join(file), bytes).unwrap(),
                None => fs::remove_file(dir.path.join(file)).unwrap(),
            }
            let arrival = machines.import_here(&there).arrival;
            assert_eq!(dir.lines().unwrap(), there.lines().unwrap(), "{file}");
            if let (Some(bytes), Arrival::Superseded { aside, .. }) = (damage, &arrival) {
                assert_eq!(fs::read(aside.join(file)).unwrap(), bytes);
            } else {
                assert!(damage.is_none(), "{arrival:?}");
            }
        }
    }
}

#[test]
fn a_run_that_somebody_holds_is_not_touched() {
    let machines = Machines::new();
    let there = machines.run_there(2);
    let dir = machines.import_here(&there).dir;
    let ours = dir.lines().unwrap();
    go_on(&there, &[epoch()]);
    let (_turn, _) = dir.take_turn("bob", clock()).unwrap();
    let lines = there.lines().unwrap();
    let refused = machines.here.import(dir.id, &lines, "eve", &clock()).unwrap_err();
    assert_eq!(refused.kind, Kind::Refused);
    assert!(refused.message.contains("bob"), "{refused}");
    assert_eq!(dir.lines().unwrap(), ours);
}

#[test]
fn what_was_changed_on_its_way_is_refused_and_nothing_is_written() {
    let machines = Machines::new();
    let there = machines.run_there(3);
    let lines = there.lines().unwrap();
    let last = lines.journal[..lines.journal.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap();
    for place in (0..last).step_by(7) {
        let mut changed = lines.clone();
        changed.journal[place] ^= 1;
        let refused = machines.here.import(there.id, &changed, "bob", &clock()).unwrap_err();
        assert!(matches!(refused.kind, Kind::Corrupt | Kind::Refused), "byte {place}: {refused}");
    }
    let other = RunId::generate();
    let nothing = Lines::new(lines.plan.clone(), Vec::new());
    let no_plan = Lines::new(Vec::new(), lines.journal.clone());
    for (run, lines) in [(other, &lines), (there.id, &nothing), (there.id, &no_plan)] {
        let refused = machines.here.import(run, lines, "bob", &clock()).unwrap_err();
        assert_eq!(refused.kind, Kind::Corrupt, "{refused}");
    }
    assert_eq!(machines.here.list().unwrap(), []);
    assert!(!machines.here.runs.exists());
}

#[test]
fn of_two_that_import_a_run_at_once_neither_breaks_it() {
    let machines = Machines::new();
    let there = machines.run_there(3);
    let lines = there.lines().unwrap();
    for _ in 0..20 {
        let import = || machines.here.import(there.id, &lines, "bob", &clock());
        let both = std::thread::scope(|scope| {
            [scope.spawn(import), scope.spawn(import)].map(|import| import.join().unwrap())
        });
        let done = both.iter().flatten().count();
        assert!(done > 0, "{both:?}");
        assert!(
            both.iter().all(|one| one.as_ref().err().is_none_or(|error| error.kind == Kind::Refused)),
            "{both:?}"
        );
        let [dir] = &machines.here.list().unwrap()[..] else { panic!("{both:?}") };
        assert_eq!(dir.lines().unwrap(), lines);
        assert_eq!(names(&machines.here.runs), [dir.id.to_string()]);
        fs::remove_dir_all(&dir.path).unwrap();
    }
}

#[test]
fn it_is_noted_which_outputs_stayed_elsewhere() {
    let machines = Machines::new();
    let there = machines.run_there(3);
    let dir = machines.import_here(&there).dir;
    go_on(&dir, &[epoch()]);
    let head = |lines: &Lines, seq: u64| {
        let line = lines.journal.split(|byte| *byte == b'\n').nth(seq as usize - 1).unwrap();
        Head { seq, digest: crate::model::plan::Digest::of(line) }
    };
    let lines = dir.lines().unwrap();
    let noted = Elsewhere::read(&dir.path);
    let covered = |record| noted.covers(record, |last| *last == head(&lines, last.seq));
    assert_eq!([1, 2, 3, 4].map(covered), [true, true, true, false], "the last record is our own");
    assert!(!noted.covers(1, |_| false), "it is a note about another journal");
    assert!(!Elsewhere::read(&there.path).covers(1, |_| true));
}
