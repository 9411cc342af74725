//! Any plan: single steps and groups, and below a step what mends it, to some depth.

use proptest::prelude::*;

use super::scene::{But, key, plan, step};
use super::world::Key;
use crate::model::plan::{Group, Plan, PlannedFailure, PlannedStep, PlannedUndo, When};
use crate::model::runbook::OnInterrupted;
use crate::run::event::Phase;

#[derive(Debug, Clone)]
enum Block {
    Single(Lane),
    Group { lanes: Vec<Lane>, parallel: u32, max_failures: u32 },
}

#[derive(Debug, Clone)]
struct Lane {
    traits: Traits,
    rescue: Vec<Block>,
}

#[derive(Debug, Clone)]
struct Traits {
    policy: PlannedFailure,
    interrupted: OnInterrupted,
    undo: u8,
    attempts: u32,
    is_approved: bool,
    has_done_when: bool,
    has_expect: bool,
    is_conditional: bool,
    is_kept: bool,
}

/// The action of steps whose effect is no command, so that no receipts are kept of it.
const REQUEST: &str = "http.request";

/// Whether the host keeps a receipt.
pub fn keeps_receipts(plan: &Plan, key: &Key) -> bool {
    key.phase == Phase::Undo || plan.step(&key.step).is_some_and(|step| step.task.action != REQUEST)
}

/// A plan, whether what mends the items of a group comes beside each item or behind the group, and whether the approval of the
/// plan stands on containers.
pub fn any_plan() -> impl Strategy<Value = Plan> {
    let blocks = prop::collection::vec(block(2), 1..4);
    (blocks, any::<bool>(), any::<bool>()).prop_map(|(blocks, beside, stands_on_containers)| {
        let mut steps = Vec::new();
        for (number, block) in blocks.iter().enumerate() {
            lay_out(block, &number.to_string(), None, beside, &mut steps);
        }
        let mut plan = plan(steps);
        if stands_on_containers {
            plan.basis.facts.containers.add("shop", Vec::new());
        }
        plan
    })
}

fn block(depth: u32) -> BoxedStrategy<Block> {
    let group = (prop::collection::vec(lane(depth), 2..4), 1..4_u32, 0..2_u32)
        .prop_map(|(lanes, parallel, max_failures)| Block::Group { lanes, parallel, max_failures });
    prop_oneof![2 => lane(depth).prop_map(Block::Single), 1 => group].boxed()
}

fn lane(depth: u32) -> BoxedStrategy<Lane> {
    let rescue = match depth {
        0 => Just(Vec::new()).boxed(),
        _ => prop::collection::vec(block(depth - 1), 0..3).boxed(),
    };
    (traits(), rescue)
        .prop_map(|(traits, rescue)| {
            let is_mended = traits.policy == PlannedFailure::Rescue;
            Lane { traits, rescue: if is_mended { rescue } else { Vec::new() } }
        })
        .boxed()
}

fn traits() -> impl Strategy<Value = Traits> {
    let policy = prop::sample::select(vec![
        PlannedFailure::Halt,
        PlannedFailure::Undo,
        PlannedFailure::Continue,
        PlannedFailure::Rescue,
    ]);
    let interrupted =
        prop::sample::select(vec![OnInterrupted::Rerun, OnInterrupted::Probe, OnInterrupted::Ask]);
    let rarely = || prop::bool::weighted(0.2);
    let is_kept = prop::bool::weighted(0.8);
    (policy, interrupted, 0..8_u8, 1..4_u32, rarely(), any::<bool>(), rarely(), rarely(), is_kept).prop_map(
        |(
            policy,
            interrupted,
            undo,
            attempts,
            is_approved,
            has_done_when,
            has_expect,
            is_conditional,
            is_kept,
        )| {
            Traits {
                policy,
                interrupted,
                undo,
                attempts,
                is_approved,
                has_done_when,
                has_expect,
                is_conditional,
                is_kept,
            }
        },
    )
}

fn lay_out(block: &Block, name: &str, rescues: Option<&str>, beside: bool, steps: &mut Vec<PlannedStep>) {
    let (lanes, group) = match block {
        Block::Single(lane) => (std::slice::from_ref(lane), None),
        Block::Group { lanes, parallel, max_failures } => (&lanes[..], Some((*parallel, *max_failures))),
    };
    let name_of = |item: usize| if group.is_some() { format!("{name}[{item}]") } else { name.to_owned() };
    let mends = |item: usize, lane: &Lane, steps: &mut Vec<PlannedStep>| {
        for (number, block) in lane.rescue.iter().enumerate() {
            let own = name_of(item);
            lay_out(block, &format!("{own}/{number}"), Some(&own), beside, steps);
        }
    };
    for (item, lane) in lanes.iter().enumerate() {
        let mut made = made(&name_of(item), &lane.traits);
        made.rescues = rescues.map(key);
        made.group = group.map(|(parallel, max_failures)| Group { of: key(name), parallel, max_failures });
        steps.push(made);
        if beside {
            mends(item, lane, steps);
        }
    }
    if !beside {
        lanes.iter().enumerate().for_each(|(item, lane)| mends(item, lane, steps));
    }
}

fn made(name: &str, traits: &Traits) -> PlannedStep {
    let mut made = step(name).failing_to(traits.policy).interrupted(traits.interrupted);
    made = match traits.undo {
        0 => made.with_undo(PlannedUndo::None),
        1 => made.with_undo(PlannedUndo::Irreversible),
        _ => made,
    };
    if traits.attempts > 1 {
        made = made.retried(traits.attempts);
    }
    if traits.has_done_when {
        made = made.with_done_when();
    }
    if traits.has_expect {
        made = made.with_expect();
    }
    made.but(|step| {
        if !traits.is_kept {
            step.task.action = REQUEST.to_owned();
        }
        step.approve = traits.is_approved.then(|| "really?".to_owned());
        step.when = traits.is_conditional.then(|| When::Deferred {
            text: "size > 3".to_owned(),
            scope: Default::default(),
            within: None,
        });
    })
}
