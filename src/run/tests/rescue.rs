//! Steps that mend another.

use super::scene::{But, Scene, bad, good, key, step};
use crate::model::plan::{PlannedFailure, PlannedStep};
use crate::run::decide::Decision;
use crate::run::event::{End, Skip};

fn mended(name: &str) -> PlannedStep {
    step(name).failing_to(PlannedFailure::Rescue)
}

fn pair() -> Vec<PlannedStep> {
    vec![mended("a"), step("a/1").rescuing("a"), step("a/2").rescuing("a"), step("b")]
}

#[test]
fn what_would_mend_a_step_is_not_needed_when_it_does_not_fail() {
    let mut run = Scene::new(pair());
    run.begins("a", 1).ends("a", good());
    run.skips("a/1", Skip::NotNeeded).skips("a/2", Skip::NotNeeded).begins("b", 1);
}

#[test]
fn a_failed_step_is_mended_and_then_tried_once_more() {
    let mut run = Scene::new(pair());
    run.begins("a", 1).ends("a", bad(true));
    run.begins("a/1", 1).ends("a/1", good()).begins("a/2", 1).ends("a/2", good());
    run.begins("a", 2);
    let mut fails = run.clone();
    run.ends("a", good()).begins("b", 1);
    fails.ends("a", bad(true)).halts_at("a");
    fails.resumes().begins("a", 3).ends("a", good()).begins("b", 1);
}

#[test]
fn a_step_is_mended_only_after_its_own_retries() {
    let mut run = Scene::new(vec![
        mended("a").retried(2).but(|step| step.retry.as_mut().unwrap().delay = Default::default()),
        step("a/1").rescuing("a"),
    ]);
    run.begins("a", 1).ends("a", bad(false)).begins("a", 2).ends("a", bad(false));
    run.begins("a/1", 1).ends("a/1", good()).begins("a", 3).ends("a", bad(false)).halts_at("a");
}

#[test]
fn what_mends_follows_its_own_policy_when_it_fails() {
    let after = |policy| {
        let mut run = Scene::new(vec![mended("a"), step("a/1").rescuing("a").failing_to(policy)]);
        run.begins("a", 1).ends("a", bad(true)).begins("a/1", 1).ends("a/1", bad(true));
        run
    };
    after(PlannedFailure::Undo).decides(Decision::TurnBack { because: key("a/1") });
    after(PlannedFailure::Continue).begins("a", 2).ends("a", bad(true)).halts_at("a");
    let mut run = after(PlannedFailure::Halt);
    run.halts_at("a/1").resumes().begins("a/1", 2).ends("a/1", good());
    run.begins("a", 2).ends("a", good()).decides(Decision::End(End::Succeeded));
}

#[test]
fn what_mends_may_itself_be_mended() {
    let mut run =
        Scene::new(vec![mended("a"), mended("a/1").rescuing("a"), step("a/1/x").rescuing("a/1"), step("b")]);
    let mut smooth = run.clone();
    smooth.begins("a", 1).ends("a", good());
    smooth.skips("a/1", Skip::NotNeeded).skips("a/1/x", Skip::NotNeeded).begins("b", 1);
    run.begins("a", 1).ends("a", bad(true)).begins("a/1", 1).ends("a/1", bad(true));
    run.begins("a/1/x", 1).ends("a/1/x", good()).begins("a/1", 2).ends("a/1", good());
    run.begins("a", 2).ends("a", good()).begins("b", 1);
}

#[test]
fn each_item_of_a_group_is_mended_on_its_own_wherever_the_plan_puts_what_mends_it() {
    let item = |name| mended(name).in_group("g", 1, 0);
    let beside = vec![
        item("g[1]"),
        step("g[1]/x").rescuing("g[1]"),
        item("g[2]"),
        step("g[2]/x").rescuing("g[2]"),
        step("b"),
    ];
    let mut behind = beside.clone();
    behind.swap(1, 2);
    for steps in [beside, behind] {
        let mut run = Scene::new(steps);
        run.begins("g[1]", 1).ends("g[1]", bad(true)).begins("g[1]/x", 1).ends("g[1]/x", good());
        run.begins("g[1]", 2).ends("g[1]", good());
        run.begins("g[2]", 1).ends("g[2]", good()).skips("g[2]/x", Skip::NotNeeded).begins("b", 1);
    }
}

#[test]
fn an_item_that_a_resume_begins_after_all_may_be_mended_after_all() {
    let item = |name| mended(name).in_group("g", 1, 0);
    let mut run = Scene::new(vec![item("g[1]"), item("g[2]"), step("g[2]/x").rescuing("g[2]")]);
    run.begins("g[1]", 1).ends("g[1]", bad(true)).begins("g[1]", 2).ends("g[1]", bad(true));
    run.skips("g[2]", Skip::TooManyFailures).skips("g[2]/x", Skip::NotNeeded).halts_at("g[1]");
    run.resumes().begins("g[1]", 3).ends("g[1]", good());
    run.begins("g[2]", 1).ends("g[2]", bad(true)).begins("g[2]/x", 1);
}

#[test]
fn what_would_mend_a_step_that_does_not_come_before_it_is_never_needed() {
    let mut run = Scene::new(vec![step("x").rescuing("nothing"), step("a")]);
    run.begins("a", 1).ends("a", good()).skips("x", Skip::NotNeeded).decides(Decision::End(End::Succeeded));
}
