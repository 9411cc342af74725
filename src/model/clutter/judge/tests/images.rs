//! Images, case by case.

use super::scene::*;
use crate::base::image::short;
use crate::model::clutter::contents::*;
use crate::model::clutter::judge::judge;
use crate::model::clutter::survey::{Fate, Kind, Reason};
use crate::model::clutter::terms::Cleanup;

fn with(images: impl IntoIterator<Item = Image>) -> Engined {
    Engined { images: images.into_iter().collect(), ..engine() }
}

/// The tags of the images that go.
fn going(contents: &Contents) -> Vec<String> {
    let all = fates(contents, Kind::Image).into_iter();
    all.filter(|(_, fate)| *fate == Fate::Goes).map(|(name, _)| name).collect()
}

/// With versions of one image, pulled one hour after the other, the last of them a month ago.
fn versions(names: &[&str]) -> Engined {
    let pulled =
        |(number, name): (usize, &&str)| Image { tagged: ago((800 - number as i64) * HOUR), ..image(name) };
    with(names.iter().enumerate().map(pulled))
}

#[test]
fn an_image_that_nothing_needs_goes_with_all_of_its_names() {
    let mut both = image("argus:v1");
    both.tags.push("argus:stable".to_owned());
    both.digests.push(format!("mirror:5000/argus@{}", digest("argus:v1")));
    let all = items(&host(with([both.clone()])));
    assert_eq!(all.len(), 1);
    assert!(all[0].goes());
    assert_eq!((all[0].kind, all[0].name.as_str(), all[0].bytes), (Kind::Image, "argus:v1", 10));
    // The digest of the repository that it has tags in goes with the last of them; the other is a name of its own.
    assert_eq!(all[0].names, ["argus:v1", "argus:stable", &both.digests[1]]);
    assert_eq!(all[0].digest.as_ref(), Some(&both.digests[0]));
    let nameless = Image { tags: vec![], ..image("argus:v1") };
    let all = items(&host(with([nameless.clone()])));
    assert_eq!((all[0].kind, &all[0].names), (Kind::DanglingImage, &nameless.digests));
    let rest = Image { tags: vec![], digests: vec![], ..image("argus:v1") };
    let all = items(&host(with([rest.clone()])));
    assert_eq!((all[0].name.as_str(), all[0].names.len(), all[0].goes()), (short(&rest.id), 0, true));
}

#[test]
fn the_image_of_a_container_stays_whether_that_runs_or_not() {
    let image = image("argus:v1");
    let mut engine = with([image.clone()]);
    engine.containers.push(container("stopped", &image));
    assert_eq!(fate(&host(engine.clone()), Kind::Image), stays(Reason::UsedBy, "stopped"));
    engine.containers.push(Container { is_running: true, ..container("argus-1", &image) });
    assert_eq!(fate(&host(engine.clone()), Kind::Image), stays(Reason::UsedBy, "argus-1"));
    // Also where it has no name any more.
    engine.images[0] = Image { tags: vec![], digests: vec![], ..image };
    assert_eq!(fate(&host(engine), Kind::DanglingImage), stays(Reason::UsedBy, "argus-1"));
}

#[test]
fn the_last_releases_of_a_service_stay_and_what_is_older_goes() {
    let engine = versions(&["r/argus:v1", "r/argus:v2", "r/argus:v3", "r/argus:v4"]);
    let pinned =
        ["v4", "v2", "v3", "v1"].map(|tag| format!("r/argus:{tag}@{}", digest(&format!("r/argus:{tag}"))));
    let history: Vec<&str> = pinned.iter().map(String::as_str).collect();
    let contents = Contents { services: vec![released("r/argus", &history)], ..host(engine) };
    assert_eq!(going(&contents), ["r/argus:v1"]);
    let kept = fates(&contents, Kind::Image);
    assert_eq!(kept[1].1, stays(Reason::Release, "argus"));
    let terms = Cleanup { keep_releases: 0, ..Cleanup::default() };
    let survey = judge(&contents, &terms);
    let stays = survey.items.iter().filter(|item| !item.goes()).count();
    assert_eq!(stays, 2, "what runs and what it goes back to, whatever is asked");
}

#[test]
fn a_release_is_known_by_its_digest_when_its_tag_means_something_else_by_now() {
    let mut engine = versions(&["r/argus:v1", "r/argus:v2", "r/argus:v3", "r/argus:v4"]);
    // v1 was built anew under its old name: what was released has lost the tag.
    engine.images[0].tags.clear();
    engine.images[3].tags = vec!["r/argus:v1".to_owned()];
    let first = format!("r/argus:v1@{}", digest("r/argus:v1"));
    let contents = Contents { services: vec![released("r/argus", &[&first])], ..host(engine) };
    assert_eq!(fate(&contents, Kind::DanglingImage), stays(Reason::Release, "argus"));
    // What the tag means now, and the newest of the others until there are three.
    assert_eq!(going(&contents), ["r/argus:v2"]);
}

#[test]
fn what_the_history_lacks_is_made_up_by_the_newest_of_the_repository() {
    let engine = versions(&["r/argus:v1", "r/argus:v2", "r/argus:v3", "r/argus:v4", "r/hermes:v1"]);
    let nothing = Contents { services: vec![released("r/argus", &[])], ..host(engine.clone()) };
    assert_eq!(going(&nothing), ["r/argus:v1", "r/hermes:v1"]);
    // A release whose image is on no disk is no way back.
    let far = Contents {
        services: vec![released("r/argus", &["r/argus:v9", "r/argus:v8", "r/argus:v7", "r/argus:v1"])],
        ..host(engine)
    };
    assert_eq!(going(&far), ["r/argus:v2", "r/hermes:v1"]);
}

