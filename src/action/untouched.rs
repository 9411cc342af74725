//! The containers that a change must not touch: listed before it, and compared after it.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::word::Services;
use super::{Action, place, verdict};
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Lists the running containers of a project but those of some services: the service, name, id and start time of each.
///
/// The first line is of the host: when it was started.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Others {
    /// The project, by its name in the inventory.
    project: String,
    /// The Compose service that is left out, or a list of them.
    service: Services,
}

// A host that was started anew has started its containers as well.
const OTHERS: &str = r#"others() {
    read -r boot </proc/sys/kernel/random/boot_id
    read -r init </proc/1/stat
    echo "host $boot $(echo "${init##*) }" | cut -d ' ' -f 20)"
    docker ps -q --no-trunc --filter "label=com.docker.compose.project=$project" |
        xargs -r docker inspect -f '{{index .Config.Labels "com.docker.compose.service"}} {{.Name}} {{slice .Id 0 12}} {{.State.StartedAt}}' |
        awk -v but=" $services " 'index(but, " " $1 " ") == 0' | sort
}
"#;

impl Action for Others {
    const NAME: &'static str = "compose.others";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let given = given(site, &self.project, &self.service)?;
        place::script(site, &self.project, Self::NAME, given, format!("{OTHERS}others"))
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

/// Checks that the containers of a project are those that `compose.others` listed, none of them started anew.
///
/// Where the host itself was started anew meanwhile, that they are the same ones is all that can be asked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Untouched {
    /// The project, by its name in the inventory.
    project: String,
    /// The Compose service that is left out, or a list of them.
    service: Services,
    /// The list of before.
    before: String,
}

const UNTOUCHED: &str = r#"now=$(others)
is_same=$([ "${before%%
*}" = "${now%%
*}" ] && echo 1 || echo 0)
changed=$(printf '%s\n--\n%s\n' "$before" "$now" | awk -v is_same="$is_same" '
    $0 == "--" { after = 1; next }
    $0 == "" || $1 == "host" { next }
    !is_same { sub(/ [^ ]*$/, "") }
    !after { was[$0] = 1; next }
    $0 in was { delete was[$0]; next }
    { print "there is now: " $0 }
    END { for (line in was) print "there was: " line }')
[ -z "$changed" ] || { printf 'another container is not as it was\n%s\n' "$changed" >&2; exit 1; }
echo "$(($(printf '%s\n' "$now" | grep -c .) - 1)) other containers are as they were""#;

impl Action for Untouched {
    const NAME: &'static str = "compose.untouched";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let mut given = given(site, &self.project, &self.service)?;
        given.push(("before", self.before.trim().to_owned()));
        place::script(site, &self.project, Self::NAME, given, format!("{OTHERS}{UNTOUCHED}"))
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

fn given(site: Site<'_>, project: &str, services: &Services) -> Result<Vec<(&'static str, String)>, String> {
    let name = place::selection(site, project, None)?.project;
    Ok(vec![("project", name), ("services", services.names()?.join(" "))])
}
