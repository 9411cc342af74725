//! Two processes that look after the same incidents at once, a thousand times in all: every page arrives, and none twice.
//!
//! Pages become due one after the other while they do so, so that both find them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use jiff::tz::TimeZone;
use opsctl::base::clock::{Clock, Timestamp};
use opsctl::base::id::IncidentId;
use opsctl::engine::locate::Site;
use opsctl::engine::templates::Templates;
use opsctl::incident::desk::Desk;
use opsctl::incident::event::{Opening, Record};
use opsctl::incident::office::Office;
use opsctl::incident::post::Couriers;
use opsctl::incident::tick::tick;
use opsctl::model::escalation::Level;
use opsctl::model::thresholds::Severity;

const INVENTORY: &str = "name: shop\n\
    hosts: { here: { address: local } }\n\
    channels: { ops: { to: { file: pages.jsonl }, for: [page] } }\n";

const INCIDENTS: u32 = 8;
const TICKS: u32 = 1_000;

/// An incident whose first page is so old that the next level is due in `due`.
async fn open(folder: &Path, due: Duration) -> IncidentId {
    let opened = Timestamp::now() - Duration::from_secs(5 * 60) + due;
    let site = Site::load(&folder.join("opsctl.yaml")).unwrap();
    let incident = IncidentId::generate();
    let opening = Opening {
        incident,
        site: "shop".to_owned(),
        title: "argus is down".to_owned(),
        severity: Severity::Critical,
        services: vec!["argus".to_owned()],
        started_at: opened,
        detected_at: opened,
        level: Level::L1,
        group: None,
        inventory: site.path.display().to_string(),
    };
    let desk = Desk::at(&folder.join("state/incidents"));
    let mut hand = desk.create(opening, Record::ITSELF, Clock::fixed(opened)).unwrap();
    let office = Office {
        inventory: &site.inventory,
        templates: &Templates::open(Some(folder)).unwrap(),
        zone: TimeZone::UTC,
        post: &Couriers::new(&site.inventory, folder),
    };
    assert_eq!(tick(&mut hand, &office).await.unwrap().flushed.sent.len(), 1);
    incident
}

fn ticks(folder: &Path) {
    for _ in 0..TICKS / 2 {
        let ended = Command::new(env!("CARGO_BIN_EXE_opsctl"))
            .args(["incident", "tick"])
            .current_dir(folder)
            .env_clear()
            .env("HOME", folder)
            .env("OPSCTL_STATE_DIR", folder.join("state"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    }
}

#[tokio::test]
async fn two_processes_that_tick_at_once_page_nobody_twice_and_forget_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("opsctl.yaml"), INVENTORY).unwrap();
    let mut incidents = Vec::new();
    for number in 0..INCIDENTS {
        incidents.push(open(folder, Duration::from_millis(500) * number).await);
    }
    std::thread::scope(|scope| {
        scope.spawn(|| ticks(folder));
        scope.spawn(|| ticks(folder));
    });
    let mut arrived: BTreeMap<(String, String), u32> = BTreeMap::new();
    for line in fs::read_to_string(folder.join("pages.jsonl")).unwrap().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let page = format!("{}/{}", line["page"]["level"].as_str().unwrap(), line["page"]["round"]);
        *arrived.entry((line["incident"].as_str().unwrap().to_owned(), page)).or_default() += 1;
    }
    assert!(arrived.values().all(|times| *times == 1), "{arrived:?}");
    let desk = Desk::at(&folder.join("state/incidents"));
    for incident in incidents {
        for page in ["L1/1", "L2/1"] {
            assert!(arrived.contains_key(&(incident.to_string(), page.to_owned())), "{incident} {page}");
        }
        assert!(!desk.read(incident).unwrap().state.owes());
    }
}
