//! What a host keeps of a command, and what the engine does with it.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::scene::{Run, check, step};
use super::script::{Script, exit, failure, gone, lost};
use crate::base::Kind;
use crate::base::amount::Span;
use crate::engine::cancel::Urgency;
use crate::host::failure::FailureKind;
use crate::model::operation::{HttpRequest, Operation, Via};
use crate::model::plan::{Effect, Form, PlannedStep, PlannedUndo, Task};
use crate::run::event::{Event, Finding, Outcome, Rest};
use crate::run::receipt::{Processes, Receipt};
use crate::run::signal::Signal;
use crate::run::state::{Status, StepStatus};

fn keys(world: &Script, word: &str) -> Vec<Option<String>> {
    world.all(word).into_iter().map(|asked| asked.key).collect()
}

/// How often the run found an attempt at its host.
fn follows(run: &Run) -> usize {
    let records = run.turn.dir.history().unwrap().records;
    let is_follow = |event: &Event| matches!(event, Event::StepObserved { finding: Finding::Followed, .. });
    records.iter().filter(|record| is_follow(&record.event)).count()
}

#[tokio::test(start_paused = true)]
async fn a_command_that_outlives_its_connection_is_followed_under_the_same_key() {
    for receipt in [Receipt::Running, Receipt::Ended { status: 0 }] {
        let world = Script::new([("do", vec![lost(true), exit(0)])]).with_receipts([Ok(receipt)]);
        let mut run = Run::new(vec![step(Effect::Changes)]);
        run.drive(&world).await.unwrap();
        assert_eq!(run.turn.journal.state().status, Status::Succeeded);
        assert!(matches!(run.outcomes()[..], [Outcome::Unknown { .. }, Outcome::Succeeded { .. }]));
        let key = Some(format!("{}/a/1", run.turn.dir.id));
        assert_eq!(keys(&world, "do"), [key.clone(), key.clone()]);
        assert_eq!(keys(&world, "(receipt)"), [key]);
        assert_eq!(follows(&run), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_followed_is_never_said_to_have_come_to_nothing() {
    for answer in [lost(false), failure(FailureKind::Missing, false), failure(FailureKind::Timeout, false)] {
        let answers = vec![lost(true), answer, exit(0)];
        let world = Script::new([("do", answers)]).with_receipts([Ok(Receipt::Running)]);
        let mut run = Run::new(vec![step(Effect::Changes)]);
        run.drive(&world).await.unwrap();
        let [Outcome::Unknown { .. }, Outcome::Unknown { .. }, Outcome::Succeeded { .. }] =
            run.outcomes()[..]
        else {
            panic!("{:?}", run.outcomes())
        };
    }
}

#[tokio::test(start_paused = true)]
async fn another_process_follows_what_the_first_left_running() {
    let world = Script::new([("do", vec![exit(0)])]).with_receipts([Ok(Receipt::Running)]);
    let mut run = Run::new(vec![step(Effect::Changes)]);
    let (step, phase) = (run.plan.steps[0].key.clone(), crate::run::event::Phase::Do);
    run.append(Event::StepStarted { step, attempt: 1, phase });
    run.begin_turn(2);
    run.drive(&world).await.unwrap();
    assert_eq!(run.turn.journal.state().status, Status::Succeeded);
    assert_eq!(keys(&world, "do"), [Some(format!("{}/a/1", run.turn.dir.id))]);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_away_is_asked_for_its_receipt_for_half_a_minute() {
    let away = || Err(gone(FailureKind::Unreachable, false));
    let answers = || Script::new([("do", vec![lost(true), exit(0)])]);
    let world = answers().with_receipts([away(), away(), away(), Ok(Receipt::Running)]);
    let mut run = Run::new(vec![step(Effect::Changes)]);
    run.drive(&world).await.unwrap();
    assert_eq!(run.turn.journal.state().status, Status::Succeeded);

    let world = answers().with_receipts([away()]);
    let mut run = Run::new(vec![step(Effect::Changes)]);
    let began = Instant::now();
    run.drive(&world).await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 30);
    assert!(
        matches!(&run.turn.journal.state().rest, Some(Rest::WaitingForHost { host, .. }) if host == "app")
    );
    assert_eq!(run.turn.journal.state().steps[0].status, StepStatus::Unknown);
}

#[tokio::test(start_paused = true)]
async fn only_what_changes_something_is_given_under_a_key() {
    let world = Script::new([("do", vec![exit(0)]), ("check", vec![exit(0)]), ("true", vec![exit(0)])]);
    let mut run = Run::new(vec![PlannedStep { expect: vec![check(1, 1, 0)], ..step(Effect::Reads) }]);
    run.drive(&world).await.unwrap();
    assert_eq!((keys(&world, "do"), keys(&world, "check")), (vec![None], vec![None]));
}

#[tokio::test(start_paused = true)]
async fn a_command_whose_time_is_up_is_ended_on_its_host() {
    for (ends, expected) in [(Processes::Ended, "gone"), (Processes::Unproved, "may go on")] {
        let mut world =
            Script::new([("do", vec![exit(0)])]).with_receipts([Ok(Receipt::Cut { why: "-".to_owned() })]);
        (world.takes, world.ends) = (Duration::from_secs(3600), (ends, Duration::from_secs(7)));
        let mut run = Run::new(vec![PlannedStep { timeout: Some(Span::secs(120)), ..step(Effect::Changes) }]);
        let began = Instant::now();
        run.drive(&world).await.unwrap();
        assert_eq!(began.elapsed().as_secs(), 127, "{expected}");
        let [Outcome::Unknown { message, processes, log: Some(_), .. }] = &run.outcomes()[..] else {
            panic!("{:?}", run.outcomes())
        };
        assert_eq!((message.as_str(), *processes), ("it did not end within 2m", ends));
        assert_eq!(keys(&world, "(end)"), keys(&world, "do"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_that_ends_while_it_is_being_ended_was_ended_all_the_same() {
    let mut world = Script::new([("do", vec![exit(0)])]).with_receipts([Ok(Receipt::Ended { status: 0 })]);
    (world.takes, world.ends) = (Duration::from_secs(125), (Processes::Ended, Duration::from_secs(60)));
    let mut run = Run::new(vec![PlannedStep { timeout: Some(Span::secs(120)), ..step(Effect::Changes) }]);
    run.drive(&world).await.unwrap();
    assert!(matches!(run.outcomes()[..], [Outcome::Unknown { processes: Processes::Ended, .. }]));
    assert!(matches!(run.turn.journal.state().rest, Some(Rest::WaitingForPerson { .. })));
}

#[tokio::test(start_paused = true)]
async fn the_second_ctrl_c_ends_what_is_under_way_and_the_run_rests() {
    let mut world = Script::new([("do", vec![exit(0)])]);
    (world.takes, world.ends) = (Duration::from_secs(3600), (Processes::Ended, Duration::from_secs(1)));
    let mut run = Run::new(vec![step(Effect::Changes)]);
    let pressed = run.cancel.clone();
    tokio::spawn(async move {
        for urgency in [Urgency::Gentle, Urgency::Now] {
            tokio::time::sleep(Duration::from_secs(10)).await;
            pressed.request(urgency);
        }
    });
    let began = Instant::now();
    run.drive(&world).await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 21);
    assert!(matches!(run.outcomes()[..], [Outcome::Unknown { processes: Processes::Ended, .. }]));
    assert!(matches!(run.turn.journal.state().rest, Some(Rest::Cancelled { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_line_is_shown_once_however_often_the_connection_is_lost_and_kept_in_whole() {
    let answers = vec![lost(true), lost(true), exit(0)];
    let mut world = Script::new([("do", answers)]).with_receipts([Ok(Receipt::Running)]);
    world.lines = 3;
    let mut run = Run::new(vec![step(Effect::Changes)]);
    let shown = Mutex::new(0);
    let count = |signal: Signal| {
        if matches!(signal, Signal::Output { .. }) {
            *shown.lock().unwrap() += 1;
        }
    };
    run.drive_telling(&world, &count).await.unwrap();
    assert_eq!(*shown.lock().unwrap(), 3);
    let Some(Outcome::Succeeded { log: Some(log), .. }) = run.outcomes().pop() else {
        panic!("it succeeded")
    };
    assert_eq!(run.turn.dir.blobs().get(&log).unwrap(), b"a line\n".repeat(3));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_once_somebody_else_has_taken_the_host_over() {
    let fenced = || gone(FailureKind::Fenced, false);
    let in_front = Script::new([("do", vec![Err(fenced())])]);
    let behind = Script::new([("do", vec![lost(true)])]).with_receipts([Err(fenced())]);
    for world in [in_front, behind] {
        let mut run = Run::new(vec![step(Effect::Changes)]);
        let error = run.drive(&world).await.unwrap_err();
        assert_eq!(error.kind, Kind::Refused, "{error}");
        assert!(error.message.contains("taken over") && !error.hints.is_empty(), "{error}");
        let records = run.turn.dir.history().unwrap().records;
        let last = &records.last().unwrap().event;
        assert!(matches!(last, Event::StepStarted { .. } | Event::StepFinished { .. }), "{last:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn on_the_way_back_a_step_only_has_to_end_before_it_is_undone() {
    let expecting = PlannedStep { expect: vec![check(600, 1, 0)], ..step(Effect::Changes) };
    let world = Script::new([
        ("do", vec![lost(true), exit(0)]),
        ("undo", vec![exit(0)]),
        ("true", vec![exit(0)]),
        ("check", vec![exit(1)]),
    ])
    .with_receipts([Err(gone(FailureKind::Unreachable, false)), Ok(Receipt::Running)]);
    let mut run = Run::new(vec![expecting]);
    run.cancel.request(Urgency::None);
    // The turn dies while it asks for the receipt.
    let _ = tokio::time::timeout(Duration::from_millis(500), run.drive(&world)).await.unwrap_err();
    run.begin_turn(2);
    run.append(Event::UndoRequested { by: "ada".to_owned() });
    run.drive(&world).await.unwrap();
    assert_eq!(run.turn.journal.state().status, Status::Undone);
    assert_eq!((world.times("do"), world.times("check"), world.times("undo")), (2, 0, 1));
    let seen = run.outcomes();
    assert!(matches!(seen[1], Outcome::Unknown { took_effect: true, .. }), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn the_world_is_told_of_every_record() {
    let world = Script::new([("do", vec![exit(0)])]);
    let mut run = Run::new(vec![step(Effect::Changes)]);
    let before = run.turn.journal.state().records as usize;
    run.drive(&world).await.unwrap();
    assert_eq!(world.noted(), run.turn.dir.history().unwrap().records[before..]);
}

fn request(headers: &[(&str, &str)]) -> PlannedStep {
    let operation = Operation::Http(HttpRequest {
        method: "POST".to_owned(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ..HttpRequest::get("http://localhost/pay".to_owned(), Span::secs(5), Via::Host)
    });
    let base = step(Effect::Changes);
    let task = Task { action: "http.request".to_owned(), form: Form::Ready(operation), ..base.task.clone() };
    PlannedStep { task, undo: PlannedUndo::None, ..base }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_sent_again_says_that_it_is_the_same() {
    const SENT: &str = "POST http://localhost/pay";
    let header = |world: &Script| -> Vec<Option<String>> {
        let all = world.all(SENT).into_iter().map(|asked| match asked.operation {
            Operation::Http(request) => request.headers.get("Idempotency-Key").cloned(),
            other => panic!("{other}"),
        });
        all.collect()
    };
    let answers = || vec![lost(true), Ok(serde_json::json!({ "status": 503, "error": null }))];
    let world = Script::new([(SENT, answers()), ("true", vec![exit(0)])]);
    let repeatable = |step: PlannedStep| PlannedStep {
        on_interrupted: crate::model::runbook::OnInterrupted::Rerun,
        retry: serde_json::from_value(serde_json::json!({ "attempts": 2 })).unwrap(),
        ..step
    };
    let mut run = Run::new(vec![repeatable(request(&[]))]);
    run.drive(&world).await.unwrap();
    let sent = header(&world);
    assert_eq!(sent.len(), 3);
    assert!(sent[0].is_some() && sent[0] == sent[1], "nobody saw how the first ended: {sent:?}");
    assert!(sent[1] != sent[2], "the second was refused, and this is another: {sent:?}");
    assert_eq!(world.times("(receipt)"), 0, "it is no command");

    let world = Script::new([(SENT, answers()), ("true", vec![exit(0)])]);
    let mut run = Run::new(vec![repeatable(request(&[("idempotency-key", "mine")]))]);
    run.drive(&world).await.unwrap();
    assert!(header(&world).iter().all(Option::is_none), "the author's own is left alone");
}
