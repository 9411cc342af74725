//! Waiting until a check holds.

use tokio::time::Instant;

use super::scene::{check, plan};
use super::script::{Answer, Script, exit, failure, lost};
use crate::base::id::StepKey;
use crate::engine::await_check::{Asking, Verdict};
use crate::engine::deferred::Outputs;
use crate::host::failure::FailureKind;
use crate::model::plan::PlannedCheck;

/// The verdict, how often was asked, and after how many seconds it came.
async fn asked(check: PlannedCheck, answers: Vec<Answer>) -> (Verdict, usize, u64) {
    let (plan, world) = (plan(Vec::new()), Script::new([("check", answers)]));
    let (step, outputs) = (StepKey::new("a"), Outputs::default());
    let asking = Asking { plan: &plan, world: &world, step: &step, outputs: &outputs, tell: &|_| {} };
    let began = Instant::now();
    let verdict = asking.until_it_holds(&check).await;
    (verdict, world.times("check"), began.elapsed().as_secs())
}

fn is_failure(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Fails { .. })
}

#[tokio::test(start_paused = true)]
async fn without_patience_a_check_is_asked_once() {
    assert_eq!(asked(check(0, 1, 0), vec![exit(0)]).await, (Verdict::Holds, 1, 0));
    let (verdict, times, _) = asked(check(0, 1, 0), vec![exit(1), exit(0)]).await;
    assert!(is_failure(&verdict));
    assert_eq!(times, 1);
}

#[tokio::test(start_paused = true)]
async fn so_many_successes_are_wanted_in_a_row() {
    let answers = || vec![exit(0), exit(0), exit(1), exit(0), exit(0), exit(0)];
    assert_eq!(asked(check(60, 3, 0), answers()).await, (Verdict::Holds, 6, 5));
}

#[tokio::test(start_paused = true)]
async fn a_check_that_never_holds_is_given_up_when_its_time_is_over() {
    let (verdict, times, seconds) = asked(check(10, 1, 0), vec![exit(1)]).await;
    assert!(is_failure(&verdict));
    assert!((9..=11).contains(&times) && (8..=10).contains(&seconds), "{times} times in {seconds} s");
}

#[tokio::test(start_paused = true)]
async fn a_streak_that_began_in_time_is_let_finish() {
    let mut answers = vec![exit(1); 9];
    answers.push(exit(0));
    assert_eq!(asked(check(10, 4, 0), answers).await.0, Verdict::Holds);
}

#[tokio::test(start_paused = true)]
async fn what_holds_has_to_stay_so() {
    let (verdict, _, seconds) = asked(check(0, 1, 5), vec![exit(0)]).await;
    assert_eq!((verdict, seconds), (Verdict::Holds, 5));

    let Verdict::Fails { saw } = asked(check(60, 1, 5), vec![exit(0), exit(0), exit(1), exit(0)]).await.0
    else {
        panic!("it was broken in between")
    };
    assert!(saw.starts_with("it held, but not for 5s: "), "{saw}");
}

#[tokio::test(start_paused = true)]
async fn a_host_that_comes_back_in_time_is_asked_on() {
    let away = || failure(FailureKind::Unreachable, false);
    assert_eq!(asked(check(10, 1, 0), vec![away(), lost(true), exit(0)]).await, (Verdict::Holds, 3, 2));
    let Verdict::Unasked(why) = asked(check(10, 1, 0), vec![exit(1), away()]).await.0 else {
        panic!("nobody knows")
    };
    assert_eq!(why.kind, FailureKind::Unreachable);
}

#[tokio::test(start_paused = true)]
async fn a_container_that_is_gone_and_a_command_that_hangs_are_answers_and_no_lost_host() {
    for (kind, is_dispatched) in [(FailureKind::Missing, false), (FailureKind::Timeout, true)] {
        let gone = || failure(kind, is_dispatched);
        assert_eq!(asked(check(10, 1, 0), vec![gone(), exit(0)]).await.0, Verdict::Holds);
        let verdict = asked(check(0, 1, 0), vec![gone()]).await.0;
        assert_eq!(verdict, Verdict::Fails { saw: "it is gone".to_owned() }, "{kind:?}");
    }
}
