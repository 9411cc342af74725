//! One container of a service, made anew from another image, and nothing else.
//!
//! The image is pinned in the way that the project has for it: by a variable of its `.env`, which is given to Compose as a variable
//! of the environment here and is written into the file when all is proved, or by a Compose file of opsctl's own beside the others,
//! [`PINS`], which has the image of each instance.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Action, place, verdict, word};
use crate::base::amount::Span;
use crate::base::image::Reference;
use crate::model::facts::{PINS, Site};
use crate::model::operation::{Operation, words};
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Makes the container of a service anew from an image, if it is made from another one. No other container is touched.
///
/// The image has to be on the host. What the container wrote beside its volumes is gone with it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Pin {
    /// The project, by its name in the inventory.
    project: String,
    /// The Compose service.
    service: String,
    /// The image, with its tag: `registry.example/argus:v1.2.0@sha256:...`.
    image: String,
    /// The variable that has the tag in the Compose files. Empty: opsctl's own Compose file has the image.
    #[serde(default)]
    variable: String,
    /// Leaves the service out of opsctl's own Compose file: the others say which image it is.
    #[serde(default)]
    unpinned: bool,
    /// Waits until the container runs and is healthy, for so long at most, and then goes on in any case.
    patience: Option<Span>,
    /// A URL on the host that has to answer as well while it waits, where the host has `curl` or `wget`.
    #[serde(default)]
    health: String,
}

/// Which containers a service has.
const CONTAINERS: &str = r#"containers() {
    docker ps -aq --no-trunc --filter "label=com.docker.compose.project=$project" \
        --filter "label=com.docker.compose.service=$1" --filter label=com.docker.compose.oneoff=False
}
"#;

/// The file is written anew and takes the place of the old one at once.
const WRITE_PIN: &str = r#"
entries=
if [ -f "$pins" ]; then
    entries=$(awk -v own="  $service:" '$0 == own { skip = 2 } skip > 0 { skip--; next } /^  / { print }' "$pins")
fi
if [ "$unpinned" = false ]; then
    entry=$(printf "  %s:\n    image: '%s'" "$service" "$image")
    entries=$(printf '%s\n%s' "$entries" "$entry" | sed '/^$/d')
fi
{
    echo '# The image that each instance runs. Written by opsctl; Compose gets it after the other files.'
    if [ -n "$entries" ]; then printf 'services:\n%s\n' "$entries"; else echo 'services: {}'; fi
} >".$pins.new"
chmod 644 ".$pins.new"
sync ".$pins.new"
mv ".$pins.new" "$pins"
"#;

const UP: &str = r#"
want=$(docker image inspect -f '{{.Id}}' "$image")
compose up -d --no-deps "$service" </dev/null
state() {
    containers "$service" | xargs -r docker inspect -f \
        '{{.Image}} {{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}' | sort -u
}
now=$(state)
case $now in
"$want "*) echo "$service is made from $image" ;;
*) echo "$service is made from ${now:-nothing}, not from $want" >&2; exit 1 ;;
esac
"#;

const WAIT: &str = r#"answers() {
    if [ -z "$health" ]; then return 0; fi
    if command -v curl >/dev/null; then curl -fsS -m 3 -o /dev/null "$health" 2>/dev/null; return; fi
    if command -v wget >/dev/null; then wget -q -T 3 -O /dev/null "$health" 2>/dev/null; return; fi
}
until=$(($(date +%s) + patience))
while :; do
    case $(state) in
    "$want running healthy" | "$want running none") if answers; then echo "it is healthy"; break; fi ;;
    esac
    if [ "$(date +%s)" -ge "$until" ]; then echo "it is not healthy after $patience s"; break; fi
    sleep 0.5
done
"#;

impl Action for Pin {
    const NAME: &'static str = "compose.pin";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let image = word::image(&self.image)?;
        let service = word::service_name(&self.service)?;
        let mut given = vec![
            ("project", place::selection(site, &self.project, None)?.project),
            ("service", service),
            ("image", image.to_string()),
        ];
        let mut body = String::new();
        if self.variable.is_empty() {
            given.push(("pins", PINS.to_owned()));
            given.push(("unpinned", self.unpinned.to_string()));
            body += &format!("compose() {{ {} \"$@\"; }}\n", words(&site.compose_pinned(&self.project)?));
        } else {
            let variable = word::variable(&self.variable)?;
            given.push(("pin", format!("{variable}={}", pin(&image)?)));
            body +=
                &format!("compose() {{ env \"$pin\" {} \"$@\"; }}\n", words(&site.compose(&self.project)?));
        }
        body += CONTAINERS;
        if self.variable.is_empty() {
            body += WRITE_PIN.trim_start();
        }
        body += UP.trim_start();
        if let Some(Span(patience)) = self.patience {
            given.push(("patience", patience.as_secs().to_string()));
            given.push(("health", self.health.clone()));
            body += WAIT;
        }
        place::script(site, &self.project, Self::NAME, given, body.trim_end().to_owned())
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

/// What a variable has to say for that image.
fn pin(image: &Reference) -> Result<String, String> {
    image.pin().ok_or_else(|| format!("`{image}` has no tag that a variable could have"))
}

/// Checks that the container of a service runs, and is made from an image. The first line that it prints is the image.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Runs {
    /// The project, by its name in the inventory.
    project: String,
    /// The Compose service.
    service: String,
    /// The image, on the host.
    image: String,
}

const RUNS: &str = r#"want=$(docker image inspect -f '{{.Id}}' "$image" 2>/dev/null) || { echo "the host has no $image" >&2; exit 1; }
is=$(containers "$service" | xargs -r docker inspect -f '{{.State.Status}} {{.Image}}' | sort -u)
[ "$is" = "running $want" ] || { echo "$service is ${is:-not there}, and not running $want" >&2; exit 1; }
echo "$image""#;

impl Action for Runs {
    const NAME: &'static str = "compose.runs";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let given = [
            ("project", place::selection(site, &self.project, None)?.project),
            ("service", word::service_name(&self.service)?),
            ("image", word::image(&self.image)?.to_string()),
        ];
        place::script(site, &self.project, Self::NAME, given, format!("{CONTAINERS}{RUNS}"))
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}
