//! `docs/drills.md`: what each drill measured. With `OPSCTL_UPDATE_DOCS=1` each of them writes its own row anew.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use opsctl::engine::catalog::{Catalog, Listing};
use opsctl::journal::store::Store;
use opsctl::model::runbook::Risk;

use crate::site::{Load, Site, Way};

const HEAD: &str = "\
# Drills

What opsctl recovers from, measured. Each row is a test in `tests/lab_drills`: a failure is made on purpose on a real stack (nginx, two services
of two instances each, two PostgreSQL, Redis, Prometheus) while a client writes through nginx, 50 orders a second; then one command is typed, with
`--yes`, and nothing else. `OPSCTL_UPDATE_DOCS=1 tests/run lab_drills` measures all of it again and writes this page.

- **failure**: what `tests/lab/break` is told; where nothing fails, what is typed.
- **recovered in**: from the command to its end, the looking before and the health checks after included.
- **target**: the runbook's `rto`.
- **failed**: of so many requests, over the whole drill; the outage before the command included.
- **longest gap**: between two writes that were acknowledged.
- **lost**, **doubled**: writes that were acknowledged and are not in the database, or are in it twice. A drill with one of them fails.
  What was written since a backup is not in the database that goes back to it, but in the one that is set aside, and so is not lost.
  A lost host takes with it what its database without a replica took after its newest backup: the drill checks that all before is there.

Two cores carried the hosts, the stack, the client and opsctl, and often other tests beside them: a machine of your own is faster.

| failure | host | mended by | recovered in | target | failed | longest gap | lost | doubled |
|---|---|---|---|---|---|---|---|---|
";

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/drills.md")
}

/// The rows of the page by failure and host.
fn rows(text: &str) -> BTreeMap<String, String> {
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| failure |"));
    rows.map(|row| (row.split(" | ").take(2).collect::<Vec<_>>().join(" | "), row.to_owned())).collect()
}

pub fn record(site: &Site, failure: &str, load: &Load) {
    if std::env::var_os("OPSCTL_UPDATE_DOCS").is_none() {
        return;
    }
    let host = match site.way {
        Way::Sudo => "ssh, sudo",
        Way::Spare => "ssh, sudo; a second one stands by",
        Way::Group => "ssh, group docker",
        Way::Local => "local",
        Way::Loopback => "ssh, root",
        Way::Fleet => "local, ten instances",
        Way::Small => "ssh, sudo; a small disk",
    };
    let mut runs = Store::at(site.state_dir()).list().unwrap();
    runs.sort_by_key(|run| run.id);
    let names: Vec<String> = runs.iter().map(|run| run.history().unwrap().plan.runbook.clone()).collect();
    let catalog = Catalog::open(None).unwrap();
    let rto = names.iter().filter_map(|name| catalog.get(name).ok()?.runbook.rto).max();
    let target = rto.map(|rto| rto.to_string()).unwrap_or_default();
    let seconds = |key: &str| format!("{:.1} s", load.count(key) as f64 / 1000.0);
    let row = format!(
        "| {failure} | {host} | {} | {} | {target} | {} of {} | {} | {} | {} |",
        names.join(", "),
        seconds("command_ms"),
        load.count("failed_requests"),
        load.count("requests"),
        seconds("longest_gap_ms"),
        load.count("missing_writes"),
        load.count("doubled_writes"),
    );
    // Drills on the two stacks end side by side.
    let mut file = File::options().read(true).write(true).create(true).truncate(false).open(page()).unwrap();
    file.lock().unwrap();
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    let mut rows = rows(&text);
    rows.extend(self::rows(&row));
    file.rewind().unwrap();
    file.set_len(0).unwrap();
    write!(file, "{HEAD}").unwrap();
    rows.values().for_each(|row| writeln!(file, "{row}").unwrap());
}

#[test]
fn every_runbook_that_recovers_something_has_a_drill_on_the_page() {
    let text = std::fs::read_to_string(page()).unwrap();
    let rows = rows(&text);
    let catalog = Catalog::open(None).unwrap();
    // What answers no alert, aims at no time and loses nothing prepares a recovery.
    let is_one = |listing: &Listing| {
        let runbook = listing.runbook.as_ref().unwrap();
        runbook.risk == Risk::Destructive || (runbook.risk > Risk::ReadOnly && runbook.rto.is_some())
    };
    for listing in catalog.list().into_iter().filter(is_one) {
        let is_there = rows
            .values()
            .any(|row| row.split(" | ").nth(2).unwrap().split(", ").any(|name| name == listing.name));
        assert!(is_there, "no drill is mended by `{}`", listing.name);
    }
}
