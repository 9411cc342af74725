//! What must be so at the end of every life, whatever went wrong in it.

use std::fmt;

use opsctl::model::plan::{Effect as Kind, Plan, PlannedFailure, PlannedStep, PlannedUndo};
use opsctl::model::runbook::OnInterrupted;
use opsctl::run::event::{Choice, Event, Finding, Outcome, Phase};
use opsctl::run::state::{RunState, Status, StepStatus};

use crate::life::Ended;
use crate::model::Effect;
use crate::world::Hosts;

/// What was counted over many lives.
#[derive(Debug, Default, PartialEq)]
pub struct Totals {
    pub runs: u32,
    pub doubled: u32,
    pub lost: u32,
    pub wrong_state: u32,
    /// What exactly was wrong, for the message.
    pub wrong: Vec<String>,
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Totals { runs, doubled, lost, wrong_state, .. } = self;
        write!(f, "simulated: runs={runs} doubled={doubled} lost={lost} wrong_state={wrong_state}")
    }
}

impl Totals {
    #[track_caller]
    pub fn hold(self) {
        println!("{self}");
        let wrong = self.wrong.iter().take(12).cloned().collect::<Vec<_>>().join("\n");
        assert!(self.wrong.is_empty(), "{self}\n{wrong}");
        assert!(self.runs > 0, "nothing was simulated");
    }

    pub fn add(&mut self, other: Totals) {
        self.runs += other.runs;
        self.doubled += other.doubled;
        self.lost += other.lost;
        self.wrong_state += other.wrong_state;
        self.wrong.extend(other.wrong);
    }

    /// Judges one life.
    pub fn judge(&mut self, name: &str, plan: &Plan, hosts: &Hosts, ended: opsctl::base::Result<Ended>) {
        self.runs += 1;
        let mut say = |what: String| self.wrong.push(format!("{name}: {what}"));
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) => {
                self.wrong_state += 1;
                return say(format!("{error:?}"));
            }
        };
        for step in &plan.steps {
            if let Some(times) = doubled(step, hosts, &ended) {
                self.doubled += 1;
                say(format!("`{}` took effect {times} times", step.key));
            }
            if ended.asked.contains(&step.key) && !hosts.site().ledger.was_cut(step.key.as_str()) {
                self.wrong_state += 1;
                say(format!("`{}` was asked about", step.key));
            }
            if is_lost(plan, step, &ended) {
                self.lost += 1;
                say(format!("`{}` is `{}`, and is not so", step.key, word(&ended.forward, step)));
            }
        }
        for service in hosts.model().broken_off {
            self.wrong_state += 1;
            say(format!("`{service}` was made anew while it was sent requests"));
        }
        // One answer that does not come says nothing about an image.
        let model = hosts.model();
        if model.bad.is_none() && model.done.keys().any(|effect| effect.ends_with(" is bad")) {
            self.wrong_state += 1;
            say("a good image is remembered as bad".to_owned());
        }
        let states = states(plan, hosts, &ended).into_iter().chain(hosts.wrong());
        for wrong in states.chain(left_over(plan, hosts, &ended)) {
            self.wrong_state += 1;
            say(wrong);
        }
    }
}

fn word(state: &RunState, step: &PlannedStep) -> &'static str {
    state.steps[&step.key].status.word()
}

/// How often a step took effect, where that is more often than somebody said it should.
fn doubled(step: &PlannedStep, hosts: &Hosts, ended: &Ended) -> Option<u32> {
    // Where its receipt was lost, one that may be repeated is.
    let may_be_repeated =
        step.on_interrupted == OnInterrupted::Rerun && hosts.site().ledger.was_cut(step.key.as_str());
    if step.task.effect != Kind::Changes || may_be_repeated {
        return None;
    }
    let effect = Effect::of_task(&step.task)?;
    // A failure that may have changed something is openly one: `retry` or a person then says that it is done again.
    let open = ended.records.iter().filter(|record| match &record.event {
        Event::StepFinished { step: key, phase: Phase::Do, outcome, .. } if *key == step.key => {
            matches!(outcome, Outcome::Failed { may_have_changed: true, .. })
        }
        Event::StepObserved { step: key, finding: Finding::Failed { .. }, .. } => *key == step.key,
        _ => false,
    });
    let times = hosts.model().times(&effect);
    (times as usize > 1 + open.count()).then_some(times)
}

