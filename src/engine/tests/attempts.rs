//! What an attempt is said to have come to.

use std::time::Duration;

use super::scene::{Run, check, step};
use super::script::{Answer, Script, exit, failure, lost};
use crate::base::amount::Span;
use crate::host::failure::FailureKind;
use crate::model::plan::{Effect, PlannedCheck, PlannedStep, PlannedUndo};
use crate::run::event::{Choice, Event, Outcome, Rest};
use crate::run::state::{Status, StepStatus};

/// The first attempt at a step, and the run after it.
async fn tried(step: PlannedStep, done: Answer, checked: Answer) -> (Outcome, Run) {
    let world = Script::new([("do", vec![done]), ("check", vec![checked]), ("true", vec![exit(0)])]);
    let mut run = Run::new(vec![step]);
    run.drive(&world).await.unwrap();
    (run.outcomes().remove(0), run)
}

fn expecting(effect: Effect, check: PlannedCheck) -> PlannedStep {
    PlannedStep { expect: vec![check], ..step(effect) }
}

#[tokio::test(start_paused = true)]
async fn a_command_that_failed_may_have_changed_something_unless_it_only_reads() {
    for (effect, expected) in [(Effect::Changes, true), (Effect::Ensures, true), (Effect::Reads, false)] {
        let (outcome, run) = tried(step(effect), exit(1), exit(0)).await;
        let Outcome::Failed { message, may_have_changed, unreachable: None, log: Some(log), .. } = outcome
        else {
            panic!("{outcome:?}")
        };
        assert_eq!((message.as_str(), may_have_changed), ("exit code 1: a line", expected));
        assert_eq!(run.turn.dir.blobs().get(&log).unwrap(), b"a line\n", "what it wrote is kept");
        assert_eq!(run.turn.journal.state().status, Status::Halted);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_says_nothing_about_a_command_that_changes_something() {
    for (effect, kind) in [
        (Effect::Changes, FailureKind::Lost),
        (Effect::Changes, FailureKind::Timeout),
        (Effect::Changes, FailureKind::Protocol),
        (Effect::Ensures, FailureKind::Lost),
    ] {
        let (outcome, _) = tried(step(effect), failure(kind, true), exit(0)).await;
        let Outcome::Unknown { message, took_effect: false, log: Some(_), .. } = outcome else {
            panic!("{kind:?}: {outcome:?}")
        };
        assert_eq!(message, "host `app`: it is gone");
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_was_not_reached_is_waited_for() {
    for (effect, answer) in [
        (Effect::Changes, failure(FailureKind::Unreachable, false)),
        (Effect::Changes, failure(FailureKind::Timeout, false)),
        (Effect::Changes, lost(false)),
        (Effect::Reads, lost(true)),
    ] {
        let (outcome, run) = tried(step(effect), answer, exit(0)).await;
        assert!(
            matches!(&outcome, Outcome::Failed { may_have_changed: false, unreachable: Some(host), .. } if host == "app"),
            "{outcome:?}"
        );
        let state = run.turn.journal.state();
        assert!(matches!(state.rest, Some(Rest::WaitingForHost { .. })), "{:?}", state.rest);
        assert_eq!(state.status, Status::Waiting);
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_host_lacks_is_a_failure_and_nothing_to_wait_for() {
    for (effect, kind, is_dispatched) in [
        (Effect::Changes, FailureKind::Missing, false),
        (Effect::Changes, FailureKind::Privilege, false),
        (Effect::Reads, FailureKind::Timeout, true),
    ] {
        let (outcome, run) = tried(step(effect), failure(kind, is_dispatched), exit(0)).await;
        assert!(matches!(outcome, Outcome::Failed { unreachable: None, .. }), "{kind:?}: {outcome:?}");
        assert_eq!(run.turn.journal.state().status, Status::Halted);
    }
}

#[tokio::test(start_paused = true)]
async fn an_expectation_that_nobody_could_look_at_leaves_an_effect_unconfirmed() {
    let (outcome, run) = tried(expecting(Effect::Changes, check(5, 1, 0)), exit(0), lost(true)).await;
    assert!(matches!(outcome, Outcome::Unknown { took_effect: true, .. }), "{outcome:?}");
    assert!(matches!(run.turn.journal.state().rest, Some(Rest::WaitingForHost { .. })));

    let (outcome, _) = tried(expecting(Effect::Reads, check(5, 1, 0)), exit(0), lost(true)).await;
    assert!(matches!(outcome, Outcome::Failed { unreachable: Some(_), .. }), "{outcome:?}");

    let (outcome, _) = tried(expecting(Effect::Changes, check(5, 1, 0)), exit(0), exit(1)).await;
    assert!(matches!(outcome, Outcome::Failed { may_have_changed: true, .. }), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn an_output_that_is_not_there_fails_the_step() {
    let mut giving = step(Effect::Changes);
    let extract = |regex: &str| serde_json::from_value(serde_json::json!({ "regex": regex })).unwrap();
    giving.outputs.insert("line".to_owned(), extract("a (.*)"));
    let (outcome, _) = tried(giving.clone(), exit(0), exit(0)).await;
    assert!(matches!(&outcome, Outcome::Succeeded { outputs, .. } if outputs["line"] == "line"));

    giving.outputs.insert("image".to_owned(), extract("image: (.*)"));
    let (outcome, _) = tried(giving, exit(0), exit(0)).await;
    let Outcome::Failed { message, may_have_changed: true, .. } = outcome else { panic!("{outcome:?}") };
    assert!(message.starts_with("the output `image` cannot be taken: nothing matches"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_repeatable_step_whose_time_is_up_again_and_again_has_failed_at_last() {
    let slow = PlannedStep { timeout: Some(Span::secs(120)), ..step(Effect::Ensures) };
    let (_, run) = tried(slow, failure(FailureKind::Timeout, true), exit(0)).await;
    assert_eq!(run.outcomes().len(), 2);
    let state = run.turn.journal.state();
    assert_eq!((state.status, state.steps[0].status), (Status::Halted, StepStatus::Failed));
    assert!(state.steps[0].may_have_changed);
}

#[tokio::test(start_paused = true)]
async fn a_step_whose_time_is_up_and_that_may_not_be_repeated_is_asked_about() {
    let (_, run) = tried(step(Effect::Changes), failure(FailureKind::Timeout, true), exit(0)).await;
    let Some(Rest::WaitingForPerson { question, .. }) = &run.turn.journal.state().rest else {
        panic!("{:?}", run.turn.journal.state().rest)
    };
    assert_eq!(question, "did attempt 1 of `a` take effect? host `app`: it is gone");
}

#[tokio::test(start_paused = true)]
async fn a_done_when_has_to_hold_for_as_long_as_it_says() {
    let restart = PlannedStep { done_when: Some(check(0, 1, 3)), ..step(Effect::Ensures) };
    let flapping = vec![exit(0), exit(0), exit(1), exit(0)];
    let world = Script::new([("do", vec![exit(0)]), ("check", flapping)]);
    let mut run = Run::new(vec![restart.clone()]);
    run.drive(&world).await.unwrap();
    assert_eq!(world.times("do"), 1, "it answered and stopped answering");

    let world = Script::new([("do", vec![exit(0)]), ("check", vec![exit(0)])]);
    let mut run = Run::new(vec![restart]);
    run.drive(&world).await.unwrap();
    assert_eq!(world.times("do"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_world_that_takes_its_time_is_waited_for() {
    let mut world = Script::new([("do", vec![exit(0)])]);
    world.takes = Duration::from_secs(3600);
    let mut run = Run::new(vec![step(Effect::Changes)]);
    run.drive(&world).await.unwrap();
    let records = run.turn.dir.history().unwrap().records;
    assert!(matches!(records.last().unwrap().event, Event::RunEnded { .. }));
}

#[tokio::test(start_paused = true)]
async fn an_undo_needs_its_own_host_and_not_that_of_its_step() {
    let mut moved = step(Effect::Changes);
    if let PlannedUndo::Task(undo) = &mut moved.undo {
        undo.host = Some("spare".to_owned());
    }
    let world =
        Script::new([("do", vec![exit(0)]), ("undo", vec![exit(0)]), ("true", vec![lost(false), exit(0)])]);
    let mut run = Run::new(vec![moved]);
    run.drive(&world).await.unwrap();
    run.begin_turn(2);
    run.append(Event::UndoRequested { by: "ada".to_owned() });
    run.drive(&world).await.unwrap();
    assert_eq!(
        run.turn.journal.state().status,
        Status::Waiting,
        "nothing is undone past a host that is away"
    );
    run.begin_turn(3);
    run.append(Event::Decision { by: "ada".to_owned(), choice: Choice::Resume, reason: None });
    run.drive(&world).await.unwrap();
    assert_eq!(run.turn.journal.state().status, Status::Undone);
    assert_eq!(
        (world.hosts("true"), world.hosts("undo")),
        (vec!["spare".to_owned(); 2], vec!["spare".into()])
    );
}
