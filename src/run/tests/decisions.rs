//! One step after the other: order, conditions, approval, retry, and what a failure leads to.

use serde_json::Map;

use super::scene::{But, Scene, bad, created, decision, epoch, good, key, lost, no, plan, step, unreachable};
use super::scene::{record, unkept, waiting_for_host};
use crate::base::amount::Span;
use crate::model::plan::{PlannedFailure, When};
use crate::model::runbook::{OnInterrupted, Risk};
use crate::run::decide::{Decision, Question, decide};
use crate::run::event::{Choice, End, Event, Evidence, Finding, Rest, Skip};
use crate::run::known::{Answer, At, Known};
use crate::run::state::{RunState, Status, StepStatus};

#[test]
fn steps_run_in_the_order_of_the_plan_and_the_run_then_succeeds() {
    let mut run = Scene::new(vec![step("a"), step("b")]);
    run.begins("a", 1).decides(Decision::Wait).ends("a", good());
    run.begins("b", 1).ends("b", good());
    run.decides(Decision::End(End::Succeeded));
    run.now(Event::RunEnded { end: End::Succeeded }).decides(Decision::Nothing);
}

#[test]
fn a_plan_that_changes_something_waits_for_its_approval_and_one_that_only_reads_does_not() {
    let mut plan = plan(vec![step("a")]);
    let mut state = RunState::new(&plan);
    for event in [created(&plan), epoch()] {
        state.apply(&record(&state, event)).unwrap();
    }
    let unattended = decide(&plan, &state, &Known::new(false));
    assert_eq!(unattended, Decision::Rest(Rest::WaitingForApproval));
    let attended = decide(&plan, &state, &Known::new(true));
    assert_eq!(attended, Decision::Ask { about: Question::ApprovePlan });
    plan.risk = Risk::ReadOnly;
    assert!(matches!(decide(&plan, &state, &Known::new(false)), Decision::Start { .. }));
}

#[test]
fn nothing_is_decided_before_a_process_has_taken_its_turn() {
    let plan = plan(vec![step("a")]);
    let mut state = RunState::new(&plan);
    assert_eq!(decide(&plan, &state, &Known::default()), Decision::Nothing);
    state.apply(&record(&state, created(&plan))).unwrap();
    assert_eq!(decide(&plan, &state, &Known::default()), Decision::Nothing);
}

#[test]
fn a_step_whose_condition_is_false_is_skipped() {
    let text = "size > 3".to_owned();
    let fixed = |holds| Some(When::Fixed { holds, text: "size > 3".to_owned() });
    let deferred = Some(When::Deferred { text: text.clone(), scope: Map::new(), within: None });
    let mut run = Scene::new(vec![
        step("yes").but(|step| step.when = fixed(true)),
        step("no").but(|step| step.when = fixed(false)),
        step("later").but(|step| step.when = deferred.clone()),
        step("broken").but(|step| step.when = deferred.clone()),
    ]);
    run.begins("yes", 1).ends("yes", good());
    run.skips("no", Skip::Condition { text: text.clone() });
    run.finds("later", At::When, no()).skips("later", Skip::Condition { text });
    let message = "no such output".to_owned();
    run.finds("broken", At::When, Answer::Broken { message });
    let message = "`when` cannot be worked out: no such output".to_owned();
    run.observes("broken", 1, Finding::Failed { message: message.clone() }, Evidence::When);
    run.rests(Rest::Failed { step: key("broken"), message });
    assert!(!run.state.steps[&key("broken")].may_have_changed);
}

#[test]
fn a_step_that_has_happened_already_is_skipped_only_when_what_is_expected_holds_too() {
    let mut run = Scene::new(vec![step("a").with_done_when().with_expect()]);
    run.finds("a", At::DoneWhen, Answer::Holds);
    let mut healthy = run.clone();
    healthy.finds("a", At::Expect, Answer::Holds).skips("a", Skip::AlreadyDone);
    run.finds("a", At::Expect, no());
    let message = "`done_when` holds, but what is expected does not: nothing of the kind".to_owned();
    run.observes("a", 1, Finding::Failed { message: message.clone() }, Evidence::DoneWhen);
    run.rests(Rest::Failed { step: key("a"), message });
}

#[test]
fn a_step_that_has_not_happened_is_done_and_an_unreachable_host_is_waited_for() {
    let mut run = Scene::new(vec![step("a").with_done_when()]);
    let mut cut_off = run.clone();
    run.finds("a", At::DoneWhen, no()).begins("a", 1);
    cut_off.finds("a", At::DoneWhen, unreachable()).rests(waiting_for_host());
    cut_off.resumes().finds("a", At::DoneWhen, no()).begins("a", 1);
}

