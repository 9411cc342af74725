//! What has to be asked of the hosts before a plan can be made.
//!
//! The plan is made once with stand-ins for the facts, and what it would use of them is what has to be asked. So nothing is
//! asked of a host or a project that the plan has nothing to do with, which may be the one that is broken.

use std::collections::BTreeSet;

use super::{Find, Request, make, tasks};
use crate::action::registry;
use crate::base::error::Result;
use crate::engine::fill;
use crate::model::facts::{Facts, HostFacts, ProjectFacts, Site};
use crate::model::operation::{DockerQuery, Operation, Program, Selection};
use crate::model::plan::{Form, Task};
use crate::model::touched::Touched;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needs {
    /// The hosts that the plan uses at all.
    pub hosts: BTreeSet<String>,
    /// Those of which has to be known how Compose is called there.
    pub compose: BTreeSet<String>,
    /// The projects of which has to be known what Compose calls them.
    pub projects: BTreeSet<String>,
    /// The containers that the plan may change: its approval stands on these.
    pub containers: Vec<Touched>,
}

/// Stands for Compose until it is known how it is called; no program has such a name.
const COMPOSE: &str = "\u{f5a2}compose";

/// # Errors
/// As [`make`].
pub fn needs(find: Find<'_>, request: Request<'_>) -> Result<Needs> {
    let inventory = request.site.inventory;
    let host_facts = HostFacts { compose: vec![COMPOSE.to_owned()] };
    let facts = Facts {
        hosts: inventory.hosts.keys().map(|name| (name.clone(), host_facts.clone())).collect(),
        projects: inventory
            .projects
            .keys()
            .map(|name| {
                (
                    name.clone(),
                    ProjectFacts { name: name.clone(), found: vec![COMPOSE.to_owned()], has_pins: false },
                )
            })
            .collect(),
        ..Facts::default()
    };
    let site = Site { inventory, facts: &facts };
    let plan = make(find, Request { site, ..request })?;
    let mut needs = Needs { hosts: plan.hosts.keys().cloned().collect(), ..Needs::default() };
    for task in plan.steps.iter().flat_map(tasks) {
        needs.add(task, site);
    }
    needs.containers = plan.touches();
    for touched in &needs.containers {
        needs.compose.insert(inventory.host_of(&touched.project).to_owned());
        needs.projects.insert(touched.project.clone());
    }
    Ok(needs)
}

impl Needs {
    fn add(&mut self, task: &Task, site: Site<'_>) {
        match &task.form {
            Form::Ready(operation) => {
                let selection = match operation {
                    Operation::Exec(exec) => Some(&exec.container),
                    Operation::Docker(
                        DockerQuery::Containers(of) | DockerQuery::Logs { of, .. } | DockerQuery::Stats(of),
                    ) => Some(of),
                    _ => None,
                };
                if let Some(Selection { project, .. }) = selection {
                    self.projects.insert(project.clone());
                }
                let is_compose =
                    matches!(operation, Operation::Command(command) if is_compose(&command.program));
                if selection.is_some() || is_compose {
                    self.compose.extend(task.host.clone());
                }
            }
            Form::Deferred { args, scope, .. } => {
                let known =
                    registry::find(&task.action).and_then(|entry| fill::known(entry, args, scope).ok());
                let is_about_one = |key: &str| args.contains_key(key);
                if !["project", "database", "cache"].into_iter().any(is_about_one) {
                    return;
                }
                self.compose.extend(task.host.clone());
                let project = known.and_then(|known| crate::action::project(&known, site).ok().flatten());
                match project {
                    Some(project) => self.projects.extend([project]),
                    // Which one it is comes out later: it is one of its host's.
                    None => self.projects.extend(
                        site.inventory
                            .projects
                            .iter()
                            .filter(|(_, project)| Some(&project.host) == task.host.as_ref())
                            .map(|(name, _)| name.clone()),
                    ),
                }
            }
        }
    }
}

fn is_compose(program: &Program) -> bool {
    match program {
        Program::Argv(argv) => argv.first().is_some_and(|word| word == COMPOSE),
        Program::Shell(line) => line.contains(COMPOSE),
        Program::Script(script) => script.body.contains(COMPOSE),
    }
}
