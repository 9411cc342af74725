//! The folder of backups: which are removed, and what is written of a trial.

use std::process::Command;

use opsctl::base::amount::Span;
use opsctl::model::backups::Kind;
use opsctl::model::clutter::contents::{Contents, Keep, Vault};
use opsctl::model::clutter::judge::judge;
use opsctl::model::clutter::terms::Cleanup;
use opsctl::model::manifest::{LIST, Listing};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::scene::{Scene, each};

const DOCKER: &str = "#!/bin/sh\nexit 1\n";

/// A backup in the folder of a scene, that many days old.
#[derive(Debug, Clone)]
struct Backup {
    days: u32,
    is_verified: bool,
    /// Made by somebody else, and restored for a trial.
    is_found: bool,
    reason: &'static str,
    /// What its manifest says is not true any more.
    is_damaged: bool,
}

impl Backup {
    fn file(&self) -> String {
        format!("shop_{:04}.dump", 9999 - self.days)
    }

    fn write(&self, scene: &Scene) {
        let file = self.file();
        let day = 86_400 * i64::from(self.days);
        let at = jiff::Timestamp::now().checked_sub(jiff::SignedDuration::from_secs(day)).unwrap();
        let verified = if self.is_verified { "{ \"at\": \"2026-03-01T03:14:00Z\" }" } else { "null" };
        let run = if self.is_found { "" } else { "  \"run\": \"r\",\n" };
        let manifest = format!(
            "{{\n  \"kind\": \"postgres\",\n  \"of\": \"shop\",\n  \"at\": \"{at:.0}\",\n{run}  \"reason\": \"{}\",\n  \"bytes\": 3,\n  \
             \"sha256\": \"0\",\n  \"verified\": {verified}\n}}\n",
            self.reason
        );
        scene.write(&format!("backups/{file}"), if self.is_damaged { "ab" } else { "abc" });
        scene.write(&format!("backups/{file}.json"), &manifest);
        let path = scene.path(&format!("backups/{file}"));
        assert!(Command::new("touch").arg("-d").arg(at.to_string()).arg(path).status().unwrap().success());
    }
}

fn of_database() -> Value {
    json!({ "database": "shop" })
}

/// A folder with nothing but them.
fn lay_down(scene: &Scene, backups: &[Backup]) {
    let _ = std::fs::remove_dir_all(scene.path("backups"));
    scene.make("backups");
    backups.iter().for_each(|backup| backup.write(scene));
}

/// What is left of them after a removal, as their places in the list.
fn left(scene: &Scene, backups: &[Backup]) -> Vec<usize> {
    lay_down(scene, backups);
    left_of(scene, backups)
}

fn left_of(scene: &Scene, backups: &[Backup]) -> Vec<usize> {
    scene.does("backup.prune", of_database());
    let files = scene.files("backups");
    let is_left = |file: &String| {
        let manifest = files.contains(&format!("{file}.json"));
        assert_eq!(files.contains(file), manifest, "{file} and its manifest go together");
        manifest
    };
    (0..backups.len()).filter(|number| is_left(&backups[*number].file())).collect()
}

fn backup(days: u32, is_verified: bool) -> Backup {
    Backup { days, is_verified, is_found: false, reason: "", is_damaged: false }
}

#[test]
fn what_is_older_than_the_newest_verified_one_and_beyond_the_number_goes() {
    each(DOCKER, |scene| {
        scene.keep.set(2);
        let all = [backup(0, false), backup(1, true), backup(2, true), backup(3, false)];
        assert_eq!(left(scene, &all), [0, 1]);
        let unverified = [backup(0, false), backup(1, false), backup(2, false)];
        assert_eq!(left(scene, &unverified), [0, 1, 2], "none is known to be good");
        let late = [backup(0, false), backup(1, false), backup(2, false), backup(3, true), backup(4, false)];
        assert_eq!(left(scene, &late), [0, 1, 2, 3]);
        scene.keep_for.set(Span::secs(86_400 * 5 / 2));
        assert_eq!(left(scene, &all), [0, 1, 2], "the third is still young");
    });
}

