//! The volumes of Docker.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::cleanup::{self, CLEANUP, DOCKER};
use super::server::shipped;
use super::{Action, place, verdict};
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Removes a volume, with all that is in it.
///
/// A container that uses it, running or not, is a failure.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Remove {
    /// The volume, by its name on the host.
    volume: String,
}

impl Action for Remove {
    const NAME: &'static str = "volume.remove";
    const GIVES: ResultKind = ResultKind::Command;
    const TOUCHES: bool = false;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Destroys
    }

    fn build(&self, _: Site<'_>) -> Result<Operation, String> {
        let volume = cleanup::name(&self.volume)?;
        if volume.contains(' ') {
            return Err(format!("`{volume}` is not the name of a volume"));
        }
        let parts = [CLEANUP, DOCKER, include_str!("cleanup/volume.sh")].map(shipped).join("\n");
        // Where Docker keeps everything is what gets room.
        let body = format!("at=$(docker info -f '{{{{.DockerRootDir}}}}')\n{parts}\nfreed");
        Ok(place::naming_script(Self::NAME, [("volume", volume.to_owned())], body))
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}
