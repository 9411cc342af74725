//! A host that is lost, and the one that stands by for it.

use std::net::TcpStream;
use std::time::Duration;

use crate::place::APP;
use crate::site::{Site, Way, on, power_on, text};

/// How many orders a database has.
const ORDERS: &str =
    "docker exec opareta-postgres-SERVICE psql -qXAtU SERVICE -d SERVICE_db -c 'SELECT count(*) FROM orders'";

/// The digest of the image that argus runs.
const IMAGE: &str =
    "docker image inspect -f '{{index .RepoDigests 0}}' $(docker image ls -q '*/opareta/argus:v1.2.0')";

fn orders(service: &str) -> String {
    ORDERS.replace("SERVICE", service)
}

/// Of the database with a replica nothing is lost, of the other what came after its backup. The old host comes back and nobody finds it.
#[test]
fn a_lost_host_is_given_up_and_its_standby_takes_over_over_ssh() {
    let site = Site::take(Way::Spare);
    site.on_spare("docker image rm -f $(docker image ls -q '*/opareta/argus') >/dev/null");
    // In a store of its own: it is no part of the recovery.
    let before = tempfile::tempdir().unwrap();
    let mut prepare = site.opsctl(&["run", "standby", "host=app", "--yes"]);
    let prepared = prepare.env("OPSCTL_STATE_DIR", before.path()).output().unwrap();
    assert_eq!(prepared.status.code(), Some(0), "{}", text(&prepared.stderr));
    assert_eq!(site.on_spare(IMAGE), site.on_host(IMAGE), "the standby has the image that runs");
    let kept = site.on_host(&orders("hermes"));
    let after = site.written_to_the_first("hermes", 2).count("acknowledged_writes");
    site.lab("break", &["kill", "host"]);

    let named = site.run(&["triage", "--json"]);
    assert_eq!(named.status.code(), Some(5), "{}", text(&named.stderr));
    assert!(text(&named.stdout).contains("host-lost"), "{}", text(&named.stdout));
    let asked = site.run(&["failover", "argus", "--yes"]);
    assert_eq!(asked.status.code(), Some(4), "{}", text(&asked.stderr));
    assert!(text(&asked.stderr).contains("--confirm app"), "{}", text(&asked.stderr));

    let load = site.under_load(&["failover", "argus", "--yes", "--confirm", "app"]);
    load.assert_nothing_lost(&site, "kill host");
    assert!(load.stderr.contains("add `lost: true` to host `app`"), "{}", load.stderr);
    assert_eq!(site.on_spare(&orders("hermes")), kept, "the backup holds what there was when it was made");
    println!("drill: kill host: {after} writes to hermes came after its backup, and are lost");

    let inventory = site.taken_over();
    let healthy = site.run(&["--inventory", inventory.to_str().unwrap(), "failover", "argus", "--yes"]);
    assert_eq!(healthy.status.code(), Some(0), "{}", text(&healthy.stderr));
    assert!(
        text(&healthy.stderr).contains("is healthy: there is nothing to do"),
        "{}",
        text(&healthy.stderr)
    );

    power_on(APP);
    let before = on(APP, &format!("until {} 2>/dev/null; do sleep 1; done", orders("argus")));
    let load = site.written("argus", 2);
    assert_eq!((load.count("failed_requests"), load.count("missing_writes")), (0, 0), "{}", load.counts);
    assert_eq!(on(APP, &orders("argus")), before, "the old host took a write");
    let old = "127.0.0.2:22080".parse().unwrap();
    assert!(TcpStream::connect_timeout(&old, Duration::from_secs(1)).is_err(), "the old host can be reached");
}
