//! The way to everything that is looked at: one question, one deadline, an answer or why there is none.

use std::time::Duration;

use indexmap::IndexMap;
use serde_json::Value;

use crate::base::amount::Span;
use crate::engine::world::{Request, World};
use crate::host::failure::{Failure, FailureKind};
use crate::model::facts::Site;
use crate::model::operation::{ContainerCommand, Operation, Selection};

/// How long Docker, a database or a cache may take.
const DEADLINE: Duration = Duration::from_secs(10);

pub(super) struct Eyes<'a> {
    pub site: Site<'a>,
    /// Why, for each host that could not be connected to.
    pub unreachable: &'a IndexMap<String, Failure>,
    pub world: &'a dyn World,
}

impl Eyes<'_> {
    pub async fn ask(&self, host: &str, operation: &Operation) -> Result<Value, Failure> {
        if let Some(failure) = self.unreachable.get(host) {
            return Err(failure.clone());
        }
        let request = Request {
            host: Some(host),
            operation,
            timeout: Some(DEADLINE),
            output: &mut |_, _| {},
            key: None,
        };
        match tokio::time::timeout(DEADLINE, self.world.perform(request)).await {
            Ok(observation) => observation.map(|observation| observation.value),
            Err(_) => Err(Failure {
                host: host.to_owned(),
                kind: FailureKind::Timeout,
                message: format!("no answer in {}", Span(DEADLINE)),
                is_dispatched: true,
                hints: Vec::new(),
            }),
        }
    }

    /// Asks a program inside the container of a Compose service.
    pub async fn ask_inside(&self, project: &str, service: &str, argv: Vec<String>) -> Result<Value, String> {
        let container = self.selection(project, Some(service))?;
        let command = ContainerCommand { container, argv, deadline: Span(DEADLINE) };
        let answer = self.ask(self.site.inventory.host_of(project), &Operation::Exec(command)).await;
        answer.map_err(|failure| failure.message)
    }

    pub fn selection(&self, project: &str, service: Option<&str>) -> Result<Selection, String> {
        let facts = self.site.facts.projects.get(project);
        let facts = facts.ok_or_else(|| format!("project `{project}` could not be asked for its name"))?;
        let compose = self.site.compose(project)?;
        Ok(Selection { project: facts.name.clone(), compose, service: service.map(str::to_owned) })
    }
}
