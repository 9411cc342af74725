//! What holds for any plan and any fault. `PROPTEST_CASES=100000 cargo test laws` for the long form.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;

use super::plans::any_plan;
use super::plans::keeps_receipts;
use super::simulator::{end, simulate};
use super::world::{Key, Moment, Trace};
use crate::base::id::StepKey;
use crate::model::plan::{Plan, PlannedFailure, PlannedStep, PlannedUndo};
use crate::model::runbook::OnInterrupted;
use crate::run::event::{Choice, End, Event, Evidence, Finding, Outcome, Phase, Record};
use crate::run::known::At;
use crate::run::receipt::Processes;
use crate::run::state::{RunState, StepStatus};

type Law = fn(&Plan, &Trace) -> Result<(), String>;

const LAWS: [(&str, Law); 16] = [
    ("an effect is doubled only where the plan or a person allows it", effects_are_not_doubled),
    ("an effect happens at most once per key", keys_are_unique),
    (
        "with receipts kept and nothing cut off, a step takes effect once and nobody is asked",
        receipts_are_enough,
    ),
    ("no attempt is started twice", attempts_are_unique),
    ("nothing of a step runs when another attempt at it begins", attempts_do_not_overlap),
    ("no undo starts while its step or a later one still runs", undo_waits),
    ("nothing begins before what comes before it is settled", order_is_kept),
    ("a group has no more under way than it may, and others nothing beside them", width_is_kept),
    ("no step starts unapproved", approvals_are_asked_for),
    ("no step starts on an approval that was not seen to stand", approvals_stand),
    ("no step starts whose condition was not found to hold", conditions_are_heeded),
    ("undo goes in the reverse order of start and nothing goes forward after it", undo_is_reversed),
    ("after undo nothing stands that could be taken back", undo_is_complete),
    ("what succeeded stands", success_is_true),
    (
        "a step is not started after its host did not answer, until it does or somebody resumes",
        no_guess_is_made,
    ),
    ("an unknown step is settled before it is started again", unknowns_are_settled),
];

fn obey(plan: &Plan, trace: &Trace) -> Result<(), TestCaseError> {
    for (name, law) in LAWS {
        law(plan, trace).map_err(|why| TestCaseError::fail(format!("{name}: {why}")))?;
    }
    Ok(())
}

fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_law_holds_for_any_plan_and_any_faults_and_the_run_ends(
        plan in any_plan(),
        faults in prop::collection::vec(any::<u8>(), 0..160),
    ) {
        let (state, trace) = simulate(&plan, &faults, None);
        prop_assert!(state.status.is_final());
        obey(&plan, &trace)?;
    }

    #[test]
    fn a_run_that_dies_after_any_one_record_still_succeeds(plan in any_plan(), place in any::<prop::sample::Index>()) {
        let (_, smooth) = simulate(&plan, &[], None);
        prop_assert_eq!(end(&smooth), Some(End::Succeeded));
        let dies_after = place.index(smooth.records().count()) as u64 + 1;
        let (_, trace) = simulate(&plan, &[], Some(dies_after));
        prop_assert_eq!(end(&trace), Some(End::Succeeded));
        obey(&plan, &trace)?;
    }
}

/// The records, each with the state before it.
fn replayed<'a>(plan: &Plan, trace: &'a Trace) -> impl Iterator<Item = (RunState, &'a Record)> {
    let mut state = RunState::new(plan);
    trace.records().map(move |record| {
        let before = state.clone();
        state.apply(record).unwrap();
        (before, record)
    })
}

/// The step, what it mends, what that mends, and so on.
fn chain<'a>(plan: &'a Plan, key: &StepKey) -> Vec<&'a PlannedStep> {
    std::iter::successors(plan.step(key), |step| step.rescues.as_ref().and_then(|key| plan.step(key)))
        .collect()
}

/// Whether two steps belong to different items of one group.
fn are_side_by_side(plan: &Plan, a: &StepKey, b: &StepKey) -> bool {
    let group = |step: &PlannedStep| step.group.as_ref().map(|group| group.of.clone());
    chain(plan, a)
        .iter()
        .any(|a| chain(plan, b).iter().any(|b| a.key != b.key && group(a).is_some() && group(a) == group(b)))
}

