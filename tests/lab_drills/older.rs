//! Hosts that have only the older `docker-compose`.

use crate::site::{Site, Way, text};

const PLUGIN: &str = "/usr/libexec/docker/cli-plugins/docker-compose";
const HIDDEN: &str = "/usr/libexec/docker/docker-compose.hidden";
const STANDALONE: &str = "/usr/local/bin/docker-compose";

#[test]
fn a_host_with_only_the_older_docker_compose_is_recovered_too() {
    let site = Site::take(Way::Sudo);
    let hide = format!("cp -L {PLUGIN} {STANDALONE} && mv {PLUGIN} {HIDDEN}");
    let _older = site.altered(&hide, &format!("mv {HIDDEN} {PLUGIN} && rm {STANDALONE}"));
    site.lab("break", &["kill", "argus-1"]);
    let output = site.run(&["failover", "argus", "--yes"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("docker-compose -f docker-compose.prod.yml restart argus-1"), "{said}");
    assert!(!said.contains("docker compose "), "{said}");
}
