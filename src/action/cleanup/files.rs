//! Files that a rule takes.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::{Action, verdict};
use super::{FOLDER, Goal};
use crate::base::amount::Span;
use crate::base::percent::Percent;
use crate::model::clutter::contents::Rule;
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Removes old files of a folder, and of those below it, that a rule takes and no process has open, until there is room.
///
/// It follows no symbolic link, and enters no other filesystem. Folders stay, and whatever is no regular file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Files {
    /// A path on the filesystem that is to get room.
    at: String,
    /// How much of that is to be free, in bytes and in inodes: then it stops.
    until_free: Percent,
    /// Which files are taken: packages, logs that were put aside by rotation, or any.
    rule: Rule,
    /// The folder.
    directory: String,
    /// How long ago each has to have been written. One that is `temporary` must not have been changed in any other way since, either.
    #[serde(default)]
    older_than: Span,
    /// Folders and files below it that stay whole.
    #[serde(default)]
    spare: Vec<String>,
}

/// The journal has a rotation of its own, and another action.
const JOURNAL: &str = "/var/log/journal";

impl Action for Files {
    const NAME: &'static str = "cleanup.files";
    const GIVES: ResultKind = ResultKind::Command;
    const TOUCHES: bool = false;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, _: Site<'_>) -> Result<Operation, String> {
        // A rotation gives each log another name every day, and so changes all of them.
        let by_change = if self.rule == Rule::Temporary { "yes" } else { "" };
        if self.directory == "/" {
            return Err("not everything on a host goes by a rule".to_owned());
        }
        let mut spare = vec![JOURNAL];
        for path in &self.spare {
            if path.contains(char::is_control) {
                return Err(format!("`{}` cannot be told to a host", path.escape_debug()));
            }
            spare.push(path.trim_end_matches('/'));
        }
        let given = [
            ("directory", super::path(&self.directory)?.to_owned()),
            ("older_than", self.older_than.0.as_secs().to_string()),
            ("by_change", by_change.to_owned()),
            ("spare", spare.join("\n")),
        ];
        let takes =
            format!("takes() {{ case $1 in {}) ;; *) return 1 ;; esac; }}", self.rule.patterns().join("|"));
        let goal = Goal { at: &self.at, until_free: self.until_free };
        goal.script(Self::NAME, given, &[FOLDER, &takes, include_str!("files.sh")])
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}
