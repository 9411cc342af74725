//! `opsctl restore release`.

use std::process::ExitCode;

use super::Global;
use super::conduct::Conduct;
use super::open::Workplace;
use super::operator::operator;
use super::procedure::plan_of;
use crate::base::clock::Timestamp;
use crate::base::nearest::{listed, nearest};
use crate::base::stamp::stamp;
use crate::base::{Error, Kind, Result};
use crate::engine::backups;
use crate::engine::hosts::Hosts;
use crate::model::aside::Aside;
use crate::model::backed::{self, Backed};
use crate::model::backups::Kind as Engine;
use crate::model::operation::quoted;
use crate::ui;

/// Drop a database that a restore has set aside, after a last dump of it
#[derive(Debug, clap::Args)]
pub struct Release {
    /// The database, by its name in the inventory
    name: String,
    /// The one that is dropped; `opsctl backups` has them [default: where there is only one, that]
    kept: Option<String>,
    #[command(flatten)]
    conduct: Conduct,
}

impl Release {
    pub async fn run(&self, workplace: &Workplace, hosts: &Hosts, global: &Global) -> Result<ExitCode> {
        let inventory = &workplace.site.inventory;
        let of = backed::find(inventory, &self.name)?;
        let name = of.name;
        if of.kind == Engine::Redis {
            let message = format!("`{name}` is a cache: what a restore sets aside is a folder of its data");
            return Err(Error::usage(message)
                .hint("it is called opsctl-aside- and the time of the restore; remove it there"));
        }
        let file = of.keeping()?.file(name, of.kind, &stamp(Timestamp::now()));
        let all = workplace.patiently(backups::set_aside(hosts, inventory, &of)).await.map_err(|why| {
            let message = format!("database `{name}` does not say what restores have set aside: {why}");
            Error::new(Kind::Waiting, message).hint("opsctl status")
        })?;
        let kept = self.chosen(&of, &all)?;
        if !global.json && !global.quiet {
            ui::look::say(&ui::restore::releasing(name, kept, &file));
        }
        let given = [("database", name), ("kept", &kept.name), ("file", &file), ("by", &operator())];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let plan = plan_of(workplace, hosts, "database-release", &given).await?;
        let next = format!("opsctl restore release {} {}", quoted(&self.name), quoted(&kept.name));
        let done = self.conduct.run(&plan, hosts, &next, global).await?;
        Ok(done.map_or(ExitCode::SUCCESS, |done| done.exit))
    }

    /// The one that is meant.
    fn chosen<'a>(&self, of: &Backed<'_>, all: &'a [Aside]) -> Result<&'a Aside> {
        let name = of.name;
        let names = || all.iter().map(|aside| aside.name.as_str());
        match (&self.kept, all) {
            (_, []) => {
                let message = format!("no restore has set a database aside that was `{name}`");
                Err(Error::new(Kind::Refused, message).hint(format!("opsctl backups {}", of.typed())))
            }
            (None, [one]) => Ok(one),
            (None, _) => Err(Error::usage(format!("restores have set aside more than one of `{name}`"))
                .hint(format!("name one of {}", listed(names())))),
            (Some(kept), _) => all.iter().find(|aside| aside.name == *kept).ok_or_else(|| {
                let error = Error::usage(format!("no restore of `{name}` has set `{kept}` aside"));
                let error = match nearest(kept, names()) {
                    Some(name) => error.hint(format!("did you mean `{name}`?")),
                    None => error,
                };
                error.hint(format!("there is {}", listed(names())))
            }),
        }
    }
}
