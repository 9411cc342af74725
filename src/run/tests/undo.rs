//! The way back.

use super::scene::{But, Scene, bad, decision, epoch, good, key, lost, person, step};
use super::scene::{unkept, unreachable, waiting_for_host};
use crate::model::plan::PlannedUndo;
use crate::model::runbook::OnInterrupted;
use crate::run::decide::{Decision, Question};
use crate::run::event::{Choice, End, Event, Evidence, Finding, Phase, Rest};
use crate::run::known::{Answer, At};
use crate::run::state::{Status, StepStatus};

fn back() -> Event {
    Event::UndoRequested { by: "ada".to_owned() }
}

#[test]
fn undo_covers_what_may_have_had_an_effect_in_reverse_order_of_start() {
    let free = step("free").with_undo(PlannedUndo::None);
    let item = |name| step(name).in_group("g", 3, 3);
    let mut run = Scene::new(vec![step("a"), free, item("g[1]"), item("g[2]"), item("g[3]"), step("b")]);
    run.begins("a", 1).ends("a", good()).begins("free", 1).ends("free", good());
    run.begins("g[1]", 1).begins("g[2]", 1).begins("g[3]", 1);
    run.ends("g[3]", bad(true)).ends("g[2]", bad(false)).ends("g[1]", lost());
    run.now(back());
    // Nobody knows which of them really began last: all are quiet before the first is undone.
    run.has("g[1]", unkept());
    for name in ["g[3]", "g[1]", "a"] {
        run.begins_undo(name, 1).decides(Decision::Wait).ends(name, good());
        assert_eq!(run.is(name), StepStatus::Undone);
    }
    run.decides(Decision::End(End::Undone)).now(Event::RunEnded { end: End::Undone });
    assert_eq!(run.is("free"), StepStatus::Succeeded);
    assert_eq!(run.is("g[2]"), StepStatus::Failed);
    assert_eq!(run.is("b"), StepStatus::Pending);
}

#[test]
fn a_step_that_was_mended_and_tried_again_is_undone_before_what_mended_it() {
    let mut run = Scene::new(vec![
        step("a").failing_to(crate::model::plan::PlannedFailure::Rescue),
        step("a/1").rescuing("a"),
    ]);
    run.begins("a", 1).ends("a", bad(true)).begins("a/1", 1).ends("a/1", good());
    run.begins("a", 2).ends("a", good()).now(back());
    run.begins_undo("a", 1).ends("a", good()).begins_undo("a/1", 1);
}

#[test]
fn what_a_person_did_instead_of_a_step_is_undone_at_its_place() {
    let broken = |scene: &mut Scene| {
        let finding = Finding::Failed { message: "no such output".to_owned() };
        let (step, phase, by) = (key("b"), Phase::Do, Evidence::When);
        scene.now(Event::StepObserved { step, attempt: 1, phase, finding, by });
    };
    let mut run = Scene::new(vec![step("a"), step("b"), step("c")]);
    run.begins("a", 1).ends("a", good());
    broken(&mut run);
    let (finding, by) = (Finding::Happened, person());
    run.now(Event::StepObserved { step: key("b"), attempt: 1, phase: Phase::Do, finding, by });
    run.begins("c", 1).ends("c", good()).now(back());
    for name in ["c", "b", "a"] {
        run.begins_undo(name, 1).ends(name, good());
    }
    run.decides(Decision::End(End::Undone));
}

#[test]
fn a_run_that_succeeded_can_still_be_undone() {
    let mut run = Scene::new(vec![step("a")]);
    run.begins("a", 1).ends("a", good()).now(Event::RunEnded { end: End::Succeeded });
    run.now(epoch()).decides(Decision::Nothing).now(back());
    run.begins_undo("a", 1).ends("a", good()).decides(Decision::End(End::Undone));
}

#[test]
fn undo_goes_on_in_the_next_turn_where_the_last_one_died() {
    let mut run = Scene::new(vec![step("a"), step("b")]);
    run.begins("a", 1).ends("a", good()).begins("b", 1).now(epoch()).now(back()).has("b", unkept());
    run.begins_undo("b", 1).now(epoch());
    assert_eq!(run.is("b"), StepStatus::Unknown);
    run.has("b", unkept()).begins_undo("b", 2).ends("b", good()).begins_undo("a", 1).ends("a", good());
    run.decides(Decision::End(End::Undone));
}

