//! E-mail: a real server with TLS and AUTH, and one that does not do what it should.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use opsctl::incident::event::Outcome;
use opsctl::model::channel::MessageKind;
use serde_json::Value;

use crate::scene::{Scene, message, why, wild};

struct MailServer {
    port: u16,
    process: Child,
    /// What it prints.
    taken: Receiver<String>,
    certificate: String,
    _folder: tempfile::TempDir,
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl MailServer {
    fn start(mode: &str) -> MailServer {
        let folder = tempfile::tempdir().unwrap();
        let [certificate, key] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "2",
            ])
            .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .stderr(Stdio::null())
            .status();
        assert!(made.unwrap().success());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/channels/smtpd.py");
        let mut process = Command::new("/usr/bin/python3")
            .args([script, &port.to_string(), mode])
            .args([&certificate, &key])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let (give, taken) = channel();
        // It waits for nobody who reads.
        thread::spawn(move || lines.map(|line| give.send(line)).take_while(Result::is_ok).for_each(drop));
        let first = taken.recv().expect("`aiosmtpd` of Python is needed: tests/run brings it");
        assert_eq!(first, "ready");
        let certificate = std::fs::read_to_string(certificate).unwrap();
        MailServer { port, process, taken, certificate, _folder: folder }
    }

    /// A channel to it that trusts its certificate.
    fn scene(&self, tls: &str, password: &str) -> Scene {
        let to = format!(
            "{{ email: {{ server: \"localhost:{}\", tls: {tls}, ca: ca.pem, user: ops, password: {{ file: password }}, \
             from: \"opsctl <ops@opareta.test>\", to: [a@opareta.test, b@opareta.test] }} }}",
            self.port
        );
        Scene::with(&to, &[("ca.pem", &self.certificate), ("password", password)])
    }

    fn next(&self) -> Value {
        serde_json::from_str(&self.taken.recv().unwrap()).unwrap()
    }
}

fn header<'a>(mail: &'a Value, name: &str) -> Option<&'a str> {
    let text = mail["text"].as_str().unwrap();
    let head = text.split("\r\n\r\n").next().unwrap();
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[tokio::test]
async fn messages_of_an_incident_are_one_thread_for_every_reader() {
    for mode in ["starttls", "tls"] {
        let server = MailServer::start(mode);
        let mut scene = server.scene(mode, "s3cret password\n");
        for number in [1, 2, 3] {
            let outcome = scene.send(message(number, MessageKind::Update)).await;
            scene.took(&outcome);
        }
        let mails = [server.next(), server.next(), server.next()];
        assert_eq!(mails[0]["to"], serde_json::json!(["a@opareta.test", "b@opareta.test"]));
        assert_eq!(mails[0]["user"], "ops");
        let first = "<019f0000-0000-7000-8000-00000000abcd-1-ops@opareta.test>";
        assert_eq!((header(&mails[0], "Message-ID"), header(&mails[0], "In-Reply-To")), (Some(first), None));
        for mail in &mails[1..] {
            assert_eq!((header(mail, "In-Reply-To"), header(mail, "References")), (Some(first), Some(first)));
            assert_ne!(header(mail, "Message-ID"), Some(first));
        }
    }
}

#[tokio::test]
async fn a_title_of_any_kind_is_a_mail_that_a_server_takes() {
    let server = MailServer::start("starttls");
    let mut scene = server.scene("starttls", "s3cret password");
    let outcome = scene.send(wild(1, MessageKind::Alert)).await;
    scene.took(&outcome);
    let mail = server.next();
    assert!(mail["text"].as_str().unwrap().lines().all(|line| line.len() <= 998));
    assert!(header(&mail, "Subject").unwrap().starts_with("=?utf-8?"));
}

#[tokio::test]
async fn a_wrong_password_is_final_and_stays_unknown() {
    let server = MailServer::start("starttls");
    let outcome = server.scene("starttls", "another password").send(message(1, MessageKind::Alert)).await;
    assert!(matches!(&outcome, Outcome::Refused { why } if why.starts_with("535")), "{outcome:?}");
    assert!(!why(&outcome).contains("another password"));
}

#[tokio::test]
async fn a_server_with_a_certificate_that_nobody_trusts_gets_nothing() {
    let server = MailServer::start("starttls");
    let other = MailServer::start("starttls");
    let scene = server.scene("starttls", "s3cret password");
    std::fs::write(scene.folder.path().join("ca.pem"), &other.certificate).unwrap();
    let mut scene = scene;
    let outcome = scene.send(message(1, MessageKind::Alert)).await;
    assert!(matches!(&outcome, Outcome::Later { why, .. } if why.contains("certificate")), "{outcome:?}");
}

