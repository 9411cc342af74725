//! What the host's receipt of a command decides.

use super::scene::{
    But, Scene, bad, cut, ended, epoch, good, key, lost, no, step, unconfirmed, unkept, unreachable,
    waiting_for_host,
};
use crate::model::plan::{Effect, PlannedUndo};
use crate::model::runbook::OnInterrupted;
use crate::run::decide::{Decision, Question};
use crate::run::event::{End, Event, Evidence, Finding, Phase, Rest};
use crate::run::known::{Answer, At};
use crate::run::receipt::{Processes, Receipt};
use crate::run::state::StepStatus;

const POLICIES: [OnInterrupted; 3] = [OnInterrupted::Rerun, OnInterrupted::Probe, OnInterrupted::Ask];

fn back() -> Event {
    Event::UndoRequested { by: "ada".to_owned() }
}

/// A step whose end was lost, with that policy.
fn lost_with(policy: OnInterrupted) -> Scene {
    let mut run = Scene::new(vec![step("a").interrupted(policy).with_done_when().with_expect(), step("b")]);
    run.finds("a", At::DoneWhen, no()).begins("a", 1).ends("a", lost());
    run
}

#[test]
fn what_runs_or_has_ended_on_its_host_is_followed_whatever_the_policy() {
    for policy in POLICIES {
        for receipt in [Receipt::Running, Receipt::Ended { status: 0 }, Receipt::Ended { status: 9 }] {
            let mut run = lost_with(policy);
            run.has("a", receipt).follows("a", 1).decides(Decision::Wait);
            assert_eq!(run.is("a"), StepStatus::Running);
            run.ends("a", good()).begins("b", 1);
            assert_eq!(run.state.steps[&key("a")].done.attempts, 1, "it is the same attempt");
        }
    }
}

#[test]
fn what_a_dead_process_left_running_is_followed_too_and_may_fail_then() {
    let mut run = Scene::new(vec![step("a").retried(2)]);
    run.begins("a", 1).now(epoch()).has("a", Receipt::Running).follows("a", 1).ends("a", bad(true));
    assert!(matches!(run.decide(), Decision::Pause { .. }), "it is tried again like any other");
}

#[test]
fn what_never_began_is_started_again_whatever_the_policy_and_is_not_asked_about() {
    for policy in POLICIES {
        let mut run = lost_with(policy);
        run.has("a", Receipt::Unclaimed).observes("a", 1, Finding::MayRun, Evidence::Receipt);
        assert!(!run.state.steps[&key("a")].may_have_changed, "it certainly had no effect");
        run.begins("a", 2);
    }
}

#[test]
fn an_attempt_that_never_began_takes_back_only_what_it_brought() {
    let mut run = Scene::new(vec![step("a").retried(3)]);
    run.begins("a", 1).ends("a", bad(true));
    run.known.answer(&key("a"), At::Pause, Answer::Holds);
    run.begins("a", 2).ends("a", lost()).has("a", Receipt::Unclaimed);
    run.observes("a", 1 + 1, Finding::MayRun, Evidence::Receipt);
    assert!(run.state.steps[&key("a")].may_have_changed, "the first attempt may have");
}

#[test]
fn a_command_that_never_reaches_its_host_has_failed_at_last_and_changed_nothing() {
    let mut run = lost_with(OnInterrupted::Rerun);
    run.has("a", Receipt::Unclaimed).observes("a", 1, Finding::MayRun, Evidence::Receipt);
    run.begins("a", 2).ends("a", lost()).has("a", Receipt::Unclaimed);
    let message = "nobody saw the end of any of 2 attempts".to_owned();
    run.observes("a", 2, Finding::Failed { message }, Evidence::Receipt);
    assert!(!run.state.steps[&key("a")].may_have_changed);
}

#[test]
fn what_was_cut_off_is_settled_as_if_there_were_no_receipts() {
    for receipt in [cut(), unkept()] {
        let mut run = lost_with(OnInterrupted::Rerun);
        run.has("a", receipt.clone()).finds("a", At::Host, Answer::Holds);
        run.observes("a", 1, Finding::MayRun, Evidence::Repeatable);
        assert!(run.state.steps[&key("a")].may_have_changed);

        let mut run = lost_with(OnInterrupted::Probe);
        run.has("a", receipt.clone()).finds("a", At::DoneWhen, no());
        run.observes("a", 1, Finding::MayRun, Evidence::DoneWhen).begins("a", 2);

        let mut run = lost_with(OnInterrupted::Ask);
        run.known.is_attended = true;
        run.has("a", receipt);
        assert!(matches!(run.decide(), Decision::Ask { about: Question::Settle { attempt: 1, .. } }));
    }
}

