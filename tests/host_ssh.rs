//! A host over a real SSH server: what it does, what its failures are called, and how soon they are noticed.

mod common;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use common::sshd::{Sshd, free_port};
use opsctl::base::amount::Span;
use opsctl::host::{Failure, FailureKind, Host, Limits, Output};
use opsctl::model::inventory;
use opsctl::model::operation::{Command, HttpRequest, Operation, Program, Via};
use serde_json::{Value, json};

const QUICK: Limits = Limits {
    connect: Duration::from_secs(3),
    alive_interval: Duration::from_secs(1),
    alive_count: 2,
    docker: Duration::from_secs(10),
    output: 1 << 20,
};

async fn connect(sshd: &Sshd) -> Result<Host, Failure> {
    Host::connect("app", &sshd.spec(), sshd.folder(), Limits::default()).await
}

/// Soon impatient: on a busy machine too soon for anything that is not about that.
async fn connect_impatiently(sshd: &Sshd) -> Result<Host, Failure> {
    Host::connect("app", &sshd.spec(), sshd.folder(), QUICK).await
}

async fn connect_to(address: &str) -> Result<Host, Failure> {
    let spec = inventory::Host {
        ssh_config: Some("/dev/null".into()),
        ..inventory::Host::at(address.parse().unwrap())
    };
    Host::connect("app", &spec, std::path::Path::new("/"), QUICK).await
}

fn shell(line: &str) -> Command {
    Command::new(Program::Shell(line.to_owned()))
}

async fn run(host: &Host, line: &str) -> Result<Output, Failure> {
    host.run(&shell(line), Some(Duration::from_secs(20)), &mut |_, _| {}).await
}

async fn refused(connecting: impl Future<Output = Result<Host, Failure>>) -> Failure {
    let start = Instant::now();
    let failure = match connecting.await {
        Ok(_) => panic!("the connection was not refused"),
        Err(failure) => failure,
    };
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
    assert!(!failure.is_dispatched);
    assert!(failure.hints.iter().any(|hint| hint.starts_with("ssh -v ")), "{:?}", failure.hints);
    failure
}

async fn perform(host: &Host, operation: Operation) -> Value {
    host.perform(&operation, None, &mut |_, _| {}).await.unwrap().value
}

fn get(url: String) -> Operation {
    Operation::Http(HttpRequest::get(url, Span::secs(2), Via::Host))
}

#[tokio::test]
async fn commands_run_and_their_exit_codes_are_their_own() {
    let sshd = Sshd::start();
    let host = connect(&sshd).await.unwrap();
    for code in [0, 1, 97, 127, 255] {
        assert_eq!(run(&host, &format!("exit {code}")).await.unwrap().status, code);
    }
    assert_eq!(run(&host, "kill -KILL $$").await.unwrap().status, 137);
    let mut command = shell("pwd; echo \"$A\"; cat; echo err >&2");
    command.directory = Some("/tmp".into());
    command.env.insert("A".into(), "x 'y' $HOME".into());
    command.stdin = Some("from here\n".into());
    let output = host.run(&command, None, &mut |_, _| {}).await.unwrap();
    assert_eq!(
        output,
        Output { status: 0, stdout: "/tmp\nx 'y' $HOME\nfrom here\n".into(), stderr: "err\n".into() }
    );
    let failure = run_in(&host, "/nonexistent").await;
    assert_eq!((failure.kind, failure.is_dispatched), (FailureKind::Missing, false));
    host.close().await;
}

async fn run_in(host: &Host, directory: &str) -> Failure {
    let mut command = shell("true");
    command.directory = Some(directory.to_owned());
    host.run(&command, None, &mut |_, _| {}).await.unwrap_err()
}

#[tokio::test]
async fn many_commands_at_once_share_one_connection() {
    let sshd = Sshd::start();
    let host = connect(&sshd).await.unwrap();
    let all = (0..30).map(|number| {
        let host = &host;
        async move { run(host, &format!("sleep 0.1; echo {number}")).await.unwrap().stdout }
    });
    let outputs = futures_util::future::join_all(all).await;
    assert_eq!(outputs, (0..30).map(|number| format!("{number}\n")).collect::<Vec<_>>());
    host.close().await;
}

#[tokio::test]
async fn what_is_written_after_the_exit_code_came_is_not_lost() {
    let sshd = Sshd::start();
    let host = connect(&sshd).await.unwrap();
    let output = run(&host, "(sleep 0.5; echo late; echo later >&2) & echo first; exit 3").await.unwrap();
    assert_eq!(output, Output { status: 3, stdout: "first\nlate\n".into(), stderr: "later\n".into() });
    host.close().await;
}

#[tokio::test]
async fn what_a_login_shell_says_first_corrupts_nothing() {
    let noisy = "ForceCommand printf 'Welcome!\\nno newline'; echo motd >&2; eval \"$SSH_ORIGINAL_COMMAND\"";
    let sshd = Sshd::start_with(noisy);
    let host = connect(&sshd).await.unwrap();
    let output = run(&host, "echo out; echo err >&2; exit 3").await.unwrap();
    assert_eq!(output, Output { status: 3, stdout: "out\n".into(), stderr: "err\n".into() });
    host.close().await;
}

