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

/// Nobody can tell of the databases and the cache; the rest is as it is.
fn stores_are_unknown(rows: &Value) {
    assert_eq!(row(rows, "argus-1")["health"], "healthy", "{rows}");
    for name in ["database argus", "database hermes", "cache redis"] {
        assert_eq!(row(rows, name)["health"], "unknown", "{rows}");
    }
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

#[test]
fn who_may_not_use_docker_is_told_so_and_nothing_is_called_down_over_ssh() {
    let site = Site::take(Way::Group);
    let _without = site.altered("gpasswd -d ops docker >/dev/null", "gpasswd -a ops docker >/dev/null");
    let (code, rows) = status(&site);
    assert_eq!(code, Some(5), "{rows}");
    stores_are_unknown(&rows);
    let output = site.run(&["failover", "argus", "--yes"]);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("hint: opsctl doctor"), "{}", text(&output.stderr));
    let output = site.run(&["doctor"]);
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("the user may not use Docker"), "{}", text(&output.stdout));
}

/// It takes connections, and answers nothing: nobody has been asked then.
#[test]
fn an_engine_that_hangs_is_not_taken_for_databases_that_are_down_over_ssh() {
    let site = Site::take(Way::Sudo);
    let _frozen = site.altered("pkill -STOP -x dockerd", "pkill -CONT -x dockerd");
    let (code, rows) = status(&site);
    assert_eq!(code, Some(5), "{rows}");
    stores_are_unknown(&rows);
}

/// A mistake in a check shows on the instance that is well; the one that is down answers nothing.
#[test]
fn a_check_that_is_broken_itself_is_found_on_what_is_well_locally() {
    const RUNBOOK: &str = r#"
runbook: own-restart
title: Restart what is down
risk: disruptive
params:
  service: { type: service, about: the service }
steps:
  - id: restart
    title: Restart the instance
    for_each: "{{ service.instances }}"
    do: { compose.restart: { project: "{{ item.project }}", service: "{{ item.name }}" } }
    done_when:
      http.get: { url: "{{ item.health }}", via: "{{ item.via }}" }
      that: json.databse == "ok"
    undo: none
"#;
    let site = Site::take(Way::Local);
    site.lab("break", &["kill", "argus-1"]);
    let before = site.containers();
    site.runbook("own-restart", RUNBOOK);
    let output = site.run(&["run", "own-restart", "service=argus", "--yes"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("of step `restart[argus-2]` is broken itself: `json.databse"), "{said}");
    assert_eq!(site.containers(), before, "nothing was changed");
    site.runbook("own-restart", &RUNBOOK.replace("databse", "database"));
    let output = site.run(&["run", "own-restart", "service=argus", "--yes"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("each check was tried once: 1 of 2 held"), "{said}");
    assert_eq!(site.containers()["argus-2"], before["argus-2"], "what is well was left alone");
}
