//! Containers, networks, volumes and files, case by case.

use super::scene::*;
use crate::model::clutter::contents::*;
use crate::model::clutter::judge::judge;
use crate::model::clutter::survey::{Fate, Item, Kind, Reason};
use crate::model::clutter::terms::Cleanup;

/// With one container, and its image.
fn with(container: Container) -> Engined {
    Engined { containers: vec![container], ..engine() }
}

fn stopped() -> Container {
    container("job", &image("tool:v1"))
}

fn told(items: &[Item]) -> Vec<(&str, u64, u64, bool)> {
    items.iter().map(|item| (item.name.as_str(), item.files, item.bytes, item.goes())).collect()
}

#[test]
fn a_container_goes_when_it_has_been_stopped_for_long_and_nothing_speaks_for_it() {
    let of_shop = || Container { project: Some("shop".to_owned()), ..stopped() };
    let unread = || Project { unread: Some("permission denied".to_owned()), ..project("shop") };
    for (container, projects, expected) in [
        (stopped(), vec![], Fate::Goes),
        (Container { is_running: true, ..stopped() }, vec![], Fate::Stays(Reason::Runs)),
        (Container { since: ago(23 * HOUR), ..stopped() }, vec![], Fate::Stays(Reason::Young)),
        (Container { since: ago(-HOUR), ..stopped() }, vec![], Fate::Stays(Reason::Young)),
        (Container { since: None, ..stopped() }, vec![], Fate::Stays(Reason::Young)),
        // It is stopped, and can be started.
        (of_shop(), vec![project("shop")], stays(Reason::Project, "shop")),
        (of_shop(), vec![unread()], stays(Reason::Unknown, "shop")),
        (of_shop(), vec![], stays(Reason::Unknown, "shop")),
        (of_shop(), vec![Project { is_gone: true, ..unread() }], Fate::Goes),
    ] {
        let engine = Engined { projects, ..with(container) };
        assert_eq!(fate(&host(engine.clone()), Kind::Container), expected, "{engine:?}");
    }
}

