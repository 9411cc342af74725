//! The loop that moves a run: decide, perform, append, fold; then again, until it rests or ends.
//!
//! The loop keeps nothing in mind that is not in the journal or asked anew, so that killing it at any instant loses nothing:
//! what was begun is in the journal before it began.

use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::attempt::{Attempt, Trying};
use super::cancel::{Cancel, Urgency};
use super::deferred::Outputs;
use super::drift;
use super::look::Look;
use super::shown::Shown;
use super::vigil::Vigil;
use super::world::World;
use crate::base::id::{RunId, StepKey};
use crate::base::{Error, Kind, Result, crash};
use crate::host::failure::Failure;
use crate::journal::store::Turn;
use crate::model::plan::Plan;
use crate::run::decide::{Decision, Question, decide};
use crate::run::event::{Choice, Event, Evidence, Finding, Outcome, Phase};
use crate::run::known::{Answer, At, Known};
use crate::run::receipt::ReceiptKey;
use crate::run::signal::Signal;
use crate::run::state::{Course, RunState};

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
    /// Notices when this process was away.
    pub vigil: &'a Vigil,
    pub tell: &'a (dyn Fn(Signal) + Send + Sync),
}

/// Something that was waited for.
pub(super) enum Came {
    Attempt { key: ReceiptKey, made: std::result::Result<Attempt, Failure> },
    Answer { step: StepKey, at: At, answer: std::result::Result<Answer, Failure> },
}