#[test]
fn a_step_is_not_started_before_it_is_approved() {
    let mut run = Scene::new(vec![step("a").but(|step| step.approve = Some("really?".to_owned()))]);
    let about = Question::ApproveStep { step: key("a"), question: "really?".to_owned() };
    run.known.is_attended = true;
    run.decides(Decision::Ask { about });
    run.known.is_attended = false;
    run.rests(Rest::WaitingForPerson { step: key("a"), question: "really?".to_owned() });
    run.now(epoch())
        .now(decision(Choice::ApproveStep { step: key("a"), containers: None }))
        .now(decision(Choice::Resume));
    run.begins("a", 1);
}

#[test]
fn a_declined_step_halts_the_run_and_is_asked_about_again_after_a_resume() {
    let approved = step("a").but(|step| step.approve = Some("really?".to_owned()));
    let mut run = Scene::new(vec![approved.failing_to(PlannedFailure::Continue), step("b")]);
    run.now(decision(Choice::DeclineStep { step: key("a") }));
    run.rests(Rest::Failed { step: key("a"), message: "declined by ada".to_owned() });
    run.resumes();
    run.rests(Rest::WaitingForPerson { step: key("a"), question: "really?".to_owned() });
}

#[test]
fn a_failed_attempt_is_tried_again_as_often_as_the_plan_says_with_growing_pauses() {
    let mut run = Scene::new(vec![step("a").retried(4)]);
    for (attempt, pause) in [(1, Span::secs(1)), (2, Span::secs(2)), (3, Span::secs(3))] {
        run.begins("a", attempt).ends("a", bad(true));
        run.decides(Decision::Pause { step: key("a"), time: pause });
        run.known.ask(&key("a"), At::Pause);
        run.decides(Decision::Wait);
        run.known.answer(&key("a"), At::Pause, Answer::Holds);
    }
    run.begins("a", 4).ends("a", bad(false)).halts_at("a");
}

#[test]
fn a_step_that_failed_before_it_was_ever_begun_is_looked_at_again_and_never_just_started() {
    let deferred = When::Deferred { text: "size > 3".to_owned(), scope: Map::new(), within: None };
    let broken = || Answer::Broken { message: "no such output".to_owned() };
    let message = "`when` cannot be worked out: no such output".to_owned();
    let failed = Finding::Failed { message: message.clone() };
    let conditional = step("a").but(|step| {
        step.when = Some(deferred.clone());
        step.approve = Some("really?".to_owned());
    });
    let mut run = Scene::new(vec![conditional.clone()]);
    run.finds("a", At::When, broken()).observes("a", 1, failed.clone(), Evidence::When);
    run.rests(Rest::Failed { step: key("a"), message: message.clone() }).resumes();
    let mut skipped = run.clone();
    skipped.finds("a", At::When, no()).skips("a", Skip::Condition { text: "size > 3".to_owned() });
    skipped.decides(Decision::End(End::Succeeded));
    run.finds("a", At::When, Answer::Holds);
    run.rests(Rest::WaitingForPerson { step: key("a"), question: "really?".to_owned() });
    run.now(epoch())
        .now(decision(Choice::ApproveStep { step: key("a"), containers: None }))
        .now(decision(Choice::Resume));
    run.finds("a", At::When, Answer::Holds).begins("a", 2);
    assert!(run.attempt(Event::StepSkipped { step: key("a"), why: Skip::AlreadyDone }).is_err());

    let mut retried = Scene::new(vec![conditional.retried(2)]);
    retried.finds("a", At::When, broken()).observes("a", 1, failed.clone(), Evidence::When);
    retried.decides(Decision::Pause { step: key("a"), time: Span::secs(1) });
    retried.known.answer(&key("a"), At::Pause, Answer::Holds);
    retried.finds("a", At::When, broken()).observes("a", 2, failed, Evidence::When);
    retried.rests(Rest::Failed { step: key("a"), message });
}

#[test]
fn a_pause_of_any_written_length_is_never_longer_than_the_longest() {
    for backoff in [f64::MAX, f64::INFINITY, f64::NAN, 1e300] {
        let mut run = Scene::new(vec![step("a").retried(9).but(|step| {
            step.retry.as_mut().unwrap().backoff = backoff;
        })]);
        for attempt in 1..=3 {
            run.begins("a", attempt).ends("a", bad(true));
            let Decision::Pause { time, .. } = run.decide() else { panic!("{:?}", run.decide()) };
            assert!(time <= Span::secs(3), "{time} at {backoff}");
            run.known.answer(&key("a"), At::Pause, Answer::Holds);
        }
    }
}

