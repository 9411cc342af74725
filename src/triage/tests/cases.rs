//! One test for each way in which things go wrong, alone and together.

use super::super::finding::Kind;
use super::super::reading::Reading;
use super::super::rules::RULES;
use super::super::subject::Subject;
use super::super::target::Target;
use super::scene::Scene;
use crate::base::amount::Span;
use crate::base::percent::Percent;
use crate::base::size::Size;
use crate::model::escalation::Level;
use crate::model::thresholds::Severity;
use crate::triage::alert::{Alert, Labels};

fn instance(name: &str) -> Subject {
    Subject::Instance(name.into())
}

fn database(name: &str) -> Subject {
    Subject::Database(name.into())
}

fn cache() -> Subject {
    Subject::Cache("redis".into())
}

fn host() -> Subject {
    Subject::Host("app".into())
}

fn full(percent: f64) -> Reading {
    Reading::Disk { mount: "/".into(), used: Percent(percent), free: Size(0) }
}

fn alert() -> Reading {
    Reading::Alert(Alert {
        name: "ServiceDown".into(),
        severity: Severity::Critical,
        about: String::new(),
        since: None,
        is_silenced: false,
        labels: Labels::new(),
    })
}

fn expect(scene: &Scene, scenarios: &[(&str, &str)]) {
    let found = scene.scenarios();
    let found: Vec<(&str, &str)> = found.iter().map(|(name, of)| (name.as_str(), of.as_str())).collect();
    assert_eq!(found, scenarios, "{:#?}", scene.findings());
}

#[test]
fn nothing_is_found_where_everything_is_well() {
    let scene = Scene::well().measured(&host(), full(50.0));
    expect(&scene, &[]);
    assert_eq!(scene.level(), None);
}

#[test]
fn one_instance_is_named_and_the_others_are_not() {
    let scene = Scene::well().down(&instance("argus-1"));
    expect(&scene, &[("instance-down", "argus-1")]);
    assert_eq!(scene.level(), Some(Level::L1));
}

#[test]
fn a_service_is_down_when_each_of_its_instances_is_however_that_shows() {
    let scene = Scene::well().down(&instance("argus-1")).unhealthy(&instance("argus-2"));
    expect(&scene, &[("service-down", "service argus")]);
    assert_eq!(scene.level(), Some(Level::L2));
}

#[test]
fn a_service_of_one_instance_is_down_with_it() {
    expect(&Scene::well().down(&instance("hermes-1")), &[("service-down", "service hermes")]);
}

#[test]
fn a_database_that_is_down_explains_the_instances_that_run_and_are_not_well() {
    let scene = Scene::well()
        .down(&database("argus"))
        .unhealthy(&instance("argus-1"))
        .unhealthy(&instance("argus-2"))
        .unmeasured(&database("argus"));
    expect(&scene, &[("database-down", "database argus")]);
    assert_eq!(scene.level(), Some(Level::L2));
}

#[test]
fn an_instance_that_was_killed_has_a_cause_of_its_own_beside_the_database() {
    let scene =
        Scene::well().down(&database("argus")).down(&instance("argus-1")).unhealthy(&instance("argus-2"));
    expect(&scene, &[("database-down", "database argus"), ("instance-down", "argus-1")]);
}

#[test]
fn a_database_explains_nothing_of_a_service_that_does_not_need_it() {
    let scene = Scene::well().down(&database("argus")).unhealthy(&instance("hermes-1"));
    expect(&scene, &[("database-down", "database argus"), ("service-down", "service hermes")]);
}

#[test]
fn a_cache_that_is_down_explains_every_service_that_needs_it() {
    let all = ["argus-1", "argus-2", "hermes-1"].map(instance);
    let scene = all.iter().fold(Scene::well().down(&cache()), Scene::unhealthy);
    expect(&scene, &[("cache-down", "cache redis")]);
    assert_eq!(scene.level(), Some(Level::L3));
}

