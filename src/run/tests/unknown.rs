//! Steps that nobody knows the end of.

use super::scene::{But, Scene, bad, epoch, good, key, lost, no, person, step};
use super::scene::{unconfirmed, unkept, unreachable, waiting_for_host};
use crate::model::runbook::OnInterrupted;
use crate::run::decide::{Decision, Question};
use crate::run::event::{End, Event, Evidence, Finding, Phase, Rest};
use crate::run::known::{Answer, At};
use crate::run::state::StepStatus;

fn seen(name: &str, attempt: u32, finding: Finding) -> Event {
    Event::StepObserved { step: key(name), attempt, phase: Phase::Do, finding, by: person() }
}

#[test]
fn a_step_whose_process_died_is_unknown_in_the_next_turn_and_not_failed() {
    let mut run = Scene::new(vec![step("a").retried(5)]);
    run.begins("a", 1).now(epoch());
    assert_eq!(run.is("a"), StepStatus::Unknown);
    assert!(run.state.steps[&key("a")].may_have_changed);
    run.has("a", unkept());
    assert!(matches!(run.decide(), Decision::Rest(Rest::WaitingForPerson { .. })));
}

#[test]
fn a_step_that_may_be_repeated_is_started_again_once_its_host_can_be_reached() {
    let mut run = Scene::new(vec![step("a").interrupted(OnInterrupted::Rerun)]);
    run.begins("a", 1).now(epoch()).has("a", unkept());
    let mut cut_off = run.clone();
    run.finds("a", At::Host, Answer::Holds).observes("a", 1, Finding::MayRun, Evidence::Repeatable);
    run.begins("a", 2).ends("a", good()).decides(Decision::End(End::Succeeded));
    cut_off.finds("a", At::Host, unreachable()).rests(waiting_for_host());
}

#[test]
fn done_when_decides_and_what_took_effect_must_also_be_as_expected() {
    let mut run =
        Scene::new(vec![step("a").with_done_when().with_expect().interrupted(OnInterrupted::Probe)]);
    run.finds("a", At::DoneWhen, no()).begins("a", 1).ends("a", lost()).has("a", unkept());
    let (mut never, mut ill, mut cut_off) = (run.clone(), run.clone(), run.clone());
    run.finds("a", At::DoneWhen, Answer::Holds).finds("a", At::Expect, Answer::Holds);
    run.observes("a", 1, Finding::Happened, Evidence::DoneWhen).decides(Decision::End(End::Succeeded));

    never.finds("a", At::DoneWhen, no()).observes("a", 1, Finding::MayRun, Evidence::DoneWhen);
    never.begins("a", 2);

    ill.finds("a", At::DoneWhen, Answer::Holds).finds("a", At::Expect, no());
    let message = "it took effect, but what is expected does not hold: nothing of the kind".to_owned();
    ill.observes("a", 1, Finding::Failed { message: message.clone() }, Evidence::DoneWhen);
    ill.rests(Rest::Failed { step: key("a"), message });

    cut_off.finds("a", At::DoneWhen, unreachable()).rests(waiting_for_host());
    cut_off.resumes().has("a", unkept()).finds("a", At::DoneWhen, no());
}

#[test]
fn a_person_decides_what_nothing_else_can() {
    let mut run = Scene::new(vec![step("a")]);
    run.begins("a", 1).ends("a", lost()).has("a", unkept());
    let question = "did attempt 1 of `a` take effect? the connection was lost".to_owned();
    let mut attended = run.clone();
    attended.known.is_attended = true;
    let about = Question::Settle { step: key("a"), attempt: 1, question: question.clone() };
    attended.decides(Decision::Ask { about });
    attended.known.ask(&key("a"), At::Person);
    attended.decides(Decision::Wait);
    attended.now(seen("a", 1, Finding::Happened)).decides(Decision::End(End::Succeeded));

    run.rests(Rest::WaitingForPerson { step: key("a"), question });
    run.now(epoch()).now(seen("a", 1, Finding::MayRun)).decides(Decision::Nothing);
    run.resumes().begins("a", 2);
}

