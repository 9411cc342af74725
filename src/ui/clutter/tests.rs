use super::after::{Back, CameTo, Cleaned, Freed, Way};
use super::left::left;
use super::sample::{GIB, MIB, disk, goes, place, survey};
use super::*;
use crate::model::clutter::terms::Cleanup;
use crate::ui::look::Look;
use crate::ui::sample::run_id;

fn plain(text: &str) -> String {
    Look::PLAIN.fit(text)
}

#[test]
fn a_full_host_is_shown_in_a_narrow_terminal() {
    insta::assert_snapshot!(plain(&text(&survey(), "app", 60, false)));
}

#[test]
fn a_full_host_is_shown_in_a_terminal_of_the_usual_width() {
    insta::assert_snapshot!(plain(&text(&survey(), "app", 80, false)));
}

#[test]
fn a_full_host_is_shown_in_a_wide_terminal() {
    insta::assert_snapshot!(plain(&text(&survey(), "app", 120, false)));
}

#[test]
fn every_single_thing_is_shown_to_who_wants_that() {
    insta::assert_snapshot!(plain(&text(&survey(), "app", 80, true)));
}

#[test]
fn a_host_with_room_and_nothing_on_it_is_one_line() {
    let empty = Survey {
        disks: vec![disk("/", GIB, 9 * GIB, None)],
        items: Vec::new(),
        held: Vec::new(),
        unseen: Vec::new(),
        ..survey()
    };
    assert_eq!(plain(&text(&empty, "app", 80, false)), "✔ enough is free on `app`: / 90%\n");
}

#[test]
fn no_line_but_what_is_to_be_pasted_is_wider_than_the_terminal() {
    for columns in [60, 80, 120] {
        let shown = plain(&text(&survey(), "app", columns, false));
        for line in shown.lines() {
            assert!(super::super::wrap::width(line) <= columns, "{columns}: {line}");
        }
    }
}

#[test]
fn nothing_that_a_name_holds_reaches_the_terminal() {
    let whole = text(&survey(), "app", 80, true);
    assert!(whole.contains("\\u{1b}[31mred") && whole.contains("\\u{202e}"), "{whole}");
    assert!(!plain(&whole).contains('\u{1b}'));
}

#[test]
fn without_utf_8_the_shares_of_a_bar_are_still_told_apart() {
    let ascii = Look { is_coloured: false, is_utf8: false };
    let shown = ascii.fit(&text(&survey(), "app", 60, false));
    assert!(shown.contains("# used   = used, could go   . free"), "{shown}");
    assert!(shown.contains("##===") || shown.contains("#==="), "{shown}");
}

#[test]
fn a_program_reads_all_of_it() {
    let document: serde_json::Value = serde_json::from_str(&json(&survey(), "app")).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&document).unwrap());
}

#[test]
fn who_holds_the_space_is_told_with_what_a_person_could_do() {
    let all = left(&survey(), &place(&Cleanup::default()));
    insta::assert_snapshot!(plain(&left::text(&all, "app", 80)));
}

fn cleaned() -> Cleaned {
    let freed =
        |kind, estimated_bytes, freed_bytes, came_to| Freed { kind, estimated_bytes, freed_bytes, came_to };
    let way = |service: &str, before: &Back, after: &Back| Way {
        service: service.to_owned(),
        before: before.clone(),
        after: after.clone(),
    };
    let version = |version: &str| Back::Version(version.to_owned());
    let nowhere = |why: &str| Back::Nowhere(why.to_owned());
    Cleaned {
        host: "app".to_owned(),
        run: run_id(),
        kinds: vec![
            freed(Kind::Builds, 1_400 * MIB, Some(1_380 * MIB), CameTo::Done),
            freed(Kind::Image, 1_790 * MIB, Some(1_790 * MIB), CameTo::Done),
            freed(Kind::ContainerLog, 5 * GIB, None, CameTo::Failed),
            freed(Kind::Journal, 600 * MIB, None, CameTo::NotBegun),
            freed(Kind::Temporary, 0, None, CameTo::NotNeeded),
        ],
        disks: vec![
            (disk("/", 93 * GIB, 7 * GIB, None), Some(disk("/", 79 * GIB, 21 * GIB, None))),
            (disk("/srv", GIB, GIB, Some([990, 10])), Some(disk("/srv", GIB, GIB, Some([900, 100])))),
            (disk("/mnt", GIB, GIB, None), None),
        ],
        ways: vec![
            way("argus", &version("v1.1.0 (0123456789ab)"), &version("v1.1.0 (0123456789ab)")),
            way("hermes", &version("v1.1.0"), &nowhere("`v1.1.0` of `hermes` is not to be had")),
            way("iris", &nowhere("there is nothing"), &nowhere("there is nothing to go back to")),
            way("juno", &version("v2"), &Back::Unknown("host `app`: no route".to_owned())),
        ],
        left: left(&survey(), &place(&Cleanup::default())),
    }
}

#[test]
fn estimate_and_fact_stand_beside_each_other_and_every_way_back_is_told() {
    let cleaned = Cleaned { left: Vec::new(), ..cleaned() };
    insta::assert_snapshot!(plain(&after::text(&cleaned, 80)));
}

#[test]
fn a_program_reads_what_came_of_it() {
    let document: serde_json::Value = serde_json::from_str(&after::json(&cleaned())).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&document).unwrap());
}

#[test]
fn only_a_way_back_that_was_there_can_be_lost() {
    let lost: Vec<String> =
        cleaned().ways.iter().filter(|way| way.is_lost()).map(|way| way.service.clone()).collect();
    assert_eq!(lost, ["hermes"]);
}

#[test]
fn hosts_are_compared_and_one_that_does_not_answer_says_why() {
    let shares = [disk("/", 93 * GIB, 7 * GIB, None), disk("/srv", GIB, 9 * GIB, Some([990, 10]))];
    let all = [("app", Ok(&shares[..])), ("db", Err("host `db`: no route".to_owned()))];
    insta::assert_snapshot!(plain(&hosts(&all)), @r"
    HOST  DISK                   FREE                  WANTED
    app   /                      ✘ 7%            7GiB  20%
    app   /srv                   ✘ 1% of inodes  9GiB  20%
    db    ? host `db`: no route
    ");
}

#[test]
fn of_things_with_nothing_in_common_only_their_number_is_told() {
    let names: Vec<Reason> = (1..=5).map(|one| Reason::UsedBy(format!("c{one}"))).collect();
    let all: Vec<&Reason> = names.iter().collect();
    assert_eq!(reasons(Kind::Image, &all), "used by `c1`, `c2`, `c3` and 2 more");
    assert_eq!(reasons(Kind::Image, &all[..4]), "used by `c1`, `c2`, `c3` and `c4`");
    assert_eq!(count(Kind::RotatedLogs, &[&goes(Kind::RotatedLogs, "/var/log", 1, 7)]), Some(7));
}
