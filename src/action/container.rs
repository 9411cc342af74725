//! Containers of a Compose project, found by its labels: their state, health, logs and load, and commands in them.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::word::{self, Word};
use super::{Action, place, verdict};
use crate::base::amount::Span;
use crate::model::facts::Site;
use crate::model::operation::{ContainerCommand, DockerQuery, Operation};
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Looks at the state of containers, of which there must be at least one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Inspect {
    /// The project, by its name in the inventory.
    project: String,
    /// The Compose service. Without it: the whole project.
    service: Option<String>,
}

impl Action for Inspect {
    const NAME: &'static str = "container.inspect";
    const GIVES: ResultKind = ResultKind::Containers;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let selection = place::selection(site, &self.project, self.service.as_deref())?;
        Ok(Operation::Docker(DockerQuery::Containers(selection)))
    }

    fn judge(_: &Operation, result: &Value) -> Result<(), String> {
        verdict::containers(result).map(drop)
    }
}

/// Checks that a service's containers run, and are healthy where they have a health check.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Health {
    /// The project, by its name in the inventory.
    project: String,
    /// The Compose service.
    service: String,
}

impl Action for Health {
    const NAME: &'static str = "container.health";
    const GIVES: ResultKind = ResultKind::Containers;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let selection = place::selection(site, &self.project, Some(&self.service))?;
        Ok(Operation::Docker(DockerQuery::Containers(selection)))
    }

    fn judge(_: &Operation, result: &Value) -> Result<(), String> {
        for container in verdict::containers(result)? {
            let name = container["name"].as_str().unwrap_or("the container");
            match (container["state"].as_str(), container["health"].as_str()) {
                (Some("running"), None | Some("" | "none" | "healthy")) => {}
                (Some("running"), Some(health)) => return Err(format!("`{name}` is {health}")),
                (Some(state), _) => return Err(format!("`{name}` is {state}")),
                (None, _) => return Err(format!("the state of `{name}` is not known")),
            }
        }
        Ok(())
    }
}

/// Reads the last lines of a service's logs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Logs {
    /// The project, by its name in the inventory.
    project: String,
    /// The Compose service.
    service: String,
    /// How many lines of each container.
    #[serde(default = "hundred")]
    tail: u32,
    /// Only lines that are not older than this.
    since: Option<Span>,
}

fn hundred() -> u32 {
    100
}

impl Action for Logs {
    const NAME: &'static str = "container.logs";
    const GIVES: ResultKind = ResultKind::Logs;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let of = place::selection(site, &self.project, Some(&self.service))?;
        Ok(Operation::Docker(DockerQuery::Logs { of, tail: self.tail, since: self.since }))
    }

    fn judge(_: &Operation, _: &Value) -> Result<(), String> {
        Ok(())
    }
}

/// Measures the CPU and memory that containers use.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Stats {
    /// The project, by its name in the inventory.
    project: String,
    /// The Compose service. Without it: the whole project.
    service: Option<String>,
}

impl Action for Stats {
    const NAME: &'static str = "container.stats";
    const GIVES: ResultKind = ResultKind::Stats;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let selection = place::selection(site, &self.project, self.service.as_deref())?;
        Ok(Operation::Docker(DockerQuery::Stats(selection)))
    }

    fn judge(_: &Operation, _: &Value) -> Result<(), String> {
        Ok(())
    }
}

/// Runs a command in a service's container.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Exec {
    /// The project, by its name in the inventory.
    project: String,
    /// The Compose service.
    service: String,
    /// The program and its arguments.
    argv: Vec<Word>,
    /// Whether the command changes nothing. Then it is asked through Docker's API, and may be repeated at will.
    #[serde(default)]
    reads: bool,
    /// How long a command that `reads` may take. For one that changes something, the step's own `timeout` counts.
    timeout: Option<Span>,
}

impl Action for Exec {
    const NAME: &'static str = "container.exec";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(args: &Map<String, Value>) -> Effect {
        if args.get("reads") == Some(&Value::Bool(true)) { Effect::Reads } else { Effect::Changes }
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let argv = word::argv(&self.argv)?;
        if self.reads {
            let container = place::selection(site, &self.project, Some(&self.service))?;
            let deadline = self.timeout.unwrap_or(Span::secs(30));
            return Ok(Operation::Exec(ContainerCommand { container, argv, deadline }));
        }
        if self.timeout.is_some() {
            return Err(
                "`timeout` is for a command that `reads`: give the step a `timeout` instead".to_owned()
            );
        }
        let mut rest = vec!["exec".to_owned(), "-T".to_owned(), word::service_name(&self.service)?];
        rest.extend(argv);
        place::compose(site, &self.project, rest).map(Operation::Command)
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_container_is_healthy_when_it_runs_and_its_health_check_agrees() {
        let judge = |state: &str, health: Value| {
            let operation = Operation::Sleep(Span::default());
            let result = json!({ "containers": [{ "name": "argus-1", "state": state, "health": health }] });
            Health::judge(&operation, &result)
        };
        assert_eq!(judge("running", json!("healthy")), Ok(()));
        assert_eq!(judge("running", Value::Null), Ok(()));
        assert_eq!(judge("running", json!("starting")), Err("`argus-1` is starting".to_owned()));
        assert_eq!(judge("exited", json!("healthy")), Err("`argus-1` is exited".to_owned()));
    }

    #[test]
    fn a_service_without_a_container_is_not_healthy() {
        let told = Health::judge(&Operation::Sleep(Span::default()), &json!({ "containers": [] }));
        assert_eq!(told, Err("there is no such container".to_owned()));
    }
}
