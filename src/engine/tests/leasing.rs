//! The hosts that a turn takes for itself, and what it does without them.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::scene::{Run, step};
use super::script::{Script, exit, gone, lost};
use crate::base::Kind;
use crate::base::clock::Timestamp;
use crate::base::id::{RunId, StepKey};
use crate::engine::cancel::Urgency;
use crate::engine::leases::Denied;
use crate::engine::world::Taken;
use crate::host::failure::{Failure, FailureKind};
use crate::model::plan::{Digest, Effect, PlannedStep, PlannedUndo};
use crate::run::event::{Choice, End, Event, Phase, Rest};
use crate::run::lease::{Folder, Head, Holder, Lease};
use crate::run::receipt::Receipt;
use crate::run::signal::Signal;
use crate::run::state::Status;

/// A step on `app`, and one on `data`.
fn on_two_hosts() -> Vec<PlannedStep> {
    let mut other = PlannedStep { key: StepKey::new("b"), undo: PlannedUndo::None, ..step(Effect::Changes) };
    other.task.host = Some("data".to_owned());
    vec![other, step(Effect::Changes)]
}

fn world() -> Script {
    Script::new([("do", vec![exit(0)]), ("undo", vec![exit(0)]), ("true", vec![exit(0)])])
}

fn erins(run: RunId, epoch: u64) -> Taken {
    let head = Head { seq: 1, digest: Digest::of(b"") };
    let (operator, why) = ("erin@laptop".to_owned(), "service-down service=argus".to_owned());
    let holder = Holder::Run { run, epoch, operator, why, since: Timestamp::UNIX_EPOCH, head };
    Taken::Refused { by: Lease { v: Lease::VERSION, fence: 7, holder } }
}

fn refused() -> Taken {
    erins(RunId::generate(), 1)
}

fn events(run: &Run) -> Vec<&'static str> {
    run.turn.dir.history().unwrap().records.iter().map(|record| record.event.name()).collect()
}

fn resume() -> Vec<Event> {
    vec![Event::Decision { by: "ada".to_owned(), choice: Choice::Resume, reason: None }]
}

