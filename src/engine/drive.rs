//! The loop that moves a run: decide, perform, append, fold; then again, until it rests or ends.
//!
//! The loop keeps nothing in mind that is not in the journal or asked anew, so that killing it at any instant loses nothing:
//! what was begun is in the journal before it began.

use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::attempt::{Attempt, Trying};
use super::cancel::Cancel;
use super::deferred::Outputs;
use super::look::{look, reach};
use super::world::World;
use crate::base::id::StepKey;
use crate::base::{Error, Result};
use crate::journal::store::Turn;
use crate::model::plan::{Plan, PlannedStep, PlannedUndo, Task};
use crate::run::decide::{Decision, Question, decide};
use crate::run::event::{Event, Outcome, Phase};
use crate::run::known::{Answer, At, Known};
use crate::run::signal::Signal;
use crate::run::state::Course;

/// Who can be asked while a run moves.
pub trait Person: Send + Sync {
    /// Whether there is somebody.
    fn is_there(&self) -> bool;

    /// What they say, as the event that records it; nothing when they would rather not say now.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    fn answer(&self, question: &Question) -> Result<Option<Event>>;
}

/// What a run is moved with.
pub struct Engine<'a> {
    pub plan: &'a Plan,
    pub world: &'a dyn World,
    pub person: &'a dyn Person,
    pub cancel: &'a Cancel,
    pub operator: &'a str,
    pub tell: &'a (dyn Fn(Signal) + Send + Sync),
}

/// Something that was waited for.
enum Came {
    Attempt { step: StepKey, attempt: u32, phase: Phase, made: Attempt },
    Answer { step: StepKey, at: At, answer: Answer },
}

impl Engine<'_> {
    /// Moves the run until it rests, ends, or has nothing to do.
    ///
    /// # Errors
    /// When the journal cannot be written: then nothing more is begun, and what was under way is unknown.
    pub async fn drive(&self, turn: &mut Turn) -> Result<()> {
        let mut known = Known::new(self.person.is_there());
        let mut under_way: FuturesUnordered<BoxFuture<'_, Came>> = FuturesUnordered::new();
        loop {
            if self.cancel.is_requested() {
                known.cancelled_by = Some(self.operator.to_owned());
            }
            match decide(self.plan, turn.journal.state(), &known) {
                Decision::Start { step, attempt, phase } => {
                    let event = Event::StepStarted { step: step.clone(), attempt, phase };
                    self.append(turn, &mut known, event)?;
                    under_way.push(self.attempt(
                        step,
                        attempt,
                        phase,
                        Outputs::of(turn.journal.state().outputs()),
                    ));
                }
                Decision::Look { step, at } => {
                    known.ask(&step, at);
                    let state = turn.journal.state();
                    under_way.push(self.look(step, at, state.course, Outputs::of(state.outputs())));
                }
                Decision::Pause { step, time } => {
                    known.ask(&step, At::Pause);
                    let what = format!("the pause before another attempt of `{step}`");
                    (self.tell)(Signal::Waiting { what, at_most: Some(time) });
                    let over = tokio::time::sleep(time.0);
                    under_way.push(
                        over.map(|()| Came::Answer { step, at: At::Pause, answer: Answer::Holds }).boxed(),
                    );
                }
                Decision::Skip { step, why } => {
                    self.append(turn, &mut known, Event::StepSkipped { step, why })?;
                }
                Decision::Observe { step, attempt, phase, finding, by } => {
                    self.append(turn, &mut known, Event::StepObserved { step, attempt, phase, finding, by })?;
                }
                Decision::Ask { about } => match self.person.answer(&about)? {
                    Some(event) => self.append(turn, &mut known, event)?,
                    None => known.is_attended = false,
                },
                Decision::TurnBack { because } => {
                    self.append(turn, &mut known, Event::UndoRequested { by: because.to_string() })?;
                }
                Decision::Rest(rest) => return self.append(turn, &mut known, Event::RunRested { rest }),
                Decision::End(end) => return self.append(turn, &mut known, Event::RunEnded { end }),
                Decision::Nothing => return Ok(()),
                Decision::Wait => tokio::select! {
                    biased;
                    () = self.cancel.requested(), if known.cancelled_by.is_none() => {}
                    came = under_way.next() => match came {
                        Some(came) => self.take(turn, &mut known, came)?,
                        None => return Err(Error::internal("the run waits, and nothing is under way")),
                    },
                },
            }
        }
    }

    fn append(&self, turn: &mut Turn, known: &mut Known, event: Event) -> Result<()> {
        known.note(&event);
        let record = turn.journal.append(event)?;
        (self.tell)(Signal::Recorded(record));
        Ok(())
    }

    fn take(&self, turn: &mut Turn, known: &mut Known, came: Came) -> Result<()> {
        match came {
            Came::Answer { step, at, answer } => {
                known.answer(&step, at, answer);
                Ok(())
            }
            Came::Attempt { step, attempt, phase, made } => {
                let mut outcome = made.outcome;
                let mut kept = Ok(());
                if !made.log.is_empty() {
                    let (Outcome::Succeeded { log, .. }
                    | Outcome::Failed { log, .. }
                    | Outcome::Unknown { log, .. }) = &mut outcome;
                    kept = turn.dir.blobs().put(made.log.as_bytes()).map(|digest| *log = Some(digest));
                }
                // How it ended comes first: a disk that has no room for its output may well have some for that.
                self.append(turn, known, Event::StepFinished { step, attempt, phase, outcome })?;
                kept
            }
        }
    }

    fn attempt(&self, step: StepKey, attempt: u32, phase: Phase, outputs: Outputs) -> BoxFuture<'_, Came> {
        let (plan, world, tell, cancel) = (self.plan, self.world, self.tell, self.cancel);
        async move {
            let planned = plan.step(&step).expect("decide names only steps of the plan");
            let trying = Trying { plan, world, step: planned, phase, outputs: &outputs, tell, cancel };
            let made = trying.run().await;
            Came::Attempt { step, attempt, phase, made }
        }
        .boxed()
    }

    fn look(&self, step: StepKey, at: At, course: Course, outputs: Outputs) -> BoxFuture<'_, Came> {
        let (plan, world, tell) = (self.plan, self.world, self.tell);
        async move {
            let planned = plan.step(&step).expect("decide names only steps of the plan");
            let answer = match at {
                At::Host => reach(world, task(planned, course).host.as_deref()).await,
                _ => look(plan, world, planned, at, &outputs, tell).await,
            };
            Came::Answer { step, at, answer }
        }
        .boxed()
    }
}

/// What is to be done next about a step: the step itself, or on the way back its undo.
fn task(step: &PlannedStep, course: Course) -> &Task {
    match (course, &step.undo) {
        (Course::Back, PlannedUndo::Task(undo)) => undo,
        _ => &step.task,
    }
}
