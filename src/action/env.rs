//! The `.env` of a Compose project.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Action, place, verdict, word};
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Gives a variable in a project's `.env` another value.
///
/// The file is written anew and takes the place of the old one at once; every other line stays as it is. A value that is neither the old
/// one nor the new one is somebody else's, and is left alone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Set {
    /// The project, by its name in the inventory.
    project: String,
    /// The variable, which is in the file.
    name: String,
    /// What stands behind the `=`, as it is written there.
    value: String,
    /// What stood there before.
    was: String,
}

const SET: &str = r#"file=$(readlink -f .env)
is=$(sed -n "s/^[[:space:]]*\(export[[:space:]]*\)\{0,1\}$name=//p" "$file" | tail -n 1)
if [ "$is" = "$value" ]; then echo "it says so"; exit 0; fi
if [ "$is" != "$was" ]; then
    echo "$name is neither \`$was\` nor \`$value\` any more: somebody else has set it" >&2
    exit 1
fi
new=${file%/*}/.env.opsctl-new
cp -p "$file" "$new"
value=$value awk -v name="$name" '
    match($0, "^[ \t]*(export[ \t]+)?" name "=") { print substr($0, 1, RLENGTH) ENVIRON["value"]; next }
    { print }' "$file" >"$new"
sync "$new"
mv "$new" "$file"
echo "$name is set""#;

impl Action for Set {
    const NAME: &'static str = "env.set";
    const GIVES: ResultKind = ResultKind::Command;
    const TOUCHES: bool = false;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        if [&self.value, &self.was].into_iter().any(|value| value.contains(char::is_control)) {
            return Err("a value in `.env` is one line".to_owned());
        }
        let name = word::variable(&self.name)?.to_owned();
        let given = [("name", name), ("value", self.value.clone()), ("was", self.was.clone())];
        place::script(site, &self.project, Self::NAME, given, SET.to_owned())
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}
