//! `opsctl cleanup volume`.

use std::process::ExitCode;

use super::machine;
use crate::base::nearest::{listed, nearest};
use crate::base::{Error, Kind, Result};
use crate::cli::Global;
use crate::cli::conduct::Conduct;
use crate::cli::open::Workplace;
use crate::cli::procedure::plan_of;
use crate::engine::hosts::Hosts;
use crate::model::clutter::contents::{Contents, Volume as Found};
use crate::model::operation::{quoted, words};
use crate::ui;

/// Remove one volume of Docker, by its name, for good
///
/// Refused while a container has it, running or not, and while a Compose project on the host declares it. Nothing brings it back: its name has to be
/// typed.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Volume {
    /// The volume, by its whole name in Docker; `opsctl cleanup disk --look -v` has them
    name: String,
    /// The host [default: the only one]
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    #[command(flatten)]
    conduct: Conduct,
}

const EXAMPLES: &str = "\
Examples:
  opsctl cleanup volume old_data --plan                what would be done; changes nothing
  opsctl cleanup volume old_data                       asks for its name
  opsctl cleanup volume old_data --confirm old_data    from a script";

impl Volume {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let workplace = Workplace::open(global)?;
        let hosts = workplace.hosts();
        let done = self.remove(&workplace, &hosts, global).await;
        hosts.close().await;
        done
    }

    async fn remove(&self, workplace: &Workplace, hosts: &Hosts, global: &Global) -> Result<ExitCode> {
        let inventory = &workplace.site.inventory;
        let Some(host) = machine::named(inventory, self.host.as_deref())? else {
            let known = inventory.standing().map(|(name, _)| name.as_str());
            let error = Error::usage(format!("there are several hosts: {}", listed(known)));
            return Err(inventory.standing().fold(error, |error, (name, _)| error.hint(self.typed(name))));
        };
        let contents = machine::contents(workplace, hosts, &host).await?;
        let volume = self.found(&contents, &host)?;
        refuse(volume, &contents, &host)?;
        if !global.json && !global.quiet {
            ui::look::say(&ui::clutter::volume(&volume.name, volume.bytes, &host));
        }
        let given = [("volume", self.name.as_str()), ("host", &host)];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let plan = plan_of(workplace, hosts, "volume-removal", &given).await?;
        let done = self.conduct.run(&plan, hosts, &self.typed(&host), global).await?;
        Ok(done.map_or(ExitCode::SUCCESS, |done| done.exit))
    }

    fn found<'a>(&self, contents: &'a Contents, host: &str) -> Result<&'a Found> {
        let Some(engine) = &contents.engine else {
            let error = Error::new(Kind::Waiting, format!("no Docker answers on host `{host}`"));
            return Err(error.hint("opsctl doctor"));
        };
        engine.volumes.iter().find(|volume| volume.name == self.name).ok_or_else(|| {
            let known = || engine.volumes.iter().map(|volume| volume.name.as_str());
            let error = Error::usage(format!("there is no volume `{}` on host `{host}`", self.name));
            let error = match nearest(&self.name, known()) {
                Some(name) => error.hint(format!("did you mean `{name}`?")),
                None => error,
            };
            error.hint(format!("opsctl cleanup disk --look --verbose --host {}", quoted(host)))
        })
    }

    /// What is typed to do it.
    fn typed(&self, host: &str) -> String {
        words(&["opsctl", "cleanup", "volume", &self.name, "--host", host])
    }
}

/// # Errors
/// Of the kind refused, with everybody who needs it.
fn refuse(volume: &Found, contents: &Contents, host: &str) -> Result<()> {
    let refused = |why: String| {
        Error::new(
            Kind::Refused,
            format!("volume `{}` on host `{host}` {why}: nothing was changed", volume.name),
        )
    };
    let names = |all: &[String]| listed(all.iter().map(String::as_str));
    if !volume.users.is_empty() {
        let error = refused(format!("is used by {}", names(&volume.users)));
        let error = match &volume.projects[..] {
            [] => error,
            projects => error.cause(format!("it is declared by the Compose project {}", names(projects))),
        };
        return Err(error.hint("a container has it until it is removed, also while it does not run"));
    }
    if !volume.projects.is_empty() {
        return Err(refused(format!("is declared by the Compose project {}", names(&volume.projects)))
            .hint("take it out of the project's files first, where nobody needs it any more"));
    }
    // Whoever could not be asked may need it.
    let projects = contents.engine.iter().flat_map(|engine| &engine.projects);
    let unread: Vec<_> = projects.filter(|project| project.unread.is_some() && !project.is_gone).collect();
    match &unread[..] {
        [] => Ok(()),
        [first, ..] => {
            let names = listed(unread.iter().map(|project| project.name.as_str()));
            Err(refused(format!(
                "may be declared by the Compose project {names}, whose files cannot be read"
            ))
            .cause(first.unread.clone().unwrap_or_default()))
        }
    }
}
