//! The folder of backups on a host: what is known of each, and which are not needed any more.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::cleanup::CLEANUP;
use super::server::{self, in_json, shipped};
use super::{Action, place, verdict};
use crate::base::amount::Span;
use crate::model::backups::{Backups, Kind};
use crate::model::facts::Site;
use crate::model::operation::Operation;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// How a script that moves many bytes says how far it is.
pub(super) const TELL: &str = include_str!("tell.sh");

/// How a backup gets its name and its manifest.
pub(super) const KEEP: &str = include_str!("backup.sh");

/// Writes into the manifest of a backup that it was restored for a trial, and all was well.
///
/// A backup that somebody else has made gets a manifest by it, and is never removed by `backup.prune`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Verified {
    /// The database, by its name in the inventory.
    #[serde(default)]
    database: String,
    /// The cache, by its name in the inventory.
    #[serde(default)]
    cache: String,
    /// The backup, a file on the host.
    file: String,
    /// How long the trial took, in whole seconds.
    #[serde(default = "nothing")]
    seconds: String,
}

fn nothing() -> String {
    "0".to_owned()
}

const VERIFIED: &str = r#"[ -f "$file" ] || { echo "there is no file $file" >&2; exit 1; }
umask 077
new=$file.json.part
[ -f "$file.json" ] || {
    sum=$(sha256sum <"$file")
    printf '{\n  "kind": "%s",\n  "of": "%s",\n  "at": "%s",\n' "$kind" "$of" "$(date -u -r "$file" +%Y-%m-%dT%H:%M:%SZ)"
    printf '  "bytes": %s,\n  "sha256": "%s",\n  "verified": null\n}\n' "$(($(wc -c <"$file")))" "${sum%% *}"
} >"$new.part"
[ ! -f "$new.part" ] || [ -f "$file.json" ] || { sync "$new.part"; mv "$new.part" "$file.json"; }
rm -f "$new.part"
told="{ \"at\": \"$(date -u +%Y-%m-%dT%H:%M:%SZ)\", \"run\": \"${OPSCTL_RUN:-}\", \"seconds\": $seconds }"
sed "s|^  \"verified\": .*[^,]\(,\{0,1\}\)\$|  \"verified\": $told\1|" "$file.json" >"$new"
sync "$new"
mv "$new" "$file.json"
echo "verified""#;

impl Action for Verified {
    const NAME: &'static str = "backup.verified";
    const GIVES: ResultKind = ResultKind::Command;
    const TOUCHES: bool = false;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let Vault { project, name, kind, .. } = vault(site, &self.database, &self.cache)?;
        if self.seconds.is_empty() || !self.seconds.chars().all(|c| c.is_ascii_digit()) {
            return Err(format!("`{}` is not a number of seconds", self.seconds));
        }
        let given = [
            ("file", server::path(&self.file)?.to_owned()),
            ("kind", kind.word().to_owned()),
            ("of", in_json(name)),
            ("seconds", self.seconds.clone()),
        ];
        place::script(site, project, Self::NAME, given, VERIFIED.to_owned())
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

/// Removes backups that are neither among the newest nor young, as the inventory says.
///
/// Only those that opsctl made for no other reason, and only those that are older than the newest verified one. Some of the newest verified ones
/// stay in any case, and so does what is newer than the RPO. Each that is removed is named.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Prune {
    /// The database, by its name in the inventory.
    #[serde(default)]
    database: String,
    /// The cache, by its name in the inventory.
    #[serde(default)]
    cache: String,
}

const PRUNE: &str = include_str!("prune.sh");

impl Action for Prune {
    const NAME: &'static str = "backup.prune";
    const GIVES: ResultKind = ResultKind::Command;
    const TOUCHES: bool = false;

    /// The inventory says how many there are to be.
    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let Vault { project, name, kind, backups } = vault(site, &self.database, &self.cache)?;
        let given = [
            ("directory", backups.directory.clone()),
            ("kind", kind.word().to_owned()),
            ("of", in_json(name)),
            ("keep", backups.keep.to_string()),
            ("keep_for", seconds(backups.keep_for)),
            ("verified", site.inventory.cleanup.keep_verified.max(1).to_string()),
            ("rpo", seconds(backups.rpo)),
        ];
        let body = format!("at=$directory\n{}\n{}", shipped(CLEANUP), shipped(PRUNE));
        place::script(site, project, Self::NAME, given, body)
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

/// Without one, nothing is kept for it.
fn seconds(time: Option<Span>) -> String {
    time.map_or(0, |time| time.0.as_secs()).to_string()
}

struct Vault<'a> {
    project: &'a str,
    name: &'a str,
    kind: Kind,
    backups: &'a Backups,
}

/// What is meant by the one name of two that is given.
fn vault<'a>(site: Site<'a>, database: &'a str, cache: &'a str) -> Result<Vault<'a>, String> {
    let none = |what: &str, name: &str| format!("{what} `{name}` has no `backups` in the inventory");
    match (database, cache) {
        (name, "") if !name.is_empty() => {
            let database = place::database(site, name)?;
            let backups = database.backups.as_ref().ok_or_else(|| none("database", name))?;
            Ok(Vault { project: &database.project, name, kind: Kind::Postgres, backups })
        }
        ("", name) if !name.is_empty() => {
            let cache = place::cache(site, name)?;
            let backups = cache.backups.as_ref().ok_or_else(|| none("cache", name))?;
            Ok(Vault { project: &cache.project, name, kind: Kind::Redis, backups })
        }
        _ => Err("it is of a `database` or of a `cache`".to_owned()),
    }
}
