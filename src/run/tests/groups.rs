//! The items of one `for_each`.

use super::scene::{But, Scene, bad, good, key, lost, step, unkept};
use crate::model::plan::{PlannedFailure, PlannedStep};
use crate::model::runbook::OnInterrupted;
use crate::run::decide::Decision;
use crate::run::event::{End, Evidence, Finding, Rest, Skip};
use crate::run::known::{Answer, At};
use crate::run::state::StepStatus;

fn items(parallel: u32, max_failures: u32) -> Vec<PlannedStep> {
    ["g[1]", "g[2]", "g[3]", "g[4]"].map(|name| step(name).in_group("g", parallel, max_failures)).to_vec()
}

fn then(mut steps: Vec<PlannedStep>, last: &str) -> Vec<PlannedStep> {
    steps.push(step(last));
    steps
}

#[test]
fn so_many_items_as_the_plan_says_are_under_way_at_once() {
    let mut run = Scene::new(then(items(2, 0), "after"));
    run.begins("g[1]", 1).begins("g[2]", 1).decides(Decision::Wait);
    run.ends("g[2]", good()).begins("g[3]", 1).decides(Decision::Wait);
    run.ends("g[1]", good()).begins("g[4]", 1).ends("g[4]", good()).decides(Decision::Wait);
    run.ends("g[3]", good()).begins("after", 1);
}

#[test]
fn an_item_that_is_looked_at_takes_its_place_among_those_under_way() {
    let steps = items(1, 0).into_iter().map(But::with_done_when).collect();
    let mut run = Scene::new(steps);
    run.decides(Decision::Look { step: key("g[1]"), at: At::DoneWhen });
    run.known.ask(&key("g[1]"), At::DoneWhen);
    run.decides(Decision::Wait);
    run.known.answer(&key("g[1]"), At::DoneWhen, Answer::Holds);
    run.skips("g[1]", Skip::AlreadyDone);
    run.decides(Decision::Look { step: key("g[2]"), at: At::DoneWhen });
}

#[test]
fn too_many_failures_skip_what_has_not_begun_and_halt_the_run_when_the_rest_has_ended() {
    let mut run = Scene::new(then(items(2, 0), "after"));
    run.begins("g[1]", 1).begins("g[2]", 1).ends("g[1]", bad(true));
    run.skips("g[3]", Skip::TooManyFailures).skips("g[4]", Skip::TooManyFailures);
    run.decides(Decision::Wait).ends("g[2]", good()).halts_at("g[1]");
}

#[test]
fn a_resumed_group_tries_what_failed_again_and_begins_what_was_skipped() {
    let mut run = Scene::new(items(1, 0));
    run.begins("g[1]", 1).ends("g[1]", good()).begins("g[2]", 1).ends("g[2]", bad(true));
    run.skips("g[3]", Skip::TooManyFailures).skips("g[4]", Skip::TooManyFailures).halts_at("g[2]");
    run.resumes().begins("g[2]", 2).ends("g[2]", good());
    run.begins("g[3]", 1).ends("g[3]", good()).begins("g[4]", 1).ends("g[4]", good());
    run.decides(Decision::End(End::Succeeded));
}

#[test]
fn a_resumed_group_has_no_more_under_way_than_it_may() {
    let mut run = Scene::new(items(2, 1));
    run.begins("g[1]", 1).begins("g[2]", 1).ends("g[1]", bad(true)).begins("g[3]", 1);
    run.ends("g[2]", bad(true)).skips("g[4]", Skip::TooManyFailures).ends("g[3]", bad(true)).halts_at("g[1]");
    run.resumes().begins("g[1]", 2).begins("g[2]", 2).decides(Decision::Wait);
    run.ends("g[1]", good()).begins("g[3]", 2).decides(Decision::Wait);
    run.ends("g[2]", good()).begins("g[4]", 1).decides(Decision::Wait);
}

#[test]
fn one_failed_item_that_must_not_be_gone_past_decides_for_its_group() {
    let mut steps = items(1, 1);
    steps[0].on_failure = PlannedFailure::Continue;
    let mut run = Scene::new(then(steps, "after"));
    run.begins("g[1]", 1).ends("g[1]", bad(true)).begins("g[2]", 1).ends("g[2]", bad(true));
    run.skips("g[3]", Skip::TooManyFailures).skips("g[4]", Skip::TooManyFailures).halts_at("g[2]");
}

#[test]
fn as_many_failures_as_are_allowed_do_not_stop_the_run() {
    let mut run = Scene::new(then(items(1, 1), "after"));
    run.begins("g[1]", 1).ends("g[1]", bad(true));
    for name in ["g[2]", "g[3]", "g[4]", "after"] {
        run.begins(name, 1).ends(name, good());
    }
    run.decides(Decision::End(End::Succeeded));
    assert_eq!(run.is("g[1]"), StepStatus::Failed);
}

#[test]
fn a_failed_group_leads_where_its_items_say() {
    for policy in [PlannedFailure::Continue, PlannedFailure::Undo] {
        let steps = items(1, 1).into_iter().map(|item| item.failing_to(policy)).collect();
        let mut run = Scene::new(then(steps, "after"));
        for name in ["g[1]", "g[2]"] {
            run.begins(name, 1).ends(name, bad(true));
        }
        run.skips("g[3]", Skip::TooManyFailures).skips("g[4]", Skip::TooManyFailures);
        match policy {
            PlannedFailure::Continue => run.begins("after", 1),
            _ => run.decides(Decision::TurnBack { because: key("g[1]") }),
        };
    }
}

#[test]
fn an_item_that_nobody_knows_the_end_of_is_settled_even_when_the_group_has_failed() {
    let steps = items(2, 0).into_iter().map(|item| item.interrupted(OnInterrupted::Rerun)).collect();
    let mut run = Scene::new(steps);
    run.begins("g[1]", 1).begins("g[2]", 1).ends("g[1]", bad(true)).ends("g[2]", lost());
    run.has("g[2]", unkept()).finds("g[2]", At::Host, Answer::Holds);
    run.observes("g[2]", 1, Finding::MayRun, Evidence::Repeatable);
    run.begins("g[2]", 2).ends("g[2]", good());
    run.skips("g[3]", Skip::TooManyFailures).skips("g[4]", Skip::TooManyFailures).halts_at("g[1]");
}

#[test]
fn a_question_about_one_item_lets_the_others_end_before_the_run_rests() {
    let mut run = Scene::new(items(2, 0));
    run.begins("g[1]", 1).begins("g[2]", 1).ends("g[1]", lost());
    run.has("g[1]", unkept()).decides(Decision::Wait).ends("g[2]", good());
    let question = "did attempt 1 of `g[1]` take effect? the connection was lost".to_owned();
    run.rests(Rest::WaitingForPerson { step: key("g[1]"), question });
}

#[test]
fn a_resumed_run_leaves_the_failures_alone_that_it_had_allowed() {
    let mut run = Scene::new(then(items(4, 1), "after"));
    for name in ["g[1]", "g[2]", "g[3]", "g[4]"] {
        run.begins(name, 1);
    }
    for name in ["g[1]", "g[2]", "g[3]"] {
        run.ends(name, good());
    }
    run.ends("g[4]", bad(true)).begins("after", 1).ends("after", bad(true)).halts_at("after");
    run.resumes().begins("after", 2);
}
