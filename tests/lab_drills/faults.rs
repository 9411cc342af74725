//! Failures of what instances stand on, the engine and the network: recovered, and no acknowledged write lost.

use crate::site::{Site, Way, text};

fn recovered(site: &Site, failures: &[[&str; 2]], target: &str, runbook: &str) {
    let before = site.containers();
    failures.iter().for_each(|failure| drop(site.lab("break", failure)));
    let load = site.under_load(&["failover", target, "--yes"]);
    let failures: Vec<_> = failures.iter().map(|failure| failure.join(" ")).collect();
    load.assert_nothing_lost(site, &failures.join(" and "));
    assert!(load.stderr.contains(runbook), "{}", load.stderr);
    // Nothing was made anew.
    let id = |identity: &String| identity.split(' ').next().map(str::to_owned);
    let ids = |containers: &std::collections::BTreeMap<String, String>| {
        containers.values().map(id).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(ids(&before), ids(&site.containers()));
}

#[test]
fn the_engine_of_a_host_is_started_over_ssh() {
    recovered(&Site::take(Way::Sudo), &[["kill", "engine"]], "host/app", "host-down");
}

#[test]
fn an_instance_that_was_cut_off_from_its_network_is_attached_over_ssh() {
    recovered(&Site::take(Way::Group), &[["disconnect", "argus-1"]], "argus", "network-broken");
}

#[test]
fn a_database_and_a_cache_that_were_cut_off_are_attached_locally() {
    let failures = [["disconnect", "postgres-argus"], ["disconnect", "redis"]];
    recovered(&Site::take(Way::Local), &failures, "argus", "network-broken");
}

#[test]
fn an_instance_that_takes_nearly_all_its_memory_is_restarted_while_the_other_serves_locally() {
    recovered(&Site::take(Way::Local), &[["fill", "argus-1"]], "argus", "out-of-memory");
}

#[test]
fn a_cache_that_has_no_memory_left_is_given_more_over_ssh() {
    recovered(&Site::take(Way::Sudo), &[["overfill", "redis"]], "argus", "cache-full");
}

#[test]
fn instances_that_were_killed_for_their_memory_are_started_again_over_ssh() {
    recovered(&Site::take(Way::Group), &[["overfill", "argus"]], "argus", "out-of-memory");
}

#[test]
fn a_network_that_was_removed_is_made_anew_locally() {
    recovered(&Site::take(Way::Local), &[["remove", "network"]], "project/opareta", "network-broken");
}

#[test]
fn a_certificate_that_ends_soon_is_renewed_by_its_authority_over_ssh() {
    let failure = [["expire", "certificate"]];
    recovered(&Site::take(Way::Sudo), &failure, "certificate/opareta", "certificate-expiring");
}

#[test]
fn a_database_and_an_instance_that_are_down_at_once_are_both_mended_locally() {
    let failures = [["stop", "postgres-argus"], ["kill", "argus-1"]];
    recovered(&Site::take(Way::Local), &failures, "argus", "instance-down");
}

#[test]
fn a_disk_that_is_full_and_a_cache_that_is_down_are_both_mended_over_ssh() {
    recovered(&Site::take(Way::Sudo), &[["fill", "disk"], ["stop", "redis"]], "argus", "disk-full");
}

/// Emptied by its name alone; what it held is kept.
#[test]
fn a_disposable_cache_that_cannot_read_its_data_is_started_empty_locally() {
    let site = Site::take(Way::Local);
    site.lab("break", &["damage", "redis"]);
    let asked = site.run(&["failover", "argus", "--yes"]);
    let said = text(&asked.stderr);
    assert_eq!(asked.status.code(), Some(4), "{said}");
    assert!(said.contains("cache-damaged") && said.contains("--confirm redis"), "{said}");
    let load = site.under_load(&["failover", "argus", "--yes", "--confirm", "redis"]);
    load.assert_nothing_lost(&site, "damage redis");
    let held =
        "find $(docker volume inspect -f '{{.Mountpoint}}' docker_redis)/opsctl-aside-* -name '*.base.rdb'";
    assert!(!site.on_host(held).is_empty(), "nothing was set aside");
}

/// It needs a restore: a restart is no more than one more write to what is damaged.
#[test]
fn a_database_whose_data_is_damaged_is_left_alone_locally() {
    let site = Site::take(Way::Local);
    site.lab("break", &["damage", "postgres-argus"]);
    let output = site.run(&["failover", "argus", "--yes"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(10), "{said}");
    assert!(
        said.contains("its log says \"incorrect checksum in control file\": keep what there is; where it starts, `opsctl restore argus"),
        "{said}"
    );
    assert!(said.contains("not begun: restart"), "{said}");
    assert!(said.contains("changed  nothing"), "{said}");
}

#[test]
fn a_project_is_made_anew_without_the_loss_of_a_write_locally() {
    let site = Site::take(Way::Local);
    let before = site.containers();
    let load = site.under_load(&["run", "recreate", "project=opareta", "--confirm", "opareta", "--yes"]);
    load.assert_nothing_lost(&site, "nothing; every container is made anew");
    let now = site.containers();
    assert!(before.iter().all(|(service, identity)| now[service] != *identity), "{before:#?} {now:#?}");
}
