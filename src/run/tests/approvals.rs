//! What an approval stands on, and what comes of it when that is otherwise by now.

use super::scene::{
    But, Scene, bad, decision, epoch, good, key, no, plan, step, unreachable, waiting_for_host,
};
use crate::model::plan::{Effect, PlannedStep};
use crate::model::snapshot::Snapshot;
use crate::run::decide::{Decision, Question};
use crate::run::event::{Choice, End, Event, Rest};
use crate::run::known::{Answer, At};

/// A run whose plan was approved on containers.
fn standing(steps: Vec<PlannedStep>) -> Scene {
    let mut plan = plan(steps);
    plan.basis.facts.containers.add("shop", Vec::new());
    Scene::of(plan)
}

fn reads(name: &str) -> PlannedStep {
    step(name).but(|step| step.task.effect = Effect::Reads)
}

fn approved(name: &str) -> PlannedStep {
    step(name).but(|step| step.approve = Some("really?".to_owned()))
}

fn approve(name: &str) -> Event {
    decision(Choice::ApproveStep { step: key(name), containers: Some(Snapshot::default()) })
}

#[test]
fn a_plan_whose_containers_are_otherwise_is_abandoned_before_anything_begins() {
    let mut run = standing(vec![step("a")]);
    run.finds("a", At::Basis, no()).decides(Decision::Lapse { why: "nothing of the kind".to_owned() });
    run.now(decision(Choice::Abandon)).decides(Decision::End(End::Abandoned));
}

#[test]
fn the_containers_are_looked_at_before_the_first_step_and_again_before_the_first_change() {
    let mut run = standing(vec![reads("a"), reads("b"), step("c"), step("d")]);
    run.finds("a", At::Basis, Answer::Holds).begins("a", 1).ends("a", good());
    run.begins("b", 1).ends("b", good());
    let mut drifted = run.clone();
    run.finds("c", At::Basis, Answer::Holds).begins("c", 1).ends("c", good());
    run.begins("d", 1);
    drifted.finds("c", At::Basis, no()).decides(Decision::Lapse { why: "nothing of the kind".to_owned() });
}

#[test]
fn a_run_in_which_nothing_was_changed_yet_is_looked_at_again_when_it_is_resumed() {
    let mut run = standing(vec![reads("a"), step("b")]);
    run.finds("a", At::Basis, Answer::Holds).begins("a", 1).ends("a", bad(false)).halts_at("a");
    run.resumes().begins("a", 2).ends("a", good());
    run.finds("b", At::Basis, Answer::Holds).begins("b", 1).ends("b", bad(false)).halts_at("b");
    run.resumes().finds("b", At::Basis, Answer::Holds).begins("b", 2).ends("b", bad(true)).halts_at("b");
    run.resumes().begins("b", 3);
}

#[test]
fn a_plan_is_not_given_up_for_containers_that_nobody_can_look_at() {
    let mut run = standing(vec![step("a")]);
    run.finds("a", At::Basis, unreachable()).rests(waiting_for_host());
    run.resumes().finds("a", At::Basis, Answer::Holds).begins("a", 1);
}

#[test]
fn a_run_that_somebody_stopped_rests_and_is_not_abandoned() {
    let mut run = standing(vec![step("a")]);
    run.finds("a", At::Basis, no());
    run.known.cancelled_by = Some("ada".to_owned());
    run.decides(Decision::Rest(Rest::Cancelled { by: "ada".to_owned() }));
}

#[test]
fn a_step_whose_containers_are_otherwise_is_asked_about_again_with_the_difference() {
    let mut run = Scene::new(vec![approved("a")]);
    run.now(approve("a")).finds("a", At::Approval, no());
    let question = "really? (what ada approved has lapsed: nothing of the kind)".to_owned();
    run.known.is_attended = true;
    run.decides(Decision::Ask {
        about: Question::ApproveStep { step: key("a"), question: question.clone() },
    });
    run.known.is_attended = false;
    run.rests(Rest::WaitingForPerson { step: key("a"), question });
    run.now(epoch()).now(approve("a")).now(decision(Choice::Resume));
    run.finds("a", At::Approval, Answer::Holds).begins("a", 1);
}

#[test]
fn nobody_is_asked_about_a_step_of_a_plan_that_has_lapsed() {
    let mut run = standing(vec![approved("a")]);
    run.known.is_attended = true;
    run.finds("a", At::Basis, no()).decides(Decision::Lapse { why: "nothing of the kind".to_owned() });
}

#[test]
fn an_approval_outlives_an_attempt_without_an_effect_only_on_the_same_containers() {
    let mut run = Scene::new(vec![approved("a").retried(3)]);
    run.now(approve("a")).finds("a", At::Approval, Answer::Holds).begins("a", 1).ends("a", bad(false));
    run.known.answer(&key("a"), At::Pause, Answer::Holds);
    run.finds("a", At::Approval, Answer::Holds).begins("a", 2).ends("a", bad(true));
    run.known.answer(&key("a"), At::Pause, Answer::Holds);
    run.begins("a", 3);
}

#[test]
fn a_step_that_was_approved_with_the_plan_stands_on_what_the_plan_stands_on() {
    let mut run = Scene::new(vec![approved("a")]);
    run.now(decision(Choice::ApproveStep { step: key("a"), containers: None })).begins("a", 1);
}

#[test]
fn nobody_is_asked_to_approve_what_nobody_can_look_at() {
    let mut run = Scene::new(vec![approved("a")]);
    run.known.is_attended = true;
    run.known.answer(&key("a"), At::Approval, unreachable());
    run.rests(waiting_for_host());
}