#[tokio::test]
async fn a_shell_that_does_not_start_the_command_is_not_a_command_that_failed() {
    let sshd = Sshd::start_with("ForceCommand echo 'This account is not available.'; exit 1");
    let host = connect(&sshd).await.unwrap();
    let failure = run(&host, "true").await.unwrap_err();
    assert_eq!((failure.kind, failure.is_dispatched), (FailureKind::Missing, false));
    assert!(failure.message.contains("This account is not available."), "{failure}");
    host.close().await;
}

#[tokio::test]
async fn a_connection_that_is_cut_leaves_the_command_unknown_at_once() {
    let sshd = Sshd::start();
    let host = connect(&sshd).await.unwrap();
    let cutting = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        sshd.signal_connections("KILL");
        Instant::now()
    };
    let (ended, cut) =
        tokio::join!(async { (run(&host, "echo begun; sleep 19").await, Instant::now()) }, cutting);
    let failure = ended.0.unwrap_err();
    assert_eq!((failure.kind, failure.is_dispatched), (FailureKind::Lost, true), "{failure}");
    assert!(ended.1 - cut < Duration::from_secs(2));
    assert!(!host.is_alive());
    let failure = run(&host, "true").await.unwrap_err();
    assert_eq!((failure.kind, failure.is_dispatched), (FailureKind::Lost, false), "{failure}");
    host.close().await;
}

#[tokio::test]
async fn a_host_that_falls_silent_leaves_the_command_unknown_within_seconds() {
    let sshd = Sshd::start();
    let host = connect_impatiently(&sshd).await.unwrap();
    let silencing = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        sshd.signal_connections("STOP");
        Instant::now()
    };
    let (ended, silent) = tokio::join!(async { (run(&host, "sleep 19").await, Instant::now()) }, silencing);
    let failure = ended.0.unwrap_err();
    assert_eq!((failure.kind, failure.is_dispatched), (FailureKind::Lost, true), "{failure}");
    assert!(failure.message.contains("not responding"), "{failure}");
    assert!(ended.1 - silent < Duration::from_secs(6));
    assert!(!host.is_alive());
    host.close().await;
}

#[tokio::test]
async fn a_command_whose_time_is_up_is_ended_on_the_host() {
    let sshd = Sshd::start();
    let host = connect(&sshd).await.unwrap();
    let command = shell("trap '' TERM; (sleep 300 & sleep 300) & wait");
    let failure = host.run(&command, Some(Duration::from_secs(1)), &mut |_, _| {}).await.unwrap_err();
    assert_eq!((failure.kind, failure.is_dispatched), (FailureKind::Timeout, true));
    let start = Instant::now();
    while !sshd.commands().is_empty() {
        assert!(start.elapsed() < Duration::from_secs(10), "{:?} are left", sshd.commands());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(run(&host, "echo still here").await.unwrap().stdout, "still here\n");
    host.close().await;
}

#[tokio::test]
async fn a_host_key_is_only_trusted_as_far_as_the_configuration_goes() {
    let sshd = Sshd::start();
    sshd.write_known_hosts("");
    for checking in ["yes", "ask"] {
        sshd.configure(checking);
        let failure = refused(connect(&sshd)).await;
        assert_eq!(failure.kind, FailureKind::HostKey, "{failure}");
    }
    sshd.configure("accept-new");
    connect(&sshd).await.unwrap().close().await;
    assert!(sshd.known_hosts().contains("ssh-ed25519"));

    sshd.know_another_host_key();
    for checking in ["yes", "accept-new", "no"] {
        sshd.configure(checking);
        let failure = refused(connect(&sshd)).await;
        assert_eq!(failure.kind, FailureKind::HostKey, "{failure}");
        assert!(failure.message.contains("REMOTE HOST IDENTIFICATION HAS CHANGED"), "{failure}");
        let remedy = format!("ssh-keygen -R '[127.0.0.1]:{}'", sshd.port);
        assert!(failure.hints.iter().any(|hint| hint.starts_with(&remedy)), "{:?}", failure.hints);
    }
}

#[tokio::test]
async fn each_way_not_to_get_through_has_its_name() {
    let failure = refused(connect_to(&format!("ssh://127.0.0.1:{}", free_port()))).await;
    assert_eq!(failure.kind, FailureKind::Unreachable);
    assert!(failure.message.contains("Connection refused"), "{failure}");

    let failure = refused(connect_to("ssh://no-such-host.invalid")).await;
    assert_eq!(failure.kind, FailureKind::Unreachable);

    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    let failure = refused(connect_to(&format!("ssh://127.0.0.1:{port}"))).await;
    assert_eq!(failure.kind, FailureKind::Timeout, "{failure}");

    let sshd = Sshd::start();
    sshd.forget_user();
    let failure = refused(connect(&sshd)).await;
    assert_eq!(failure.kind, FailureKind::Authentication);
    assert!(failure.message.contains("Permission denied ("), "{failure}");
}

#[tokio::test]
async fn a_url_of_the_host_is_asked_through_the_connection() {
    let sshd = Sshd::start();
    let host = connect(&sshd).await.unwrap();
    let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = server.local_addr().unwrap().port();
    let asked_by = std::thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let mut request = [0; 1024];
        let count = stream.read(&mut request).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n{\"status\": \"ok\"}").unwrap();
        (stream.peer_addr().unwrap().port(), String::from_utf8_lossy(&request[..count]).into_owned())
    });
    let value = perform(&host, get(format!("http://localhost:{port}/api/health"))).await;
    let (_, request) = asked_by.join().unwrap();
    assert!(request.starts_with("GET /api/health HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("host: localhost:{port}\r\n")), "{request}");
    assert_eq!((&value["status"], &value["json"]), (&json!(200), &json!({ "status": "ok" })));

    // The listener is closed: the host has nobody at that port any more.
    let value = perform(&host, get(format!("http://localhost:{port}/"))).await;
    assert_eq!((&value["status"], &value["error"]), (&json!(0), &json!("connection refused")));
    host.close().await;
}

#[tokio::test]
async fn a_connection_that_is_lost_is_not_a_service_that_is_down() {
    let sshd = Sshd::start();
    let host = connect(&sshd).await.unwrap();
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://127.0.0.1:{}/", silent.local_addr().unwrap().port());
    let value = perform(&host, get(url.clone())).await;
    assert_eq!(value["error"], "no answer within 2s");
    let cutting = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        sshd.signal_connections("KILL");
    };
    let request = get(url);
    let mut ignore = |_, _: &str| {};
    let (answer, ()) = tokio::join!(host.perform(&request, None, &mut ignore), cutting);
    assert_eq!(answer.unwrap_err().kind, FailureKind::Lost);
    host.close().await;
}