#[test]
fn a_cache_without_room_is_another_scenario_than_one_that_is_down() {
    let reading = Reading::CacheMemory { used: Size(100), most: Size(100) };
    let scene = Scene::well().measured(&cache(), reading).unhealthy(&instance("argus-1"));
    expect(&scene, &[("cache-full", "cache redis")]);
}

#[test]
fn a_cache_that_cannot_read_its_data_is_no_cache_that_a_restart_brings_back() {
    let scene = Scene::well().damaged(&cache()).unhealthy(&instance("argus-1"));
    expect(&scene, &[("cache-damaged", "cache redis")]);
    let evidence = "its container is exited (137), and its log says \"Wrong RDB checksum\"";
    assert_eq!(scene.causes()[0].shown_by[0].evidence, evidence);
}

#[test]
fn a_full_disk_is_named_before_what_is_down_beside_it() {
    let scene = Scene::well().measured(&host(), full(100.0)).down(&cache());
    expect(&scene, &[("disk-full", "host app"), ("cache-down", "cache redis")]);
}

#[test]
fn inodes_fill_up_a_disk_like_bytes_do() {
    let reading = Reading::Inodes { mount: "/".into(), used: Percent(99.0), free: 1 };
    expect(&Scene::well().measured(&host(), reading), &[("disk-full", "host app")]);
}

#[test]
fn an_unreachable_host_is_one_cause_and_says_nothing_about_other_hosts() {
    let scene = Scene::well().lost("app", Kind::HostUnreachable).down(&instance("lone-1"));
    expect(&scene, &[("host-lost", "host app"), ("service-down", "service lone")]);
    assert_eq!(scene.level(), Some(Level::L4));
    let alone = Scene::well().lost("app", Kind::HostUnreachable);
    expect(&alone, &[("host-lost", "host app")]);
    assert_eq!(alone.level(), Some(Level::L3));
}

#[test]
fn an_engine_that_does_not_answer_explains_all_of_its_containers() {
    let scene = Scene::well().lost("app", Kind::EngineDown).unmeasured(&cache());
    expect(&scene, &[("host-down", "host app")]);
}

#[test]
fn a_container_without_its_network_is_no_container_that_is_down() {
    let cut = |scene: Scene, subject: &Subject| {
        scene.with_container(subject, |container| container.networks.clear())
    };
    let scene = cut(Scene::well(), &instance("argus-1")).unhealthy(&instance("argus-1"));
    expect(&scene, &[("network-broken", "argus-1")]);
    let scene = cut(Scene::well(), &database("argus"))
        .unhealthy(&instance("argus-1"))
        .unhealthy(&instance("argus-2"));
    expect(&scene, &[("network-broken", "database argus")]);
}

#[test]
fn an_instance_that_was_killed_for_memory_or_is_about_to_be_is_told_apart() {
    let killed = Scene::well().down(&instance("argus-1"));
    let killed = killed.with_container(&instance("argus-1"), |container| container.oom_killed = true);
    expect(&killed, &[("out-of-memory", "argus-1")]);
    let near = |used| Reading::ContainerMemory { used: Size(used), limit: Size(100) };
    expect(&Scene::well().measured(&instance("argus-1"), near(90)), &[("out-of-memory", "argus-1")]);
    expect(&Scene::well().measured(&instance("argus-1"), near(75)), &[("-", "argus-1")]);
    expect(&Scene::well().measured(&instance("argus-1"), near(60)), &[]);
}

#[test]
fn what_could_not_be_asked_is_not_called_down() {
    let scene = Scene::well().unknown(&instance("argus-1")).unknown(&instance("argus-2"));
    expect(&scene, &[("-", "argus-1"), ("-", "argus-2")]);
    assert_eq!(scene.findings()[0].kind, Kind::NotAsked);
}

#[test]
fn an_instance_that_could_not_be_asked_keeps_the_service_from_being_called_down() {
    let scene = Scene::well().down(&instance("argus-1")).unknown(&instance("argus-2"));
    expect(&scene, &[("instance-down", "argus-1"), ("-", "argus-2")]);
}