#[test]
fn an_image_that_a_project_names_stays_however_it_is_written() {
    let redis = Image { tags: vec!["redis:latest".to_owned()], ..image("redis:7") };
    let digest = redis.digests[0].split_once('@').unwrap().1.to_owned();
    for text in [
        "redis".to_owned(),
        "redis:latest".to_owned(),
        "docker.io/redis".to_owned(),
        "docker.io/library/redis:latest".to_owned(),
        format!("redis@{digest}"),
        format!("mirror:5000/redis:8@{digest}"),
        redis.id.clone(),
        short(&redis.id).to_owned(),
    ] {
        let mut engine = with([redis.clone()]);
        engine.projects.push(Project { images: vec![text.clone()], ..project("shop") });
        assert_eq!(fate(&host(engine), Kind::Image), stays(Reason::Project, "shop"), "{text}");
    }
    for text in ["redis:7", "mirror:5000/redis", "library/other", "postgres"] {
        let mut engine = with([redis.clone()]);
        engine.projects.push(Project { images: vec![text.to_owned()], ..project("shop") });
        assert_eq!(fate(&host(engine), Kind::Image), Fate::Goes, "{text}");
    }
}

#[test]
fn what_a_run_that_has_not_ended_may_touch_stays() {
    let image = image("r/argus:v1");
    let latest = Image { tags: vec!["r/argus:latest".to_owned()], ..image.clone() };
    let digest = image.digests[0].split_once('@').unwrap().1.to_owned();
    for (image, plan) in [
        (&image, r#"{"args":{"image":"r/argus:v1"}}"#.to_owned()),
        (&image, r#"{"script":"set -e\nr/argus:v1"}"#.to_owned()),
        (&image, format!(r#"{{"image":"other/argus@{digest}"}}"#)),
        (&image, format!(r#"{{"id":"{}"}}"#, image.id)),
        (&image, format!(r#"{{"id":"{}"}}"#, short(&image.id))),
        (&latest, r#"{"image":"r/argus"}"#.to_owned()),
    ] {
        let unfinished = vec![Unfinished { run: "7".to_owned(), plan: plan.clone() }];
        let contents = Contents { unfinished, ..host(with([image.clone()])) };
        assert_eq!(fate(&contents, Kind::Image), stays(Reason::Run, "7"), "{plan}");
    }
    let unfinished = vec![Unfinished { run: "7".to_owned(), plan: r#"{"image":"r/argus:v2"}"#.to_owned() }];
    assert_eq!(fate(&Contents { unfinished, ..host(with([image])) }, Kind::Image), Fate::Goes);
}

#[test]
fn an_image_that_came_lately_stays_and_so_does_one_of_unknown_age() {
    let old = image("argus:v1");
    for (tagged, created, is_young) in [
        (ago(23 * HOUR), ago(900 * HOUR), true),
        (ago(24 * HOUR), ago(900 * HOUR), false),
        // Nobody has tagged it: it was built then.
        (None, ago(HOUR), true),
        (None, ago(900 * HOUR), false),
        (None, None, true),
        // By a clock that is ahead.
        (ago(-HOUR), ago(900 * HOUR), true),
    ] {
        let contents = host(with([Image { tagged, created, ..old.clone() }]));
        let expected = if is_young { Fate::Stays(Reason::Young) } else { Fate::Goes };
        assert_eq!(fate(&contents, Kind::Image), expected, "{tagged:?} {created:?}");
    }
}

#[test]
fn an_image_with_a_name_stays_while_the_files_of_a_project_cannot_be_read() {
    let unread = Project { unread: Some("permission denied".to_owned()), ..project("shop") };
    let gone = Project { is_gone: true, ..unread.clone() };
    let riddle = Project { images: vec!["${REGISTRY}/argus".to_owned()], ..project("shop") };
    for (project, expected) in [
        (unread.clone(), stays(Reason::Unknown, "shop")),
        (riddle, stays(Reason::Unknown, "shop")),
        (gone, Fate::Goes),
    ] {
        let mut engine = with([image("argus:v1")]);
        engine.projects.push(project);
        assert_eq!(fate(&host(engine), Kind::Image), expected);
    }
    let mut engine = with([Image { tags: vec![], digests: vec![], ..image("argus:v1") }]);
    engine.projects.push(unread);
    assert_eq!(fate(&host(engine), Kind::DanglingImage), Fate::Goes, "no file can name it");
}

#[test]
fn an_image_that_no_registry_can_give_back_stays() {
    let built = Image { digests: vec![], ..image("tool:dev") };
    assert_eq!(fate(&host(with([built])), Kind::Image), Fate::Stays(Reason::Data));
}

#[test]
fn what_is_one_image_for_docker_goes_or_stays_as_one() {
    let one = image("argus:v1");
    let other = Image { id: one.id.clone(), ..image("hermes:v1") };
    let mut engine = with([one.clone(), other]);
    assert_eq!(items(&host(engine.clone())).len(), 1);
    engine.projects.push(Project { images: vec!["hermes:v1".to_owned()], ..project("shop") });
    assert_eq!(fate(&host(engine), Kind::Image), stays(Reason::Project, "shop"));
}
