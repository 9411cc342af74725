use std::collections::BTreeSet;

use super::*;
use crate::incident::event::Outcome;
use crate::incident::sample;

fn at(minute: i64) -> Timestamp {
    "2026-03-01T03:00:00Z".parse::<Timestamp>().unwrap() + std::time::Duration::from_secs(60 * minute as u64)
}

fn record(state: &IncidentState, by: &str, minute: i64, event: Event) -> Record {
    let prev = crate::model::plan::Digest::of(b"");
    Record { v: Record::VERSION, seq: state.records + 1, prev, at: at(minute), by: by.to_owned(), event }
}

fn opening() -> Opening {
    sample::state().opening
}

fn opened() -> IncidentState {
    let event = Event::Opened(Opening { level: Level::L2, ..opening() });
    let prev = crate::model::plan::Digest::of(b"");
    let first = Record { v: 1, seq: 1, prev, at: at(0), by: "ada".to_owned(), event };
    IncidentState::begin(&first).unwrap()
}

fn text() -> String {
    "so it is".to_owned()
}

fn told(message: u32, kind: MessageKind) -> Event {
    let channels = vec!["ops".to_owned()];
    Event::Told { message, kind, subject: text(), text: text(), next_update_at: Some(at(20)), channels }
}

fn sending() -> Event {
    Event::Sending { message: 1, channel: "ops".to_owned() }
}

fn delivered(outcome: Outcome) -> Event {
    Event::Delivered { message: 1, channel: "ops".to_owned(), outcome }
}

fn sent() -> Outcome {
    Outcome::Sent { memory: Map::new() }
}

fn paged(level: Level, round: u32, message: u32) -> Event {
    Event::Paged { level, round, who: text(), message }
}

fn status(status: Status) -> Event {
    Event::StatusChanged { status, text: text() }
}

fn resolved() -> Event {
    Event::Resolved { cause: text(), resolution: text(), follow_up: Vec::new(), forced: None }
}

fn acknowledged() -> Event {
    Event::Acknowledged { who: "ada".to_owned() }
}

fn handed_off(from: &str) -> Event {
    Event::HandedOff { from: from.to_owned(), to: "eve".to_owned(), text: text() }
}

fn task(task: u32) -> Event {
    Event::TaskSet { task, text: text(), owner: None, due: None }
}

fn run() -> RunId {
    RunId::parse("0195528e-3c00-7000-8000-000000000001").unwrap()
}

fn linked() -> Event {
    Event::Linked { run: run(), runbook: text(), title: text() }
}

fn ran(record: u64) -> Event {
    Event::Ran { run: run(), record, happened_at: at(1), text: text(), is_end: false }
}

/// One event of each sort, by its name in a record.
fn all() -> Vec<(&'static str, Event)> {
    vec![
        ("opened", Event::Opened(opening())),
        ("alerted", Event::Alerted { group: text(), alerts: Vec::new() }),
        ("triaged", Event::Triaged { findings: Vec::new(), level: None, runbook: None }),
        ("linked", linked()),
        ("ran", ran(1)),
        ("noted", Event::Noted { text: text() }),
        ("status", status(Status::Identified)),
        ("severity", Event::SeverityChanged { severity: Severity::Warning, text: text() }),
        ("acknowledged", acknowledged()),
        ("unacknowledged", Event::Unacknowledged { why: text() }),
        ("escalated", Event::Escalated { level: Level::L4, why: text() }),
        ("paged", paged(Level::L2, 1, 1)),
        ("handed_off", handed_off("ada")),
        ("told", told(2, MessageKind::Update)),
        ("sending", sending()),
        ("delivered", delivered(sent())),
        ("mitigated", Event::Mitigated { text: text() }),
        ("resolved", resolved()),
        ("task_set", task(1)),
        ("task_done", Event::TaskDone { task: 1, text: text() }),
        ("task_waived", Event::TaskWaived { task: 1, why: text() }),
        ("closed", Event::Closed),
        ("reopened", Event::Reopened { why: text() }),
    ]
}