#[test]
fn values_beyond_their_limits_are_told_and_mend_nothing_by_themselves() {
    let lag = Reading::ReplicationLag { behind: Span::secs(61) };
    let taken = Reading::Connections { used: 96, most: 100 };
    let scene = Scene::well().measured(&database("argus"), lag).measured(&database("hermes"), taken);
    let found: Vec<_> =
        scene.findings().into_iter().map(|finding| (finding.kind, finding.severity)).collect();
    assert_eq!(found, [(Kind::ConnectionsTaken, Severity::Critical), (Kind::CopyBehind, Severity::Critical)]);
    expect(&scene, &[("-", "database hermes"), ("-", "database argus")]);
    let slow = Reading::CacheLatency { took: Span::millis(6) };
    expect(&Scene::well().measured(&cache(), slow), &[("-", "cache redis")]);
}

#[test]
fn an_alert_is_evidence_of_a_cause_and_a_finding_where_there_is_none() {
    let monitoring = Subject::Monitoring("prometheus".into());
    let alone = Scene::well().measured(&monitoring, alert());
    expect(&alone, &[("-", "prometheus")]);
    let scene = Scene::well().down(&instance("argus-1")).measured(&monitoring, alert());
    expect(&scene, &[("instance-down", "argus-1")]);
    assert_eq!(scene.causes()[0].explains[0].kind, Kind::AlertFiring);
}

#[test]
fn a_proxy_that_does_not_answer_is_told() {
    expect(&Scene::well().unhealthy(&Subject::Endpoint("nginx".into())), &[("-", "nginx")]);
}

#[test]
fn a_high_error_rate_is_put_down_to_the_instance_that_is_down() {
    let rate = Reading::ErrorRate { failing: Percent(7.0) };
    let service = Subject::Service("argus".into());
    expect(&Scene::well().measured(&service, rate.clone()), &[("-", "service argus")]);
    let scene = Scene::well().measured(&service, rate).down(&instance("argus-2"));
    expect(&scene, &[("instance-down", "argus-2")]);
}

#[test]
fn what_could_not_be_measured_is_told_and_keeps_nothing_from_being_mended() {
    let scene = Scene::well().unmeasured(&database("argus")).down(&instance("argus-1"));
    expect(&scene, &[("instance-down", "argus-1"), ("-", "database argus")]);
    let target = Target::find(&scene.inventory, "argus").unwrap();
    let survey = scene.survey();
    assert_eq!(target.blindness(&survey, &scene.inventory), None);
    let causes = target.concerned(&survey, &scene.inventory);
    let scenarios: Vec<_> = causes.into_iter().map(|cause| cause.scenario.as_deref()).collect();
    assert_eq!(scenarios, [Some("instance-down")]);
}

#[test]
fn a_target_is_concerned_by_what_it_needs_and_by_nothing_else() {
    let scene = Scene::well().down(&database("argus")).down(&instance("hermes-1"));
    let survey = scene.survey();
    let concerned = |name: &str| {
        let target = Target::find(&scene.inventory, name).unwrap();
        let causes = target.concerned(&survey, &scene.inventory);
        causes.into_iter().filter_map(|cause| cause.scenario.clone()).collect::<Vec<_>>()
    };
    assert_eq!(concerned("argus"), ["database-down"]);
    assert_eq!(concerned("hermes"), ["service-down"]);
    assert_eq!(concerned("hermes-1"), ["service-down"]);
    assert_eq!(concerned("database/argus"), ["database-down"]);
    assert_eq!(concerned("app"), ["database-down", "service-down"]);
    assert!(concerned("argus-1").is_empty() && concerned("lone").is_empty() && concerned("redis").is_empty());
}

#[test]
fn a_target_on_a_lost_host_is_not_called_healthy() {
    let scene = Scene::well().lost("app", Kind::HostUnreachable);
    let survey = scene.survey();
    let blindness =
        |name: &str| Target::find(&scene.inventory, name).unwrap().blindness(&survey, &scene.inventory);
    assert!(blindness("argus").unwrap().why.contains("`argus` on host `app` could not be asked"));
    assert_eq!(blindness("lone"), None);
}

