//! The table of transitions, seen from outside: in each situation each event is tried, and exactly these are taken.

use super::scene::{
    But, bad, created, decision, epoch, good, key, lost, person, plan, record, step, unconfirmed, unreached,
};
use crate::base::id::StepKey;
use crate::model::plan::{Digest, Plan, PlannedUndo};
use crate::run::event::{Choice, End, Event, Evidence, Finding, Outcome, Phase, Rest, Skip};
use crate::run::state::{RunState, Status};

/// `a` needs an approval and has an undo, `z` has none.
fn two_steps() -> Plan {
    plan(vec![
        step("a").but(|step| step.approve = Some("really?".to_owned())),
        step("z").with_undo(PlannedUndo::Irreversible),
    ])
}

fn start(phase: Phase, attempt: u32) -> Event {
    Event::StepStarted { step: key("a"), attempt, phase }
}

fn finish(phase: Phase, outcome: Outcome) -> Event {
    Event::StepFinished { step: key("a"), attempt: 1, phase, outcome }
}

fn observe(phase: Phase, finding: Finding, by: Evidence) -> Event {
    Event::StepObserved { step: key("a"), attempt: 1, phase, finding, by }
}

fn rest(rest: Rest) -> Event {
    Event::RunRested { rest }
}

fn end(end: End) -> Event {
    Event::RunEnded { end }
}

fn skip(name: &str) -> Event {
    Event::StepSkipped { step: key(name), why: Skip::NotNeeded }
}

fn undo() -> Event {
    Event::UndoRequested { by: "ada".to_owned() }
}

fn failed() -> Finding {
    Finding::Failed { message: "it broke".to_owned() }
}

fn halt() -> Event {
    rest(Rest::Failed { step: key("a"), message: "it broke".to_owned() })
}

fn wait() -> Event {
    wait_with(None)
}

fn wait_with(step: Option<StepKey>) -> Event {
    rest(Rest::WaitingForHost { step, host: "app".to_owned(), message: "no route".to_owned() })
}

fn cancel() -> Event {
    rest(Rest::Cancelled { by: "ada".to_owned() })
}

fn stick() -> Event {
    rest(Rest::Stuck { step: key("a"), message: "it broke".to_owned() })
}

fn approve() -> Event {
    decision(Choice::ApproveStep { step: key("a"), containers: None })
}

/// Every kind of event, with what decides about it.
fn events(plan: &Plan) -> Vec<(&'static str, Event)> {
    use Evidence::{DoneWhen, Expect, Receipt, Repeatable, When};
    use Finding::{Followed, Happened, MayRun};
    use Phase::{Do, Undo};
    vec![
        ("create", created(plan)),
        ("epoch", epoch()),
        ("lease", Event::LeaseTaken { host: "app".to_owned(), fence: 1, folder: None }),
        ("lease-kept", Event::LeaseKept { host: "app".to_owned() }),
        ("start", start(Do, 1)),
        ("start-2", start(Do, 2)),
        ("undo-1", start(Undo, 1)),
        ("undo-2", start(Undo, 2)),
        ("good", finish(Do, good())),
        ("bad", finish(Do, bad(true))),
        ("lost", finish(Do, lost())),
        ("unconfirmed", finish(Do, unconfirmed())),
        ("unreached", finish(Do, unreached())),
        ("undo-good", finish(Undo, good())),
        ("undo-bad", finish(Undo, bad(true))),
        ("undo-lost", finish(Undo, lost())),
        ("when-fails", observe(Do, failed(), When)),
        ("probe-happened", observe(Do, Happened, DoneWhen)),
        ("probe-not", observe(Do, MayRun, DoneWhen)),
        ("probe-fails", observe(Do, failed(), DoneWhen)),
        ("confirmed", observe(Do, Happened, Expect)),
        ("refuted", observe(Do, failed(), Expect)),
        ("repeatable", observe(Do, MayRun, Repeatable)),
        ("gives-up", observe(Do, failed(), Repeatable)),
        ("followed", observe(Do, Followed, Receipt)),
        ("never-began", observe(Do, MayRun, Receipt)),
        ("never-begins", observe(Do, failed(), Receipt)),
        ("happened-by-receipt", observe(Do, Happened, Receipt)),
        ("says-followed", observe(Do, Followed, person())),
        ("says-happened", observe(Do, Happened, person())),
        ("says-not", observe(Do, MayRun, person())),
        ("says-fails", observe(Do, failed(), person())),
        ("undo-says-happened", observe(Undo, Happened, person())),
        ("undo-says-not", observe(Undo, MayRun, person())),
        ("undo-gives-up", observe(Undo, failed(), Repeatable)),
        ("undo-followed", observe(Undo, Followed, Receipt)),
        ("undo-never-began", observe(Undo, MayRun, Receipt)),
        ("skip", skip("a")),
        ("approve-plan", decision(Choice::ApprovePlan { plan: plan.digest() })),
        ("approve", approve()),
        ("decline", decision(Choice::DeclineStep { step: key("a") })),
        ("undo-past", decision(Choice::UndoPast { step: key("z") })),
        ("resume", decision(Choice::Resume)),
        ("abandon", decision(Choice::Abandon)),
        ("undo", undo()),
        ("rest-plan", rest(Rest::WaitingForApproval)),
        ("rest-person", rest(Rest::WaitingForPerson { step: key("a"), question: "?".to_owned() })),
        ("rest-host", wait()),
        ("rest-host-of-a", wait_with(Some(key("a")))),
        ("rest-failed", halt()),
        ("rest-cancelled", cancel()),
        ("rest-stuck", stick()),
        ("end-succeeded", end(End::Succeeded)),
        ("end-undone", end(End::Undone)),
        ("end-abandoned", end(End::Abandoned)),
    ]
}