#[test]
fn a_person_who_is_asked_hears_what_the_host_says() {
    let mut run = lost_with(OnInterrupted::Ask);
    run.has("a", cut());
    let lost = "the connection was lost; the host was started anew";
    let question = format!("did attempt 1 of `a` take effect? {lost}");
    run.rests(Rest::WaitingForPerson { step: key("a"), question });
}

#[test]
fn a_host_that_does_not_say_is_waited_for_and_asked_again() {
    for policy in POLICIES {
        let mut run = lost_with(policy);
        let mut silent = run.clone();
        run.finds("a", At::Receipt, unreachable()).rests(waiting_for_host());
        run.resumes().has("a", Receipt::Running).follows("a", 1);
        silent.finds("a", At::Receipt, Answer::Broken { message: "no route".to_owned() });
        silent.rests(waiting_for_host());
    }
}

#[test]
fn what_only_reads_and_what_needs_no_host_have_no_receipts() {
    let reads = step("a").but(|step| step.task.effect = Effect::Reads).interrupted(OnInterrupted::Rerun);
    let mut run = Scene::new(vec![reads]);
    run.begins("a", 1).ends("a", lost()).finds("a", At::Host, Answer::Holds);
    let here = step("a").but(|step| step.task.host = None).interrupted(OnInterrupted::Rerun);
    let mut run = Scene::new(vec![here]);
    run.begins("a", 1).ends("a", lost());
    run.observes("a", 1, Finding::MayRun, Evidence::Repeatable);
    // One that was seen to take effect needs none.
    let mut run = Scene::new(vec![step("a").with_expect()]);
    run.begins("a", 1).ends("a", unconfirmed()).finds("a", At::Expect, Answer::Holds);
    let (finding, by) = (Finding::Followed, Evidence::Receipt);
    let followed = Event::StepObserved { step: key("a"), attempt: 1, phase: Phase::Do, finding, by };
    assert!(run.attempt(followed).is_err());
}

#[test]
fn a_connection_that_is_lost_again_and_again_is_no_loss_of_the_attempt_but_has_an_end() {
    let mut run = lost_with(OnInterrupted::Ask);
    for _ in 0..10 {
        run.has("a", Receipt::Running).follows("a", 1).ends("a", lost());
        assert_eq!(run.state.steps[&key("a")].done.losses, 1);
    }
    run.has("a", Receipt::Running);
    let Decision::Rest(rest) = run.decide() else { panic!("{:?}", run.decide()) };
    assert!(matches!(rest, Rest::WaitingForHost { step: None, .. }), "{rest:?}");
    run.rests(rest).resumes().has("a", Receipt::Running).follows("a", 1).ends("a", good());
}

#[test]
fn any_number_of_crashes_may_come_while_a_step_is_followed() {
    let mut run = Scene::new(vec![step("a")]);
    run.begins("a", 1);
    for _ in 0..20 {
        run.now(epoch()).has("a", Receipt::Running).follows("a", 1);
    }
    run.ends("a", good()).decides(Decision::End(End::Succeeded));
}

#[test]
fn the_exit_code_of_a_command_that_was_told_to_end_is_no_evidence() {
    let mut run = lost_with(OnInterrupted::Ask);
    run.has("a", Receipt::Running).follows("a", 1).ends("a", ended(Processes::Ended));
    run.has("a", Receipt::Ended { status: 0 });
    let told = "the connection was lost; it was ended before its time, with exit code 0";
    let question = format!("did attempt 1 of `a` take effect? {told}");
    run.rests(Rest::WaitingForPerson { step: key("a"), question });
    run.resumes().has("a", Receipt::Ended { status: 0 });
    assert!(matches!(run.decide(), Decision::Rest(Rest::WaitingForPerson { .. })));
}

