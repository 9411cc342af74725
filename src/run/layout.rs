//! The shape of a plan: which steps follow one another, which are items of one group, and which mend which.
//!
//! A plan is a list; its shape is a tree. The steps that mend a step hang below it, and the neighbours that are left with
//! the same group form one block. A single step is a block of one.

use std::collections::{HashMap, HashSet};

use crate::base::id::StepKey;
use crate::model::plan::{Plan, PlannedStep};

#[derive(Debug)]
pub(super) struct Layout<'a> {
    pub blocks: Vec<Block<'a>>,
    /// Steps that mend a step which does not come before them: nothing ever needs them.
    pub orphans: Vec<Lane<'a>>,
}

/// What comes one after the other.
#[derive(Debug)]
pub(super) struct Block<'a> {
    pub lanes: Vec<Lane<'a>>,
    pub parallel: usize,
    pub max_failures: usize,
}

/// A step, and what mends it.
#[derive(Debug)]
pub(super) struct Lane<'a> {
    pub step: &'a PlannedStep,
    pub rescue: Vec<Block<'a>>,
}

impl<'a> Layout<'a> {
    pub fn of(plan: &'a Plan) -> Layout<'a> {
        let mut seen = HashSet::new();
        let mut children: Children<'a> = HashMap::new();
        let (mut roots, mut orphans) = (Vec::new(), Vec::new());
        for step in &plan.steps {
            match &step.rescues {
                None => roots.push(step),
                Some(mended) if seen.contains(mended) => children.entry(mended).or_default().push(step),
                Some(_) => orphans.push(step),
            }
            seen.insert(&step.key);
        }
        Layout {
            blocks: blocks(&roots, &children),
            orphans: orphans.into_iter().map(|step| lane(step, &children)).collect(),
        }
    }
}

type Children<'a> = HashMap<&'a StepKey, Vec<&'a PlannedStep>>;

fn blocks<'a>(steps: &[&'a PlannedStep], children: &Children<'a>) -> Vec<Block<'a>> {
    steps
        .chunk_by(|a, b| matches!((&a.group, &b.group), (Some(a), Some(b)) if a.of == b.of))
        .map(|items| {
            let group = items[0].group.as_ref();
            Block {
                lanes: items.iter().map(|step| lane(step, children)).collect(),
                parallel: group.map_or(1, |group| group.parallel.max(1) as usize),
                max_failures: group.map_or(0, |group| group.max_failures as usize),
            }
        })
        .collect()
}

fn lane<'a>(step: &'a PlannedStep, children: &Children<'a>) -> Lane<'a> {
    Lane { step, rescue: children.get(&step.key).map_or_else(Vec::new, |mends| blocks(mends, children)) }
}