fn effects_are_not_doubled(plan: &Plan, trace: &Trace) -> Result<(), String> {
    let mut unreported = HashSet::new();
    let mut succeeded = HashSet::new();
    for moment in &trace.moments {
        match moment {
            Moment::Effect(Key { step, phase: Phase::Do, .. }) => {
                let may_rerun = plan.step(step).unwrap().on_interrupted == OnInterrupted::Rerun;
                if succeeded.contains(step) || (!unreported.insert(step.clone()) && !may_rerun) {
                    return Err(format!("`{step}` took effect twice"));
                }
            }
            Moment::Effect(Key { step, phase: Phase::Undo, .. }) | Moment::ByHand { step, .. } => {
                unreported.remove(step);
            }
            Moment::Recorded(record) => match &record.event {
                Event::StepFinished { step, phase: Phase::Do, outcome, .. } => match outcome {
                    Outcome::Succeeded { .. } => drop(succeeded.insert(step.clone())),
                    // Trying again is what the plan's `retry` or a person then says.
                    Outcome::Failed { .. } => drop(unreported.remove(step)),
                    Outcome::Unknown { .. } => {}
                },
                Event::StepObserved { step, phase: Phase::Do, finding, .. } => match finding {
                    Finding::Happened => drop(succeeded.insert(step.clone())),
                    Finding::Failed { .. } => drop(unreported.remove(step)),
                    Finding::MayRun | Finding::Followed => {}
                },
                _ => {}
            },
            _ => {}
        }
    }
    Ok(())
}

fn keys_are_unique(_: &Plan, trace: &Trace) -> Result<(), String> {
    let mut seen = HashSet::new();
    for moment in &trace.moments {
        if let Moment::Effect(key) = moment
            && !seen.insert(key)
        {
            return Err(format!("{key:?}"));
        }
    }
    Ok(())
}

fn receipts_are_enough(plan: &Plan, trace: &Trace) -> Result<(), String> {
    let cut: HashSet<_> = trace
        .moments
        .iter()
        .filter_map(|moment| match moment {
            Moment::Cut(key) => Some(&key.step),
            // Told to end, its end says nothing.
            Moment::Recorded(record) => match &record.event {
                Event::StepFinished { step, outcome: Outcome::Unknown { processes, .. }, .. }
                    if *processes != Processes::Untouched =>
                {
                    Some(step)
                }
                _ => None,
            },
            _ => None,
        })
        .collect();
    let is_trusted = |step: &StepKey| {
        let key = Key { step: step.clone(), attempt: 1, phase: Phase::Do };
        keeps_receipts(plan, &key) && !cut.contains(step)
    };
    let mut standing = HashSet::new();
    for moment in &trace.moments {
        match moment {
            Moment::Asked { step } if is_trusted(step) => return Err(format!("`{step}` was asked about")),
            Moment::Effect(Key { step, phase: Phase::Do, .. })
                if is_trusted(step) && !standing.insert(step.clone()) =>
            {
                return Err(format!("`{step}` took effect twice"));
            }
            Moment::Effect(Key { step, phase: Phase::Undo, .. }) => drop(standing.remove(step)),
            // Trying again is what the plan's `retry` or a person then says.
            Moment::Recorded(record) => match &record.event {
                Event::StepFinished { step, phase: Phase::Do, outcome: Outcome::Failed { .. }, .. }
                | Event::StepObserved { step, phase: Phase::Do, finding: Finding::Failed { .. }, .. } => {
                    standing.remove(step);
                }
                _ => {}
            },
            _ => {}
        }
    }
    Ok(())
}

/// The keys that run on their host at each moment when something is begun.
fn begun(trace: &Trace) -> impl Iterator<Item = (&Key, Vec<&Key>)> {
    let mut running: Vec<&Key> = Vec::new();
    trace.moments.iter().filter_map(move |moment| match moment {
        Moment::Began(key) => {
            running.push(key);
            None
        }
        Moment::Over(key) => {
            running.retain(|other| *other != key);
            None
        }
        Moment::Dispatched { key, is_followed: false, .. } => Some((key, running.clone())),
        _ => None,
    })
}

fn attempts_do_not_overlap(_: &Plan, trace: &Trace) -> Result<(), String> {
    for (key, running) in begun(trace) {
        if let Some(other) = running.iter().find(|other| other.step == key.step && other.phase == key.phase) {
            return Err(format!("{key:?} was begun while {other:?} ran"));
        }
    }
    Ok(())
}

fn undo_waits(_: &Plan, trace: &Trace) -> Result<(), String> {
    let mut starts = HashMap::new();
    for (key, running) in begun(trace) {
        if key.phase == Phase::Do {
            starts.insert(&key.step, starts.len());
            continue;
        }
        let is_later =
            |other: &&&Key| other.step == key.step || starts.get(&other.step) > starts.get(&key.step);
        if let Some(other) = running.iter().find(is_later) {
            return Err(format!("{key:?} was begun while {other:?} ran"));
        }
    }
    Ok(())
}