fn situation(events: &[Event]) -> RunState {
    let plan = two_steps();
    let mut state = RunState::new(&plan);
    for event in events {
        state.apply(&record(&state, event.clone())).unwrap();
    }
    state
}

/// The situations by name, each with the events that lead there.
fn situations() -> Vec<(&'static str, Vec<Event>)> {
    use Phase::{Do, Undo};
    let born = || vec![created(&two_steps())];
    let moving = || [born(), vec![epoch(), approve()]].concat();
    let plus = |base: &[Event], more: &[Event]| [base, more].concat();
    let begun = plus(&moving(), &[start(Do, 1)]);
    let failed = plus(&begun, &[finish(Do, bad(true))]);
    let unknown = plus(&begun, &[finish(Do, lost())]);
    let unreached = plus(&begun, &[finish(Do, unreached())]);
    let done = plus(&begun, &[finish(Do, good())]);
    let back = plus(&done, &[undo()]);
    let undoing = plus(&back, &[start(Undo, 1)]);
    let undo_failed = plus(&undoing, &[finish(Undo, bad(true))]);
    let undo_unknown = plus(&undoing, &[finish(Undo, lost())]);
    let followed = plus(&unknown, &[undo(), observe(Do, Finding::Followed, Evidence::Receipt)]);
    let undone = plus(&undoing, &[finish(Undo, good())]);
    vec![
        ("blank", vec![]),
        ("created", born()),
        ("running, unapproved", plus(&born(), &[epoch()])),
        ("running, pending", moving()),
        ("running, running", begun.clone()),
        ("running, failed", failed.clone()),
        ("running, failed unstarted", plus(&moving(), &[observe(Do, self::failed(), Evidence::When)])),
        ("running, unknown", unknown.clone()),
        ("running, unknown after a crash", plus(&begun, &[epoch()])),
        ("running, unconfirmed", plus(&begun, &[finish(Do, unconfirmed())])),
        ("running, unreached", unreached.clone()),
        ("running, cleared to run", plus(&unknown, &[observe(Do, Finding::MayRun, person())])),
        ("running, succeeded", done.clone()),
        ("running, skipped", plus(&moving(), &[skip("a")])),
        ("running, all settled", plus(&done, &[skip("z")])),
        ("waiting, pending", plus(&moving(), &[wait()])),
        ("waiting, unknown", plus(&unknown, &[wait()])),
        ("waiting, unreached", plus(&unreached, &[wait_with(Some(key("a")))])),
        ("halted, failed", plus(&failed, &[halt()])),
        ("halted, cancelled", plus(&done, &[cancel()])),
        ("succeeded", plus(&done, &[skip("z"), end(End::Succeeded)])),
        ("undoing, succeeded", back.clone()),
        ("undoing, failed", plus(&failed, &[undo()])),
        ("undoing, unknown", plus(&unknown, &[undo()])),
        ("undoing, running", followed.clone()),
        ("undoing, unconfirmed", plus(&followed, &[finish(Do, unconfirmed())])),
        ("undoing, never began", plus(&unknown, &[undo(), observe(Do, Finding::MayRun, Evidence::Receipt)])),
        ("undoing, undoing", undoing.clone()),
        ("undoing, undo_failed", undo_failed.clone()),
        ("undoing, undo unknown", undo_unknown.clone()),
        (
            "undoing, undo followed",
            plus(&undo_unknown, &[observe(Undo, Finding::Followed, Evidence::Receipt)]),
        ),
        ("undoing, undone", undone.clone()),
        ("undoing, nothing to undo", plus(&moving(), &[undo()])),
        ("waiting, undo unknown", plus(&undo_unknown, &[wait()])),
        ("halted, undo cancelled", plus(&back, &[cancel()])),
        ("stuck", plus(&undo_failed, &[stick()])),
        ("undone", plus(&undone, &[end(End::Undone)])),
        ("about to be abandoned", plus(&failed, &[halt(), decision(Choice::Abandon)])),
        ("abandoned", plus(&failed, &[halt(), decision(Choice::Abandon), end(End::Abandoned)])),
    ]
}

