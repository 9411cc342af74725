//! `opsctl doctor`.

use std::process::ExitCode;
use std::time::Duration;

use futures_util::future::join_all;

use super::Global;
use super::open::Workplace;
use crate::base::amount::Span;
use crate::base::clock::{Timestamp, elapsed};
use crate::base::{Error, Kind, Result};
use crate::engine::hosts::Hosts;
use crate::host::Host;
use crate::host::failure::Failure;
use crate::host::kept::Place;
use crate::incident::desk::Desk;
use crate::journal::store::Store;
use crate::ui;
use crate::ui::doctor::{Finding, Verdict};

/// A host whose clock is further away than this makes records of different machines hard to put in order. Seconds.
const MOST_SKEW: i64 = 5;

/// The timer looks after incidents twice a minute.
const MOST_SILENCE: Duration = Duration::from_secs(180);

/// Check that everything is there that a run will need, on this machine and on every host
///
/// For each host: the connection, a shell and a folder for locks and receipts that survives a restart, whether other operators share
/// these locks, Docker and Compose, and the clock. Where an incident is open, whether somebody looks after it. Nothing is changed, but that the folder is made. Exits with 5 when something is bad.
#[derive(Debug, clap::Args)]
pub struct Doctor {}

impl Doctor {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let workplace = Workplace::open(global)?;
        let hosts = workplace.hosts();
        let names = workplace.site.inventory.standing().map(|(name, _)| name);
        let asked = join_all(names.map(|name| of_host(&hosts, name)));
        let mut findings = vec![store()];
        findings.extend(incidents(Timestamp::now()));
        findings.extend(workplace.patiently(asked).await.into_iter().flatten());
        hosts.close().await;
        let text = if global.json {
            format!("{}\n", serde_json::json!({ "kind": "doctor", "findings": findings }))
        } else {
            ui::doctor::text(&findings)
        };
        ui::look::give(&text)?;
        let is_bad = findings.iter().any(|finding| finding.verdict == Verdict::Bad);
        Ok(if is_bad { ExitCode::from(Kind::Unhealthy.exit_code()) } else { ExitCode::SUCCESS })
    }
}

/// Whether runs can be kept here.
fn store() -> Finding {
    let found = Store::open().and_then(|store| store.seat());
    finding(
        "",
        "journals",
        match found {
            Ok(_) => Ok("runs can be kept on this machine".to_owned()),
            Err(error) => Err((error.message, error.hints.first().cloned())),
        },
    )
}

/// Whether somebody looks after the incidents that are open. Where none is, there is nothing to say.
fn incidents(now: Timestamp) -> Option<Finding> {
    let look = || {
        let desk = Desk::open()?;
        let open = desk.list()?.into_iter().filter(|incident| !incident.state.is_resolved()).count();
        Ok((open, desk.ticked_at()))
    };
    let found = match look() {
        Err(error) => Err((Error::to_string(&error), error.hints.first().cloned())),
        Ok((0, _)) => return None,
        Ok((open, ticked_at)) => {
            let are_open = match open {
                1 => "1 is open".to_owned(),
                _ => format!("{open} are open"),
            };
            let since = ticked_at.map(|at| elapsed(at, now));
            match since.filter(|since| *since < MOST_SILENCE) {
                Some(since) => Ok(format!("{are_open}, looked after {} ago", Span::rounded(since))),
                None => Err((
                    format!("{are_open}, and nobody looks after them: no page climbs"),
                    Some(
                        "opsctl incident watch   # or, for ever: opsctl incident tick --schedule".to_owned(),
                    ),
                )),
            }
        }
    };
    Some(finding("", "incidents", found))
}

async fn of_host(hosts: &Hosts, name: &str) -> Vec<Finding> {
    let host = match hosts.connection(name).await {
        Ok(host) => host,
        Err(failure) => return vec![finding(name, "connection", Err(told(failure)))],
    };
    let mut findings = vec![finding(name, "connection", Ok("stands".to_owned()))];
    match host.place().await {
        Ok(place) => {
            findings.push(receipts(name, &place));
            findings.push(sharing(name, &place));
        }
        Err(failure) => findings.push(finding(name, "receipts", Err(told(failure)))),
    }
    let engine = host.engine().await;
    findings.push(finding(name, "Docker", engine.map(|version| format!("engine {version}")).map_err(told)));
    findings.push(finding(
        name,
        "Compose",
        host.facts().await.map(|facts| facts.compose.join(" ")).map_err(told),
    ));
    findings.push(clock(&host, name).await);
    findings
}

/// Where the next run would keep its receipts.
fn receipts(host: &str, place: &Place) -> Finding {
    let Some(memory) = &place.memory else {
        return finding(host, "receipts", Ok(format!("in {}", place.folder)));
    };
    let note = format!("in memory, {memory}, until there is room in {}: a restart loses them", place.folder);
    let hint = Some(format!("opsctl cleanup disk --host {host}"));
    Finding { host: host.to_owned(), what: "receipts", verdict: Verdict::Poor, note, hint }
}

/// Whether operators who log in as different users see each other's locks.
fn sharing(host: &str, place: &Place) -> Finding {
    let is_group_writable = place.mode.as_bytes().get(5) == Some(&b'w');
    let (verdict, note, hint) = match (place.user.as_str(), is_group_writable) {
        (_, true) => (Verdict::Good, format!("with all members of the group {}", place.group), None),
        ("0", false) => (Verdict::Good, "with everybody who becomes root here".to_owned(), None),
        (user, false) => (
            Verdict::Poor,
            format!("with nobody: only user {user} sees these locks, other users take locks of their own"),
            Some("sudo install -d -m 2770 -g docker /var/lib/opsctl   # on the host".to_owned()),
        ),
    };
    Finding { host: host.to_owned(), what: "locks are shared", verdict, note, hint }
}

async fn clock(host: &Host, name: &str) -> Finding {
    let before = Timestamp::now();
    let theirs = host.clock().await;
    let after = Timestamp::now();
    let skew = match theirs {
        Ok(theirs) => (theirs - before.as_second()).min(0) + (theirs - after.as_second()).max(0),
        Err(failure) => return finding(name, "clock", Err(told(failure))),
    };
    let verdict = if skew.abs() > MOST_SKEW { Verdict::Poor } else { Verdict::Good };
    let note = match skew {
        -1..=1 => "agrees with this machine's".to_owned(),
        _ if skew > 0 => format!("{skew} s ahead of this machine's"),
        _ => format!("{} s behind this machine's", -skew),
    };
    Finding { host: name.to_owned(), what: "clock", verdict, note, hint: None }
}

fn finding(host: &str, what: &'static str, found: Result<String, (String, Option<String>)>) -> Finding {
    let (verdict, note, hint) = match found {
        Ok(note) => (Verdict::Good, note, None),
        Err((why, hint)) => (Verdict::Bad, why, hint),
    };
    Finding { host: host.to_owned(), what, verdict, note, hint }
}

fn told(failure: Failure) -> (String, Option<String>) {
    (failure.message, failure.hints.into_iter().next())
}