impl Engine<'_> {
    /// Moves the run until it rests, ends, or has nothing to do.
    ///
    /// # Errors
    /// When the journal cannot be written: then nothing more is begun, and what was under way is unknown. [`Kind::Refused`]
    /// when a host refuses us, because somebody else has taken it over: then nothing more is written either.
    pub async fn drive(&self, turn: &mut Turn) -> Result<()> {
        let mut known = Known::new(self.person.is_there());
        let shown = Shown::default();
        let run = turn.dir.id;
        let mut under_way: FuturesUnordered<BoxFuture<'_, Came>> = FuturesUnordered::new();
        loop {
            if self.cancel.is_requested() {
                known.cancelled_by = Some(self.operator.to_owned());
                known.ends_what_was_left = self.cancel.urgency() == Urgency::Everything;
            }
            match decide(self.plan, turn.journal.state(), &known) {
                Decision::Start { step, attempt, phase } => {
                    let event = Event::StepStarted { step: step.clone(), attempt, phase };
                    self.append(turn, &mut known, event).await?;
                    crash::point("engine.step_started");
                    let key = ReceiptKey { run, step, attempt, phase };
                    under_way.push(self.attempt(key, false, turn.journal.state(), &shown));
                }
                Decision::Follow { step, attempt, phase } => {
                    let (finding, by) = (Finding::Followed, Evidence::Receipt);
                    let event = Event::StepObserved { step: step.clone(), attempt, phase, finding, by };
                    self.append(turn, &mut known, event).await?;
                    crash::point("engine.step_followed");
                    let key = ReceiptKey { run, step, attempt, phase };
                    under_way.push(self.attempt(key, true, turn.journal.state(), &shown));
                }
                Decision::Look { step, at } => {
                    known.ask(&step, at);
                    under_way.push(self.look(run, step, at, turn.journal.state()));
                }
                Decision::Pause { step, time } => {
                    known.ask(&step, At::Pause);
                    let what = format!("the pause before another attempt of `{step}`");
                    (self.tell)(Signal::Waiting { what, at_most: Some(time) });
                    let over = tokio::time::sleep(time.0);
                    under_way.push(
                        over.map(|()| Came::Answer { step, at: At::Pause, answer: Ok(Answer::Holds) })
                            .boxed(),
                    );
                }
                Decision::Skip { step, why } => {
                    self.append(turn, &mut known, Event::StepSkipped { step, why }).await?;
                }
                Decision::Observe { step, attempt, phase, finding, by } => {
                    self.append(turn, &mut known, Event::StepObserved { step, attempt, phase, finding, by })
                        .await?;
                }
                Decision::Ask { about } => self.ask(turn, &mut known, &about).await?,
                Decision::Lapse { why } => {
                    let (by, reason) = (self.operator.to_owned(), format!("the approval has lapsed: {why}"));
                    let choice = Choice::Abandon;
                    self.append(turn, &mut known, Event::Decision { by, choice, reason: Some(reason) })
                        .await?;
                }
                Decision::TurnBack { because } => {
                    self.append(turn, &mut known, Event::UndoRequested { by: because.to_string() }).await?;
                }
                Decision::Rest(rest) => {
                    return self.append(turn, &mut known, Event::RunRested { rest }).await;
                }
                Decision::End(end) => return self.append(turn, &mut known, Event::RunEnded { end }).await,
                Decision::Nothing => return Ok(()),
                Decision::Wait => tokio::select! {
                    biased;
                    () = self.cancel.reached(Urgency::Gentle), if known.cancelled_by.is_none() => {}
                    came = under_way.next() => match came {
                        Some(came) => self.take(turn, &mut known, came).await?,
                        None => return Err(Error::internal("the run waits, and nothing is under way")),
                    },
                },
            }
        }
    }

    async fn append(&self, turn: &mut Turn, known: &mut Known, event: Event) -> Result<()> {
        known.note(&event);
        self.write(turn, event).await
    }

    /// Asks the person. What they approve is a step on what there was when they were asked, however long they think about it.
    async fn ask(&self, turn: &mut Turn, known: &mut Known, about: &Question) -> Result<()> {
        let mut seen = None;
        if let Question::ApproveStep { step, .. } = about {
            let planned = self.plan.step(step).expect("decide names only steps of the plan");
            match drift::look_at_step(self.world, self.plan, planned).await {
                Ok(containers) => seen = containers,
                Err(failure) => {
                    known.answer(step, At::Approval, drift::out_of_sight(failure));
                    return Ok(());
                }
            }
        }
        let event = match self.person.answer(about)? {
            Some(Event::Decision { by, choice: Choice::ApproveStep { step, .. }, reason }) => {
                let choice = Choice::ApproveStep { step, containers: seen };
                Event::Decision { by, choice, reason }
            }
            Some(event) => event,
            None => {
                known.is_attended = false;
                return Ok(());
            }
        };
        self.append(turn, known, event).await
    }

    async fn take(&self, turn: &mut Turn, known: &mut Known, came: Came) -> Result<()> {
        match came {
            Came::Answer { step, at, answer } => {
                known.answer(&step, at, answer.map_err(|failure| taken_over(&failure))?);
                Ok(())
            }
            Came::Attempt { key: ReceiptKey { step, attempt, phase, .. }, made } => {
                let made = made.map_err(|failure| taken_over(&failure))?;
                crash::point("engine.outcome");
                let mut outcome = made.outcome;
                let mut kept = Ok(());
                if !made.log.is_empty() {
                    let (Outcome::Succeeded { log, .. }
                    | Outcome::Failed { log, .. }
                    | Outcome::Unknown { log, .. }) = &mut outcome;
                    kept = turn.dir.blobs().put(made.log.as_bytes()).map(|digest| *log = Some(digest));
                }
                // How it ended comes first: a disk that has no room for its output may well have some for that.
                self.append(turn, known, Event::StepFinished { step, attempt, phase, outcome }).await?;
                kept
            }
        }
    }

    fn attempt<'a>(
        &'a self,
        key: ReceiptKey,
        is_followed: bool,
        state: &RunState,
        shown: &'a Shown,
    ) -> BoxFuture<'a, Came> {
        let Engine { plan, world, tell, cancel, .. } = *self;
        let outputs = Outputs::of(state.outputs());
        let goes_back = state.course == Course::Back;
        let first = state.step(&key.step).map_or(key.attempt, |step| step.first_of_a_kind());
        async move {
            let step = plan.step(&key.step).expect("decide names only steps of the plan");
            let (key_of, outputs) = (&key, &outputs);
            let trying = Trying {
                plan,
                world,
                step,
                key: key_of,
                is_followed,
                first,
                goes_back,
                outputs,
                shown,
                tell,
                cancel,
            };
            let made = trying.run().await;
            Came::Attempt { key, made }
        }
        .boxed()
    }

    pub(super) fn look(&self, run: RunId, step: StepKey, at: At, state: &RunState) -> BoxFuture<'_, Came> {
        let Engine { plan, world, tell, .. } = *self;
        let (outputs, course) = (Outputs::of(state.outputs()), state.course);
        let is_kept = state.keeps_receipt_of(&step);
        let (attempt, phase) = state.step(&step).map_or((0, Phase::Do), |step| step.last_attempt());
        let approved_on = state.step(&step).and_then(|step| step.approved_on.clone());
        async move {
            let planned = plan.step(&step).expect("decide names only steps of the plan");
            let key = ReceiptKey { run, step: step.clone(), attempt, phase };
            let (key, outputs, approved_on) = (&key, &outputs, approved_on.as_ref());
            let look = Look { plan, world, step: planned, key, is_kept, course, outputs, approved_on, tell };
            let answer = look.answer(at).await;
            Came::Answer { step, at, answer }
        }
        .boxed()
    }
}

/// Somebody else has taken over a host of this run. What this process still has to say is of no interest any more.
pub(super) fn taken_over(failure: &Failure) -> Error {
    let message = format!("host `{}` was taken over: {}", failure.host, failure.message);
    Error::new(Kind::Refused, message).hint("opsctl lock list")
}
