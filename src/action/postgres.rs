//! PostgreSQL, asked by its own client inside its own container.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Action, place, verdict};
use crate::base::amount::Span;
use crate::model::facts::Site;
use crate::model::operation::{ContainerCommand, Operation};
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Checks that a database accepts connections over TCP, as its services make them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Ready {
    /// The database, by its name in the inventory.
    database: String,
    /// How long the server may take to answer.
    #[serde(default = "three_seconds")]
    timeout: Span,
}

fn three_seconds() -> Span {
    Span::secs(3)
}

impl Action for Ready {
    const NAME: &'static str = "postgres.ready";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let database = place::database(site, &self.database)?;
        // Whole seconds; 0 would mean for ever.
        let seconds = self.timeout.0.as_millis().div_ceil(1000).max(1);
        let seconds = seconds.to_string();
        // Not by its socket: that one answers also when the port is blocked, and while the server that sets up a new database runs.
        let argv =
            ["pg_isready", "-h", "127.0.0.1", "-U", &database.user, "-d", &database.name, "-t", &seconds];
        Ok(Operation::Exec(ContainerCommand {
            container: place::selection(site, &database.project, Some(&database.service))?,
            argv: argv.map(str::to_owned).to_vec(),
            deadline: Span(self.timeout.0 + place::CLIENT_STARTS.0),
        }))
    }

    /// By the exit codes that the manual of `pg_isready` gives.
    fn judge(_: &Operation, result: &Value) -> Result<(), String> {
        let meaning = match verdict::code(result)? {
            0 => return Ok(()),
            1 => "the server rejects connections, as it does while it starts up",
            2 => "the server does not answer",
            3 => "no attempt was made: the user or the name of the database makes no sense",
            code => return Err(verdict::with_last_words(format!("`pg_isready` ended with {code}"), result)),
        };
        Err(meaning.to_owned())
    }
}

/// Asks a database, which is not changed by it. What the query gives is one row a line, with `|` between the columns.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    /// The database, by its name in the inventory.
    database: String,
    /// The query.
    sql: String,
    /// How long the answer may take.
    #[serde(default = "ten_seconds")]
    timeout: Span,
}

fn ten_seconds() -> Span {
    Span::secs(10)
}

impl Action for Query {
    const NAME: &'static str = "postgres.query";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let database = place::database(site, &self.database)?;
        let argv = ["env", "PGOPTIONS=-c default_transaction_read_only=on", "psql", "-X", "-q", "-A", "-t"];
        let asked = ["-v", "ON_ERROR_STOP=1", "-U", &database.user, "-d", &database.name, "-c", &self.sql];
        Ok(Operation::Exec(ContainerCommand {
            container: place::selection(site, &database.project, Some(&database.service))?,
            argv: argv.into_iter().chain(asked).map(str::to_owned).collect(),
            deadline: Span(self.timeout.0 + place::CLIENT_STARTS.0),
        }))
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

/// Makes a replica the one that is written to. One that already is, is left as it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Promote {
    /// The database, by its name in the inventory.
    database: String,
}

const PROMOTE: &str = "DO $$ BEGIN \
    IF pg_is_in_recovery() AND NOT pg_promote(true, 60) THEN RAISE EXCEPTION 'it was not promoted within 60 s'; END IF; \
    END $$";

impl Action for Promote {
    const NAME: &'static str = "postgres.promote";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let database = place::database(site, &self.database)?;
        let argv = ["exec", "-T", &database.service, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1"];
        let told = ["-U", &database.user, "-d", &database.name, "-c", PROMOTE];
        let rest = argv.into_iter().chain(told).map(str::to_owned).collect();
        place::compose(site, &database.project, rest).map(Operation::Command)
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_exit_code_of_pg_isready_is_put_into_words() {
        let judge = |code: i32| Ready::judge(&Operation::Sleep(Span::default()), &json!({ "status": code }));
        assert_eq!(judge(0), Ok(()));
        assert!(judge(1).unwrap_err().contains("starts up"));
        assert!(judge(2).unwrap_err().contains("does not answer"));
        assert!(judge(3).unwrap_err().contains("no attempt"));
        assert_eq!(judge(126), Err("`pg_isready` ended with 126".to_owned()));
        let stopped =
            json!({ "status": null, "stdout": "", "stderr": "container `p-1` does not run: it is exited" });
        let told = Ready::judge(&Operation::Sleep(Span::default()), &stopped);
        assert_eq!(
            told,
            Err("it ended without an exit code: container `p-1` does not run: it is exited".to_owned())
        );
    }
}