#[test]
fn what_somebody_else_has_made_or_was_made_for_a_reason_stays() {
    each(DOCKER, |scene| {
        scene.keep.set(1);
        let found = Backup { is_found: true, ..backup(5, true) };
        let safety = Backup { reason: "before a restore", ..backup(6, false) };
        let all = [backup(0, true), backup(4, false), found, safety];
        assert_eq!(left(scene, &all), [0, 2, 3]);
        scene.keep_for.set(Span::secs(86_400 * 2));
        assert_eq!(left(scene, &all), [0, 2], "the reason is over");
        scene.write("backups/other.dump", "no manifest");
        scene.does("backup.prune", of_database());
        assert!(scene.files("backups").contains(&"other.dump".to_owned()));
    });
}

#[test]
fn some_of_the_verified_ones_and_what_may_not_be_lost_stay_whatever_else_the_inventory_says() {
    each(DOCKER, |scene| {
        scene.keep.set(1);
        let found = Backup { is_found: true, ..backup(5, true) };
        let all =
            [backup(1, true), backup(2, false), backup(3, true), backup(4, true), found, backup(6, true)];
        assert_eq!(left(scene, &all), [0, 4]);
        scene.keep_verified.set(2);
        assert_eq!(left(scene, &all), [0, 2, 4]);
        scene.keep_verified.set(4);
        assert_eq!(
            left(scene, &all),
            [0, 2, 3, 4],
            "what somebody else has made and was tried is one of them"
        );
        scene.keep_verified.set(1);
        scene.rpo.set(Span::secs(86_400 * 5 / 2));
        assert_eq!(left(scene, &all), [0, 1, 4], "two days can be lost");
        let safety = Backup { reason: "before a restore", ..backup(2, false) };
        scene.keep_for.set(Span::secs(86_400));
        assert_eq!(left(scene, &[backup(1, true), safety]), [0, 1]);
    });
}

/// Half a day beyond so many whole ones; none: none.
fn and_a_half(days: u64) -> Span {
    Span::secs(if days == 0 { 0 } else { 86_400 * days + 43_200 })
}

#[test]
fn no_backup_is_removed_that_the_inventory_keeps_and_none_stays_that_nothing_keeps() {
    each(DOCKER, |scene| {
        let all = (any_backups(), 1..4_u32, 0..5_u64, 1..4_u32, 0..5_u64);
        let cases = Config { cases: 12, failure_persistence: None, ..Config::default() };
        let proved = TestRunner::new(cases).run(&all, |(all, keep, days, verified, rpo)| {
            scene.keep.set(keep);
            scene.keep_for.set(and_a_half(days));
            scene.keep_verified.set(verified);
            scene.rpo.set(and_a_half(rpo));
            let left = left(scene, &all);
            let stands =
                |backup: &Backup| backup.is_verified && !backup.is_damaged && backup.reason.is_empty();
            for (number, backup) in all.iter().enumerate() {
                let newer = &all[..number];
                let plain = newer.iter().filter(|backup| backup.reason.is_empty()).count();
                let safe = newer.iter().filter(|backup| stands(backup)).count();
                let is_young = |days: u64| days > 0 && u64::from(backup.days) <= days;
                let is_wanted = match backup.reason {
                    "" => plain < keep as usize || is_young(days),
                    _ => days == 0 || is_young(days),
                };
                let is_kept = safe == 0
                    || backup.is_found
                    || stands(backup) && safe < verified as usize
                    || is_young(rpo)
                    || is_wanted;
                prop_assert_eq!(
                    left.contains(&number),
                    is_kept,
                    "{} of {:?}, keep {} for {} days, {} verified, {} days may be lost",
                    number,
                    all,
                    keep,
                    days,
                    verified,
                    rpo
                );
            }
            Ok(())
        });
        proved.unwrap_or_else(|error| panic!("{:?} {error}", scene.shell));
    });
}

/// One of each day, from yesterday on.
fn any_backups() -> impl Strategy<Value = Vec<Backup>> {
    let one = (any::<bool>(), 0..8_u8).prop_map(|(is_verified, kind)| Backup {
        is_found: kind == 0,
        reason: if kind == 1 { "before a restore" } else { "" },
        is_damaged: kind == 2,
        ..backup(0, is_verified)
    });
    prop::collection::vec(one, 1..9).prop_map(|mut all| {
        all.iter_mut().zip(1..).for_each(|(backup, days)| backup.days = days);
        all
    })
}