#[test]
fn a_done_when_that_makes_no_sense_leaves_the_decision_to_a_person() {
    let mut run = Scene::new(vec![step("a").with_done_when().interrupted(OnInterrupted::Probe)]);
    run.finds("a", At::DoneWhen, no()).begins("a", 1).ends("a", lost()).has("a", unkept());
    run.finds("a", At::DoneWhen, Answer::Broken { message: "no such output".to_owned() });
    assert!(matches!(run.decide(), Decision::Rest(Rest::WaitingForPerson { .. })));
}

#[test]
fn a_step_whose_end_is_lost_again_and_again_has_failed_at_last() {
    let mut run = Scene::new(vec![step("a").interrupted(OnInterrupted::Rerun)]);
    run.begins("a", 1).ends("a", lost()).has("a", unkept());
    run.finds("a", At::Host, Answer::Holds).observes("a", 1, Finding::MayRun, Evidence::Repeatable);
    run.begins("a", 2).ends("a", lost()).has("a", unkept()).finds("a", At::Host, Answer::Holds);
    let message = "nobody saw the end of any of 2 attempts".to_owned();
    run.observes("a", 2, Finding::Failed { message: message.clone() }, Evidence::Repeatable);
    run.rests(Rest::Failed { step: key("a"), message });
}

#[test]
fn any_number_of_crashes_does_not_use_up_the_attempts() {
    let mut run = Scene::new(vec![step("a").interrupted(OnInterrupted::Rerun)]);
    for attempt in 1..10 {
        run.begins("a", attempt).now(epoch()).has("a", unkept()).finds("a", At::Host, Answer::Holds);
        run.observes("a", attempt, Finding::MayRun, Evidence::Repeatable);
    }
    run.begins("a", 10);
}

#[test]
fn an_unknown_end_is_not_one_of_the_retries() {
    let mut run = Scene::new(vec![step("a").interrupted(OnInterrupted::Rerun)]);
    run.begins("a", 1).ends("a", lost()).has("a", unkept());
    run.finds("a", At::Host, Answer::Holds).observes("a", 1, Finding::MayRun, Evidence::Repeatable);
    run.begins("a", 2).ends("a", bad(true)).halts_at("a");
}

#[test]
fn a_person_may_say_that_a_failed_step_is_done_by_hand() {
    let mut run = Scene::new(vec![step("a"), step("b")]);
    run.begins("a", 1).ends("a", bad(true)).halts_at("a");
    run.now(epoch()).now(seen("a", 1, Finding::Happened)).resumes().begins("b", 1);
}

#[test]
fn a_step_that_was_seen_to_take_effect_is_not_done_again_its_expectations_are_looked_at() {
    for policy in [OnInterrupted::Rerun, OnInterrupted::Ask, OnInterrupted::Probe] {
        let begun = || {
            let mut run = Scene::new(vec![step("a").interrupted(policy).with_done_when().with_expect()]);
            run.finds("a", At::DoneWhen, no()).begins("a", 1).ends("a", unconfirmed());
            run.now(epoch());
            run
        };
        let mut run = begun();
        run.finds("a", At::Expect, Answer::Holds).observes("a", 1, Finding::Happened, Evidence::Expect);
        run.decides(Decision::End(End::Succeeded));
        assert_eq!(run.state.steps[&key("a")].outputs["id"], 7, "what it gave is kept");

        let message = "it took effect, but what is expected does not hold: nothing of the kind".to_owned();
        let mut ill = begun();
        ill.finds("a", At::Expect, no()).observes("a", 1, Finding::Failed { message }, Evidence::Expect);
        assert!(ill.state.steps[&key("a")].may_have_changed && ill.state.steps[&key("a")].outputs.is_empty());

        begun().finds("a", At::Expect, unreachable()).rests(waiting_for_host());
    }
}
