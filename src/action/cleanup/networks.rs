//! Networks that no container is on.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::server::shipped;
use super::super::{Action, place, verdict};
use super::DOCKER;
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Removes those of a list of networks that no container is on, be it one that is stopped.
///
/// They take next to nothing of a disk, but there are only so many.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Networks {
    /// The networks: of each its `id` and its `name`.
    networks: Vec<Network>,
}

/// A network.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Network {
    /// As Docker knows it, in full.
    id: String,
    /// What it is called.
    name: String,
}

impl Action for Networks {
    const NAME: &'static str = "cleanup.networks";
    const GIVES: ResultKind = ResultKind::Command;
    const TOUCHES: bool = false;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, _: Site<'_>) -> Result<Operation, String> {
        let networks = super::lines("networks", &self.networks, |network| {
            Ok(format!("{} {}", super::id(&network.id)?, super::name(&network.name)?))
        })?;
        let parts = [super::CLEANUP, DOCKER, include_str!("networks.sh")].map(shipped).join("\n");
        Ok(place::naming_script(Self::NAME, [("networks", networks)], format!("at=/\n{parts}")))
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}