const TABLE: &str = "
blank: create
created: epoch lease lease-kept approve-plan approve decline abandon undo
running, unapproved: epoch lease lease-kept when-fails probe-fails skip approve-plan approve decline undo-past abandon undo rest-plan rest-person rest-host rest-cancelled
running, pending: epoch lease lease-kept start when-fails probe-fails skip approve-plan approve decline undo-past abandon undo rest-plan rest-person rest-host rest-cancelled
running, running: epoch lease lease-kept good bad lost unconfirmed unreached approve-plan undo-past
running, failed: epoch lease lease-kept start-2 probe-happened says-happened approve-plan approve decline undo-past abandon undo rest-plan rest-person rest-host rest-failed rest-cancelled
running, failed unstarted: epoch lease lease-kept start-2 probe-happened says-happened skip approve-plan approve decline undo-past abandon undo rest-plan rest-person rest-host rest-failed rest-cancelled
running, unknown: epoch lease lease-kept probe-happened probe-not probe-fails repeatable gives-up followed never-began never-begins says-happened says-not approve-plan undo-past abandon undo rest-plan rest-person rest-host rest-cancelled
running, unknown after a crash: epoch lease lease-kept probe-happened probe-not probe-fails repeatable gives-up followed never-began never-begins says-happened says-not approve-plan undo-past abandon undo rest-plan rest-person rest-host rest-cancelled
running, unconfirmed: epoch lease lease-kept probe-happened probe-fails confirmed refuted gives-up says-happened says-not approve-plan undo-past abandon undo rest-plan rest-person rest-host rest-cancelled
running, unreached: epoch lease lease-kept start-2 probe-happened says-happened approve-plan approve decline undo-past abandon undo rest-plan rest-person rest-host rest-host-of-a rest-failed rest-cancelled
running, cleared to run: epoch lease lease-kept start-2 skip approve-plan approve decline undo-past abandon undo rest-plan rest-person rest-host rest-cancelled
running, succeeded: epoch lease lease-kept approve-plan undo-past abandon undo rest-plan rest-person rest-host rest-cancelled
running, skipped: epoch lease lease-kept approve-plan undo-past abandon undo rest-plan rest-person rest-host rest-cancelled
running, all settled: epoch lease lease-kept approve-plan undo-past abandon undo rest-plan rest-person rest-host rest-cancelled end-succeeded
waiting, pending: epoch lease lease-kept approve-plan approve decline undo-past resume abandon undo
waiting, unknown: epoch lease lease-kept says-happened says-not approve-plan undo-past resume abandon undo
waiting, unreached: epoch lease lease-kept says-happened approve-plan approve decline undo-past resume abandon undo
halted, failed: epoch lease lease-kept says-happened approve-plan approve decline undo-past resume abandon undo
halted, cancelled: epoch lease lease-kept approve-plan undo-past resume abandon undo
succeeded: epoch lease lease-kept undo-past undo
undoing, succeeded: epoch lease lease-kept undo-1 undo-past abandon rest-person rest-host rest-cancelled
undoing, failed: epoch lease lease-kept undo-1 undo-past abandon rest-person rest-host rest-cancelled
undoing, unknown: epoch lease lease-kept undo-1 followed never-began undo-past abandon rest-person rest-host rest-cancelled
undoing, running: epoch lease lease-kept good bad lost unconfirmed unreached undo-past
undoing, unconfirmed: epoch lease lease-kept undo-1 undo-past abandon rest-person rest-host rest-cancelled
undoing, never began: epoch lease lease-kept undo-past abandon rest-person rest-host rest-cancelled end-undone
undoing, undoing: epoch lease lease-kept undo-good undo-bad undo-lost undo-past
undoing, undo_failed: epoch lease lease-kept undo-2 undo-says-happened undo-past abandon rest-person rest-host rest-cancelled rest-stuck
undoing, undo unknown: epoch lease lease-kept undo-2 undo-says-happened undo-gives-up undo-followed undo-past abandon rest-person rest-host rest-cancelled
undoing, undo followed: epoch lease lease-kept undo-good undo-bad undo-lost undo-past
undoing, undone: epoch lease lease-kept undo-past abandon rest-person rest-host rest-cancelled end-undone
undoing, nothing to undo: epoch lease lease-kept undo-past abandon rest-person rest-host rest-cancelled end-undone
waiting, undo unknown: epoch lease lease-kept undo-says-happened undo-past resume abandon
halted, undo cancelled: epoch lease lease-kept undo-past resume abandon
stuck: epoch lease lease-kept undo-says-happened undo-past resume abandon
undone: lease-kept
about to be abandoned: epoch lease lease-kept end-abandoned
abandoned: lease-kept
";