fn after(events: &[Event]) -> IncidentState {
    let mut state = opened();
    for event in events {
        let record = record(&state, "ada", 1, event.clone());
        state.apply(&record).unwrap();
    }
    state
}

/// What cannot follow these events; everything else can.
fn illegal_after(events: &[Event]) -> BTreeSet<&'static str> {
    let state = after(events);
    let refused = all().into_iter().filter(|(_, event)| {
        let mut changed = state.clone();
        let is_refused = changed.apply(&record(&state, "ada", 2, event.clone())).is_err();
        assert!(!is_refused || changed == state, "what is refused changes nothing: {event:?}");
        is_refused
    });
    refused.map(|(name, _)| name).collect()
}

#[test]
fn only_what_can_follow_does() {
    let always = ["opened"];
    let of =
        |names: &[&'static str]| -> BTreeSet<&'static str> { names.iter().chain(&always).copied().collect() };
    let page = told(1, MessageKind::Page);
    assert_eq!(
        illegal_after(std::slice::from_ref(&page)),
        of(&[
            "ran",
            "unacknowledged",
            "handed_off",
            "delivered",
            "task_done",
            "task_waived",
            "closed",
            "reopened"
        ])
    );
    // Somebody has it, the page is on its way, a run is linked, and there is a task.
    let underway = [page.clone(), acknowledged(), paged(Level::L2, 1, 1), sending(), linked(), task(1)];
    assert_eq!(illegal_after(&underway), of(&["linked", "paged", "closed", "reopened"]));
    let over = [&underway[..], &[delivered(sent()), ran(1), resolved()]].concat();
    let mut none =
        of(&["linked", "paged", "sending", "delivered", "ran", "status", "acknowledged", "escalated"]);
    none.extend(["mitigated", "resolved", "closed"]);
    assert_eq!(illegal_after(&over), none);
    let done = Event::TaskDone { task: 1, text: text() };
    let closed = [&over[..], &[done, Event::Closed]].concat();
    let after_all: BTreeSet<_> = all().into_iter().map(|(name, _)| name).collect();
    let legal = BTreeSet::from(["noted", "reopened"]);
    assert_eq!(illegal_after(&closed), &after_all - &legal);
}

#[test]
fn what_is_on_its_way_when_an_incident_is_closed_still_arrives() {
    let state = after(&[told(1, MessageKind::Alert), sending(), resolved(), Event::Closed]);
    assert!(state.owes());
    let delivered = record(&state, "opsctl", 2, delivered(sent()));
    assert_eq!(state.check(&delivered), Ok(()));
}

#[test]
fn a_message_on_a_channel_goes_from_one_state_to_the_next_and_ends_once() {
    let why = text;
    let later = || Outcome::Later { why: why(), retry_at: at(9) };
    let outcomes = [sent(), Outcome::Refused { why: why() }, later(), Outcome::Unknown { why: why() }];
    let legal = |events: &[Event]| {
        let state = after(&[&[told(1, MessageKind::Alert)], events].concat());
        let can = |event: Event| state.check(&record(&state, "ada", 2, event)).is_ok();
        (can(sending()), outcomes.clone().map(|outcome| can(delivered(outcome))))
    };
    // What was not begun can only be passed over.
    assert_eq!(legal(&[]), (true, [false, true, false, false]));
    assert_eq!(legal(&[sending()]), (true, [true; 4]));
    assert_eq!(legal(&[sending(), delivered(later())]), (true, [false, true, false, false]));
    assert_eq!(legal(&[sending(), delivered(outcomes[3].clone())]), (true, [false, true, false, false]));
    assert_eq!(legal(&[sending(), delivered(sent())]), (false, [false; 4]));
    assert_eq!(legal(&[delivered(outcomes[1].clone())]), (false, [false; 4]));
}

#[test]
fn what_may_have_arrived_stays_in_doubt_until_it_is_known() {
    let unknown = || delivered(Outcome::Unknown { why: text() });
    let later = || delivered(Outcome::Later { why: text(), retry_at: at(9) });
    let delivery = |events: &[Event]| {
        after(&[&[told(1, MessageKind::Page)], events].concat()).messages[0].deliveries["ops"].clone()
    };
    assert!(!delivery(&[sending(), later()]).is_doubtful());
    assert!(delivery(&[sending(), unknown(), sending(), later()]).is_doubtful());
    assert!(delivery(&[sending(), sending()]).is_doubtful(), "the first one died");
    assert_eq!(delivery(&[sending(), unknown(), sending(), later()]).tries(), 2);
    assert!(!delivery(&[sending(), unknown(), sending(), delivered(sent())]).is_doubtful());
}

#[test]
fn a_level_and_a_round_are_paged_once_and_in_order() {
    let told = |count: u32| (1..=count).map(|number| told(number, MessageKind::Page));
    let state = |pages: &[Event]| after(&told(4).chain(pages.iter().cloned()).collect::<Vec<_>>());
    let can = |pages: &[Event], next: Event| {
        let state = state(pages);
        state.check(&record(&state, "ada", 2, next)).is_ok()
    };
    assert!(can(&[], paged(Level::L1, 1, 1)));
    assert!(!can(&[], paged(Level::L1, 2, 1)), "no round is left out");
    assert!(!can(&[], paged(Level::L3, 1, 1)), "nobody asked for it");
    assert!(!can(&[], paged(Level::L1, 1, 9)), "there is no such message");
    let first = [paged(Level::L1, 1, 1)];
    assert!(!can(&first, paged(Level::L1, 1, 2)), "it was paged");
    assert!(!can(&first, paged(Level::L2, 1, 1)), "the message pages another");
    assert!(can(&first, paged(Level::L1, 2, 2)) && can(&first, paged(Level::L2, 1, 2)));
}

#[test]
fn a_word_of_a_person_is_heard_and_what_follows_by_itself_is_not() {
    let heard = |by: &str, event: Event| {
        let mut state = after(&[told(1, MessageKind::Alert), acknowledged(), linked()]);
        state.apply(&record(&state, by, 9, event)).unwrap();
        state.held.unwrap().heard_at
    };
    assert_eq!(heard("ada", Event::Noted { text: text() }), at(9));
    assert_eq!(heard("ada", sending()), at(1));
    assert_eq!(heard(Record::ITSELF, Event::Noted { text: text() }), at(1));
    assert_eq!(heard(Record::ITSELF, ran(1)), at(9), "somebody is at work");
    assert_eq!(heard("ada", handed_off("ada")), at(9));
}

#[test]
fn milestones_are_reached_once_and_lost_when_it_was_not_over() {
    let mut state = after(&[acknowledged()]);
    let mut apply = |minute, event| {
        state.apply(&record(&state, "ada", minute, event)).unwrap();
        state.milestones
    };
    apply(2, acknowledged());
    apply(3, Event::Mitigated { text: text() });
    apply(4, Event::Mitigated { text: text() });
    let reached = apply(5, resolved());
    let all = [reached.acknowledged_at, reached.mitigated_at, reached.resolved_at, reached.closed_at];
    assert_eq!(all, [Some(at(1)), Some(at(3)), Some(at(5)), None]);
    assert_eq!(apply(6, Event::Reopened { why: text() }), Milestones::default());
    assert_eq!(apply(7, Event::Mitigated { text: text() }).mitigated_at, Some(at(7)));
    assert_eq!(
        apply(8, status(Status::Identified)).mitigated_at,
        Some(at(7)),
        "the cause may be found later"
    );
    assert_eq!(apply(9, status(Status::Investigating)).mitigated_at, None);
}

#[test]
fn a_promise_is_made_by_an_alert_or_an_update_and_kept_by_the_resolution() {
    for (kind, promised) in [
        (MessageKind::Alert, Some(at(20))),
        (MessageKind::Update, Some(at(20))),
        (MessageKind::Page, None),
        (MessageKind::Handoff, None),
    ] {
        assert_eq!(after(&[told(1, kind)]).next_update_at, promised, "{kind:?}");
    }
    assert_eq!(after(&[told(1, MessageKind::Alert), resolved()]).next_update_at, None);
}