#[test]
fn a_container_stays_that_a_run_which_has_not_ended_names() {
    let id = stopped().id;
    for plan in
        [format!(r#"{{"containers":{{"{id}":"x"}}}}"#), r#"{"script":"docker start\njob"}"#.to_owned()]
    {
        let unfinished = vec![Unfinished { run: "7".to_owned(), plan }];
        let contents = Contents { unfinished, ..host(with(stopped())) };
        assert_eq!(fate(&contents, Kind::Container), stays(Reason::Run, "7"));
    }
}

#[test]
fn a_log_is_cut_to_its_end_or_goes_with_its_container() {
    let log = |bytes| Some(Log { path: "/d/x-json.log".to_owned(), bytes });
    let running = |bytes| Container { is_running: true, log: log(bytes), ..stopped() };
    let logs = |container| {
        let all = items(&host(with(container)));
        all.into_iter().filter(|item| item.kind == Kind::ContainerLog).collect::<Vec<_>>()
    };
    let long = logs(running((1 << 20) + 7));
    assert_eq!(told(&long), [("job", 1, 1 << 20, false), ("job", 1, 7, true)]);
    assert_eq!(long[1].path.as_deref(), Some("/d/x-json.log"));
    assert_eq!(long[1].id, Some(stopped().id));
    assert_eq!(told(&logs(running(1 << 20))), [("job", 1, 1 << 20, false)]);
    assert_eq!(logs(running(0)), []);
    let gone = items(&host(with(Container { log: log(7 << 20), ..stopped() })));
    assert_eq!(told(&gone), [("job", 0, 5 + (7 << 20), true)]);
}

#[test]
fn a_network_goes_when_nothing_is_on_it_and_no_project_has_it() {
    let network = || Network {
        id: digest("network"),
        name: "old_default".to_owned(),
        project: None,
        containers: 0,
        created: ago(700 * HOUR),
        is_own: false,
    };
    let of_old = || Network { project: Some("old".to_owned()), ..network() };
    let old = || Project { unread: Some("permission denied".to_owned()), ..project("old") };
    let declares = || Project { networks: vec!["old_default".to_owned()], ..project("shop") };
    for (network, projects, expected) in [
        (network(), vec![], Fate::Goes),
        (Network { is_own: true, ..network() }, vec![], Fate::Stays(Reason::Own)),
        (Network { containers: 1, ..network() }, vec![], stays(Reason::UsedBy, "1 container")),
        (Network { containers: 2, ..network() }, vec![], stays(Reason::UsedBy, "2 containers")),
        (Network { created: ago(HOUR), ..network() }, vec![], Fate::Stays(Reason::Young)),
        (Network { created: None, ..network() }, vec![], Fate::Stays(Reason::Young)),
        (network(), vec![declares()], stays(Reason::Project, "shop")),
        (of_old(), vec![project("old")], stays(Reason::Project, "old")),
        (of_old(), vec![], stays(Reason::Unknown, "old")),
        (of_old(), vec![Project { is_gone: true, ..old() }], Fate::Goes),
        // It may be one that is made by hand for that project.
        (network(), vec![old()], stays(Reason::Unknown, "old")),
    ] {
        let engine = Engined { networks: vec![network], projects, ..engine() };
        assert_eq!(fate(&host(engine.clone()), Kind::Network), expected, "{engine:?}");
    }
}

#[test]
fn a_volume_never_goes() {
    let volume = |users: &[&str], projects: &[&str]| Volume {
        name: "data".to_owned(),
        bytes: Some(7),
        users: users.iter().map(|user| (*user).to_owned()).collect(),
        projects: projects.iter().map(|project| (*project).to_owned()).collect(),
    };
    for (volume, expected) in [
        (volume(&["db"], &["shop"]), stays(Reason::UsedBy, "db")),
        (volume(&[], &["shop"]), stays(Reason::Project, "shop")),
        (volume(&[], &[]), Fate::Stays(Reason::Data)),
        (Volume { bytes: None, ..volume(&[], &[]) }, Fate::Stays(Reason::Data)),
    ] {
        let engine = Engined { volumes: vec![volume], ..engine() };
        assert_eq!(fate(&host(engine), Kind::Volume), expected);
    }
}

#[test]
fn of_files_goes_what_the_rule_takes_and_the_rest_is_told() {
    let pile = |rule, directory: &str, files| Pile {
        rule,
        directory: directory.to_owned(),
        mount: "/".to_owned(),
        files,
        bytes: files * 10,
        all_files: 5,
        all_bytes: 50,
    };
    let piles = vec![
        pile(Rule::Temporary, "/tmp", 2),
        pile(Rule::Temporary, "/var/tmp", 0),
        // Its files are counted above it.
        pile(Rule::Temporary, "/tmp/deep", 1),
        pile(Rule::RotatedLogs, "/var/log", 5),
        Pile { mount: "/tmp/disk".to_owned(), ..pile(Rule::Temporary, "/tmp/disk", 5) },
    ];
    let journal = Some(Journal {
        directory: "/var/log/journal".to_owned(),
        mount: "/".to_owned(),
        old_bytes: 30,
        all_bytes: 80,
    });
    let builds = Builds { dangling: 3, bytes: 40, all_bytes: 90 };
    let contents = Contents { piles, journal, ..host(Engined { builds, ..engine() }) };
    assert_eq!(
        told(&items(&contents)),
        [
            ("build cache", 0, 50, false),
            ("build cache", 3, 40, true),
            ("/var/log", 5, 50, true),
            ("/var/log/journal", 0, 50, false),
            ("/var/log/journal", 0, 30, true),
            ("/tmp/disk", 5, 50, true),
            ("/var/tmp", 5, 50, false),
            ("/tmp", 3, 30, false),
            ("/tmp", 2, 20, true),
        ]
    );
}

#[test]
fn what_is_spared_can_be_told_to_a_host_or_is_the_folder_above_it() {
    let spared = ["/srv/b", "/srv/a\nb/c", "/srv/", "/srv/two words"].map(str::to_owned).to_vec();
    let survey = judge(&Contents { spared, ..contents() }, &Cleanup::default());
    assert_eq!(survey.spare, ["/srv", "/srv/b", "/srv/two words"]);
}
