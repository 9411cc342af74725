//! Databases that change their names: what was restored takes the place of the live one, which is kept until it is released.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::restore::restored;
use super::server::{SERVER, beside, script};
use super::{Action, place, verdict};
use crate::model::facts::Site;
use crate::model::inventory::Database;
use crate::model::operation::Operation;
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Lets the database that `postgres.restore` has loaded take the name of the live one.
///
/// The live one goes on under another name. Whoever is connected to either is disconnected.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Swap {
    /// The database, by its name in the inventory.
    database: String,
    /// What the live one is called from then on. A name that nothing else ever has.
    aside: String,
    /// Takes an earlier swap back.
    #[serde(default)]
    back: bool,
    /// What that one is called then which had taken its name. Without it, as `postgres.restore` had called it. Only with `back`.
    #[serde(default)]
    kept: String,
}

const SWAP: &str = include_str!("swap.sh");

impl Action for Swap {
    const NAME: &'static str = "postgres.swap";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Changes
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let database = place::database(site, &self.database)?;
        let new = beside(database, &restored())?;
        if !self.back && !self.kept.is_empty() {
            return Err("`kept` is for a swap that is taken back".to_owned());
        }
        let kept = if self.kept.is_empty() { &new } else { &self.kept };
        let (aside, kept) = (name(database, &self.aside)?, name(database, kept)?);
        if aside == new || aside == kept {
            return Err(format!("`{aside}` is the name of another"));
        }
        let (from, to) = if self.back { (aside, kept) } else { (new.as_str(), aside) };
        let back = if self.back { "true" } else { "false" };
        let given = [("from", from), ("to", to), ("back", back), ("new", &new)];
        script(site, Self::NAME, database, &given, &[SERVER, SWAP])
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

/// Makes sure that a database that was set aside is there, and that nobody has released it.
///
/// As an undo it comes before those that stop anything: where there is nothing to go back to, they are not begun.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Aside {
    /// The database, by its name in the inventory.
    database: String,
    /// The name of the one that was set aside.
    aside: String,
}

const ASIDE: &str = r#"ready
size="SELECT pg_size_pretty(pg_database_size(datname)) FROM pg_database WHERE datname = :'aside'"
size=$(printf '%s' "$size" | sql -d postgres -v aside="$aside")
if [ -z "$size" ]; then
    echo "there is no $aside any more: it was released, and $live cannot go back to it" >&2
    exit 1
fi
echo "$aside is kept, $size""#;

impl Action for Aside {
    const NAME: &'static str = "postgres.aside";
    const GIVES: ResultKind = ResultKind::Command;

    /// No mere look: what only looks has no undo.
    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let database = place::database(site, &self.database)?;
        script(site, Self::NAME, database, &[("aside", name(database, &self.aside)?)], &[SERVER, ASIDE])
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

/// Drops a database that a restore has set aside. Its last dump has to be verified before.
///
/// Nobody may be connected to it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Drop {
    /// The database, by its name in the inventory.
    database: String,
    /// The name of the one that was set aside: `NAME_until_` or `NAME_taken_back_`, and a time.
    kept: String,
}

const DROP: &str = r#"ready
echo 'DROP DATABASE IF EXISTS :"kept"' | sql -d postgres -v kept="$kept""#;

impl Action for Drop {
    const NAME: &'static str = "postgres.drop";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Destroys
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let database = place::database(site, &self.database)?;
        let kept = name(database, &self.kept)?;
        let end = kept.strip_prefix(&database.name).unwrap_or_default();
        if !end.starts_with("_until_") && !end.starts_with("_taken_back_") {
            return Err(format!("`{kept}` is none that a restore of `{}` has set aside", self.database));
        }
        script(site, Self::NAME, database, &[("kept", kept)], &[SERVER, DROP])
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

/// What a database may be called that is not the live one.
fn name<'a>(database: &Database, name: &'a str) -> Result<&'a str, String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || name.len() > 63 || !name.chars().all(is_name) {
        return Err(format!("`{name}` cannot be the name of a database that is set aside"));
    }
    if name == database.name {
        return Err(format!("`{name}` is the live one"));
    }
    Ok(name)
}