fn attempts_are_unique(_: &Plan, trace: &Trace) -> Result<(), String> {
    let mut seen = HashSet::new();
    for record in trace.records() {
        if let Event::StepStarted { step, attempt, phase } = &record.event
            && !seen.insert((step.clone(), *attempt, *phase))
        {
            return Err(format!("attempt {attempt} of `{step}`, {phase:?}"));
        }
    }
    Ok(())
}

fn order_is_kept(plan: &Plan, trace: &Trace) -> Result<(), String> {
    for (before, record) in replayed(plan, trace) {
        let Event::StepStarted { step, attempt: 1, phase: Phase::Do } = &record.event else { continue };
        let earlier = plan.steps.iter().take_while(|other| other.key != *step);
        let mended = chain(plan, step);
        for other in earlier {
            let is_mended = mended.iter().any(|step| step.key == other.key);
            if is_mended || are_side_by_side(plan, &other.key, step) {
                continue;
            }
            if !lets_pass(plan, &before, other) {
                return Err(format!(
                    "`{step}` began while `{}` was {:?}",
                    other.key, before.steps[&other.key].status
                ));
            }
        }
    }
    Ok(())
}

fn lets_pass(plan: &Plan, state: &RunState, step: &PlannedStep) -> bool {
    let is_failed = |key: &StepKey| state.steps[key].status == StepStatus::Failed;
    match state.steps[&step.key].status {
        StepStatus::Succeeded | StepStatus::Skipped => true,
        StepStatus::Failed => {
            let is_allowed = step.group.as_ref().is_some_and(|group| {
                let items = plan
                    .steps
                    .iter()
                    .filter(|other| other.group.as_ref().is_some_and(|other| other.of == group.of));
                items.filter(|item| is_failed(&item.key)).count() <= group.max_failures as usize
            });
            // Whatever happened to what mends a step: a person did the step by hand.
            let is_moot = chain(plan, &step.key)[1..]
                .iter()
                .any(|mended| state.steps[&mended.key].status == StepStatus::Succeeded);
            step.on_failure == PlannedFailure::Continue || is_allowed || is_moot
        }
        _ => false,
    }
}

fn width_is_kept(plan: &Plan, trace: &Trace) -> Result<(), String> {
    for moment in &trace.moments {
        let Moment::Dispatched { key: Key { step, phase, .. }, beside, .. } = moment else { continue };
        let is_alone = |other: &&StepKey| *phase == Phase::Undo || !are_side_by_side(plan, other, step);
        if let Some(other) = beside.iter().find(is_alone) {
            return Err(format!("`{step}` was started beside `{other}`"));
        }
        for group in chain(plan, step).iter().filter_map(|step| step.group.as_ref()) {
            let lanes: HashSet<_> = beside
                .iter()
                .chain([step])
                .flat_map(|key| chain(plan, key))
                .filter(|step| step.group.as_ref().is_some_and(|other| other.of == group.of))
                .map(|step| &step.key)
                .collect();
            if lanes.len() > group.parallel as usize {
                return Err(format!("{} items of `{}` were under way", lanes.len(), group.of));
            }
        }
    }
    Ok(())
}

