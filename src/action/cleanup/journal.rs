//! The journal of systemd.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::{Action, verdict};
use super::Goal;
use crate::base::amount::Span;
use crate::base::percent::Percent;
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Removes what the journal of systemd has archived that is older than what is kept, unless there is room.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Journal {
    /// A path on the filesystem that is to get room.
    at: String,
    /// How much of that is to be free, in bytes and in inodes: then nothing goes.
    until_free: Percent,
    /// For how long back it stays.
    keep: Span,
    /// Where it is.
    #[serde(default = "usual")]
    directory: String,
}

fn usual() -> String {
    "/var/log/journal".to_owned()
}

impl Action for Journal {
    const NAME: &'static str = "cleanup.journal";
    const GIVES: ResultKind = ResultKind::Command;
    const TOUCHES: bool = false;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, _: Site<'_>) -> Result<Operation, String> {
        let given = [
            ("directory", super::path(&self.directory)?.to_owned()),
            ("keep", self.keep.0.as_secs().to_string()),
        ];
        let goal = Goal { at: &self.at, until_free: self.until_free };
        goal.script(Self::NAME, given, &[include_str!("journal.sh")])
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}