#[test]
fn what_could_not_be_ended_is_waited_for_and_followed_by_the_next_turn() {
    let mut run = lost_with(OnInterrupted::Rerun);
    run.has("a", Receipt::Running).follows("a", 1).ends("a", ended(Processes::Unproved));
    let message = "attempt 1 of `a` still runs there, and could not be ended".to_owned();
    run.has("a", Receipt::Running);
    run.rests(Rest::WaitingForHost { step: None, host: "app".to_owned(), message });
    run.resumes().has("a", Receipt::Running).follows("a", 1).ends("a", good()).begins("b", 1);
}

#[test]
fn a_step_that_still_runs_is_followed_to_its_end_before_it_is_undone() {
    for outcome in [good(), bad(true), unconfirmed()] {
        let mut run = lost_with(OnInterrupted::Rerun);
        run.now(back()).has("a", Receipt::Running).follows("a", 1).decides(Decision::Wait);
        run.ends("a", outcome).begins_undo("a", 1).ends("a", good());
        run.decides(Decision::End(End::Undone)).now(Event::RunEnded { end: End::Undone });
    }
}

#[test]
fn a_step_that_never_began_is_not_undone() {
    let mut run = lost_with(OnInterrupted::Rerun);
    run.now(back()).has("a", Receipt::Unclaimed).observes("a", 1, Finding::MayRun, Evidence::Receipt);
    run.decides(Decision::End(End::Undone)).now(Event::RunEnded { end: End::Undone });
}

#[test]
fn a_step_that_was_cut_off_is_undone_and_nobody_is_asked() {
    for receipt in [cut(), unkept()] {
        let mut run = lost_with(OnInterrupted::Ask);
        run.now(back()).has("a", receipt).begins_undo("a", 1);
    }
    let mut run = lost_with(OnInterrupted::Ask);
    run.now(back()).finds("a", At::Receipt, unreachable()).rests(waiting_for_host());
}

#[test]
fn nothing_is_undone_under_a_step_that_still_runs_even_if_that_has_no_undo() {
    for undo in [PlannedUndo::None, PlannedUndo::Irreversible] {
        let mut run = Scene::new(vec![step("a"), step("b").with_undo(undo)]);
        run.begins("a", 1).ends("a", good()).begins("b", 1).ends("b", lost()).now(back());
        let mut never = run.clone();
        run.has("b", Receipt::Running).follows("b", 1).decides(Decision::Wait);
        never.has("b", Receipt::Unclaimed).observes("b", 1, Finding::MayRun, Evidence::Receipt);
        never.begins_undo("a", 1);
    }
}

#[test]
fn an_undo_that_runs_or_has_ended_is_followed_and_any_other_is_started_again() {
    for receipt in [Receipt::Running, Receipt::Ended { status: 0 }, Receipt::Unclaimed, cut(), unkept()] {
        let mut run = Scene::new(vec![step("a")]);
        run.begins("a", 1).ends("a", good()).now(back()).begins_undo("a", 1).ends("a", lost());
        run.has("a", receipt.clone());
        match receipt {
            Receipt::Running | Receipt::Ended { .. } => run.follows("a", 1),
            _ => run.begins_undo("a", 2),
        };
        assert_eq!(run.is("a"), StepStatus::Undoing);
        run.ends("a", good()).decides(Decision::End(End::Undone));
    }
}

#[test]
fn attempts_that_nobody_saw_the_end_of_are_one_request() {
    let mut run = Scene::new(vec![step("a").interrupted(OnInterrupted::Rerun).retried(5)]);
    let first = |run: &Scene| run.state.steps[&key("a")].first_of_a_kind();
    let again = |run: &mut Scene, attempt| {
        run.has("a", unkept()).finds("a", At::Host, Answer::Holds);
        run.observes("a", attempt, Finding::MayRun, Evidence::Repeatable).begins("a", attempt + 1);
    };
    run.begins("a", 1).ends("a", lost());
    again(&mut run, 1);
    run.now(epoch());
    again(&mut run, 2);
    assert_eq!(first(&run), 1);
    run.ends("a", bad(true));
    run.known.answer(&key("a"), At::Pause, Answer::Holds);
    run.begins("a", 4);
    assert_eq!(first(&run), 4, "that one was seen to fail: this is another");
    run.ends("a", good()).now(back()).begins_undo("a", 1);
    assert_eq!(first(&run), 1);
}
