//! What speaks for a thing of whatever kind: its age, its project, and the runs that have not ended.

use std::time::Duration;

use crate::base::clock::Timestamp;
use crate::model::clutter::contents::{Contents, Engined};
use crate::model::clutter::survey::Reason;
use crate::model::clutter::terms::Cleanup;

#[derive(Clone, Copy)]
pub(super) struct Needs<'a> {
    pub contents: &'a Contents,
    pub terms: &'a Cleanup,
}

impl Needs<'_> {
    /// What nobody knows the age of is young: it may have been made a moment ago.
    pub fn young(&self, since: Option<Timestamp>) -> Option<Reason> {
        let age = |since| Duration::try_from(self.contents.now.duration_since(since));
        // What is to come by the clock of the host has no age.
        let is_old =
            since.and_then(|since| age(since).ok()).is_some_and(|age| age >= self.terms.unused_for.0);
        (!is_old).then_some(Reason::Young)
    }

    /// A run that has not ended and whose plan has one of the words anywhere, also as a part of another: a plan names things in
    /// arguments, in scripts and in what undoes a step, and none of its forms may be missed.
    pub fn run<'a>(&self, words: impl IntoIterator<Item = &'a str> + Clone) -> Option<Reason> {
        let names = |plan: &str| words.clone().into_iter().any(|word| plan.contains(word));
        let run = self.contents.unfinished.iter().find(|run| names(&run.plan))?;
        Some(Reason::Run(run.run.clone()))
    }
}

/// Why something of that Compose project stays: it can be started again as long as its files are there.
pub(super) fn project(engine: &Engined, name: &str) -> Option<Reason> {
    match engine.projects.iter().find(|project| project.name == name) {
        Some(project) if project.is_gone => None,
        Some(project) if project.unread.is_none() => Some(Reason::Project(name.to_owned())),
        _ => Some(Reason::Unknown(name.to_owned())),
    }
}
