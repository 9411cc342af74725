//! Whether what an approval stands on is still so.
//!
//! An approval is given to commands and to the containers that these are about: the plan's digest covers both. The containers
//! are read when the plan is made and again before anything is done. They are read as every other question to Docker is, through
//! the [`World`].

use futures_util::future::join_all;
use serde_json::Value;

use super::world::{Request, World};
use crate::base::id::StepKey;
use crate::host::failure::{Failure, FailureKind};
use crate::model::drift::Drift;
use crate::model::facts::Site;
use crate::model::operation::{DockerQuery, Operation, Selection};
use crate::model::plan::{Plan, PlannedStep};
use crate::model::snapshot::{ContainerFacts, Snapshot};
use crate::model::touched::Touched;
use crate::run::known::Answer;
use crate::run::signal::Signal;

/// What there is now.
///
/// # Errors
/// When a project cannot be looked at.
pub async fn look(world: &dyn World, site: Site<'_>, touched: &[Touched]) -> Result<Snapshot, Failure> {
    let mut snapshot = Snapshot::default();
    for (touched, containers) in ask(world, site, touched).await {
        snapshot.add(&touched.project, containers?);
    }
    Ok(snapshot)
}

/// What there is when a plan is made. A project whose Docker does not answer is left out: starting it may be what the plan is
/// for.
///
/// # Errors
/// When a host cannot be reached.
pub async fn look_for_plan(
    world: &dyn World,
    site: Site<'_>,
    touched: &[Touched],
) -> Result<Snapshot, Failure> {
    let mut snapshot = Snapshot::default();
    for (touched, containers) in ask(world, site, touched).await {
        match containers {
            Ok(containers) => snapshot.add(&touched.project, containers),
            Err(failure) if failure.is_out_of_reach() => return Err(failure),
            Err(_) => {}
        }
    }
    Ok(snapshot)
}

/// What there is now for a step that is to be approved; nothing when it names no container.
///
/// # Errors
/// As [`look`].
pub async fn look_at_step(
    world: &dyn World,
    plan: &Plan,
    step: &PlannedStep,
) -> Result<Option<Snapshot>, Failure> {
    match step.touches.is_empty() {
        true => Ok(None),
        false => look(world, plan.basis.site(), &step.touches).await.map(Some),
    }
}

/// What somebody approved.
pub struct Approved<'a> {
    /// The step; nothing for the plan as a whole.
    pub step: Option<&'a StepKey>,
    /// The containers, as they were then.
    pub then: &'a Snapshot,
    /// What they were read for.
    pub touched: &'a [Touched],
}

impl Approved<'_> {
    /// Whether all of it is the same now. What is not is told.
    pub async fn still_holds(
        &self,
        world: &dyn World,
        site: Site<'_>,
        tell: &(dyn Fn(Signal) + Sync),
    ) -> Answer {
        // What could not be looked at then is no part of what was approved.
        let touched = self.then.seen_of(self.touched);
        match look(world, site, &touched).await.map(|now| Drift::between(self.then, &now)) {
            Ok(None) => Answer::Holds,
            Ok(Some(drift)) => {
                let saw = drift.to_string();
                tell(Signal::Lapsed { step: self.step.cloned(), drift });
                Answer::Fails { saw }
            }
            Err(failure) => out_of_sight(failure),
        }
    }
}

/// Whatever is in the way: as long as nobody can look, nothing is begun.
pub fn out_of_sight(failure: Failure) -> Answer {
    Answer::Unreachable { host: failure.host, message: failure.message }
}

async fn ask<'t>(
    world: &dyn World,
    site: Site<'_>,
    touched: &'t [Touched],
) -> Vec<(&'t Touched, Result<Vec<ContainerFacts>, Failure>)> {
    join_all(touched.iter().map(|touched| async move { (touched, containers(world, site, touched).await) }))
        .await
}

async fn containers(
    world: &dyn World,
    site: Site<'_>,
    touched: &Touched,
) -> Result<Vec<ContainerFacts>, Failure> {
    let host = site.project(&touched.project).map_or("", |project| &project.host);
    let failure = |kind, message: String| Failure {
        host: host.to_owned(),
        kind,
        message,
        is_dispatched: false,
        hints: Vec::new(),
    };
    let of = selection(site, touched).map_err(|why| failure(FailureKind::Missing, why))?;
    let request = Request {
        host: Some(host),
        operation: &Operation::Docker(DockerQuery::Containers(of)),
        timeout: None,
        output: &mut |_, _| {},
        key: None,
    };
    let observation = world.perform(request).await?;
    let all = observation.value.get("containers").cloned().unwrap_or(Value::Null);
    let mut all: Vec<ContainerFacts> = serde_json::from_value(all).map_err(|error| {
        failure(FailureKind::Protocol, format!("Docker described a container otherwise: {error}"))
    })?;
    all.retain(|container| touched.covers(&container.service));
    all.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(all)
}

/// One service is asked for alone; of several the whole project is listed, in one question.
fn selection(site: Site<'_>, touched: &Touched) -> Result<Selection, String> {
    let project = &touched.project;
    let facts = site.facts.projects.get(project);
    let facts = facts.ok_or_else(|| format!("project `{project}` was not asked for its name"))?;
    let service = match touched.services.len() {
        1 => touched.services.first().cloned(),
        _ => None,
    };
    Ok(Selection { project: facts.name.clone(), compose: site.compose(project)?, service })
}
