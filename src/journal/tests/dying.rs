//! The process dies while it takes in a run from elsewhere, on a disk that loses what was not synced.

use std::env;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus};

use super::{clock, epoch, plan};
use crate::journal::store::{RunDir, Store};

fn here(folder: &Path) -> Store {
    Store::at(&folder.join("here"))
}

fn there(folder: &Path) -> RunDir {
    Store::at(&folder.join("there")).find("latest").unwrap()
}

fn go_on(dir: &RunDir) {
    let (mut turn, _) = dir.take_turn("ada", clock()).unwrap();
    turn.journal.append(epoch()).unwrap();
}

fn import(folder: &Path) {
    let there = there(folder);
    here(folder).import(there.id, &there.lines().unwrap(), "bob", &clock()).unwrap();
}

/// Run by the tests below, in a process of its own that dies.
#[test]
fn take_in_what_came() {
    if let Some(folder) = env::var_os("OPSCTL_TEST_FOLDER") {
        import(Path::new(&folder));
    }
}

fn killed_at(point: &str, seed: u64, folder: &Path) -> ExitStatus {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "journal::tests::dying::take_in_what_came"])
        .env("OPSCTL_TEST_FOLDER", folder)
        .env("OPSCTL_CRASH_AT", point)
        .env("OPSCTL_LOSSY_DISK", "1")
        .env("OPSCTL_LOSSY_SEED", seed.to_string())
        .output()
        .unwrap()
        .status
}

#[test]
fn a_run_whose_import_was_cut_off_is_not_there_and_is_imported_again() {
    for seed in 0..8 {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        drop(Store::at(&folder.join("there")).create_run(&plan(), "ada", clock()).unwrap());
        assert_eq!(killed_at("import.made", seed, folder).signal(), Some(9));
        assert_eq!(here(folder).list().unwrap(), []);
        import(folder);
        let [dir] = &here(folder).list().unwrap()[..] else { panic!("there is one run") };
        assert_eq!(dir.lines().unwrap(), there(folder).lines().unwrap());
    }
}

#[test]
fn a_run_that_was_to_be_superseded_is_whole_when_that_was_cut_off() {
    for seed in 0..8 {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        drop(Store::at(&folder.join("there")).create_run(&plan(), "ada", clock()).unwrap());
        import(folder);
        let ours = here(folder).find("latest").unwrap();
        go_on(&there(folder));
        // The same event from another operator: the copies diverge.
        let (mut turn, _) = ours.take_turn("bob", clock()).unwrap();
        turn.journal
            .append(crate::run::event::Event::EpochStarted { operator: "bob".into(), pid: 2 })
            .unwrap();
        drop(turn);
        let before = ours.lines().unwrap();
        assert_eq!(killed_at("import.aside", seed, folder).signal(), Some(9));
        assert_eq!(ours.lines().unwrap(), before);
        let aside = |number| here(folder).runs.join(format!(".{}.superseded-{number}", ours.id));
        let kept = RunDir { id: ours.id, path: aside(1) };
        assert_eq!(kept.lines().unwrap(), before, "the copy was durable before ours was replaced");
        import(folder);
        assert_eq!(ours.lines().unwrap(), there(folder).lines().unwrap());
        assert_eq!(RunDir { id: ours.id, path: aside(2) }.lines().unwrap(), before);
    }
}
