//! This machine as a host: commands really run, and their processes are really gone.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use opsctl::host::{Failure, FailureKind, Host, Limits, Output};
use opsctl::model::inventory;
use opsctl::model::operation::{Command, Operation, Program};
use opsctl::model::result::ResultKind;
use opsctl::run::signal::Stream;
use serde_json::{Value, json};

async fn local() -> Host {
    let spec = inventory::Host::at("local".parse().unwrap());
    Host::connect("app", &spec, Path::new("."), Limits::default()).await.unwrap()
}

fn shell(line: &str) -> Command {
    Command::new(Program::Shell(line.to_owned()))
}

async fn run(command: Command) -> Result<Output, Failure> {
    local().await.run(&command, Some(Duration::from_secs(20)), &mut |_, _| {}).await
}

fn is_running(what: &str) -> bool {
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        std::fs::read(entry.path().join("cmdline"))
            .is_ok_and(|line| line.split(|byte| *byte == 0).any(|word| word == what.as_bytes()))
    })
}

#[tokio::test]
async fn exit_codes_are_the_commands_own() {
    for code in [0, 1, 97, 127, 255] {
        assert_eq!(run(shell(&format!("exit {code}"))).await.unwrap().status, code);
    }
    assert_eq!(run(shell("kill -KILL $$")).await.unwrap().status, 137);
}

#[tokio::test]
async fn folder_environment_and_input_reach_the_command() {
    let folder = tempfile::Builder::new().prefix("it's a folder").tempdir().unwrap();
    let mut command = shell("pwd; echo \"$A\"; cat");
    command.directory = Some(folder.path().display().to_string());
    command.env.insert("A".into(), "x y 'z' $HOME".into());
    command.stdin = Some("from outside\n".into());
    let output = run(command).await.unwrap();
    assert_eq!(output.stdout, format!("{}\nx y 'z' $HOME\nfrom outside\n", folder.path().display()));
    assert_eq!(output.stderr, "");
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_told_from_a_command_that_failed() {
    let mut command = shell("exit 97");
    command.directory = Some("/nonexistent".into());
    let failure = run(command).await.unwrap_err();
    assert_eq!((failure.kind, failure.is_dispatched), (FailureKind::Missing, false));
    assert_eq!(failure.message, "there is no folder `/nonexistent`, or it cannot be entered");
}

#[tokio::test]
async fn lines_come_while_the_command_runs() {
    let start = Instant::now();
    let mut lines = Vec::new();
    let command = shell("echo one; echo two >&2; sleep 1; printf three");
    local()
        .await
        .run(&command, None, &mut |stream, line| lines.push((start.elapsed(), stream, line.to_owned())))
        .await
        .unwrap();
    let of = |wanted: Stream| lines.iter().filter(move |(_, stream, _)| *stream == wanted);
    assert_eq!(of(Stream::Out).map(|(_, _, line)| line.as_str()).collect::<Vec<_>>(), ["one", "three"]);
    assert_eq!(of(Stream::Err).map(|(_, _, line)| line.as_str()).collect::<Vec<_>>(), ["two"]);
    assert!(lines[0].0 + Duration::from_millis(700) < lines[2].0, "{lines:?}");
}

#[tokio::test]
async fn when_the_time_is_up_the_command_and_its_children_are_gone() {
    // A number that nothing else sleeps for.
    let sleep = format!("300.{}", std::process::id());
    let command = shell(&format!("trap '' TERM; (sleep {sleep} & sleep {sleep}) & sleep {sleep}; wait"));
    let start = Instant::now();
    let running = tokio::spawn(async move {
        local().await.run(&command, Some(Duration::from_secs(1)), &mut |_, _| {}).await
    });
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(is_running(&sleep));
    let failure = running.await.unwrap().unwrap_err();
    assert_eq!((failure.kind, failure.is_dispatched), (FailureKind::Timeout, true));
    assert_eq!(failure.message, "the command did not end within 1s");
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!is_running(&sleep));
}

#[tokio::test]
async fn what_is_left_in_the_background_does_not_hold_the_command_up() {
    let start = Instant::now();
    let output = run(shell("echo started; sleep 15 & exit 3")).await.unwrap();
    assert_eq!((output.status, output.stdout.as_str()), (3, "started\n"));
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_long_output_is_cut_and_says_so() {
    let output = run(shell("seq 1 2000000")).await.unwrap();
    assert!(output.stdout.len() < 1_100_000);
    assert!(output.stdout.starts_with("1\n2\n") && output.stdout.ends_with("1999999\n2000000\n"));
    assert!(output.stdout.contains(" bytes cut]"));
}

fn names(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn promised(result: ResultKind) -> BTreeSet<&'static str> {
    result.fields().iter().map(|field| field.name).collect()
}

#[tokio::test]
async fn an_operation_gives_the_fields_that_are_promised() {
    let host = local().await;
    let command = Operation::Command(shell("echo out; echo err >&2; exit 4"));
    let value = host.perform(&command, None, &mut |_, _| {}).await.unwrap().value;
    assert_eq!(value, json!({ "status": 4, "stdout": "out\n", "stderr": "err\n" }));
    assert_eq!(names(&value), promised(ResultKind::Command));

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let connect = Operation::Connect { address: "127.0.0.1".into(), port, deadline: "2s".parse().unwrap() };
    let value = host.perform(&connect, None, &mut |_, _| {}).await.unwrap().value;
    assert_eq!((&value["connected"], &value["error"]), (&json!(true), &json!(null)));
    assert_eq!(names(&value), promised(ResultKind::Connection));
    drop(listener);
    let value = host.perform(&connect, None, &mut |_, _| {}).await.unwrap().value;
    assert_eq!((&value["connected"], &value["error"]), (&json!(false), &json!("connection refused")));
}