/// Whether a step counts as done, and what it does is not there, though no later one is about the same.
fn is_lost(plan: &Plan, step: &PlannedStep, ended: &Ended) -> bool {
    let done = |step: &&PlannedStep| ended.forward.steps[&step.key].status == StepStatus::Succeeded;
    let Some(effect) = Effect::of_task(&step.task).filter(|_| done(&step)) else { return false };
    let later = plan.steps.iter().skip_while(|other| other.key != step.key).skip(1).filter(done);
    let is_overtaken =
        later.filter_map(|step| Effect::of_task(&step.task)).any(|later| later.about() == effect.about());
    ended.forward.status == Status::Succeeded && !is_overtaken && !ended.model.stands(&effect)
}

fn states(plan: &Plan, hosts: &Hosts, ended: &Ended) -> Vec<String> {
    let mut wrong = Vec::new();
    let turns_back = plan.steps.iter().any(|step| step.on_failure == PlannedFailure::Undo);
    let is_asked_for = ended.forward.undo_requested_by.as_deref() == Some("ada");
    if ended.forward.status == Status::Abandoned {
        let is_right = match has_lapsed(ended) {
            true => hosts.shows_other_containers() && hosts.model().done.is_empty(),
            // A run that did not get its hosts is none: nothing was begun.
            false => !ended.records.iter().any(|record| matches!(record.event, Event::StepStarted { .. })),
        };
        return if is_right { wrong } else { vec!["it was abandoned".to_owned()] };
    }
    match ended.forward.status {
        Status::Succeeded => {}
        Status::Undone if turns_back || is_asked_for => {}
        status => {
            wrong.push(format!("it came to be {} and stayed so: {:?}", status.word(), ended.forward.rest))
        }
    }
    if ended.last.status != Status::Undone {
        wrong.push(format!("its undo came to be {}: {:?}", ended.last.status.word(), ended.last.rest));
    }
    for step in &plan.steps {
        let may_fail = step.on_failure == PlannedFailure::Continue
            || step.group.as_ref().is_some_and(|group| group.max_failures > 0)
            || step.rescues.is_some();
        let status = ended.forward.steps[&step.key].status;
        let is_settled = match status {
            StepStatus::Succeeded | StepStatus::Skipped => true,
            StepStatus::Failed => may_fail,
            _ => false,
        };
        if ended.forward.status == Status::Succeeded && !is_settled {
            wrong.push(format!("`{}` is {} in a run that succeeded", step.key, status.word()));
        }
    }
    wrong
}

/// Whether it was given up because what it was approved for is not there any more.
fn has_lapsed(ended: &Ended) -> bool {
    ended.records.iter().any(|record| match &record.event {
        Event::Decision { choice: Choice::Abandon, reason: Some(reason), .. } => {
            reason.starts_with("the approval has lapsed")
        }
        _ => false,
    })
}

/// What the undo should have taken back.
fn left_over(plan: &Plan, hosts: &Hosts, ended: &Ended) -> Vec<String> {
    if ended.last.status != Status::Undone {
        return Vec::new();
    }
    let model = hosts.model();
    let taken_back = plan.steps.iter().filter_map(|step| match &step.undo {
        PlannedUndo::Task(undo) => Some((step, Effect::of_task(undo)?)),
        PlannedUndo::None | PlannedUndo::Irreversible => None,
    });
    // What no host was ever given is not undone. Two steps may be each other's undo, so that the model does not tell.
    let may_have_begun = |step: &PlannedStep| hosts.site().ledger.has_claim(step.key.as_str());
    let undone: Vec<_> = taken_back.filter(|(step, _)| may_have_begun(step)).collect();
    // The undo of the earlier step comes later.
    let is_last =
        |at: usize, undo: &Effect| undone[..at].iter().all(|(_, later)| later.about() != undo.about());
    let left = undone.iter().enumerate().filter(|(at, (_, undo))| is_last(*at, undo) && !model.stands(undo));
    left.map(|(_, left)| left)
        .map(|(step, undo)| format!("`{}` is not undone: `{}`", step.key, undo.name()))
        .collect()
}