#[test]
fn a_failed_undo_makes_the_run_stuck_until_it_succeeds_or_is_done_by_hand() {
    let mut run = Scene::new(vec![step("a"), step("b")]);
    run.begins("a", 1).ends("a", good()).begins("b", 1).ends("b", good()).now(back());
    run.begins_undo("b", 1).ends("b", bad(false));
    run.rests(Rest::Stuck { step: key("b"), message: "it broke".to_owned() });
    assert_eq!(run.state.status, Status::Stuck);
    let mut by_hand = run.clone();
    run.resumes().begins_undo("b", 2).ends("b", bad(true));
    assert!(matches!(run.decide(), Decision::Rest(Rest::Stuck { .. })));

    let (step, phase, finding) = (key("b"), Phase::Undo, Finding::Happened);
    by_hand.now(epoch()).now(Event::StepObserved { step, attempt: 1, phase, finding, by: person() });
    by_hand.now(decision(Choice::Resume)).begins_undo("a", 1).ends("a", good());
    by_hand.decides(Decision::End(End::Undone));
}

#[test]
fn an_undo_whose_end_is_lost_again_and_again_has_failed_at_last() {
    let mut run = Scene::new(vec![step("a")]);
    run.begins("a", 1).ends("a", good()).now(back());
    run.begins_undo("a", 1).ends("a", lost()).has("a", unkept());
    run.begins_undo("a", 2).ends("a", lost()).has("a", unkept());
    let message = "nobody saw the end of any of 2 attempts".to_owned();
    run.observes("a", 2, Finding::Failed { message: message.clone() }, Evidence::Repeatable);
    run.rests(Rest::Stuck { step: key("a"), message });
}

#[test]
fn nothing_is_undone_past_a_host_that_cannot_be_reached() {
    let mut run = Scene::new(vec![step("a"), step("b")]);
    run.begins("a", 1).ends("a", good()).begins("b", 1).ends("b", good()).now(back());
    run.finds("b", At::Host, unreachable()).rests(waiting_for_host());
    run.resumes().begins_undo("b", 1);
}

#[test]
fn nothing_is_undone_past_the_point_of_no_return_unless_a_person_says_so() {
    let mut run = Scene::new(vec![step("a"), step("drop").with_undo(PlannedUndo::Irreversible), step("b")]);
    run.begins("a", 1).ends("a", good()).begins("drop", 1);
    let mut harmless = run.clone();
    harmless.ends("drop", bad(false)).now(back()).begins_undo("a", 1);

    run.ends("drop", good()).begins("b", 1).ends("b", good()).now(back());
    run.begins_undo("b", 1).ends("b", good());
    let question = "`drop` cannot be taken back: undo what was done before it all the same?".to_owned();
    let about = Question::UndoPast { step: key("drop"), question: question.clone() };
    run.known.is_attended = true;
    run.decides(Decision::Ask { about });
    run.known.is_attended = false;
    run.rests(Rest::WaitingForPerson { step: key("drop"), question });
    run.now(epoch()).now(decision(Choice::UndoPast { step: key("drop") })).now(decision(Choice::Resume));
    run.begins_undo("a", 1).ends("a", good()).decides(Decision::End(End::Undone));
    run.now(Event::RunEnded { end: End::Undone });
    assert_eq!(run.is("drop"), StepStatus::Succeeded);
}

#[test]
fn a_step_that_was_cleared_to_run_again_is_undone_all_the_same() {
    let mut run = Scene::new(vec![step("a").interrupted(OnInterrupted::Rerun)]);
    run.begins("a", 1).ends("a", lost()).has("a", unkept());
    run.finds("a", At::Host, Answer::Holds).observes("a", 1, Finding::MayRun, Evidence::Repeatable);
    assert_eq!(run.is("a"), StepStatus::Pending);
    run.now(back()).begins_undo("a", 1);
}

#[test]
fn ctrl_c_rests_an_undo_and_resume_goes_on_with_it() {
    let mut run = Scene::new(vec![step("a"), step("b")]);
    run.begins("a", 1).ends("a", good()).begins("b", 1).ends("b", good()).now(back());
    run.begins_undo("b", 1);
    run.known.cancelled_by = Some("ada".to_owned());
    run.decides(Decision::Wait).ends("b", good()).rests(Rest::Cancelled { by: "ada".to_owned() });
    run.known.cancelled_by = None;
    run.resumes().begins_undo("a", 1);
}

#[test]
fn an_undo_with_nothing_to_take_back_is_over_at_once() {
    let mut run = Scene::new(vec![step("a")]);
    run.now(back()).decides(Decision::End(End::Undone)).now(Event::RunEnded { end: End::Undone });
}
