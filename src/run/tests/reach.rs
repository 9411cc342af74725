//! A host that cannot be reached: the run waits for it where a failure would have halted it or turned it back.

use super::scene::{
    But, Scene, bad, decision, epoch, good, key, no, step, unreachable, unreached, waiting_for_host,
};
use crate::model::plan::PlannedFailure;
use crate::run::decide::Decision;
use crate::run::event::{Choice, End, Event, Rest, Skip};
use crate::run::known::{Answer, At};
use crate::run::state::{Status, StepStatus};

fn waiting_at(name: &str) -> Rest {
    Rest::WaitingForHost { step: Some(key(name)), host: "app".to_owned(), message: "no route".to_owned() }
}

#[test]
fn a_run_waits_for_the_host_that_a_step_could_not_reach_and_tries_again_when_resumed() {
    let mut run = Scene::new(vec![step("a"), step("z")]);
    run.begins("a", 1).ends("a", unreached()).rests(waiting_at("a"));
    assert_eq!(run.state.status, Status::Waiting);
    assert!(!run.state.steps[&key("a")].may_have_changed);
    run.resumes().begins("a", 2).ends("a", unreached()).rests(waiting_at("a"));
    run.resumes().begins("a", 3).ends("a", good()).begins("z", 1);
}

#[test]
fn it_is_retried_before_the_run_waits_and_has_all_its_attempts_again_after() {
    let mut run = Scene::new(vec![step("a").retried(2)]);
    let pause = |run: &mut Scene| {
        assert!(matches!(run.decide(), Decision::Pause { .. }), "{:?}", run.decide());
        run.known.answer(&key("a"), At::Pause, Answer::Holds);
    };
    run.begins("a", 1).ends("a", unreached());
    pause(&mut run);
    run.begins("a", 2).ends("a", unreached()).rests(waiting_at("a")).resumes();
    run.begins("a", 3).ends("a", bad(false));
    pause(&mut run);
    run.begins("a", 4).ends("a", bad(false)).halts_at("a");
}

#[test]
fn where_a_failure_halts_nothing_an_unreachable_host_does_not_either() {
    let mut run = Scene::new(vec![step("a").failing_to(PlannedFailure::Continue), step("z")]);
    run.begins("a", 1).ends("a", unreached()).begins("z", 1).ends("z", good());
    run.decides(Decision::End(End::Succeeded));

    let mut run = Scene::new(vec![step("g[1]").in_group("g", 1, 1), step("g[2]").in_group("g", 1, 1)]);
    run.begins("g[1]", 1).ends("g[1]", unreached()).begins("g[2]", 1).ends("g[2]", good());
    run.decides(Decision::End(End::Succeeded));
}

#[test]
fn an_unreachable_host_is_waited_for_where_a_failure_turns_back() {
    let mut run = Scene::new(vec![step("a"), step("b").failing_to(PlannedFailure::Undo), step("z")]);
    run.begins("a", 1).ends("a", good()).begins("b", 1).ends("b", unreached()).rests(waiting_at("b"));
    run.resumes().begins("b", 2).ends("b", bad(false));
    run.decides(Decision::TurnBack { because: key("b") });
}

#[test]
fn the_items_of_a_group_that_were_passed_over_for_it_are_done_after_all() {
    let mut run = Scene::new(vec![step("g[1]").in_group("g", 1, 0), step("g[2]").in_group("g", 1, 0)]);
    run.begins("g[1]", 1).ends("g[1]", unreached());
    run.skips("g[2]", Skip::TooManyFailures).rests(waiting_at("g[1]"));
    run.resumes().begins("g[1]", 2).ends("g[1]", good()).begins("g[2]", 1);
}

#[test]
fn what_went_on_without_its_host_stays_as_it_is_when_the_run_is_resumed() {
    let mut run = Scene::new(vec![step("a").failing_to(PlannedFailure::Continue), step("z")]);
    run.begins("a", 1).ends("a", unreached()).begins("z", 1).ends("z", unreached()).rests(waiting_at("z"));
    run.resumes().begins("z", 2).ends("z", good()).decides(Decision::End(End::Succeeded));
    assert_eq!(run.is("a"), StepStatus::Failed);
}

#[test]
fn an_undo_that_could_not_reach_its_host_waits_for_it_and_is_not_stuck() {
    let mut run = Scene::new(vec![step("a")]);
    run.begins("a", 1).ends("a", good()).now(Event::UndoRequested { by: "ada".to_owned() });
    run.begins_undo("a", 1).ends("a", unreached()).rests(waiting_for_host());
    run.now(epoch()).now(decision(Choice::Resume));
    run.begins_undo("a", 2).ends("a", good()).decides(Decision::End(End::Undone));
}

#[test]
fn a_failed_step_is_not_begun_again_while_its_done_when_cannot_be_asked() {
    let mut run = Scene::new(vec![step("a").with_done_when()]);
    run.finds("a", At::DoneWhen, no()).begins("a", 1).ends("a", unreached()).rests(waiting_at("a"));
    run.resumes().finds("a", At::DoneWhen, unreachable()).rests(waiting_for_host());
    run.resumes().finds("a", At::DoneWhen, no()).begins("a", 2);
}