#[tokio::test]
async fn a_server_without_tls_gets_no_password() {
    let (port, seen) = scripted(|_| Some("250 opsctl.test\r\n".to_owned()));
    let to = format!(
        "{{ email: {{ server: \"localhost:{port}\", user: ops, password: {{ file: password }}, from: a@b.test, to: [c@d.test] }} }}"
    );
    let outcome =
        Scene::with(&to, &[("password", "s3cret password")]).send(message(1, MessageKind::Alert)).await;
    assert!(matches!(outcome, Outcome::Refused { .. }), "{outcome:?}");
    assert!(seen.join().unwrap().iter().all(|line| !line.starts_with("AUTH") && !line.starts_with("MAIL")));
}

/// A server without TLS: it answers a line as told, with nothing to close the connection. The end of a text is the line `.`.
fn scripted(
    answer: impl Fn(&str) -> Option<String> + Send + 'static,
) -> (u16, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        serve(&stream, answer)
    });
    (port, serving)
}

fn serve(mut stream: &TcpStream, answer: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut seen = Vec::new();
    stream.write_all(b"220 opsctl.test\r\n").unwrap();
    let mut is_text = false;
    for line in BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok) {
        seen.push(line.clone());
        if is_text && line != "." {
            continue;
        }
        let Some(reply) = answer(&line) else { return seen };
        is_text = reply.starts_with("354");
        if stream.write_all(reply.as_bytes()).is_err() {
            return seen;
        }
        if reply.is_empty() {
            // Until who asked has had enough.
            let _ = stream.read(&mut [0]);
            return seen;
        }
    }
    seen
}

/// Says yes to everything but what begins so.
fn but(
    begins: &'static str,
    reply: Option<&'static str>,
) -> impl Fn(&str) -> Option<String> + Send + 'static {
    move |line| {
        if line.starts_with(begins) {
            return reply.map(str::to_owned);
        }
        Some(if line == "DATA" { "354 go on\r\n" } else { "250 well\r\n" }.to_owned())
    }
}

async fn sent(answer: impl Fn(&str) -> Option<String> + Send + 'static) -> (Outcome, Vec<String>) {
    let (port, seen) = scripted(answer);
    let to = format!(
        "{{ email: {{ server: \"127.0.0.1:{port}\", tls: none, from: ops@opareta.test, to: [a@opareta.test, b@opareta.test] }} }}"
    );
    let outcome = Scene::new(&to).send(message(1, MessageKind::Alert)).await;
    (outcome, seen.join().unwrap())
}

#[tokio::test]
async fn what_a_server_says_before_the_text_is_taken_at_its_word() {
    for (begins, reply, is_final) in [
        ("EHLO", "421 busy\r\n", false),
        ("MAIL", "451 later\r\n", false),
        ("RCPT", "450 greylisted\r\n", false),
        ("RCPT", "550 nobody here\r\n", true),
        ("DATA", "554 no\r\n", true),
        (".", "452 no room\r\n", false),
        (".", "550 spam\r\n", true),
    ] {
        let (outcome, _) = sent(but(begins, Some(reply))).await;
        let is_as_said = match outcome {
            Outcome::Refused { .. } => is_final,
            Outcome::Later { .. } => !is_final,
            _ => false,
        };
        assert!(is_as_said, "{begins} {reply}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_connection_that_is_lost_before_the_text_is_for_later_and_after_it_unknown() {
    for (begins, is_unknown) in [("MAIL", false), ("RCPT", false), ("DATA", false), (".", true)] {
        let (outcome, _) = sent(but(begins, None)).await;
        let is_as_expected = match outcome {
            Outcome::Unknown { .. } => is_unknown,
            Outcome::Later { .. } => !is_unknown,
            _ => false,
        };
        assert!(is_as_expected, "{begins}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_hang_after_the_text_ends_at_the_deadline_and_nobody_knows() {
    let (outcome, _) = sent(but(".", Some(""))).await;
    assert!(matches!(&outcome, Outcome::Unknown { why } if why == "no answer within 10s"), "{outcome:?}");
}

#[tokio::test]
async fn one_reader_that_is_refused_does_not_keep_it_from_the_others_and_is_told() {
    let (outcome, seen) = sent(but("RCPT TO:<b@", Some("550 nobody here\r\n"))).await;
    assert!(
        matches!(&outcome, Outcome::Refused { why } if why.starts_with("it was sent, but not to b@opareta.test: 550")),
        "{outcome:?}"
    );
    assert!(seen.contains(&".".to_owned()), "{seen:?}");
}
