//! What opsctl sees of a real stack.

use serde_json::Value;

use crate::site::{Site, Way, text};

fn status(site: &Site) -> (Option<i32>, Value) {
    let output = site.run(&["status", "--json"]);
    let rows = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    (output.status.code(), rows)
}

fn row<'a>(rows: &'a Value, target: &str) -> &'a Value {
    let all = rows["rows"].as_array().unwrap();
    all.iter()
        .find(|row| row["instance"] == target || (row["target"] == target && row["instance"].is_null()))
        .unwrap_or_else(|| panic!("no row `{target}` in {rows}"))
}

fn the_table_says_what_is_down(way: Way) {
    let site = Site::take(way);
    let (code, rows) = status(&site);
    assert_eq!(code, Some(0), "{rows}");
    for name in
        ["argus-1", "argus-2", "hermes-1", "hermes-2", "nginx", "prometheus", "database argus", "cache redis"]
    {
        assert_eq!(row(&rows, name)["health"], "healthy", "{rows}");
    }
    site.lab("break", &["kill", "argus-2"]);
    site.lab("break", &["stop", "redis"]);
    let (code, rows) = status(&site);
    assert_eq!(code, Some(5), "{rows}");
    assert_eq!(row(&rows, "argus-2")["health"], "down");
    assert_eq!(row(&rows, "cache redis")["health"], "down");
    assert_eq!(row(&rows, "nginx")["health"], "healthy");
}

#[test]
fn the_health_table_says_what_is_down_over_ssh() {
    the_table_says_what_is_down(Way::Sudo);
}

#[test]
fn the_health_table_says_what_is_down_over_ssh_in_the_docker_group() {
    the_table_says_what_is_down(Way::Group);
}

#[test]
fn the_health_table_says_what_is_down_locally() {
    the_table_says_what_is_down(Way::Local);
}

#[test]
fn a_hanging_host_is_waited_for_no_longer_than_its_timeout() {
    let site = Site::take(Way::Sudo);
    site.lab("break", &["pause", "host"]);
    let output = site.run(&["failover", "argus", "--yes"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(11), "{said}");
    assert!(said.contains("error: ") && said.contains("on host `app` could not be asked: "), "{said}");
    assert!(said.contains("hint: "), "{said}");
}
