//! Failures of instances, over every way to the host: recovered, nothing healthy touched, no acknowledged write lost.

use crate::site::{Site, Way, text};

/// Containers that are the same ones, started at the same time, before and after.
fn assert_untouched(before: &Site, then: &std::collections::BTreeMap<String, String>, but: &[&str]) {
    let now = before.containers();
    for (service, identity) in then {
        if !but.contains(&service.as_str()) {
            assert_eq!(Some(identity), now.get(service), "`{service}` was touched");
        }
    }
}

fn one_instance_killed(way: Way) {
    let site = Site::take(way);
    let before = site.containers();
    site.lab("break", &["kill", "argus-1"]);
    let load = site.under_load(&["failover", "argus", "--yes"]);
    load.assert_nothing_lost(&site, "kill argus-1");
    assert_untouched(&site, &before, &["argus-1"]);
    assert!(load.stderr.contains("instance-down"), "{}", load.stderr);
}

fn both_instances_killed(way: Way) {
    let site = Site::take(way);
    let before = site.containers();
    site.lab("break", &["kill", "argus"]);
    let load = site.under_load(&["failover", "argus", "--yes"]);
    load.assert_nothing_lost(&site, "kill argus-1 and argus-2");
    assert_untouched(&site, &before, &["argus-1", "argus-2"]);
    assert!(load.stderr.contains("service-down"), "{}", load.stderr);
}

fn stopped_without_a_restart_policy(way: Way) {
    let site = Site::take(way);
    let before = site.containers();
    site.lab("break", &["disable", "argus-1"]);
    let load = site.under_load(&["failover", "argus-1", "--yes"]);
    load.assert_nothing_lost(&site, "disable argus-1");
    assert_untouched(&site, &before, &["argus-1"]);
}

/// A product is unhealthy because of what it depends on: that is mended, and the product comes back by itself.
fn dependency_down(way: Way, failure: &str, dependency: &str) {
    let site = Site::take(way);
    let before = site.containers();
    site.lab("break", &[failure, dependency]);
    let load = site.under_load(&["failover", "argus", "--yes"]);
    load.assert_nothing_lost(&site, &format!("{failure} {dependency}"));
    assert_untouched(&site, &before, &[dependency, "argus-1", "argus-2"]);
    assert_ne!(before[dependency], site.containers()[dependency], "`{dependency}` was started again");
}

fn cache_stopped(way: Way) {
    dependency_down(way, "stop", "redis");
}

fn database_stopped(way: Way) {
    dependency_down(way, "stop", "postgres-argus");
}

/// Its port takes connections, and nothing answers.
fn database_frozen(way: Way) {
    dependency_down(way, "pause", "postgres-argus");
}

/// It is well, and nobody gets to it.
fn database_blocked(way: Way) {
    dependency_down(way, "block", "postgres-argus");
}

/// It runs, its port takes connections, and nothing answers.
fn one_instance_frozen(way: Way) {
    let site = Site::take(way);
    let before = site.containers();
    site.lab("break", &["pause", "argus-1"]);
    let load = site.under_load(&["failover", "argus", "--yes"]);
    load.assert_nothing_lost(&site, "pause argus-1");
    assert_untouched(&site, &before, &["argus-1"]);
}

fn nothing_wrong(way: Way) {
    let site = Site::take(way);
    let before = site.containers();
    let output = site.run(&["failover", "argus", "--yes"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("nothing was changed"), "{}", text(&output.stderr));
    assert_untouched(&site, &before, &[]);
    let runs = site.run(&["runs", "list", "--json"]);
    assert_eq!(text(&runs.stdout).trim(), "[]", "a look is not a run");
}

fn only_planned(way: Way) {
    let site = Site::take(way);
    site.lab("break", &["kill", "argus-1"]);
    let before = site.containers();
    let output = site.run(&["failover", "argus", "--plan"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let plan = text(&output.stdout);
    assert!(plan.contains("docker compose -f docker-compose.prod.yml restart argus-1"), "{plan}");
    assert_untouched(&site, &before, &[]);
    assert_eq!(text(&site.run(&["runs", "list", "--json"]).stdout).trim(), "[]");
}

macro_rules! drill {
    ($($name:ident: $drill:ident over $way:ident;)*) => {$(
        #[test]
        fn $name() {
            $drill(Way::$way);
        }
    )*};
}

drill! {
    one_killed_instance_is_recovered_over_ssh_with_sudo: one_instance_killed over Sudo;
    one_killed_instance_is_recovered_over_ssh_in_the_docker_group: one_instance_killed over Group;
    one_killed_instance_is_recovered_locally: one_instance_killed over Local;
    a_killed_service_is_recovered_over_ssh_with_sudo: both_instances_killed over Sudo;
    a_killed_service_is_recovered_over_ssh_in_the_docker_group: both_instances_killed over Group;
    a_killed_service_is_recovered_locally: both_instances_killed over Local;
    a_stopped_instance_without_a_restart_policy_is_recovered_over_ssh: stopped_without_a_restart_policy over Sudo;
    a_stopped_instance_without_a_restart_policy_is_recovered_locally: stopped_without_a_restart_policy over Local;
    a_stopped_cache_is_mended_before_the_service_over_ssh: cache_stopped over Sudo;
    a_stopped_database_is_mended_before_the_service_over_ssh: database_stopped over Group;
    a_stopped_database_is_mended_before_the_service_locally: database_stopped over Local;
    a_frozen_database_is_mended_before_the_service_locally: database_frozen over Local;
    a_database_whose_port_is_blocked_is_mended_before_the_service_locally: database_blocked over Local;
    a_frozen_instance_is_recovered_over_ssh: one_instance_frozen over Sudo;
    a_healthy_service_is_left_alone_over_ssh: nothing_wrong over Sudo;
    a_healthy_service_is_left_alone_locally: nothing_wrong over Local;
    a_plan_names_every_command_and_touches_nothing_over_ssh_with_sudo: only_planned over Sudo;
    a_plan_names_every_command_and_touches_nothing_over_ssh_in_the_docker_group: only_planned over Group;
    a_plan_names_every_command_and_touches_nothing_locally: only_planned over Local;
}