fn approvals_are_asked_for(plan: &Plan, trace: &Trace) -> Result<(), String> {
    let (mut approved, mut is_plan_approved) = (HashSet::new(), false);
    for record in trace.records() {
        match &record.event {
            Event::Decision { choice: Choice::ApprovePlan { .. }, .. } => is_plan_approved = true,
            Event::Decision { choice: Choice::ApproveStep { step, .. }, .. } => {
                approved.insert(step.clone());
            }
            Event::Decision { choice: Choice::DeclineStep { step }, .. } => {
                approved.remove(step);
            }
            Event::StepStarted { step, phase: Phase::Do, .. } => {
                let needs = plan.step(step).unwrap().approve.is_some();
                if !is_plan_approved || (needs && !approved.contains(step)) {
                    return Err(format!("`{step}`"));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// What was found in this turn, and since it was approved.
fn approvals_stand(plan: &Plan, trace: &Trace) -> Result<(), String> {
    let (mut state, mut found) = (RunState::new(plan), HashMap::new());
    for moment in &trace.moments {
        let record = match moment {
            Moment::Stands { step, at, holds } => {
                found.insert((step.clone(), *at), *holds);
                continue;
            }
            Moment::Recorded(record) => record,
            _ => continue,
        };
        match &record.event {
            Event::EpochStarted { .. } => found.clear(),
            Event::Decision { choice: Choice::ApproveStep { step, .. }, .. } => {
                found.remove(&(step.clone(), At::Approval));
            }
            Event::StepStarted { step, phase: Phase::Do, .. } => {
                let own = &state.steps[step];
                let is_first = !state.steps.values().any(|step| step.was_started());
                let needs = [
                    (At::Approval, own.approved_on.is_some() && !own.may_have_changed),
                    (At::Basis, is_first && !plan.basis.facts.containers.is_empty()),
                ];
                for (at, is_needed) in needs {
                    if is_needed && found.get(&(step.clone(), at)) != Some(&true) {
                        return Err(format!("`{step}`, {at:?}"));
                    }
                }
            }
            _ => {}
        }
        state.apply(record).unwrap();
    }
    Ok(())
}

fn conditions_are_heeded(plan: &Plan, trace: &Trace) -> Result<(), String> {
    let mut holds = HashMap::new();
    for moment in &trace.moments {
        match moment {
            Moment::Condition { step, holds: found } => drop(holds.insert(step, *found)),
            Moment::Dispatched { key: Key { step, phase: Phase::Do, .. }, .. }
                if plan.step(step).unwrap().when.is_some() && holds.get(step) != Some(&true) =>
            {
                return Err(format!("`{step}`"));
            }
            _ => {}
        }
    }
    Ok(())
}

fn undo_is_reversed(_: &Plan, trace: &Trace) -> Result<(), String> {
    let mut starts = HashMap::new();
    let (mut is_back, mut last) = (false, u64::MAX);
    for record in trace.records() {
        match &record.event {
            Event::StepStarted { step, phase: Phase::Do, .. } => {
                if is_back {
                    return Err(format!("`{step}` went forward"));
                }
                starts.insert(step.clone(), record.seq);
            }
            // Done by hand.
            Event::StepObserved { step, phase: Phase::Do, finding: Finding::Happened, .. } => {
                starts.entry(step.clone()).or_insert(record.seq);
            }
            Event::UndoRequested { .. } => is_back = true,
            Event::StepStarted { step, phase: Phase::Undo, .. } => {
                if starts[step] > last {
                    return Err(format!("`{step}` was undone too late"));
                }
                last = starts[step];
            }
            _ => {}
        }
    }
    Ok(())
}

fn undo_is_complete(plan: &Plan, trace: &Trace) -> Result<(), String> {
    if end(trace) != Some(End::Undone) {
        return Ok(());
    }
    let is_passed = |step: &StepKey| {
        trace.records().any(|record| {
            matches!(&record.event, Event::Decision { choice: Choice::UndoPast { step: past }, .. } if past == step)
        })
    };
    for step in plan.steps.iter().filter(|step| trace.stands(&step.key)) {
        let may_stand = match step.undo {
            PlannedUndo::None => true,
            PlannedUndo::Task(_) => false,
            PlannedUndo::Irreversible => is_passed(&step.key),
        };
        if !may_stand {
            return Err(format!("`{}` still stands", step.key));
        }
    }
    Ok(())
}

fn success_is_true(plan: &Plan, trace: &Trace) -> Result<(), String> {
    if end(trace) != Some(End::Succeeded) {
        return Ok(());
    }
    let last = replayed(plan, trace).last();
    let Some((state, _)) = last else { return Ok(()) };
    match state.steps.iter().find(|(key, step)| step.status == StepStatus::Succeeded && !trace.stands(key)) {
        Some((key, _)) => Err(format!("`{key}` does not stand")),
        None => Ok(()),
    }
}

fn no_guess_is_made(_: &Plan, trace: &Trace) -> Result<(), String> {
    let mut cut_off = HashSet::new();
    for moment in &trace.moments {
        match moment {
            Moment::CutOff { step } => drop(cut_off.insert(step.clone())),
            // Beside a step that has begun, the containers are looked at anew: that is an answer, and no guess.
            Moment::Stands { step, .. } => drop(cut_off.remove(step)),
            Moment::Recorded(record) => match &record.event {
                Event::EpochStarted { .. } | Event::Decision { choice: Choice::Resume, .. } => {
                    cut_off.clear();
                }
                Event::StepStarted { step, .. } if cut_off.contains(step) => {
                    return Err(format!("`{step}`"));
                }
                _ => {}
            },
            _ => {}
        }
    }
    Ok(())
}

fn unknowns_are_settled(plan: &Plan, trace: &Trace) -> Result<(), String> {
    for (before, record) in replayed(plan, trace) {
        match &record.event {
            Event::StepStarted { step, phase: Phase::Do, .. }
                if before.steps[step].status == StepStatus::Unknown =>
            {
                return Err(format!("`{step}` was started again"));
            }
            Event::StepObserved { step, phase: Phase::Do, finding: Finding::MayRun, by, .. }
                if *by == Evidence::Repeatable
                    && plan.step(step).unwrap().on_interrupted != OnInterrupted::Rerun =>
            {
                return Err(format!("`{step}` may not be repeated"));
            }
            _ => {}
        }
    }
    Ok(())
}
