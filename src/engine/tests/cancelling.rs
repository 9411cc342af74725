//! Ctrl-C: nothing begins any more, what changes something ends, and nobody has to wait for what can be looked at later.

use std::time::Duration;

use tokio::time::Instant;

use super::scene::{Run, check, step};
use super::script::{Script, exit};
use crate::base::id::StepKey;
use crate::engine::cancel::Urgency;
use crate::model::plan::{Effect, PlannedStep};
use crate::run::event::{Choice, Event, Outcome, Rest};
use crate::run::state::Status;

/// Drives the run, and presses Ctrl-C after so many seconds. How long it took in all.
async fn interrupted_after(run: &mut Run, world: &Script, seconds: u64) -> Duration {
    let began = Instant::now();
    let pressed = run.cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        pressed.request(Urgency::Gentle);
    });
    run.drive(world).await.unwrap();
    began.elapsed()
}

fn resume(run: &mut Run) {
    run.cancel = Default::default();
    run.begin_turn(2);
    run.append(Event::Decision { by: "ada".to_owned(), choice: Choice::Resume, reason: None });
}

fn is_cancelled(run: &Run) -> bool {
    matches!(&run.turn.journal.state().rest, Some(Rest::Cancelled { by }) if by == "ada")
}

#[tokio::test(start_paused = true)]
async fn what_changes_something_comes_to_its_end_and_nothing_begins_after_it() {
    let mut world = Script::new([("do", vec![exit(0)])]);
    world.takes = Duration::from_secs(60);
    let other = PlannedStep { key: StepKey::new("b"), ..step(Effect::Changes) };
    let mut run = Run::new(vec![step(Effect::Changes), other]);
    assert_eq!(interrupted_after(&mut run, &world, 5).await.as_secs(), 60);
    assert!(is_cancelled(&run) && world.times("do") == 1);
    assert!(matches!(run.outcomes()[..], [Outcome::Succeeded { .. }]));
    resume(&mut run);
    run.drive(&world).await.unwrap();
    assert_eq!((run.turn.journal.state().status, world.times("do")), (Status::Succeeded, 2));
}

#[tokio::test(start_paused = true)]
async fn an_expectation_is_not_waited_for_any_longer_and_is_looked_at_again_when_resumed() {
    let mut answers = vec![exit(1); 20];
    answers.push(exit(0));
    let world = Script::new([("do", vec![exit(0)]), ("check", answers)]);
    let mut run = Run::new(vec![PlannedStep { expect: vec![check(600, 1, 0)], ..step(Effect::Changes) }]);
    assert_eq!(interrupted_after(&mut run, &world, 5).await.as_secs(), 5);
    assert!(is_cancelled(&run));
    assert!(matches!(&run.outcomes()[..], [Outcome::Unknown { took_effect: true, message, .. }]
        if message == "Ctrl-C came while `command` was waited for"));
    resume(&mut run);
    run.drive(&world).await.unwrap();
    assert_eq!((run.turn.journal.state().status, world.times("do")), (Status::Succeeded, 1));
}

#[tokio::test(start_paused = true)]
async fn what_only_reads_is_cut_off_and_done_again_when_resumed() {
    let mut world = Script::new([("do", vec![exit(0)]), ("true", vec![exit(0)])]);
    world.takes = Duration::from_secs(60);
    let mut run = Run::new(vec![step(Effect::Reads)]);
    assert_eq!(interrupted_after(&mut run, &world, 5).await.as_secs(), 5);
    assert!(is_cancelled(&run));
    resume(&mut run);
    run.drive(&world).await.unwrap();
    assert_eq!((run.turn.journal.state().status, world.times("do")), (Status::Succeeded, 2));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_cancelled_before_it_begins_does_nothing() {
    let world = Script::new([]);
    let mut run = Run::new(vec![step(Effect::Changes)]);
    run.cancel.request(Urgency::Gentle);
    run.drive(&world).await.unwrap();
    assert!(is_cancelled(&run) && run.outcomes().is_empty());
}
