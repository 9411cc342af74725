//! Images that no container is made from.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::{Action, verdict};
use super::{DOCKER, Goal};
use crate::base::percent::Percent;
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Removes those of a list of images that no container is made from, until there is room.
///
/// One that has got another name, or one of whose names is that of another image by now, stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Images {
    /// A path on the filesystem that is to get room.
    at: String,
    /// How much of that is to be free, in bytes and in inodes: then it stops.
    until_free: Percent,
    /// The images, in the order in which they go: of each its `id`, all of its `names`, what it gives in `bytes`, and the `digest` to pull it again by.
    images: Vec<Image>,
}

/// An image.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Image {
    /// As Docker knows it, in full.
    id: String,
    /// By which it goes, one after the other; without any, by its id.
    names: Vec<String>,
    /// What is free when it is gone.
    bytes: u64,
    /// What it can be pulled again by.
    digest: Option<String>,
}

impl Image {
    fn line(&self) -> Result<String, String> {
        let digest = self.digest.as_deref().map_or(Ok("-"), super::image_name)?;
        let mut words =
            vec![super::image_id(&self.id)?.to_owned(), self.bytes.to_string(), digest.to_owned()];
        for name in &self.names {
            words.push(super::image_name(name)?.to_owned());
        }
        Ok(words.join(" "))
    }
}

impl Action for Images {
    const NAME: &'static str = "cleanup.images";
    const GIVES: ResultKind = ResultKind::Command;
    const TOUCHES: bool = false;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, _: Site<'_>) -> Result<Operation, String> {
        let given = [("images", super::lines("images", &self.images, Image::line)?)];
        let goal = Goal { at: &self.at, until_free: self.until_free };
        goal.script(Self::NAME, given, &[DOCKER, include_str!("images.sh")])
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}
