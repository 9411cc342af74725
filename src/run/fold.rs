//! What an event brings besides the statuses: attempts, messages, outputs, decisions, and what is left in the world.

use super::event::{Choice, Event, Evidence, Finding, Outcome, Phase, Rest, Skip};
use super::receipt::Processes;
use super::state::{Course, Held, RunState, StepState, StepStatus};
use crate::base::clock::Timestamp;

impl StepState {
    /// What its attempts leave behind, once one of them has ended or was cut off.
    fn end(&mut self, at: Timestamp, message: Option<&str>) {
        self.ended_at = Some(at);
        self.message = message.map(str::to_owned);
    }
}

impl RunState {
    /// What the event brings besides the statuses of the run and of its step.
    pub(super) fn take_in(&mut self, event: &Event, at: Timestamp) {
        let folder = match event {
            Event::StepStarted { step, phase, .. } => {
                self.folder_of(step, *phase).map(|folder| folder.id.clone())
            }
            _ => None,
        };
        if let Some(step) = event.step().and_then(|key| self.steps.get_mut(key)) {
            if let Event::StepStarted { attempt, phase, .. } = event {
                step.latest.begin(*phase, *attempt, step.may_have_changed, folder);
            }
            let takes_its_place = match event {
                Event::StepStarted { phase, .. } => *phase == Phase::Do,
                // Done by hand, and never started: undo takes it back at this place.
                Event::StepObserved { finding: Finding::Happened, .. } => step.order.is_none(),
                _ => false,
            };
            if takes_its_place {
                self.starts += 1;
                step.order = Some(self.starts);
            }
            step.take_in(event, at, self.epoch);
            return;
        }
        match event {
            Event::RunCreated { run, plan, runbook, operator } => {
                self.run = Some(*run);
                self.plan = Some(plan.clone());
                self.runbook = Some(runbook.clone());
                self.operator = Some(operator.clone());
                self.created_at = Some(at);
            }
            Event::EpochStarted { .. } => {
                for step in self.steps.values_mut() {
                    step.latest.turn();
                    if step.is_in_flight() {
                        step.may_have_changed = true;
                        step.status = StepStatus::Unknown;
                        step.end(at, Some("the process that started it did not see it end"));
                    }
                }
            }
            Event::LeaseTaken { host, fence, folder } => {
                self.kept.remove(host);
                let held = Held { fence: *fence, epoch: self.epoch, folder: folder.clone() };
                self.leases.insert(host.clone(), held);
            }
            Event::LeaseReleased { host } => {
                self.leases.remove(host);
                self.kept.remove(host);
            }
            Event::LeaseKept { host } => {
                self.kept.insert(host.clone());
            }
            Event::Decision { by, choice, .. } => match choice {
                Choice::ApprovePlan { .. } => self.approved_by = Some(by.clone()),
                Choice::Resume => self.resume(),
                Choice::Abandon => self.abandoned_by = Some(by.clone()),
                Choice::ApproveStep { .. } | Choice::DeclineStep { .. } | Choice::UndoPast { .. } => {}
            },
            Event::UndoRequested { by } => {
                self.undo_requested_by = Some(by.clone());
                self.course = Course::Back;
                self.rest = None;
            }
            Event::RunRested { rest } => self.rest = Some(rest.clone()),
            Event::RunEnded { .. } => self.rest = None,
            Event::StepStarted { .. }
            | Event::StepFinished { .. }
            | Event::StepObserved { .. }
            | Event::StepSkipped { .. } => {}
        }
    }

    /// What the run rested at gets a fresh set of attempts; what went on in spite of a failure stays as it is.
    fn resume(&mut self) {
        for step in self.steps.values_mut() {
            if step.status == StepStatus::Unknown || step.status == StepStatus::UndoFailed {
                step.done.refresh();
                step.undo.refresh();
                step.latest.forgive();
            }
        }
        let rest = self.rest.take();
        let Some(Rest::Failed { step: key, .. } | Rest::WaitingForHost { step: Some(key), .. }) = rest else {
            return;
        };
        let Some(halted) = self.steps.get_mut(&key) else { return };
        if halted.declined_by.take().is_some() {
            return;
        }
        halted.done.refresh();
        let Some(group) = halted.rules.group.clone() else { return };
        let mut again = Vec::new();
        for (key, step) in &mut self.steps {
            if step.rules.group.as_ref() == Some(&group) {
                step.done.refresh();
                if step.skip == Some(Skip::TooManyFailures) {
                    step.unskip();
                    again.push(key.clone());
                }
            }
        }
        // What would mend an item that is to begin after all may be needed after all.
        while let Some(mended) = again.pop() {
            for (key, step) in &mut self.steps {
                if step.rules.rescues.as_ref() == Some(&mended) && step.skip == Some(Skip::NotNeeded) {
                    step.unskip();
                    again.push(key.clone());
                }
            }
        }
    }
}

