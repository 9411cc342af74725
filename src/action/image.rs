//! Images on a host.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::cleanup::{image_id, lines};
use super::server::shipped;
use super::{Action, place, verdict, word};
use crate::base::image::Reference;
use crate::model::facts::Site;
use crate::model::operation::{Command, Operation, Program, Script};
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Pulls an image, unless the host has it.
///
/// One that is named by its tag and its digest gets the tag as well, so that a cleanup of images without a tag leaves it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Pull {
    /// The project that it is for: its host gets the image.
    project: String,
    /// The image, such as `registry.example/argus:v1.2.0@sha256:...`. By its digest it is the same one everywhere.
    image: String,
}

const PULL: &str = r#"if docker image inspect "$image" >/dev/null 2>&1; then
    echo "the host has $image"
else
    docker pull -q "$image"
fi
[ -z "$tagged" ] || docker tag "$image" "$tagged""#;

impl Action for Pull {
    const NAME: &'static str = "image.pull";
    const GIVES: ResultKind = ResultKind::Command;
    const TOUCHES: bool = false;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let image = word::image(&self.image)?;
        let tagged = match (&image.tag, &image.digest) {
            (Some(_), Some(_)) => Reference { digest: None, ..image.clone() }.to_string(),
            _ => String::new(),
        };
        let given = [("image", image.to_string()), ("tagged", tagged)];
        place::script(site, &self.project, Self::NAME, given, PULL.to_owned())
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

/// Looks whether images are still on the host, each by its id. Those that are not are named.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    /// The images: of each its `id`, and as `name` what it is called.
    images: Vec<Image>,
}

/// An image.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Image {
    /// As Docker knows it, in full.
    id: String,
    /// What it is called.
    name: String,
}

impl Action for Kept {
    const NAME: &'static str = "image.kept";
    const GIVES: ResultKind = ResultKind::Command;
    const TOUCHES: bool = false;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn build(&self, _: Site<'_>) -> Result<Operation, String> {
        let line = |image: &Image| {
            if image.name.is_empty() || image.name.contains(char::is_control) {
                return Err(format!("`{}` is not a name", image.name.escape_debug()));
            }
            Ok(format!("{} {}", image_id(&image.id)?, image.name))
        };
        // What only looks is one word of a command line, which has its limits: the list is read instead.
        let stdin = Some(format!("{}\n", lines("images", &self.images, line)?));
        let body = shipped(include_str!("cleanup/kept.sh"));
        let script = Script { name: Self::NAME.to_owned(), given: Vec::new(), body };
        Ok(Operation::Command(Command { stdin, ..Command::new(Program::Script(Box::new(script))) }))
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}
