//! Compose projects: what runs in them, and starting and stopping it one service at a time.
//!
//! Only flags that both `docker compose` and the older `docker-compose` know are used. A command that names services
//! touches no other container: `up` is given `--no-deps`, and `stop` never reaches further. `restart` in Compose v2 goes on
//! to services that declare `depends_on: {...: {restart: true}}` on this one, because their author asked for it.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::word::{self, Services, Word};
use super::{Action, place, verdict};
use crate::base::amount::Span;
use crate::model::facts::Site;
use crate::model::operation::{DockerQuery, Operation, Program, words};
use crate::model::plan::Effect;
use crate::model::result::ResultKind;

/// Looks at all containers of a project, running or not.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Ps {
    /// The project, by its name in the inventory.
    project: String,
}

impl Action for Ps {
    const NAME: &'static str = "compose.ps";
    const GIVES: ResultKind = ResultKind::Containers;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Reads
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        Ok(Operation::Docker(DockerQuery::Containers(place::selection(site, &self.project, None)?)))
    }

    fn judge(_: &Operation, _: &Value) -> Result<(), String> {
        Ok(())
    }
}

/// Creates and starts what is missing, in the background, and creates anew what differs from the Compose files.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Up {
    /// The project, by its name in the inventory.
    project: String,
    /// The Compose service, or a list of them. Without it: the whole project.
    service: Option<Services>,
    /// Builds the images first.
    #[serde(default)]
    build: bool,
    /// Which containers are replaced by new ones. Without it: those that differ from the Compose files.
    #[serde(default)]
    recreate: Recreate,
    /// Whether what is created is started as well. Not to start it shows that it could be: its images are there.
    #[serde(default = "yes")]
    start: bool,
    /// Leaves the services alone that these depend on. Without it: yes when services are named.
    no_deps: Option<bool>,
}

fn yes() -> bool {
    true
}

/// Which containers are replaced.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Recreate {
    Never,
    #[default]
    Changed,
    Always,
}

impl Action for Up {
    const NAME: &'static str = "compose.up";
    const GIVES: ResultKind = ResultKind::Command;

    /// What a container wrote beside its volumes is gone with the container.
    fn effect(args: &Map<String, Value>) -> Effect {
        let is_anew = args.get("recreate").and_then(Value::as_str) == Some("always");
        if is_anew { Effect::Destroys } else { Effect::Ensures }
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let services = self.service.as_ref().map(Services::names).transpose()?.unwrap_or_default();
        if services.is_empty() && self.no_deps == Some(true) {
            return Err("`no_deps` needs a `service`".to_owned());
        }
        let mut rest = vec!["up".to_owned(), if self.start { "-d" } else { "--no-start" }.to_owned()];
        if self.no_deps.unwrap_or(!services.is_empty()) {
            rest.push("--no-deps".to_owned());
        }
        match self.recreate {
            Recreate::Never => rest.push("--no-recreate".to_owned()),
            Recreate::Changed => {}
            Recreate::Always => rest.push("--force-recreate".to_owned()),
        }
        if self.build {
            rest.push("--build".to_owned());
        }
        rest.extend(services);
        place::compose(site, &self.project, rest).map(Operation::Command)
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

/// Stops services, with time to end cleanly.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Stop {
    /// The project, by its name in the inventory.
    project: String,
    /// The Compose service, or a list of them.
    service: Services,
    /// How long a container may take to end before it is killed. Without it: what the Compose files say.
    timeout: Option<Span>,
}

impl Action for Stop {
    const NAME: &'static str = "compose.stop";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        verb(site, "stop", &self.project, &self.service, self.timeout)
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

/// Starts containers that exist and are stopped. What they depend on is started first, when it is stopped as well.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Start {
    /// The project, by its name in the inventory.
    project: String,
    /// The Compose service, or a list of them.
    service: Services,
}

impl Action for Start {
    const NAME: &'static str = "compose.start";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        verb(site, "start", &self.project, &self.service, None)
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

/// Starts services anew, running or not, from the containers that exist.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Restart {
    /// The project, by its name in the inventory.
    project: String,
    /// The Compose service, or a list of them.
    service: Services,
    /// How long a container may take to end before it is killed. Without it: what the Compose files say.
    timeout: Option<Span>,
}

impl Action for Restart {
    const NAME: &'static str = "compose.restart";
    const GIVES: ResultKind = ResultKind::Command;

    /// The condition that it states is "started anew since the step began". A second restart arrives at the same, costs
    /// some seconds of an instance that was being restarted anyway, and loses nothing; not knowing whether the first took
    /// place is worse in the middle of an outage.
    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Ensures
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        verb(site, "restart", &self.project, &self.service, self.timeout)
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

/// Runs a command in a new container of a service, with its image and its volumes, which is removed afterwards. Nothing else is started.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Run {
    /// The project, by its name in the inventory.
    project: String,
    /// The Compose service.
    service: String,
    /// The program and its arguments, in place of what the service runs.
    argv: Vec<Word>,
    // An engine that was started anew may have started it since a step before this one stopped it.
    /// Whether the service is stopped first, so that nobody else has its volumes.
    #[serde(default)]
    alone: bool,
}

impl Action for Run {
    const NAME: &'static str = "compose.run";
    const GIVES: ResultKind = ResultKind::Command;

    fn effect(_: &Map<String, Value>) -> Effect {
        Effect::Changes
    }

    fn build(&self, site: Site<'_>) -> Result<Operation, String> {
        let argv = word::argv(&self.argv)?;
        let service = word::service_name(&self.service)?;
        let mut rest = ["run", "--rm", "-T", "--no-deps", "--entrypoint"].map(str::to_owned).to_vec();
        rest.extend([argv[0].clone(), service.clone()]);
        rest.extend_from_slice(&argv[1..]);
        let mut command = place::compose(site, &self.project, rest)?;
        if let (true, Program::Argv(run)) = (self.alone, &command.program) {
            let mut stop = site.compose(&self.project)?;
            stop.extend(["stop".to_owned(), service]);
            command.program = Program::Shell(format!("{} && {}", words(&stop), words(run)));
        }
        Ok(Operation::Command(command))
    }

    fn judge(operation: &Operation, result: &Value) -> Result<(), String> {
        verdict::exit(operation, result)
    }
}

fn verb(
    site: Site<'_>,
    verb: &str,
    project: &str,
    services: &Services,
    timeout: Option<Span>,
) -> Result<Operation, String> {
    let mut rest = vec![verb.to_owned()];
    if let Some(Span(timeout)) = timeout {
        // Compose takes whole seconds: rounded up, so that nothing is killed early.
        rest.extend(["-t".to_owned(), timeout.as_millis().div_ceil(1000).to_string()]);
    }
    rest.extend(services.names()?);
    place::compose(site, project, rest).map(Operation::Command)
}
