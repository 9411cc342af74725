//! An outage that nobody is at the keyboard for: from the kill to the moment at which the service is watched again, by the stack's own Prometheus
//! and Alertmanager.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::site::{Site, Way, text};

/// What `tests/lab/stack/alertmanager/alertmanager.yml` sends.
const TOKEN: &str = "receiver-lab-only";

/// Messages go to a file, and one runbook may be run for one alert.
const TELLING: &str = r#"channels:
  file: { to: { file: told.jsonl } }
incidents:
  zone: Etc/UTC
  receiver: { token: { file: token } }
  automatic: [{ alert: ServiceCompletelyDown, runbook: service-down }]
"#;

struct Watch<'a> {
    site: &'a Site,
    inventory: PathBuf,
    receiver: Child,
}

impl<'a> Watch<'a> {
    /// A receiver where the stack's Alertmanager sends to.
    fn begin(site: &'a Site) -> Watch<'a> {
        let inventory = site.state_dir().join("opsctl.yaml");
        let of_the_lab = fs::read_to_string(site.inventory()).unwrap();
        fs::write(&inventory, of_the_lab + TELLING).unwrap();
        fs::write(site.state_dir().join("token"), TOKEN).unwrap();
        let log = fs::File::create(site.state_dir().join("serve.log")).unwrap();
        let mut receiver = site
            .opsctl(&["serve", "--listen", &format!("{}:9096", gateway()), "--json"])
            .env("OPSCTL_INVENTORY", &inventory)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(receiver.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let watch = Watch { site, inventory, receiver };
        assert!(line.contains("\"serving\""), "{line}{}", watch.log());
        watch
    }

    fn opsctl(&self, arguments: &[&str]) -> Command {
        let mut command = self.site.opsctl(arguments);
        command.env("OPSCTL_INVENTORY", &self.inventory).env("OPSCTL_OPERATOR", "ada");
        command
    }

    /// What it prints, once it succeeded.
    #[track_caller]
    fn does(&self, arguments: &[&str]) -> String {
        let output = self.opsctl(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.site.state_dir().join("serve.log")).unwrap_or_default()
    }

    /// The record of each incident.
    fn records(&self) -> Vec<Vec<Value>> {
        let Ok(entries) = fs::read_dir(self.site.state_dir().join("incidents")) else { return Vec::new() };
        let paths = entries.map(|entry| entry.unwrap().path().join("record.jsonl"));
        paths.filter(|path| path.exists()).map(|path| lines(&path)).collect()
    }

    /// The record of the incident of that alert, once it holds.
    #[track_caller]
    fn until(&self, alert: &str, what: &str, holds: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let deadline = Instant::now() + Duration::from_secs(240);
        loop {
            let records = self.records();
            let is_its = |record: &&Vec<Value>| {
                record
                    .first()
                    .is_some_and(|first| first["group"].as_str().is_some_and(|group| group.contains(alert)))
            };
            if let Some(record) = records.iter().find(is_its).filter(|record| holds(record)) {
                return record.clone();
            }
            assert!(Instant::now() < deadline, "not in time: {what}\n{}\n{records:#?}", self.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let _ = self.receiver.kill();
        let _ = self.receiver.wait();
    }
}

/// This machine, as the containers of its engine call it.
fn gateway() -> String {
    let format = "{{(index .IPAM.Config 0).Gateway}}";
    let output =
        Command::new("docker").args(["network", "inspect", "bridge", "-f", format]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).trim().to_owned()
}

/// Those that are whole.
fn lines(path: &std::path::Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn place(record: &[Value], is_meant: impl Fn(&Value) -> bool) -> Option<usize> {
    record.iter().position(is_meant)
}

#[test]
fn a_service_that_is_killed_is_told_of_paged_for_and_recovered_without_a_keystroke_locally() {
    let site = Site::take(Way::Local);
    let watch = Watch::begin(&site);
    let killed = Instant::now();
    site.lab("break", &["kill", "argus"]);
    let record = watch.until("ServiceCompletelyDown", "it is watched", |record| {
        record.iter().any(|line| line["type"] == "mitigated")
            && record.iter().any(|line| line["type"] == "ran" && line["is_end"] == true)
    });
    println!("drill: killed to watched without a keystroke: {:.1?}", killed.elapsed());
    // Detection, page, each step, recovery: in this order. The run watches for a while longer than the alert fires.
    let at = |what: &str, is_meant: &dyn Fn(&Value) -> bool| {
        place(&record, is_meant).unwrap_or_else(|| panic!("no {what} in {record:#?}"))
    };
    let order = [
        at("opening", &|line| line["type"] == "opened" && line["by"] == "opsctl"),
        at("page of L2", &|line| line["type"] == "paged" && line["level"] == "L2"),
        at("triage", &|line| line["type"] == "triaged" && line["runbook"] == "service-down"),
        at("link", &|line| line["type"] == "linked" && line["runbook"] == "service-down"),
        at("step", &|line| line["type"] == "ran" && line["is_end"] == false),
        at("recovery", &|line| line["type"] == "mitigated"),
    ];
    assert!(order.is_sorted(), "{order:?} {record:#?}");
    let told = || lines(&site.state_dir().join("told.jsonl"));
    let incident = record[0]["incident"].clone();
    let short = incident.as_str().unwrap().replace('-', "");
    let short = &short[short.len() - 8..];
    let pages: Vec<Value> = told()
        .into_iter()
        .filter(|line| line["kind"] == "page" && line["incident"] == incident)
        .map(|line| line["page"]["level"].clone())
        .collect();
    assert_eq!(pages, ["L1", "L2"], "each is paged once");
    // A person comes, and finds nothing left to do but to say so.
    watch.does(&["incident", "ack", short]);
    let after = ["--cause", "a drill", "--resolution", "started anew", "--follow-up", "drill again", "--yes"];
    watch.does(&[&["incident", "resolve", short][..], &after].concat());
    let resolution = told().into_iter().rfind(|line| line["incident"] == incident).unwrap();
    assert_eq!((&resolution["kind"], &resolution["status"]), (&"resolution".into(), &"resolved".into()));
    let document = watch.does(&["incident", "postmortem", short]);
    for said in ["service-down", "a drill", "drill again", "MTTA", "MTTR"] {
        assert!(document.contains(said), "`{said}` is not in {document}");
    }
}
