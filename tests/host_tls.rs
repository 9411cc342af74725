//! Certificates, as a real TLS server serves them: seen over SSH, on this machine, and from here.

mod common;

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::sshd::{Sshd, free_port};
use opsctl::action::registry;
use opsctl::base::amount::Span;
use opsctl::host::{Host, Limits, here};
use opsctl::model::operation::{Handshake, Operation, Via};
use opsctl::model::result::ResultKind;
use opsctl::model::{address::Address, inventory};
use serde_json::{Value, json};

/// `openssl s_server` with a certificate of its own. It ends with its value.
struct Server {
    folder: tempfile::TempDir,
    port: u16,
    process: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn openssl(folder: &Path, line: &str) -> String {
    let output = Command::new("openssl").args(line.split(' ')).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "openssl {line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What it takes to say from when a certificate is valid.
const AUTHORITY: &str = "\
[ca]
default_ca = own
[own]
database = index
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = names
[any]
commonName = supplied
[names]
subjectAltName = DNS:opareta.test, IP:127.0.0.1
";

impl Server {
    /// Its certificate has so many days left.
    fn start(days: i64) -> Server {
        Server::start_with(-30, days)
    }

    /// Its certificate is for `opareta.test` and 127.0.0.1, and valid from one day to the other, counted from now.
    fn start_with(from: i64, to: i64) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let ask = |line: &str| openssl(folder.path(), line);
        std::fs::write(folder.path().join("authority"), AUTHORITY).unwrap();
        std::fs::write(folder.path().join("index"), "").unwrap();
        let [from, to] = [from, to].map(|days| {
            let time = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
            time.strftime("%Y%m%d%H%M%SZ").to_string()
        });
        ask(
            "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -out request -subj /CN=Lab",
        );
        ask(&format!(
            "ca -batch -config authority -selfsign -keyfile key -in request -startdate {from} -enddate {to} -out certificate"
        ));
        let port = free_port();
        let process = Command::new("openssl")
            .args(["s_server", "-quiet", "-cert", "certificate", "-key", "key", "-accept"])
            .arg(port.to_string())
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let start = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(10), "the server does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Server { folder, port, process }
    }
}

fn handshake(port: u16, name: &str, via: Via) -> Operation {
    let (address, name) = ("localhost".to_owned(), name.to_owned());
    Operation::Handshake(Handshake { address, port, name, deadline: Span::secs(2), via })
}

async fn local() -> Host {
    let spec = inventory::Host::at(Address::Local);
    Host::connect("here", &spec, Path::new("/"), Limits::default()).await.unwrap()
}

async fn seen(host: &Host, operation: &Operation) -> Value {
    host.perform(operation, None, &mut |_, _| {}).await.unwrap().value
}

fn verdict(operation: &Operation, value: &Value) -> Result<(), String> {
    (registry::find("tls.certificate").unwrap().judge)(operation, value)
}

#[tokio::test]
async fn a_certificate_is_seen_as_it_is_served_whichever_way_is_gone() {
    let (server, sshd) = (Server::start(5), Sshd::start());
    let over_ssh = Host::connect("app", &sshd.spec(), sshd.folder(), Limits::default()).await.unwrap();
    let on_host = handshake(server.port, "opareta.test", Via::Host);
    let from_here = handshake(server.port, "opareta.test", Via::Here);
    let serial = openssl(server.folder.path(), "x509 -in certificate -noout -serial");
    let answers = [
        seen(&over_ssh, &on_host).await,
        seen(&local().await, &on_host).await,
        here::perform(&from_here).await.unwrap().value,
    ];
    for value in answers {
        assert_eq!((&value["served"], &value["error"]), (&json!(true), &json!(null)), "{value}");
        assert_eq!(value["names"], json!(["opareta.test", "127.0.0.1"]));
        assert_eq!((&value["covers"], &value["issuer"]), (&json!(true), &json!("CN=Lab")));
        let digits = value["serial"].as_str().unwrap().replace(':', "");
        assert_eq!(format!("serial={digits}\n"), serial);
        let days = value["days_left"].as_f64().unwrap();
        assert!((4.9..=5.0).contains(&days), "{days}");
        let promised: std::collections::BTreeSet<_> =
            ResultKind::Certificate.fields().iter().map(|field| field.name).collect();
        assert_eq!(
            value.as_object().unwrap().keys().map(String::as_str).collect::<std::collections::BTreeSet<_>>(),
            promised
        );
        assert_eq!(verdict(&on_host, &value), Ok(()));
    }
    over_ssh.close().await;
}

#[tokio::test]
async fn a_certificate_for_another_name_is_no_success() {
    let (server, host) = (Server::start(5), local().await);
    for (name, why) in [
        ("elsewhere.test", Some("it is not for `elsewhere.test`, but for [\"opareta.test\",\"127.0.0.1\"]")),
        ("127.0.0.1", None),
        ("OPARETA.test", None),
    ] {
        let operation = handshake(server.port, name, Via::Host);
        let verdict = verdict(&operation, &seen(&host, &operation).await);
        assert_eq!(verdict.err().as_deref(), why, "{name}");
    }
}

#[tokio::test]
async fn a_certificate_that_has_expired_is_seen_all_the_same() {
    let (server, host) = (Server::start(-1), local().await);
    let operation = handshake(server.port, "opareta.test", Via::Host);
    let value = seen(&host, &operation).await;
    assert_eq!(value["served"], true, "{value}");
    assert_eq!(verdict(&operation, &value).unwrap_err(), "it expired 1.0 days ago");
}

#[tokio::test]
async fn a_certificate_that_is_not_valid_yet_is_no_success() {
    let (server, host) = (Server::start_with(3, 90), local().await);
    let operation = handshake(server.port, "opareta.test", Via::Host);
    let why = verdict(&operation, &seen(&host, &operation).await).unwrap_err();
    assert_eq!(why, "it is not valid for another 3.0 days");
}

#[tokio::test]
async fn what_serves_no_certificate_says_why() {
    let sshd = Sshd::start();
    let over_ssh = Host::connect("app", &sshd.spec(), sshd.folder(), Limits::default()).await.unwrap();
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let silent = silent.local_addr().unwrap().port();
    for host in [&over_ssh, &local().await] {
        let asked = async |port| {
            let operation = handshake(port, "opareta.test", Via::Host);
            let value = seen(host, &operation).await;
            assert_eq!((&value["served"], &value["days_left"]), (&json!(false), &json!(null)), "{value}");
            verdict(&operation, &value).unwrap_err()
        };
        assert_eq!(asked(free_port()).await, "no certificate: connection refused");
        let start = Instant::now();
        assert_eq!(asked(silent).await, "no certificate: no answer within 2s");
        assert!(start.elapsed() < Duration::from_secs(4));
        // The SSH server speaks another language.
        let why = asked(sshd.port).await;
        assert!(why.starts_with("no certificate: received corrupt message"), "{why}");
    }
    over_ssh.close().await;
}