#[test]
fn a_certificate_that_nobody_could_look_at_is_not_called_healthy() {
    let certificate = Subject::Certificate("opareta".into());
    let why = |scene: &Scene, name: &str| {
        let target = Target::find(&scene.inventory, name).unwrap();
        target.blindness(&scene.survey(), &scene.inventory).map(|blindness| blindness.why)
    };
    let scene = Scene::well().unmeasured(&certificate);
    assert!(why(&scene, "opareta").unwrap().contains("`opareta` on host `app` could not be asked"));
    // It keeps nothing else from being mended.
    assert_eq!(why(&scene, "project/web"), None);
    // It is asked for without Docker, which may be just what it takes to serve it.
    let scene = Scene::well().lost("app", Kind::EngineDown).unmeasured(&certificate);
    expect(&scene, &[("host-down", "host app")]);
    assert!(why(&scene, "opareta").is_some());
    let days = Reading::Certificate { days: 80.0, is_due: false };
    let scene = Scene::well().lost("app", Kind::EngineDown).measured(&certificate, days);
    assert_eq!(why(&scene, "opareta"), None);
}

#[test]
fn a_certificate_is_renewed_from_the_day_on_which_triage_says_so() {
    let certificate = Subject::Certificate("opareta".into());
    let concerned = |name: &str, days: f64| {
        let scene = Scene::well().measured(&certificate, Reading::Certificate { days, is_due: days < 30.0 });
        let target = Target::find(&scene.inventory, name).unwrap();
        target.concerned(&scene.survey(), &scene.inventory).len()
    };
    assert_eq!((concerned("opareta", 14.0), concerned("opareta", 13.9)), (0, 1));
    assert_eq!((concerned("project/web", 13.9), concerned("project/web", 6.9)), (0, 1));
}

#[test]
fn every_rule_is_of_another_kind() {
    let mut kinds: Vec<_> = RULES.iter().map(|rule| rule.shown_by).collect();
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds.len(), RULES.len());
}

#[test]
fn a_certificate_is_told_by_the_days_that_it_has_left() {
    let certificate = Subject::Certificate("opareta".into());
    let told = |days: f64| {
        let scene = Scene::well().measured(&certificate, Reading::Certificate { days, is_due: days < 30.0 });
        let found = scene.findings();
        found.first().map(|finding| (finding.severity, finding.evidence.clone()))
    };
    assert_eq!(told(30.0), None);
    assert_eq!(told(29.9), Some((Severity::Notice, "it expires in 29.9 days".to_owned())));
    assert_eq!(told(14.0).unwrap().0, Severity::Notice);
    assert_eq!(told(13.9).unwrap().0, Severity::Warning);
    assert_eq!(told(5.0), Some((Severity::Critical, "it expires in 5.0 days".to_owned())));
    assert_eq!(told(0.5).unwrap().0, Severity::Emergency);
    assert_eq!(told(-2.0), Some((Severity::Emergency, "it expired 2.0 days ago".to_owned())));
    let scene = Scene::well().measured(&certificate, Reading::Certificate { days: 5.0, is_due: true });
    expect(&scene, &[("certificate-expiring", "certificate opareta")]);
    // Due for renewal, and nothing that anybody is called for.
    let scene = Scene::well().measured(&certificate, Reading::Certificate { days: 20.0, is_due: true });
    assert_eq!(scene.level(), None);
}

#[test]
fn a_certificate_for_other_names_is_as_bad_as_one_that_ends() {
    let certificate = Subject::Certificate("opareta".into());
    let scene = Scene::well().measured(&certificate, Reading::OtherNames { names: vec!["a.test".into()] });
    expect(&scene, &[("certificate-expiring", "certificate opareta")]);
    assert_eq!(scene.findings()[0].evidence, "it is for other names: a.test");
}
