//! What the screen has to know of a plan while it is performed: what each step is called, and where it happens.

use std::collections::BTreeMap;

use super::paint::visible;
use crate::base::id::StepKey;
use crate::model::plan::{Effect, Plan, PlannedFailure, When};
use crate::run::event::Skip;

/// Keys longer than this are written out, but do not push the text of all others to the right.
const WIDEST: usize = 28;

#[derive(Debug, Clone, Default)]
pub struct Outline {
    steps: BTreeMap<StepKey, Entry>,
    width: usize,
}

#[derive(Debug, Clone)]
struct Entry {
    title: String,
    host: Option<String>,
    group: Option<StepKey>,
    rescues: Option<StepKey>,
    /// Whether it is only there for what went wrong before: its condition waits for that, and nothing depends on it.
    is_aside: bool,
}

impl Outline {
    pub fn of(plan: &Plan) -> Outline {
        let entry = |step: &crate::model::plan::PlannedStep| Entry {
            title: visible(&step.title),
            host: step.task.host.clone(),
            group: step.group.as_ref().map(|group| group.of.clone()),
            rescues: step.rescues.clone(),
            is_aside: matches!(step.when, Some(When::Deferred { .. }))
                && (step.on_failure == PlannedFailure::Continue || step.task.effect == Effect::Reads),
        };
        let widths = plan.steps.iter().map(|step| step.key.as_str().chars().count());
        Outline {
            width: widths.filter(|width| *width <= WIDEST).max().unwrap_or(0).max("run".len()),
            steps: plan.steps.iter().map(|step| (step.key.clone(), entry(step))).collect(),
        }
    }

    /// The width of the column that keys stand in.
    pub fn width(&self) -> usize {
        self.width
    }

    pub fn title(&self, step: &StepKey) -> &str {
        self.steps.get(step).map_or("", |entry| &entry.title)
    }

    pub fn host(&self, step: &StepKey) -> Option<&str> {
        self.steps.get(step)?.host.as_deref()
    }

    /// The `for_each` that the step is an item of.
    pub fn group(&self, step: &StepKey) -> Option<&StepKey> {
        self.steps.get(step)?.group.as_ref()
    }

    /// Whether it is worth a word that the step was skipped. What was there only to mend what did not fail, or to look at it, is
    /// not missed.
    pub fn is_missed(&self, step: &StepKey, why: &Skip) -> bool {
        match why {
            Skip::NotNeeded => false,
            Skip::Condition { .. } => !self.steps.get(step).is_some_and(|entry| entry.is_aside),
            Skip::AlreadyDone | Skip::TooManyFailures => true,
        }
    }

    /// The step that this one would mend.
    pub fn mends(&self, step: &StepKey) -> Option<&StepKey> {
        self.steps.get(step)?.rescues.as_ref()
    }
}
