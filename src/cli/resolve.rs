//! `opsctl resolve`.

use std::process::ExitCode;

use clap::ArgGroup;

use super::Global;
use super::operator::operator;
use super::turn;
use crate::base::id::StepKey;
use crate::base::nearest::nearest;
use crate::base::{Error, Kind, Result};
use crate::engine::drift;
use crate::model::plan::{Plan, PlannedStep};
use crate::model::snapshot::Snapshot;
use crate::run::event::{Choice, Event, Evidence, Finding, Phase};
use crate::run::state::RunState;
use crate::ui;
use crate::ui::patience::patiently;

/// Answer what a run waits for
///
/// That is what became of a step that nobody saw the end of, or whether a step may be done. The answer is on record with its reason;
/// the run goes on with `opsctl resume`.
#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("answer").required(true))]
pub struct Resolve {
    /// The run: `latest`, the start of its id, or its last characters
    run: String,
    /// The step, as `opsctl runs show` calls it
    step: String,
    /// It took effect; of an undo: it was taken back
    #[arg(long, group = "answer", requires = "reason")]
    happened: bool,
    /// It certainly had no effect, or may safely be done again
    #[arg(long, group = "answer", requires = "reason")]
    not_happened: bool,
    /// The step may be done
    #[arg(long, group = "answer")]
    approve: bool,
    /// The step is not to be done
    #[arg(long, group = "answer")]
    decline: bool,
    /// The undo may go past this irreversible step, which itself stays
    #[arg(long, group = "answer", requires = "reason")]
    undo_past: bool,
    /// How you know, for whoever reads the journal
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Resolve {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let (mut turn, history) = turn::take(&self.run)?;
        let state = history.state();
        turn::refuse_ended(&turn.dir, state, "resolved")?;
        let key = StepKey::new(&self.step);
        let Some(step) = history.plan.step(&key) else { return Err(self.no_such_step(state)) };
        let seen = match self.approve && step.approve.is_some() {
            true => look_at(&history.plan, step, global).await?,
            false => None,
        };
        let by = operator();
        turn.journal.append(Event::EpochStarted { operator: by.clone(), pid: std::process::id() })?;
        let event = self.event(key, turn.journal.state(), by, seen);
        turn.journal.append(event).map_err(|error| {
            Error::new(Kind::Usage, format!("this is no answer for `{}` as it is now", self.step))
                .cause(error.to_string())
                .hint(format!("opsctl runs show {}", turn.dir.id.short()))
        })?;
        let next = format!("opsctl resume {}", turn.dir.id.short());
        if global.json {
            ui::look::give(&format!(
                "{}\n",
                serde_json::json!({ "kind": "resolved", "step": self.step, "next": next })
            ))?;
        } else {
            ui::look::say(&format!("noted for `{}`; next: {next}\n", self.step));
        }
        Ok(ExitCode::SUCCESS)
    }

    /// `containers` are those that an approval is given for.
    fn event(&self, step: StepKey, state: &RunState, by: String, containers: Option<Snapshot>) -> Event {
        let decision = |choice| Event::Decision { by: by.clone(), choice, reason: self.reason.clone() };
        if self.approve {
            return decision(Choice::ApproveStep { step, containers });
        }
        if self.decline {
            return decision(Choice::DeclineStep { step });
        }
        if self.undo_past {
            return decision(Choice::UndoPast { step });
        }
        let finding = if self.happened { Finding::Happened } else { Finding::MayRun };
        let (phase, attempt) = state.step(&step).map_or((Phase::Do, 1), |known| match known.phase {
            Phase::Do => (Phase::Do, known.done.attempts),
            Phase::Undo => (Phase::Undo, known.undo.attempts),
        });
        let reason = self.reason.clone().unwrap_or_default();
        Event::StepObserved { step, attempt, phase, finding, by: Evidence::Person { by, reason } }
    }

    fn no_such_step(&self, state: &RunState) -> Error {
        let keys: Vec<_> = state.steps.keys().map(StepKey::as_str).collect();
        let error = Error::usage(format!("the run has no step `{}`", self.step));
        match nearest(&self.step, keys.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("it has {}", keys.join(", "))),
        }
    }
}

/// The containers that a step is about, as they are now: its approval stands on these.
async fn look_at(plan: &Plan, step: &PlannedStep, global: &Global) -> Result<Option<Snapshot>> {
    let hosts = turn::hosts_of(plan, global)?;
    let looking = drift::look_at_step(&hosts, plan, step);
    let seen = patiently("answers from the hosts", global.quiet, looking).await;
    hosts.close().await;
    seen.map_err(|failure| {
        let message =
            format!("`{}` cannot be approved: nobody can look at the containers that it is about", step.key);
        let error = Error::new(Kind::Waiting, message).caused_by(&failure);
        failure.hints.iter().fold(error, |error, hint| error.hint(hint.clone()))
    })
}