#[tokio::test(start_paused = true)]
async fn every_host_that_is_changed_is_taken_in_the_order_of_names_and_given_back_at_the_end() {
    let (world, mut run) = (world(), Run::created(on_two_hosts()));
    assert_eq!(run.take_turn(&world, vec![]).await.unwrap(), None);
    assert_eq!(world.hosts("(take)"), ["app", "data"]);
    assert_eq!(world.hosts("(release)"), ["app", "data"]);
    let all = events(&run);
    let begun = ["run_created", "epoch_started", "lease_taken", "lease_taken", "step_started"];
    assert_eq!(all[..5], begun);
    assert_eq!(all[all.len() - 3..], ["run_ended", "lease_released", "lease_released"]);
    assert!(run.turn.journal.state().leases.is_empty());
    assert_eq!(world.noted().len(), all.len() - 1, "the hosts are told of all that came after the first");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_changes_nothing_takes_no_host() {
    let looks = PlannedStep { undo: PlannedUndo::None, ..step(Effect::Reads) };
    let (world, mut run) = (world(), Run::created(vec![looks]));
    run.take_turn(&world, vec![]).await.unwrap();
    assert_eq!((run.turn.journal.state().status, world.times("(take)")), (Status::Succeeded, 0));
}

#[tokio::test(start_paused = true)]
async fn a_fresh_run_that_does_not_get_all_its_hosts_gives_back_what_it_has_and_is_abandoned() {
    let world = world().with_take("data", [Ok(refused())]);
    let mut run = Run::created(on_two_hosts());
    let denied = run.take_turn(&world, vec![]).await.unwrap().unwrap();
    assert_eq!(world.hosts("(release)"), ["app"]);
    let Event::Decision { choice: Choice::Abandon, reason: Some(reason), .. } =
        &run.turn.dir.history().unwrap().records[2].event
    else {
        panic!("{:?}", events(&run))
    };
    assert_eq!(*reason, denied.to_string());
    assert!(reason.starts_with("host `data` is locked by erin@laptop for run "), "{reason}");
    assert!(reason.ends_with("`service-down service=argus`, since 1970-01-01T00:00:00Z"), "{reason}");
    assert_eq!(events(&run), ["run_created", "epoch_started", "decision", "run_ended"]);
    assert_eq!(world.times("do"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_resumed_run_that_does_not_get_its_hosts_stays_as_it_was() {
    for denial in [refused(), Taken::Outrun { records: 3 }] {
        let mut run = Run::created(on_two_hosts());
        run.append(Event::EpochStarted { operator: "ada".to_owned(), pid: 1 });
        run.append(Event::RunRested { rest: Rest::Cancelled { by: "ada".to_owned() } });
        let before = run.turn.journal.state().clone();
        let world = world().with_take("data", [Ok(denial.clone())]);
        let denied = run.take_turn(&world, resume()).await.unwrap().unwrap();
        let is_outrun = matches!(denied, Denied::Outrun { records: 3, .. });
        assert_eq!(is_outrun, matches!(denial, Taken::Outrun { .. }), "{denied}");
        let after = run.turn.journal.state();
        assert_eq!(
            (after.status, &after.rest, after.records),
            (before.status, &before.rest, before.records + 1)
        );
        assert_eq!(world.hosts("(release)"), ["app"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_does_not_answer_is_waited_for_by_a_resumed_run_and_ends_a_fresh_one() {
    let away = || Err(gone(FailureKind::Unreachable, false));
    let world = || world().with_take("app", [away()]);
    let mut fresh = Run::created(on_two_hosts());
    let denied = fresh.take_turn(&world(), vec![]).await.unwrap().unwrap();
    assert!(matches!(denied, Denied::Failed(_)), "{denied}");
    assert_eq!(fresh.turn.journal.state().status, Status::Abandoned);

    let mut resumed = Run::created(on_two_hosts());
    resumed.append(Event::EpochStarted { operator: "ada".to_owned(), pid: 1 });
    resumed.append(Event::RunRested { rest: Rest::Cancelled { by: "ada".to_owned() } });
    assert_eq!(resumed.take_turn(&world(), resume()).await.unwrap(), None);
    let state = resumed.turn.journal.state();
    assert!(matches!(&state.rest, Some(Rest::WaitingForHost { step: None, host, .. }) if host == "app"));
    assert_eq!(state.status, Status::Waiting);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_cannot_keep_leases_is_said_before_anything_runs() {
    let world = world().with_take("app", [Err(gone(FailureKind::Missing, false))]);
    let mut resumed = Run::created(on_two_hosts());
    resumed.append(Event::EpochStarted { operator: "ada".to_owned(), pid: 1 });
    assert!(matches!(resumed.take_turn(&world, vec![]).await.unwrap(), Some(Denied::Failed(_))));
    assert_eq!((events(&resumed).last().copied(), world.times("do")), (Some("epoch_started"), 0));
}

#[tokio::test(start_paused = true)]
async fn hosts_that_somebody_else_has_are_waited_for_as_long_as_was_asked_for() {
    let world = world().with_take("app", [Ok(refused()), Ok(refused()), Ok(refused()), Ok(Script::held(9))]);
    let mut run = Run::created(on_two_hosts());
    run.lock_wait = Duration::from_secs(60);
    let waits = Mutex::new(Vec::new());
    let tell = |signal: Signal| {
        if let Signal::Waiting { what, at_most: Some(_) } = signal {
            waits.lock().unwrap().push(what);
        }
    };
    let began = Instant::now();
    assert_eq!(run.take_turn_telling(&world, vec![], &tell).await.unwrap(), None);
    assert_eq!((began.elapsed().as_secs(), run.turn.journal.state().status), (3, Status::Succeeded));
    let waits = waits.into_inner().unwrap();
    assert!(waits.len() == 3 && waits[0].contains("erin@laptop"), "{waits:?}");

    let world = self::world().with_take("app", [Ok(refused())]);
    let mut run = Run::created(on_two_hosts());
    run.lock_wait = Duration::from_secs(5);
    let began = Instant::now();
    assert!(matches!(run.take_turn(&world, vec![]).await.unwrap(), Some(Denied::Refused { .. })));
    assert_eq!(began.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn ctrl_c_ends_the_wait_and_the_run_can_be_resumed() {
    let world = world().with_take("app", [Ok(refused())]);
    let mut run = Run::created(on_two_hosts());
    run.lock_wait = Duration::from_secs(600);
    let pressed = run.cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(20)).await;
        pressed.request(Urgency::Gentle);
    });
    let began = Instant::now();
    assert_eq!(run.take_turn(&world, vec![]).await.unwrap(), None);
    assert_eq!(began.elapsed().as_secs(), 20);
    assert!(matches!(run.turn.journal.state().rest, Some(Rest::Cancelled { .. })));

    let world = self::world();
    let mut run = Run::created(on_two_hosts());
    run.cancel.request(Urgency::Gentle);
    run.take_turn(&world, vec![]).await.unwrap();
    assert_eq!(
        (world.hosts("(take)"), world.hosts("(release)")),
        (vec!["app".to_owned()], vec!["app".into()])
    );
}

/// What a release says whose connection was lost.
fn cut() -> Result<(), Failure> {
    Err(gone(FailureKind::Lost, true))
}

#[tokio::test(start_paused = true)]
async fn a_host_whose_connection_was_lost_is_given_back_over_a_new_one() {
    let world = world().with_release([cut(), Ok(())]);
    let mut run = Run::created(vec![step(Effect::Changes)]);
    run.take_turn(&world, vec![]).await.unwrap();
    assert_eq!(world.hosts("(release)"), ["app", "app"]);
    assert_eq!(run.turn.journal.state().locked().count(), 0);
    assert_eq!(events(&run).last().unwrap(), &"lease_released");
}

#[tokio::test(start_paused = true)]
async fn a_host_that_cannot_be_given_back_is_told_of_and_is_no_error() {
    let world = world().with_release([cut(), cut()]);
    let mut run = Run::created(vec![step(Effect::Changes)]);
    let warned = Mutex::new(Vec::new());
    let tell = |signal: Signal| {
        if let Signal::Warned { what } = signal {
            warned.lock().unwrap().push(what);
        }
    };
    assert_eq!(run.take_turn_telling(&world, vec![], &tell).await.unwrap(), None);
    assert_eq!(run.turn.journal.state().status, Status::Succeeded);
    assert_eq!(*warned.lock().unwrap(), ["host `app` may still be locked for this run: it is gone"]);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_could_not_be_given_back_is_given_back_by_the_next_turn_that_does_not_need_it() {
    let world = world().with_release([cut(), cut(), Ok(())]);
    let mut run = Run::created(vec![PlannedStep { undo: PlannedUndo::None, ..step(Effect::Changes) }]);
    run.take_turn(&world, vec![]).await.unwrap();
    assert_eq!(events(&run)[events(&run).len() - 3..], ["run_ended", "lease_released", "lease_kept"]);
    assert_eq!(Vec::from_iter(run.turn.journal.state().locked()), ["app"]);
    run.take_turn(&world, vec![Event::UndoRequested { by: "ada".to_owned() }]).await.unwrap();
    assert_eq!(run.turn.journal.state().status, Status::Undone);
    assert_eq!(world.hosts("(release)"), ["app"; 3]);
    assert_eq!(run.turn.journal.state().locked().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_take_whose_answer_was_lost_is_asked_for_again() {
    let world = world().with_take("app", [Err(gone(FailureKind::Lost, true)), Ok(Script::held(2))]);
    let mut run = Run::created(vec![step(Effect::Changes)]);
    assert_eq!(run.take_turn(&world, vec![]).await.unwrap(), None);
    assert_eq!(run.turn.journal.state().status, Status::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_turn_still_has_is_taken_over_and_given_back_too() {
    let mut run = Run::created(vec![step(Effect::Changes)]);
    run.begin_turn(1);
    let folder = Some(Folder { path: "/".to_owned(), id: "f".to_owned(), is_in_memory: false });
    run.append(Event::LeaseTaken { host: "old".to_owned(), fence: 3, folder });
    let world = world();
    assert_eq!(run.take_turn(&world, vec![]).await.unwrap(), None);
    assert_eq!(world.hosts("(take)"), ["app", "old"]);
    assert_eq!(world.hosts("(release)"), ["app", "old"]);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_in_another_folder_is_none() {
    let elsewhere = |fence| Taken::Held {
        fence,
        folder: Folder { path: "/".to_owned(), id: "another".to_owned(), is_in_memory: false },
    };
    for (taken, expected) in [(Script::held(2), 1), (elsewhere(2), 0)] {
        let mut run = Run::created(vec![step(Effect::Changes)]);
        run.begin_turn(1);
        run.append(Event::StepStarted { step: StepKey::new("a"), attempt: 1, phase: Phase::Do });
        let world = world().with_take("app", [Ok(taken)]).with_receipts([Ok(Receipt::Unclaimed)]);
        run.take_turn(&world, vec![]).await.unwrap();
        // A host without the receipts would say that it was never given the command.
        assert_eq!(world.times("do"), expected, "{:?}", run.turn.journal.state().rest);
    }
}

#[tokio::test(start_paused = true)]
async fn who_was_away_asks_whether_its_hosts_are_still_its_own_before_it_writes() {
    for (answer, kind, appends) in [
        (Ok(()), None, true),
        (Err(gone(FailureKind::Fenced, false)), Some(Kind::Refused), false),
        (Err(gone(FailureKind::Unreachable, false)), Some(Kind::Waiting), false),
    ] {
        let mut world = world().with_holds([answer]);
        world.takes = Duration::from_secs(30);
        let mut run = Run::created(vec![step(Effect::Changes)]);
        let clock = run.watched();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(10)).await;
            *clock.lock().unwrap() += Duration::from_secs(5);
        });
        let turned = run.take_turn(&world, vec![]).await;
        assert_eq!(turned.as_ref().err().map(|error| error.kind), kind, "{turned:?}");
        assert!(world.times("(holds)") > 0);
        let last = events(&run).last().copied();
        assert_eq!(last, Some(if appends { "lease_released" } else { "step_started" }));
    }
}

#[tokio::test(start_paused = true)]
async fn who_was_not_away_asks_nothing() {
    let mut run = Run::created(vec![step(Effect::Changes)]);
    run.watched();
    let mut world = world();
    world.takes = Duration::from_secs(30);
    run.take_turn(&world, vec![]).await.unwrap();
    assert_eq!(world.times("(holds)"), 0);
}

/// Another run of the same store, which has the host and comes to its end without giving it back.
fn run_beside(run: &Run, ends: bool) -> RunId {
    let mut beside = run.beside(vec![step(Effect::Changes)]);
    let id = beside.turn.dir.id;
    beside.begin_turn(1);
    if ends {
        beside.append(Event::Decision { by: "ada".to_owned(), choice: Choice::Abandon, reason: None });
        beside.append(Event::RunEnded { end: End::Abandoned });
    }
    id
}

#[tokio::test(start_paused = true)]
async fn what_a_run_of_this_machine_could_not_give_back_is_given_back_for_it_where_there_is_no_doubt() {
    for (ends, epoch, expected) in [(true, 1, true), (false, 1, false), (true, 2, false)] {
        let mut run = Run::created(vec![step(Effect::Changes)]);
        let other = run_beside(&run, ends);
        let answers = [Ok(erins(other, epoch)), Ok(Script::held(8)), Ok(Script::held(10))];
        let world = world().with_take("app", answers);
        let denied = run.take_turn(&world, vec![]).await.unwrap();
        assert_eq!(denied.is_none(), expected, "{denied:?}");
        assert_eq!(world.times("(release)"), if expected { 2 } else { 0 });
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_was_taken_over_is_not_given_back() {
    let world =
        Script::new([("do", vec![lost(true)])]).with_receipts([Err(gone(FailureKind::Fenced, false))]);
    let mut run = Run::created(vec![step(Effect::Changes)]);
    assert_eq!(run.take_turn(&world, vec![]).await.unwrap_err().kind, Kind::Refused);
    assert_eq!(world.times("(release)"), 0, "it is not ours to give any more");
}