#[tokio::test]
async fn a_port_is_open_only_when_the_host_says_so() {
    let sshd = Sshd::start();
    let host = connect(&sshd).await.unwrap();
    // It accepts and says nothing: a connection that stands, though no byte ever comes.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let connect = |port| Operation::Connect { address: "localhost".into(), port, deadline: Span::secs(2) };
    let value = perform(&host, connect(silent.local_addr().unwrap().port())).await;
    assert_eq!((&value["connected"], &value["error"]), (&json!(true), &json!(null)));
    let value = perform(&host, connect(free_port())).await;
    assert_eq!((&value["connected"], &value["error"]), (&json!(false), &json!("connection refused")));
    host.close().await;
}

#[tokio::test]
async fn a_host_that_allows_no_forwarding_says_so_and_is_not_taken_for_a_service_that_is_down() {
    let sshd = Sshd::start_with("AllowTcpForwarding no");
    let host = connect(&sshd).await.unwrap();
    let failure = host.perform(&get("http://localhost:1/".into()), None, &mut |_, _| {}).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Protocol);
    assert!(failure.message.contains("administratively prohibited"), "{failure}");
    host.close().await;
}

#[tokio::test]
async fn a_host_that_opens_no_session_has_certainly_not_begun() {
    let sshd = Sshd::start_with("MaxSessions 0");
    let host = connect(&sshd).await.unwrap();
    let failure = run(&host, "true").await.unwrap_err();
    assert_eq!((failure.kind, failure.is_dispatched), (FailureKind::Protocol, false), "{failure}");
    host.close().await;
}

async fn until_no_client(sshd: &Sshd, within: Duration) {
    let start = Instant::now();
    while !sshd.clients().is_empty() {
        assert!(start.elapsed() < within, "a connection was left behind");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_host_that_is_closed_or_dropped_leaves_no_connection_behind() {
    let sshd = Sshd::start();
    let host = connect(&sshd).await.unwrap();
    assert_eq!(sshd.clients().len(), 1);
    host.close().await;
    until_no_client(&sshd, Duration::from_secs(3)).await;
    drop(connect(&sshd).await.unwrap());
    until_no_client(&sshd, Duration::from_secs(3)).await;
}

/// The test runs itself: as the process that holds a connection, and is killed.
#[tokio::test]
async fn a_process_that_is_killed_leaves_no_connection_behind() {
    const HOLD: &str = "OPSCTL_TEST_HOLD";
    const NAME: &str = "a_process_that_is_killed_leaves_no_connection_behind";
    if let Ok(folder) = std::env::var(HOLD) {
        let spec = inventory::Host {
            ssh_config: Some("ssh_config".into()),
            ..inventory::Host::at("ssh://box".parse().unwrap())
        };
        let host = Host::connect("app", &spec, std::path::Path::new(&folder), QUICK).await.unwrap();
        std::fs::write(std::path::Path::new(&folder).join("connected"), "").unwrap();
        host.lost().await;
        return;
    }
    let sshd = Sshd::start();
    let mut process = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME])
        .env(HOLD, sshd.folder())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while !sshd.folder().join("connected").exists() {
        assert!(start.elapsed() < Duration::from_secs(30), "the process does not connect");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    process.kill().unwrap();
    process.wait().unwrap();
    assert_eq!(sshd.clients().len(), 1);
    until_no_client(&sshd, Duration::from_secs(20)).await;
}
