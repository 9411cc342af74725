//! Redis, asked by its own client inside its own container.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Action, place, verdict};
use crate::base::amount::Span;
use crate::model::facts::Site;
use crate::model::operation::{ContainerCommand, Operation};
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Checks that a cache answers PING.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Ping {
    /// The cache, by its name in the inventory.
    cache: String,
    /// How long the answer may take; what starting the client takes is not counted, up to five seconds.
    #[serde(default = "three_seconds")]
    timeout: Span,
}

fn three_seconds() -> Span {
    Span::secs(3)
}

impl Action for Ping {
    const NAME: &'static str = "redis.ping";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let cache = place::cache(site, &self.cache)?;
        Ok(Operation::Exec(ContainerCommand {
            container: place::selection(site, &cache.project, Some(&cache.service))?,
            argv: ["redis-cli", "ping"].map(str::to_owned).to_vec(),
            deadline: Span(self.timeout.0 + place::CLIENT_STARTS.0),
        }))
    }

    /// The answer counts, not the exit code: `redis-cli` ends with 0 when Redis answers with an error, such as LOADING.
    fn judge(_: &Operation, result: &Value) -> Result<(), String> {
        if result["stdout"].as_str().is_some_and(|answer| answer.trim() == "PONG") {
            return Ok(());
        }
        Err(verdict::with_last_words("it does not answer PONG".to_owned(), result))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_redis_that_loads_its_data_is_not_ready_whatever_the_exit_code() {
        let judge = |result| Ping::judge(&Operation::Sleep(Span::default()), &result);
        assert_eq!(judge(json!({ "status": 0, "stdout": "PONG\n" })), Ok(()));
        let loading = json!({ "status": 0, "stdout": "LOADING Redis is loading the dataset in memory\n" });
        assert!(judge(loading).unwrap_err().ends_with("in memory"));
        assert!(judge(json!({ "status": 1, "stdout": "", "stderr": "" })).is_err());
    }
}
