//! A real Alertmanager: what is silenced by an incident, and until when.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use opsctl::incident::envelope::Envelope;
use opsctl::model::channel::MessageKind;
use serde_json::{Value, json};

use crate::scene::{Scene, alerts, message, wild};

struct Alertmanager {
    url: String,
    process: Child,
    _folder: tempfile::TempDir,
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Alertmanager {
    fn start() -> Alertmanager {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("alertmanager.yml");
        std::fs::write(&config, "route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n").unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut process = Command::new("prometheus-alertmanager")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", folder.path().display()))
            .arg(format!("--web.listen-address={address}"))
            .args(["--cluster.listen-address=", "--log.level=info"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("`prometheus-alertmanager` is needed: tests/run brings it");
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let is_up = |line: &String| line.contains("Listening on") || line.contains("msg=Listening");
        let up = lines.by_ref().map_while(Result::ok).find(is_up);
        assert!(up.is_some(), "Alertmanager does not start");
        // What it says later is read, so that it can say it.
        std::thread::spawn(move || lines.for_each(drop));
        Alertmanager { url: format!("http://{address}"), process, _folder: folder }
    }

    async fn get(&self, path: &str) -> Value {
        reqwest::get(format!("{}{path}", self.url)).await.unwrap().json().await.unwrap()
    }

    /// Fires, as Prometheus does.
    async fn fire(&self, instances: &[&str]) {
        let alerts: Vec<_> =
            alerts(instances).into_iter().map(|labels| json!({ "labels": labels })).collect();
        let sent =
            reqwest::Client::new().post(format!("{}/api/v2/alerts", self.url)).json(&alerts).send().await;
        assert!(sent.unwrap().status().is_success());
    }

    /// The instances whose alerts nobody hears.
    async fn silenced(&self) -> Vec<String> {
        let alerts = self.get("/api/v2/alerts").await;
        let is_silenced = |alert: &&Value| !alert["status"]["silencedBy"].as_array().unwrap().is_empty();
        let mut names: Vec<_> = alerts
            .as_array()
            .unwrap()
            .iter()
            .filter(is_silenced)
            .map(|alert| alert["labels"]["instance"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    }

    async fn silences(&self) -> Vec<Value> {
        let silences = self.get("/api/v2/silences").await;
        silences
            .as_array()
            .unwrap()
            .iter()
            .filter(|silence| silence["status"]["state"] == "active")
            .cloned()
            .collect()
    }
}

fn held(number: u32, instances: &[&str]) -> Envelope {
    Envelope { is_acknowledged: true, alerts: alerts(instances), ..message(number, MessageKind::Update) }
}

#[tokio::test]
async fn what_fires_is_silent_while_somebody_has_it_and_nothing_else_is() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let alertmanager = Alertmanager::start();
    let mut scene =
        Scene::new(&format!("{{ alertmanager: {{ url: \"{}\", silence_for: 30m }} }}", alertmanager.url));
    let firing = ["argus-1.a+b:80", "argus-2.a+b:80", "argusX1.a+b:80"];
    alertmanager.fire(&firing).await;

    let outcome = scene.send(message(1, MessageKind::Alert)).await;
    scene.took(&outcome);
    assert!(alertmanager.silences().await.is_empty(), "nobody has it yet");

    let outcome = scene.send(held(2, &firing[..2])).await;
    scene.took(&outcome);
    assert_eq!(alertmanager.silenced().await, firing[..2]);
    let first = alertmanager.silences().await;
    assert_eq!((first.len(), &first[0]["createdBy"]), (1, &json!("opsctl")));

    let outcome = scene.send(held(3, &firing)).await;
    scene.took(&outcome);
    assert_eq!(alertmanager.silenced().await, firing);
    assert_eq!(alertmanager.silences().await.len(), 1, "the silence is drawn out, and none is added");

    let outcome = scene.send(message(4, MessageKind::Resolution)).await;
    scene.took(&outcome);
    assert!(alertmanager.silences().await.is_empty());
    assert!(alertmanager.silenced().await.is_empty());
}

#[tokio::test]
async fn a_title_and_labels_of_any_kind_are_text() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let alertmanager = Alertmanager::start();
    let mut scene = Scene::new(&format!("{{ alertmanager: {{ url: \"{}\" }} }}", alertmanager.url));
    let firing = ["a.*", "(b|c)[d]{1}^$\\\"é🔥", "a-b"];
    alertmanager.fire(&firing).await;
    alertmanager.fire(&["anything"]).await;
    let message = Envelope { is_acknowledged: true, alerts: alerts(&firing), ..wild(1, MessageKind::Update) };
    let outcome = scene.send(message).await;
    scene.took(&outcome);
    let silenced = alertmanager.silenced().await;
    assert_eq!(silenced.len(), 3, "{silenced:?}");
    assert!(!silenced.contains(&"anything".to_owned()));
}
