//! Whatever people do, and whenever processes die: nobody is paged twice for the same level and round, nobody is forgotten, and the record
//! stays valid.
//!
//! Random lives of an incident, a thousand by default and ten thousand with `PROPTEST_CASES=2500`. In each, commands and ticks follow each other while the clock goes on and channels fail in all
//! their ways; every one of them may die after any line of the record, within one, and while a message is at its channel.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use futures_util::future::FutureExt;
use proptest::prelude::*;
use proptest::sample::select;

use super::scene::{Answer, Scene, minutes};
use crate::base::Result;
use crate::base::clock::Timestamp;
use crate::incident::compose::Words;
use crate::incident::desk::Hand;
use crate::incident::event::{Event, Record, Status};
use crate::incident::state::{Delivery, IncidentState};
use crate::incident::tell::tell;
use crate::incident::tick::tick;
use crate::model::channel::MessageKind;
use crate::model::escalation::Level;

/// Something that a person, or a timer, does.
#[derive(Debug, Clone)]
enum Act {
    Tick,
    Acknowledge,
    GiveBack,
    HandOff,
    Escalate(Level),
    Update,
    Mitigate,
    Worsen,
    Resolve,
    Reopen,
}

#[derive(Debug, Clone)]
struct Moment {
    act: Act,
    /// How long nothing happened before it.
    after: Duration,
    /// How many lines the process writes before it dies, and whether it dies within the next one.
    life: Option<(u32, bool)>,
    /// What the channels do.
    answers: Vec<(&'static str, Answer)>,
}

fn moments() -> impl Strategy<Value = Vec<Moment>> {
    let act = prop_oneof![
        8 => Just(Act::Tick),
        2 => Just(Act::Acknowledge),
        2 => Just(Act::GiveBack),
        1 => Just(Act::HandOff),
        2 => select(&Level::ALL[..]).prop_map(Act::Escalate),
        2 => Just(Act::Update),
        1 => Just(Act::Mitigate),
        1 => Just(Act::Worsen),
        1 => Just(Act::Resolve),
        1 => Just(Act::Reopen),
    ];
    let after = select(vec![0, 1, 20, 61, 299, 301, 660, 1_000, 1_900]).prop_map(Duration::from_secs);
    let life = proptest::option::weighted(0.3, (0..14_u32, any::<bool>()));
    let answer = prop_oneof![
        Just(Answer::Refuse),
        Just(Answer::Later),
        Just(Answer::Lose),
        Just(Answer::Vanish),
        Just(Answer::Take),
        any::<bool>().prop_map(|has_arrived| Answer::Die { has_arrived }),
    ];
    let answers = proptest::collection::vec((select(vec!["once", "often"]), answer), 0..3);
    let moment = (act, after, life, answers);
    let moment = moment.prop_map(|(act, after, life, answers)| Moment { act, after, life, answers });
    proptest::collection::vec(moment, 1..14)
}

/// What a command does to the record, before what is due is done. What cannot be done is refused, and harms nobody.
fn begin(scene: &Scene, hand: &mut Hand, act: &Act) -> Result<()> {
    let text = || "a word".to_owned();
    let say = |hand: &mut Hand, kind| {
        tell(hand, &scene.office(), kind, &Words { text: Some(text()), ..Words::default() }, None).map(drop)
    };
    let status = |status| Event::StatusChanged { status, text: text() };
    match act {
        Act::Tick => Ok(()),
        Act::Acknowledge => {
            hand.append(Event::Acknowledged { who: "ada".to_owned() })?;
            say(hand, MessageKind::Update)
        }
        Act::GiveBack => hand.append(Event::Unacknowledged { why: text() }),
        Act::HandOff => {
            hand.append(Event::HandedOff { from: "ada".to_owned(), to: "eve".to_owned(), text: text() })
        }
        Act::Escalate(level) => hand.append(Event::Escalated { level: *level, why: text() }),
        Act::Update => {
            hand.append(status(Status::Identified))?;
            say(hand, MessageKind::Update)
        }
        Act::Mitigate => hand.append(Event::Mitigated { text: text() }),
        Act::Worsen => hand.append(status(Status::Investigating)),
        Act::Resolve => {
            let (cause, resolution) = (text(), text());
            hand.append(Event::Resolved { cause, resolution, follow_up: Vec::new(), forced: None })
        }
        Act::Reopen => hand.append(Event::Reopened { why: text() }),
    }
}

fn perform(scene: &Scene, moment: &Moment) {
    scene.wait(moment.after);
    for (channel, answer) in &moment.answers {
        let mut answers = scene.channels.answers.lock().unwrap();
        answers.entry((*channel).to_owned()).or_default().push_back(answer.clone());
    }
    if let Some((lines, is_torn)) = moment.life {
        scene.channels.life.store(2 * lines + u32::from(is_torn), SeqCst);
    }
    let by = if matches!(moment.act, Act::Tick) { Record::ITSELF } else { "ada" };
    let mut hand = scene.take(by);
    // What is refused and what a death prevents are errors both; the record tells what became of it.
    if begin(scene, &mut hand, &moment.act).is_ok() {
        let _ = tick(&mut hand, &scene.office()).now_or_never().expect("nothing here waits");
    }
    drop(hand);
    scene.revive();
}

type Called = (String, Level, u32);

/// What arrived, each call with how often it did.
fn calls(scene: &Scene) -> BTreeMap<Called, Vec<String>> {
    let mut calls: BTreeMap<Called, Vec<String>> = BTreeMap::new();
    let mut names = HashSet::new();
    for (channel, envelope) in scene.channels.arrived.lock().unwrap().iter() {
        // The channel that takes a thing once looks at nothing but its name.
        let is_new = channel != "once" || names.insert(envelope.delivery(channel));
        if let (true, Some(page)) = (is_new, &envelope.page) {
            let key = (channel.clone(), page.level, page.round);
            calls.entry(key).or_default().push(envelope.subject.clone());
        }
    }
    calls
}

fn nobody_is_called_twice(scene: &Scene) -> Result<(), TestCaseError> {
    for ((channel, level, round), subjects) in calls(scene) {
        let again = &subjects[1..];
        if channel == "once" {
            prop_assert_eq!(again.len(), 0, "{} round {} on `once`", level, round);
        }
        let is_said = again.iter().all(|subject| subject.ends_with("(may be a repetition)"));
        prop_assert!(is_said, "{level} round {round}: {subjects:?}");
    }
    Ok(())
}

/// The newest page of each level that was asked for has arrived on every channel that did not refuse it. That of a lower level may have been
/// passed over while somebody had the incident: what is given back calls the level that was reached.
fn nobody_is_forgotten(scene: &Scene, state: &IncidentState) -> Result<(), TestCaseError> {
    let calls = calls(scene);
    for level in Level::ALL.into_iter().filter(|level| *level <= state.level) {
        let round = state.pages.get(&level).map_or(0, Vec::len) as u32;
        prop_assert!(round > 0, "{level} was never called");
        let message = state.messages.iter().find(|message| {
            message.page.as_ref().is_some_and(|page| (page.level, page.round) == (level, round))
        });
        for (channel, delivery) in &message.unwrap().deliveries {
            let is_refused = matches!(delivery, Delivery::Refused { why } if why == "so the test says");
            let has_arrived = calls.contains_key(&(channel.clone(), level, round));
            let was_answered = matches!(delivery, Delivery::Refused { why } if why == "somebody has it by now"
                || why == "the incident is resolved");
            let is_excused = is_refused || (was_answered && level < state.level);
            prop_assert!(has_arrived || is_excused, "{level}/{round} on {channel}: {delivery:?}");
        }
    }
    Ok(())
}

/// By time alone nothing climbs that somebody has, that is well, or that is over; and no level is skipped.
fn nothing_climbs_without_need(records: &[Record]) -> Result<(), TestCaseError> {
    let mut state = IncidentState::begin(&records[0]).unwrap();
    let mut last: BTreeMap<Level, Timestamp> = BTreeMap::new();
    for record in &records[1..] {
        match &record.event {
            Event::Escalated { level, why } if why != "a word" => {
                prop_assert!(state.held.is_none(), "held by {:?}", state.held);
                prop_assert_eq!(state.milestones.mitigated_at, None);
                prop_assert_eq!(state.level.next(), Some(*level));
                let silent = record.at.duration_since(last[&state.level]);
                prop_assert!(silent.as_secs() >= 300, "{} had only {silent:?}", state.level);
            }
            Event::Paged { level, .. } => {
                prop_assert!(!state.is_resolved());
                last.insert(*level, record.at);
            }
            _ => {}
        }
        state.apply(record).unwrap();
    }
    Ok(())
}

fn live(level: Level, moments: &[Moment]) -> Result<(), TestCaseError> {
    let scene = Scene::new();
    drop(scene.open(level));
    for moment in moments {
        // It can be read by the next one, whatever died.
        perform(&scene, moment);
    }
    // From here on all works, and nobody answers.
    scene.channels.answers.lock().unwrap().clear();
    let state = scene.state();
    if state.held.is_some() && !state.is_resolved() {
        scene.does("ada", Event::Unacknowledged { why: "a word".to_owned() }).unwrap();
    }
    if state.milestones.mitigated_at.is_some() && !state.is_resolved() {
        let status = Event::StatusChanged { status: Status::Investigating, text: "a word".to_owned() };
        scene.does("ada", status).unwrap();
    }
    for pause in [5, 5, 10, 15, 1] {
        scene.tick();
        scene.wait(minutes(pause));
    }
    scene.tick();

    nobody_is_called_twice(&scene)?;
    let incident = scene.desk.read(scene.id).unwrap();
    nothing_climbs_without_need(&incident.records)?;
    let state = incident.state;
    if !state.is_resolved() {
        prop_assert_eq!(state.level, Level::L4, "nobody answered for more than half an hour");
        nobody_is_forgotten(&scene, &state)?;
    }
    Ok(())
}

/// Lives of an incident that is entered at one level: tests run side by side.
fn lives_of(level: Level) {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let result =
        proptest::test_runner::TestRunner::new(config).run(&moments(), |moments| live(level, &moments));
    if let Err(error) = result {
        panic!("{error}");
    }
}

#[test]
fn in_no_life_of_an_incident_of_one_instance_is_anybody_called_twice_or_forgotten() {
    lives_of(Level::L1);
}

#[test]
fn in_no_life_of_an_incident_of_one_service_is_anybody_called_twice_or_forgotten() {
    lives_of(Level::L2);
}

#[test]
fn in_no_life_of_an_incident_of_several_services_is_anybody_called_twice_or_forgotten() {
    lives_of(Level::L3);
}

#[test]
fn in_no_life_of_a_complete_outage_is_anybody_called_twice_or_forgotten() {
    lives_of(Level::L4);
}