#[test]
fn a_failed_step_leads_where_its_plan_says() {
    let after = |policy| {
        let mut run = Scene::new(vec![step("a").failing_to(policy), step("b")]);
        run.begins("a", 1).ends("a", bad(true));
        run
    };
    after(PlannedFailure::Halt).halts_at("a");
    after(PlannedFailure::Undo).decides(Decision::TurnBack { because: key("a") });
    let mut run = after(PlannedFailure::Continue);
    run.begins("b", 1).ends("b", good()).decides(Decision::End(End::Succeeded));
    run.now(Event::RunEnded { end: End::Succeeded });
    assert_eq!(run.is("a"), StepStatus::Failed);
}

#[test]
fn a_resumed_run_tries_the_step_it_halted_at_again_and_not_those_it_went_past() {
    let past = step("past").failing_to(PlannedFailure::Continue);
    let mut run = Scene::new(vec![past, step("a").retried(2)]);
    run.begins("past", 1).ends("past", bad(true));
    for first in [1, 3] {
        run.begins("a", first).ends("a", bad(true));
        run.decides(Decision::Pause { step: key("a"), time: Span::secs(1) });
        run.known.answer(&key("a"), At::Pause, Answer::Holds);
        run.begins("a", first + 1).ends("a", bad(true)).halts_at("a");
        run.resumes();
    }
    run.begins("a", 5).ends("a", good()).decides(Decision::End(End::Succeeded));
    assert_eq!(run.state.steps[&key("past")].done.attempts, 1);
}

#[test]
fn a_resumed_step_that_was_mended_by_hand_is_not_done_again() {
    let mut run = Scene::new(vec![step("a").with_done_when().with_expect()]);
    run.finds("a", At::DoneWhen, no()).begins("a", 1).ends("a", bad(true)).halts_at("a").resumes();
    run.finds("a", At::DoneWhen, Answer::Holds);
    let mut ill = run.clone();
    run.finds("a", At::Expect, Answer::Holds).observes("a", 1, Finding::Happened, Evidence::DoneWhen);
    run.decides(Decision::End(End::Succeeded));
    ill.finds("a", At::Expect, no()).begins("a", 2);
}

#[test]
fn after_ctrl_c_nothing_begins_and_what_is_in_flight_is_waited_for() {
    let items = |name| step(name).in_group("g", 2, 0);
    let mut run = Scene::new(vec![items("g[a]"), items("g[b]"), items("g[c]")]);
    run.begins("g[a]", 1).begins("g[b]", 1);
    run.known.cancelled_by = Some("ada".to_owned());
    run.decides(Decision::Wait).ends("g[a]", good()).decides(Decision::Wait);
    run.ends("g[b]", good()).rests(Rest::Cancelled { by: "ada".to_owned() });
    run.known.cancelled_by = None;
    run.resumes().begins("g[c]", 1);
}

#[test]
fn ctrl_c_does_not_hide_how_the_run_came_out() {
    let mut run = Scene::new(vec![step("a")]);
    run.begins("a", 1);
    run.known.cancelled_by = Some("ada".to_owned());
    let mut failed = run.clone();
    run.ends("a", good()).decides(Decision::End(End::Succeeded));
    failed.ends("a", bad(true)).halts_at("a");
}

#[test]
fn an_abandoned_run_does_nothing_but_end() {
    let mut run = Scene::new(vec![step("a")]);
    run.begins("a", 1).ends("a", bad(true)).halts_at("a");
    run.now(epoch()).now(decision(Choice::Abandon)).decides(Decision::End(End::Abandoned));
    assert!(run.attempt(decision(Choice::Resume)).is_err());
    run.now(Event::RunEnded { end: End::Abandoned }).decides(Decision::Nothing);
    assert_eq!(run.state.status, Status::Abandoned);
}

#[test]
fn what_may_have_changed_stays_true_through_later_attempts_that_changed_nothing() {
    let mut run = Scene::new(vec![step("a").interrupted(OnInterrupted::Rerun)]);
    run.begins("a", 1).ends("a", lost()).has("a", unkept());
    run.finds("a", At::Host, Answer::Holds).observes("a", 1, Finding::MayRun, Evidence::Repeatable);
    run.begins("a", 2).ends("a", bad(false)).halts_at("a");
    assert!(run.state.steps[&key("a")].may_have_changed);
}
