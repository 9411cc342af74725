//! An engine without a host: it performs what is decided in a [`Trace`] of a world, and dies, loses and fails by a [`Tape`].
//!
//! A death forgets everything but the records. What was in flight then was never begun, runs on, or has ended unseen.

use super::fate;
use super::plans::keeps_receipts;
use super::scene::{created, decision, epoch, no, person, record, unkept, unreachable};
use super::world::{Key, Moment, Tape, Trace};
use crate::base::id::StepKey;
use crate::model::plan::{Plan, PlannedUndo};
use crate::model::snapshot::Snapshot;
use crate::run::decide::{Decision, Question, decide};
use crate::run::event::{Choice, End, Event, Evidence, Finding, Phase, Record, Rest};
use crate::run::known::{Answer, At, Known};
use crate::run::receipt::Receipt;
use crate::run::state::{RunState, Status, StepStatus};

/// Far more decisions than any of the plans needs.
const PATIENCE: usize = 5_000;

pub struct Simulator<'a> {
    plan: &'a Plan,
    state: RunState,
    known: Known,
    tape: Tape<'a>,
    /// The number of the record after which the process dies, besides what the tape says.
    dies_after: Option<u64>,
    /// What was given to its host, and whether it is followed.
    in_flight: Vec<(Key, bool)>,
    asked: Vec<(StepKey, At)>,
    trace: Trace,
}

/// Runs a plan until it ends for good.
pub fn simulate(plan: &Plan, faults: &[u8], dies_after: Option<u64>) -> (RunState, Trace) {
    let mut simulator = Simulator {
        plan,
        state: RunState::new(plan),
        known: Known::default(),
        tape: Tape::new(faults),
        dies_after,
        in_flight: Vec::new(),
        asked: Vec::new(),
        trace: Trace::default(),
    };
    simulator.append(created(plan));
    for _ in 0..PATIENCE {
        if simulator.step() {
            return (simulator.state, simulator.trace);
        }
    }
    let last: Vec<_> = simulator.trace.records().map(|record| &record.event).collect();
    panic!("the run does not end: {:#?} and then {:?}", &last[last.len() - 12..], simulator.decide());
}