impl StepState {
    /// The host has no receipt of it: it was started, and never began.
    fn take_back_the_start(&mut self, phase: Phase, by: &Evidence) {
        if phase == Phase::Do && *by == Evidence::Receipt {
            self.may_have_changed = self.latest.had_changed;
        }
    }

    fn unskip(&mut self) {
        self.status = StepStatus::Pending;
        self.skip = None;
        self.ended_at = None;
    }

    fn take_in(&mut self, event: &Event, at: Timestamp, epoch: u64) {
        match event {
            Event::StepStarted { attempt, phase, .. } => {
                self.phase = *phase;
                self.tries_mut(*phase).attempts = *attempt;
                self.started_at.get_or_insert(at);
                self.ended_at = None;
                self.took_effect = false;
                self.unreachable = None;
                if *phase == Phase::Do {
                    self.outputs.clear();
                }
            }
            Event::StepFinished { phase, outcome, .. } => match outcome {
                Outcome::Succeeded { outputs, log, .. } => {
                    if *phase == Phase::Do {
                        self.outputs = outputs.clone();
                    }
                    self.may_have_changed = *phase == Phase::Do;
                    self.log = log.clone();
                    self.latest.close();
                    self.end(at, None);
                }
                Outcome::Failed { message, may_have_changed, unreachable, log, .. } => {
                    self.tries_mut(*phase).failures += 1;
                    self.may_have_changed |= may_have_changed;
                    self.unreachable = unreachable.clone();
                    self.log = log.clone();
                    self.latest.close();
                    self.end(at, Some(message));
                }
                Outcome::Unknown { message, took_effect, processes, outputs, log, .. } => {
                    if *took_effect {
                        self.outputs = outputs.clone();
                        self.latest.close();
                    } else {
                        self.tries_mut(*phase).losses += 1;
                        self.latest.lose((*processes != Processes::Untouched).then_some(epoch));
                    }
                    self.took_effect = *took_effect;
                    self.may_have_changed = true;
                    self.log = log.clone();
                    self.end(at, Some(message));
                }
            },
            Event::StepObserved { attempt, phase, finding, by, .. } => match finding {
                Finding::Happened => {
                    self.may_have_changed = *phase == Phase::Do;
                    self.latest.close();
                    self.end(at, None);
                }
                Finding::MayRun => self.take_back_the_start(*phase, by),
                Finding::Followed => {
                    if self.latest.follow() {
                        self.tries_mut(*phase).losses -= 1;
                    }
                    self.ended_at = None;
                }
                Finding::Failed { message } => {
                    self.take_back_the_start(*phase, by);
                    self.latest.close();
                    let tries = self.tries_mut(*phase);
                    tries.attempts = *attempt;
                    tries.failures += 1;
                    self.outputs.clear();
                    self.end(at, Some(message));
                }
            },
            Event::StepSkipped { why, .. } => {
                self.skip = Some(why.clone());
                self.end(at, None);
            }
            Event::Decision { by, choice, .. } => match choice {
                Choice::ApproveStep { containers, .. } => {
                    self.approved_by = Some(by.clone());
                    self.approved_on = containers.clone();
                    self.declined_by = None;
                }
                Choice::DeclineStep { .. } => {
                    self.declined_by = Some(by.clone());
                    (self.approved_by, self.approved_on) = (None, None);
                }
                Choice::UndoPast { .. } => self.undo_past_by = Some(by.clone()),
                Choice::ApprovePlan { .. } | Choice::Resume | Choice::Abandon => {}
            },
            Event::RunCreated { .. }
            | Event::EpochStarted { .. }
            | Event::LeaseTaken { .. }
            | Event::LeaseReleased { .. }
            | Event::LeaseKept { .. }
            | Event::UndoRequested { .. }
            | Event::RunRested { .. }
            | Event::RunEnded { .. } => {}
        }
    }
}