#[test]
fn in_each_situation_exactly_these_events_can_follow() {
    let events = events(&two_steps());
    let mut seen = String::from("\n");
    for (name, path) in situations() {
        let state = situation(&path);
        let mut legal = Vec::new();
        for (label, event) in &events {
            let mut next = state.clone();
            match next.apply(&record(&state, event.clone())) {
                Ok(()) => legal.push(*label),
                Err(illegal) => {
                    assert_eq!(next, state, "{label} was refused but changed something in {name}");
                    assert_eq!(illegal.event, event.name());
                    assert_eq!(illegal.seq, state.records + 1);
                }
            }
        }
        seen.push_str(&format!("{name}: {}\n", legal.join(" ")));
    }
    assert_eq!(seen, TABLE);
}

#[test]
fn every_event_can_follow_somewhere_and_none_everywhere() {
    let states: Vec<_> = situations().iter().map(|(_, path)| situation(path)).collect();
    for (label, event) in events(&two_steps()) {
        let taken = states
            .iter()
            .filter(|state| (*state).clone().apply(&record(state, event.clone())).is_ok())
            .count();
        let is_never_legal =
            ["says-fails", "undo-says-not", "happened-by-receipt", "says-followed", "undo-never-began"]
                .contains(&label);
        assert_eq!(taken == 0, is_never_legal, "{label}");
        assert!(taken < states.len(), "{label}");
    }
}

#[test]
fn a_record_of_an_older_turn_or_of_another_place_cannot_follow() {
    let state = situation(&[created(&two_steps()), epoch(), epoch()]);
    let good = record(&state, skip("a"));
    assert!(state.clone().apply(&good).is_ok());
    for (seq, epoch) in [(0, 0), (0, -1), (0, 1), (1, 0), (-1, 0)] {
        let mut wrong = good.clone();
        wrong.seq = wrong.seq.checked_add_signed(seq).unwrap();
        wrong.epoch = wrong.epoch.checked_add_signed(epoch).unwrap();
        let is_right = (seq, epoch) == (0, 0);
        assert_eq!(state.clone().apply(&wrong).is_ok(), is_right, "{seq} {epoch}");
    }
    let mut turn = record(&state, epoch());
    turn.epoch = state.epoch;
    assert!(state.clone().apply(&turn).is_err(), "a turn is newer than the one before");
}

#[test]
fn what_the_plan_does_not_have_cannot_be_spoken_of() {
    let state = situation(&[created(&two_steps()), epoch()]);
    let stranger = key("x");
    let rested = rest(Rest::Failed { step: stranger.clone(), message: String::new() });
    let approved = decision(Choice::ApprovePlan { plan: Digest::of(b"another") });
    let released = Event::LeaseReleased { host: "app".to_owned() };
    let needless = decision(Choice::ApproveStep { step: key("z"), containers: None });
    let past = decision(Choice::UndoPast { step: key("a") });
    for event in [skip("x"), rested, approved, released, needless, past] {
        assert!(state.clone().apply(&record(&state, event.clone())).is_err(), "{event:?}");
    }
}

#[test]
fn an_error_says_what_met_what() {
    let mut state = situation(&[created(&two_steps()), epoch()]);
    let illegal = state.apply(&record(&state.clone(), start(Phase::Do, 1))).unwrap_err();
    assert_eq!(
        illegal.to_string(),
        "record 3, `step_started`, cannot follow: the step is not approved (the run is running, step `a` is pending)"
    );
}

#[test]
fn a_turn_leaves_a_run_that_rests_as_it_is_and_begins_one_that_was_only_created() {
    let after = |path: &[Event]| {
        let mut state = situation(path);
        state.apply(&record(&state.clone(), epoch())).unwrap();
        state.status
    };
    assert_eq!(after(&[created(&two_steps())]), Status::Running);
    assert_eq!(after(&[created(&two_steps()), epoch(), wait()]), Status::Waiting);
    assert_eq!(after(&[created(&two_steps()), epoch(), cancel()]), Status::Halted);
}