impl Simulator<'_> {
    fn decide(&self) -> Decision {
        decide(self.plan, &self.state, &self.known)
    }

    /// True when the run has ended for good.
    fn step(&mut self) -> bool {
        if self.tape.rarely(50) {
            self.known.cancelled_by = Some("ada".to_owned());
        }
        if self.tape.rarely(10) {
            let unseen = |key: &Key| !self.in_flight.iter().any(|(other, _)| other == key);
            if let Some(key) = self.trace.running().into_iter().find(unseen) {
                fate::pass(&mut self.trace, &mut self.tape, &key);
            }
        }
        match self.decide() {
            Decision::Start { step, attempt, phase } => {
                if self.append(Event::StepStarted { step: step.clone(), attempt, phase }) {
                    self.dispatch(Key { step, attempt, phase }, false);
                }
            }
            Decision::Follow { step, attempt, phase } => {
                let (finding, by) = (Finding::Followed, Evidence::Receipt);
                if self.append(Event::StepObserved { step: step.clone(), attempt, phase, finding, by }) {
                    self.dispatch(Key { step, attempt, phase }, true);
                }
            }
            Decision::Look { step, at } => self.look(step, at),
            Decision::Pause { step, .. } => self.look(step, At::Pause),
            Decision::Skip { step, why } => drop(self.append(Event::StepSkipped { step, why })),
            Decision::Observe { step, attempt, phase, finding, by } => {
                self.append(Event::StepObserved { step, attempt, phase, finding, by });
            }
            Decision::Ask { about } => self.be_asked(about),
            Decision::Lapse { .. } => drop(self.append(decision(Choice::Abandon))),
            Decision::TurnBack { because } => {
                self.append(Event::UndoRequested { by: because.to_string() });
            }
            Decision::Wait => self.wait(),
            Decision::Rest(rest) => {
                assert!(self.in_flight.is_empty(), "a run rests while a step is in flight");
                self.asked.clear();
                if let Rest::WaitingForPerson { step, .. } = &rest {
                    self.note_question(step);
                }
                self.append(Event::RunRested { rest });
            }
            Decision::End(end) => drop(self.append(Event::RunEnded { end })),
            Decision::Nothing => return self.be_resumed(),
        }
        false
    }

    /// Makes an event durable. False when the process died right after.
    fn append(&mut self, event: Event) -> bool {
        let record = record(&self.state, event);
        let line = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&line).unwrap(), record);
        if let Err(illegal) = self.state.apply(&record) {
            panic!("what was decided cannot follow: {illegal}");
        }
        self.known.note(&record.event);
        self.asked.retain(|(step, at)| self.known.about(step, *at).is_some());
        let dies = self.dies_after == Some(record.seq) || self.tape.rarely(30);
        self.trace.note(Moment::Recorded(record));
        if dies {
            self.die();
        }
        !dies
    }

    fn die(&mut self) {
        for (key, _) in std::mem::take(&mut self.in_flight) {
            let is_over = matches!(self.trace.receipt(&key), Receipt::Ended { .. } | Receipt::Cut { .. });
            match self.tape.one_of(4) {
                _ if is_over => {}
                0 => self.trace.end(&key, true, 0),
                1 => fate::go_on(&mut self.trace, &mut self.tape, &key, keeps_receipts(self.plan, &key)),
                2 => self.trace.cut(&key, false),
                _ => {}
            }
        }
        self.asked.clear();
        let mut state = RunState::new(self.plan);
        for record in self.trace.records() {
            state.apply(record).unwrap();
        }
        assert_eq!(state, self.state, "the journal says something else than the process knew");
        self.known = Known::new(self.tape.one_of(2) == 1);
        if self.state.status.is_moving() {
            self.append(epoch());
        }
    }

    fn wait(&mut self) {
        let count = self.in_flight.len() + self.asked.len();
        assert!(count > 0, "waiting for nothing");
        let chosen = usize::from(self.tape.one_of(count as u8));
        if chosen < self.asked.len() {
            let (step, at) = self.asked.swap_remove(chosen);
            return self.find_out(step, at);
        }
        let (key, is_followed) = self.in_flight.swap_remove(chosen - self.asked.len());
        let is_kept = keeps_receipts(self.plan, &key);
        match fate::next(&mut self.trace, &mut self.tape, &key, is_followed, is_kept) {
            Some(outcome) => {
                let Key { step, attempt, phase } = key;
                self.append(Event::StepFinished { step, attempt, phase, outcome });
            }
            None => self.die(),
        }
    }

    fn dispatch(&mut self, key: Key, is_followed: bool) {
        let beside = self.in_flight.iter().map(|(key, _)| key.step.clone()).collect();
        self.trace.note(Moment::Dispatched { key: key.clone(), is_followed, beside });
        self.in_flight.push((key, is_followed));
    }

    fn note_question(&mut self, step: &StepKey) {
        let state = self.state.step(step).unwrap();
        if state.status == StepStatus::Unknown && !self.is_undoing() {
            self.trace.note(Moment::Asked { step: step.clone() });
        }
    }

    fn look(&mut self, step: StepKey, at: At) {
        if self.tape.rarely(3) {
            self.known.ask(&step, at);
            self.asked.push((step, at));
        } else {
            self.find_out(step, at);
        }
    }

    fn find_out(&mut self, step: StepKey, at: At) {
        let fault = self.tape.one_of(10);
        let answer = match at {
            At::Host | At::DoneWhen | At::Receipt if fault == 1 => {
                self.trace.note(Moment::CutOff { step: step.clone() });
                unreachable()
            }
            At::Approval | At::Basis if fault == 1 => {
                self.trace.note(Moment::CutOff { step: step.clone() });
                unreachable()
            }
            At::Approval if fault == 2 => no(),
            At::Basis if fault == 2 && self.tape.rarely(3) => no(),
            At::Receipt => Answer::Receipt(self.receipt(&step)),
            At::When if fault == 2 => Answer::Broken { message: "no such output".to_owned() },
            At::DoneWhen if !self.trace.stands(&step) => no(),
            At::When | At::Expect if fault == 1 => no(),
            _ => Answer::Holds,
        };
        let holds = answer == Answer::Holds;
        match at {
            At::When => self.trace.note(Moment::Condition { step: step.clone(), holds }),
            At::Approval | At::Basis => self.trace.note(Moment::Stands { step: step.clone(), at, holds }),
            _ => {}
        }
        self.known.answer(&step, at, answer);
    }

    fn receipt(&mut self, step: &StepKey) -> Receipt {
        let (attempt, phase) = self.state.step(step).unwrap().last_attempt();
        let key = Key { step: step.clone(), attempt, phase };
        if !keeps_receipts(self.plan, &key) {
            return unkept();
        }
        if self.trace.receipt(&key) == Receipt::Running {
            fate::pass(&mut self.trace, &mut self.tape, &key);
        }
        self.trace.receipt(&key)
    }

    fn be_asked(&mut self, about: Question) {
        if let Question::Settle { step, .. } = &about {
            self.note_question(step);
        }
        match about {
            Question::ApprovePlan => drop(self.append(self.approval())),
            Question::ApproveStep { step, .. } if self.tape.rarely(8) => {
                self.trace.note(Moment::CutOff { step: step.clone() });
                self.known.answer(&step, At::Approval, unreachable());
            }
            Question::ApproveStep { step, .. }
            | Question::Settle { step, .. }
            | Question::UndoPast { step, .. } => drop(self.answer_about(step)),
        }
    }

    fn approval(&self) -> Event {
        decision(Choice::ApprovePlan { plan: self.plan.digest() })
    }

    /// A person says what there is to say about a step, and knows the truth. False when the process died.
    fn answer_about(&mut self, step: StepKey) -> bool {
        let state = self.state.step(&step).unwrap().clone();
        let planned = self.plan.step(&step).unwrap();
        let event = match state.status {
            StepStatus::Unknown if planned.undo != PlannedUndo::Irreversible || !self.is_undoing() => {
                let finding = if self.trace.stands(&step) { Finding::Happened } else { Finding::MayRun };
                let (attempt, phase) = (state.done.attempts, Phase::Do);
                Event::StepObserved { step, attempt, phase, finding, by: person() }
            }
            StepStatus::Pending | StepStatus::Failed if planned.approve.is_some() && !self.is_undoing() => {
                match self.tape.rarely(5) {
                    true => decision(Choice::DeclineStep { step }),
                    false => {
                        let containers = (self.tape.one_of(2) == 0).then(Snapshot::default);
                        decision(Choice::ApproveStep { step, containers })
                    }
                }
            }
            _ if self.is_undoing() => decision(Choice::UndoPast { step }),
            // The last process died right after it was told.
            _ => return true,
        };
        self.append(event)
    }

    fn is_undoing(&self) -> bool {
        self.state.undo_requested_by.is_some()
    }

    /// A person comes back to a run that stands still. True when it has ended for good.
    fn be_resumed(&mut self) -> bool {
        let is_over =
            self.state.status.is_final() && (self.state.status != Status::Succeeded || !self.tape.rarely(3));
        if is_over {
            return true;
        }
        // Another process, in which nobody has pressed Ctrl-C yet.
        self.known = Known::new(self.tape.one_of(2) == 1);
        if !self.append(epoch()) {
            return false;
        }
        if self.state.status == Status::Succeeded {
            self.append(Event::UndoRequested { by: "ada".to_owned() });
            return false;
        }
        if !self.is_undoing() && self.tape.rarely(8) {
            self.append(Event::UndoRequested { by: "ada".to_owned() });
            return false;
        }
        let goes_on = match self.state.rest.clone() {
            Some(Rest::WaitingForApproval) => self.append(self.approval()),
            Some(Rest::WaitingForPerson { step, .. }) => self.answer_about(step),
            Some(Rest::Failed { step, .. }) => self.face_failure(step),
            Some(Rest::Stuck { step, .. }) => self.face_stuck_undo(step),
            _ => true,
        };
        if goes_on && self.state.status.is_resting() && self.state.abandoned_by.is_none() {
            self.append(decision(Choice::Resume));
        }
        false
    }

    fn face_failure(&mut self, step: StepKey) -> bool {
        let is_failed = self.state.step(&step).unwrap().status == StepStatus::Failed;
        match self.tape.one_of(8) {
            1 => self.append(Event::UndoRequested { by: "ada".to_owned() }),
            2 => self.append(decision(Choice::Abandon)),
            3 if is_failed => self.do_by_hand(step, Phase::Do),
            _ => true,
        }
    }

    fn face_stuck_undo(&mut self, step: StepKey) -> bool {
        // The last process may have died right after it was told.
        let is_open = self.state.step(&step).unwrap().status == StepStatus::UndoFailed;
        if is_open && self.tape.rarely(3) { self.do_by_hand(step, Phase::Undo) } else { true }
    }

    fn do_by_hand(&mut self, step: StepKey, phase: Phase) -> bool {
        let attempt = self.state.step(&step).unwrap().tries(phase).attempts;
        self.trace.note(Moment::ByHand { step: step.clone(), phase });
        let finding = Finding::Happened;
        self.append(Event::StepObserved { step, attempt, phase, finding, by: person() })
    }
}

/// How the run ended.
pub fn end(trace: &Trace) -> Option<End> {
    trace
        .records()
        .filter_map(|record| match record.event {
            Event::RunEnded { end } => Some(end),
            _ => None,
        })
        .last()
}