/// Which of them stay by the survey of a cleanup, that lists the folder as a host does.
fn kept(scene: &Scene, backups: &[Backup]) -> Vec<usize> {
    let folder = scene.path("backups").display().to_string();
    let given = format!("directory='{folder}'\npattern='shop_*.dump'\nkind=postgres\nof=shop\n");
    let mut listing = Command::new(scene.shell[0]);
    let listed = listing.args(&scene.shell[1..]).args(["-c", &(given + LIST)]).output().unwrap();
    let listing = Listing::read(&folder, &String::from_utf8(listed.stdout).unwrap());
    let seconds = |time: Span| Some(time.0.as_secs());
    let keep = Keep {
        count: scene.keep.get(),
        seconds: seconds(scene.keep_for.get()),
        rpo_seconds: seconds(scene.rpo.get()),
    };
    let mount = "/".to_owned();
    let vault = Vault { kind: Kind::Postgres, name: "shop".to_owned(), mount, keep, listing };
    let contents = Contents {
        now: vault.listing.now,
        disks: vec![],
        engine: None,
        piles: vec![],
        spared: vec![],
        journal: None,
        held: vec![],
        vaults: vec![vault],
        services: vec![],
        unfinished: vec![],
        unseen: vec![],
    };
    let terms = Cleanup { keep_verified: scene.keep_verified.get(), ..Cleanup::default() };
    let survey = judge(&contents, &terms);
    assert_eq!(survey.items.len(), backups.len() + 1, "with the one that has no manifest");
    let stays = |file: &str| {
        let item = survey.items.iter().find(|item| item.name.ends_with(&format!("/{file}")));
        !item.unwrap().goes()
    };
    assert!(stays(BARE));
    (0..backups.len()).filter(|number| stays(&backups[*number].file())).collect()
}

/// A backup of which nothing is known.
const BARE: &str = "shop_bare.dump";

#[test]
fn what_goes_by_the_survey_of_a_cleanup_is_what_is_removed() {
    each(DOCKER, |scene| {
        let all = (any_backups(), 1..4_u32, 0..5_u64, 1..4_u32, 0..5_u64);
        let cases = Config { cases: 8, failure_persistence: None, ..Config::default() };
        let proved = TestRunner::new(cases).run(&all, |(all, keep, days, keep_verified, rpo)| {
            scene.keep.set(keep);
            scene.keep_for.set(and_a_half(days));
            scene.keep_verified.set(keep_verified);
            scene.rpo.set(and_a_half(rpo));
            lay_down(scene, &all);
            scene.write(&format!("backups/{BARE}"), "abc");
            let kept = kept(scene, &all);
            prop_assert_eq!(kept, left_of(scene, &all), "{:?}", all);
            prop_assert!(scene.files("backups").contains(&BARE.to_owned()));
            Ok(())
        });
        proved.unwrap_or_else(|error| panic!("{:?} {error}", scene.shell));
    });
}

#[test]
fn a_trial_is_written_into_the_manifest_and_everything_else_in_it_stays() {
    each(DOCKER, |scene| {
        scene.make("backups");
        backup(1, false).write(scene);
        let file = backup(1, false).file();
        let before = scene.read(&format!("backups/{file}.json"));
        let args = json!({
            "database": "shop", "file": scene.path(&format!("backups/{file}")).to_str().unwrap(), "seconds": "12",
        });
        scene.does("backup.verified", args.clone());
        scene.does("backup.verified", args);
        let after = scene.read(&format!("backups/{file}.json"));
        let manifest: Value = serde_json::from_str(&after).unwrap();
        assert_eq!(manifest["verified"]["seconds"], 12, "{after}");
        assert_eq!(manifest["verified"]["run"], "1", "{after}");
        let without = |text: &str| {
            text.lines().filter(|line| !line.contains("verified")).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(without(&before), without(&after));
        assert_eq!(scene.files("backups").len(), 2);
    });
}

#[test]
fn a_backup_that_somebody_else_has_made_gets_a_manifest_once_it_was_tried() {
    each(DOCKER, |scene| {
        scene.make("backups");
        scene.write("backups/it's mine.sql", "abc");
        let file = scene.path("backups/it's mine.sql");
        scene.does("backup.verified", json!({ "database": "shop", "file": file.to_str().unwrap() }));
        let manifest: Value = serde_json::from_str(&scene.read("backups/it's mine.sql.json")).unwrap();
        assert_eq!(manifest["of"], "shop");
        assert_eq!(manifest["bytes"], 3);
        assert_eq!(manifest["sha256"], "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert!(manifest["verified"]["at"].is_string());
    });
}
