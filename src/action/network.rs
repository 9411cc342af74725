//! The networks of Compose projects.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Action, place, verdict};
use crate::model::facts::Site;
use crate::model::operation::{Command, Operation, Program, quoted};
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Attaches running containers to the network that each was made for, unless they are.
///
/// The others find each by the name of its Compose service again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Connect {
    /// The project, by its name in the inventory.
    project: String,
    /// The Compose service. Without it: the whole project.
    service: Option<String>,
}

impl Action for Connect {
    const NAME: &'static str = "network.connect";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let selection = place::selection(site, &self.project, self.service.as_deref())?;
        let label = |name: &str, value: &str| {
            format!(" --filter {}", quoted(&format!("label=com.docker.compose.{name}={value}")))
        };
        let mut filters = label("project", &selection.project);
        filters += &selection.service.iter().map(|service| label("service", service)).collect::<String>();
        // The name of its network stays with a container when the network is removed and made anew. Some have none of their own.
        let line = format!(
            "list=$(docker ps --format '{{{{.ID}}}} {{{{.Label \"com.docker.compose.service\"}}}}'{filters}) || exit; \
             echo \"$list\" | while read -r id alias && [ -n \"$id\" ]; do \
             network=$(docker inspect -f '{{{{.HostConfig.NetworkMode}}}}' $id) || exit; \
             case $network in bridge|default|host|none|container:*) continue;; esac; \
             docker inspect -f '{{{{json .NetworkSettings.Networks}}}}' $id | grep -qF \"\\\"$network\\\":\" || \
             docker network connect --alias $alias \"$network\" $id || exit; done"
        );
        Ok(Operation::Command(Command::new(Program::Shell(line))))
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}
