//! A Redis from a backup: its data directory is made beside the one it has, while it serves, and takes that one's place.
//!
//! Nothing that is there is deleted. What the cache held goes into a folder `opsctl-aside-STAMP` of its data directory, and what it held
//! when a restore is taken back into `opsctl-taken-back-STAMP`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::redis_script::{FILE, inner, prepare, sample, script, stamp};
use super::server::{self, shipped};
use super::{Action, place, verdict};
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Checks what has to hold before a cache is restored: that it is a primary which no Sentinel watches, and that there is memory and room.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Fit {
    /// The cache, by its name in the inventory.
    cache: String,
    /// The backup, a file on the host.
    file: String,
}

impl Action for Fit {
    const NAME: &'static str = "redis.fit";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let backups = place::cache(site, &self.cache)?.backups.as_ref();
        let directory = backups.map_or("", |backups| backups.directory.as_str());
        let given = [("file", server::path(&self.file)?), ("directory", directory)];
        let parts = [FILE, include_str!("redis_fit.sh")].map(shipped);
        script(site, Self::NAME, &self.cache, &given, &parts)
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

/// Makes a whole data directory from a dump, in the folder `opsctl-new-STAMP` beside the live one's files, while that one serves.
///
/// With the append-only file, where the cache has one: Redis would read nothing else.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Prepare {
    /// The cache, by its name in the inventory.
    cache: String,
    /// The backup, a file on the host.
    file: String,
    /// The stamp of the restore, such as `20260301T031400Z`: no other has it.
    at: String,
}

impl Action for Prepare {
    const NAME: &'static str = "redis.prepare";
    const GIVES: ResultKind = ResultKind::Command;

    /// The same file gives the same.
    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let given = [("file", server::path(&self.file)?), ("at", stamp(&self.at)?)];
        let parts = [FILE, include_str!("redis_prepare.sh")].map(shipped);
        script(site, Self::NAME, &self.cache, &given, &[&[prepare()], &parts[..]].concat())
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

/// Removes what `redis.prepare` has made, if it is still there.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Discard {
    /// The cache, by its name in the inventory.
    cache: String,
    /// The stamp of the restore.
    at: String,
}

/// Where the files of a cache can be, from another container.
const VOLUMES: &str = r#"options="--volumes-from $id"
mounts=$(docker inspect -f '{{range .Mounts}}{{println .Destination}}{{end}}' "$id")"#;

const DISCARD: &str = r#"docker rm -f "opsctl-$project-$service-$at" >/dev/null 2>&1 || true
beside "$discard_script" "$at" "$mounts" </dev/null"#;

impl Action for Discard {
    const NAME: &'static str = "redis.discard";
    const GIVES: ResultKind = ResultKind::Command;

    /// What it removes is a copy of a backup, which is still there.
    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let discard = inner("discard_script", &[include_str!("redis_discard.sh")]);
        let parts = [discard, VOLUMES.to_owned(), DISCARD.to_owned()];
        script(site, Self::NAME, &self.cache, &[("at", stamp(&self.at)?)], &parts)
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

/// Stops a cache, and lets the files that `redis.prepare` has made take the place of its own, which are kept in `opsctl-aside-STAMP`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Swap {
    /// The cache, by its name in the inventory.
    cache: String,
    /// The stamp of the restore.
    at: String,
    /// Takes an earlier swap back; what the cache had since is kept in `opsctl-taken-back-STAMP`.
    #[serde(default)]
    back: bool,
}

// An engine that was started anew may have started it since a step before this one stopped it; it may have a last dump to write.
const SWAP: &str = r#"compose stop -t 600 "$service"
beside "$swap_script" "$at" "$back" "$mounts" </dev/null"#;

impl Action for Swap {
    const NAME: &'static str = "redis.swap";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Changes
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let back = if self.back { "true" } else { "false" };
        let swap = inner("swap_script", &[include_str!("redis_swap.sh")]);
        let parts = [swap, VOLUMES.to_owned(), SWAP.to_owned()];
        script(site, Self::NAME, &self.cache, &[("at", stamp(&self.at)?), ("back", back)], &parts)
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

/// Checks that a cache which was started after a swap has the keys that were prepared: their count, and what a sample of them holds.
///
/// Nobody may write to it meanwhile. Keys with an expiry may be missing.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Compare {
    /// The cache, by its name in the inventory.
    cache: String,
    /// The stamp of the restore.
    at: String,
}

impl Action for Compare {
    const NAME: &'static str = "redis.compare";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let parts = [sample(), shipped(include_str!("redis_compare.sh"))];
        script(site, Self::NAME, &self.cache, &[("at", stamp(&self.at)?)], &parts)
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}
