//! Backups of a Redis: a dump that is known to load.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::redis_script::{FILE, script, trial};
use super::server::{self, in_json, shipped};
use super::{Action, backups, verdict};
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// How a cache is made to write what it holds.
const SAVE: &str = include_str!("redis_save.sh");

/// Lets a cache write a dump, and copies it into a file on its host, with a manifest beside it that has its checksum and the count of its keys.
///
/// The dump is loaded in a server that is thrown away, and the keys are counted there: the file has its name only once that went well.
/// The first line that is printed is the file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Dump {
    /// The cache, by its name in the inventory.
    cache: String,
    /// The file, as a whole path. When it is there with its manifest, there is nothing to do.
    file: String,
    /// Who wanted it.
    #[serde(default)]
    by: String,
    /// Why it is made, where that is not plain.
    #[serde(default)]
    reason: String,
}

impl Action for Dump {
    const NAME: &'static str = "redis.dump";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let [by, reason] = [&self.by, &self.reason].map(|text| in_json(text));
        let given =
            [("file", server::path(&self.file)?), ("kind", "redis"), ("by", &by), ("reason", &reason)];
        let parts = [backups::TELL, backups::KEEP, FILE, SAVE, include_str!("redis_dump.sh")].map(shipped);
        script(site, Self::NAME, &self.cache, &given, &[&[trial()], &parts[..]].concat())
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

/// Lets a cache write what it holds to its disk, where it has neither an append-only file nor save points: else it would forget it when it is stopped.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Save {
    /// The cache, by its name in the inventory.
    cache: String,
}

impl Action for Save {
    const NAME: &'static str = "redis.save";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let parts = [SAVE, include_str!("redis_kept.sh")].map(shipped);
        script(site, Self::NAME, &self.cache, &[], &parts)
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

/// Loads a dump wholly in a server that is thrown away, and counts its keys; where it has a manifest, it has to be the file that this tells of.
///
/// The server is of the cache's image and has none of its volumes. The cache itself need not run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Verify {
    /// The cache, by its name in the inventory.
    cache: String,
    /// The backup, a file on the host.
    file: String,
}

impl Action for Verify {
    const NAME: &'static str = "redis.verify";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let given = [("file", server::path(&self.file)?)];
        let parts = [FILE, include_str!("redis_verify.sh")].map(shipped);
        script(site, Self::NAME, &self.cache, &given, &[&[trial()], &parts[..]].concat())
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}
