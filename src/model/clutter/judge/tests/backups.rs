//! Backups, case by case.

use super::scene::*;
use crate::model::backups::Kind as Engine;
use crate::model::clutter::contents::*;
use crate::model::clutter::judge::judge;
use crate::model::clutter::survey::{Fate, Kind, Reason};
use crate::model::clutter::terms::Cleanup;
use crate::model::manifest::{Backup, Listing, Manifest};

const DAY: i64 = 24 * HOUR;

/// Of so many days ago, made by opsctl.
fn backup(days: i64, is_verified: bool) -> Backup {
    let at = ago(days * DAY).unwrap();
    let verified = if is_verified { r#"{"at":"2026-11-27T10:00:00Z"}"# } else { "null" };
    let text = format!(
        r#"{{"kind":"postgres","of":"argus","at":"{at}","run":"r","bytes":3,"sha256":"","verified":{verified}}}"#
    );
    let manifest: Manifest = serde_json::from_str(&text).unwrap();
    Backup { file: format!("/b/{days}.dump"), bytes: Some(3), at, written: at, manifest: Some(manifest) }
}

fn changed(mut backup: Backup, change: impl Fn(&mut Manifest)) -> Backup {
    backup.manifest.as_mut().map(change);
    backup
}

fn keep(count: u32) -> Keep {
    Keep { count, seconds: None, rpo_seconds: None }
}

/// What becomes of each, the newest first.
fn fates(backups: &[Backup], keep: Keep, keep_verified: u32) -> Vec<Fate> {
    let listing =
        Listing { now: now(), directory: "/b".to_owned(), is_missing: false, backups: backups.to_vec() };
    let vault =
        Vault { kind: Engine::Postgres, name: "argus".to_owned(), mount: "/".to_owned(), keep, listing };
    let survey = judge(
        &Contents { vaults: vec![vault], ..contents() },
        &Cleanup { keep_verified, ..Cleanup::default() },
    );
    let fate = |backup: &Backup| {
        let item = survey.items.iter().find(|item| item.name == backup.file).unwrap();
        assert_eq!((item.kind, item.of.as_deref()), (Kind::Backup, Some("database/argus")));
        item.fate.clone()
    };
    backups.iter().map(fate).collect()
}

#[test]
fn a_backup_goes_that_is_beyond_the_number_and_older_than_the_newest_verified_ones() {
    let [verified, newest] = [Reason::Verified, Reason::Newest].map(Fate::Stays);
    let all = [backup(0, false), backup(1, true), backup(2, false), backup(3, true), backup(4, true)];
    let goes = Fate::Goes;
    assert_eq!(
        fates(&all, keep(1), 1),
        [verified.clone(), verified.clone(), goes.clone(), goes.clone(), goes.clone()]
    );
    assert_eq!(
        fates(&all, keep(1), 2),
        [verified.clone(), verified.clone(), goes.clone(), verified.clone(), goes.clone()]
    );
    assert_eq!(fates(&all, keep(3), 1), [verified.clone(), verified.clone(), newest, goes.clone(), goes]);
    let unknown = [backup(0, false), backup(1, false), backup(2, false)];
    assert_eq!(fates(&unknown, keep(1), 1), vec![verified; 3], "none is known to be good");
}

#[test]
fn a_backup_stays_that_is_younger_than_the_inventory_lets_them_become() {
    let all = [backup(0, true), backup(1, true), backup(5, true), backup(9, true)];
    let goes = Fate::Goes;
    let young = Keep { seconds: Some(7 * DAY as u64), ..keep(1) };
    let [verified, is_young, rpo] = [Reason::Verified, Reason::Young, Reason::Rpo].map(Fate::Stays);
    assert_eq!(fates(&all, young, 1), [verified.clone(), is_young.clone(), is_young, goes.clone()]);
    let needed = Keep { rpo_seconds: Some(2 * DAY as u64), ..keep(1) };
    assert_eq!(fates(&all, needed, 1), [verified, rpo, goes.clone(), goes]);
}

#[test]
fn what_was_made_for_a_reason_or_by_somebody_else_stays() {
    let for_a_reason = |days| changed(backup(days, true), |m| m.reason = "before a restore".to_owned());
    let found = changed(backup(6, true), |manifest| manifest.run.clear());
    let unknown = Backup { manifest: None, ..backup(7, false) };
    let all = [backup(0, true), for_a_reason(1), for_a_reason(5), found, unknown, backup(8, true)];
    let [verified, not_ours] = [Reason::Verified, Reason::NotOurs].map(Fate::Stays);
    let others = vec![not_ours.clone(); 4];
    assert_eq!(fates(&all, keep(1), 1), [vec![verified.clone()], others, vec![Fate::Goes]].concat());
    let short = Keep { seconds: Some(3 * DAY as u64), ..keep(1) };
    let expected = [verified, not_ours.clone(), Fate::Goes, not_ours.clone(), not_ours, Fate::Goes];
    assert_eq!(fates(&all, short, 1), expected, "the reason is over");
}

#[test]
fn a_verified_backup_that_is_not_what_it_was_stands_for_nothing() {
    let damaged = Backup { bytes: Some(2), ..backup(0, true) };
    let all = [damaged, backup(1, true), backup(2, true)];
    let verified = Fate::Stays(Reason::Verified);
    assert_eq!(fates(&all, keep(1), 1), [verified.clone(), verified, Fate::Goes]);
}
