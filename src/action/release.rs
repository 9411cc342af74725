//! The history of what was released on a host: a file for each service in opsctl's folder there, a line for each release.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Action, place, verdict, word};
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;
use crate::model::release::{self, Outcome};
use crate::model::result::ResultKind;

/// Writes down what became of a release, once for each run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    /// The service, by its name in the inventory.
    service: String,
    /// The project that its instances belong to.
    project: String,
    /// The image, with its tag and its digest as far as they are known.
    image: String,
    /// What became of it.
    outcome: Outcome,
    /// Who released it.
    #[serde(default)]
    by: String,
    /// The image that a rollback went away from.
    #[serde(default)]
    left: String,
}

// Where opsctl's folder is for a group, its history is, too.
const RECORD: &str = r#"case $(ls -ld "${folder%/releases/*}") in d????w*) umask 007 ;; *) umask 077 ;; esac
mkdir -p "$folder"
file=$folder/$service.jsonl
touch "$file"
if [ "$outcome" = found ] && grep -qF -e "\"image\":\"$image\"" "$file"; then echo "it is written down"; exit 0; fi
if [ -n "${OPSCTL_RUN:-}" ] && grep -F "\"run\":\"$OPSCTL_RUN\"" "$file" | grep -qF -e "$fields"; then
    echo "it is written down"
    exit 0
fi
{
    tail -n 499 "$file"
    printf '{"at":"%s","run":"%s",%s}\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "${OPSCTL_RUN:-}" "$fields"
} >"$file.new"
sync "$file.new"
mv "$file.new" "$file"
echo "$outcome""#;

impl Action for Record {
    const NAME: &'static str = "release.record";
    const GIVES: ResultKind = ResultKind::Command;
    const TOUCHES: bool = false;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let image = word::image(&self.image)?.to_string();
        let mut fields = json!({ "image": &image, "outcome": self.outcome, "by": self.by });
        if !self.left.is_empty() {
            fields["left"] = Value::from(word::image(&self.left)?.to_string());
        }
        let fields = fields.to_string();
        let fields = fields.trim_start_matches('{').trim_end_matches('}').to_owned();
        let given = [
            ("service", word::service_name(&self.service)?),
            ("image", image),
            ("outcome", self.outcome.word().to_owned()),
            ("fields", fields),
        ];
        let body = format!("{}\n{RECORD}", release::folder(site, &self.project)?);
        place::script(site, &self.project, Self::NAME, given, body)
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}
