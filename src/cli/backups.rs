//! `opsctl backups`.

use std::process::ExitCode;

use futures_util::future::{join, join_all};

use super::Global;
use super::open::{Workplace, unreachable_host};
use crate::base::{Error, Kind, Result};
use crate::engine::backups;
use crate::engine::hosts::Hosts;
use crate::host::failure::Failure;
use crate::model::backed::{self, Backed};
use crate::model::backups::{Backups as Keeping, Kind as Engine};
use crate::ui;
use crate::ui::backups::{Stock, Unasked};

/// Show the backups of databases and caches, and what restoring each would lose
///
/// Nothing is changed. Exits with 5 where the inventory has an `rpo` and no verified backup is as new as that, and where one of several hosts
/// could not be asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Backups {
    /// The database or cache, by its name in the inventory [default: every one that has `backups` there]
    name: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  opsctl backups                       of everything
  opsctl backups argus --json          of one, for a program
  opsctl restore argus --from latest   what follows";

impl Backups {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let workplace = Workplace::open(global)?;
        let inventory = &workplace.site.inventory;
        let all: Vec<Backed> = match &self.name {
            Some(name) => vec![backed::find(inventory, name)?],
            None => backed::all(inventory).collect(),
        };
        let asked: Vec<_> = all.iter().filter_map(|of| Some((of, of.backups?))).collect();
        if asked.is_empty() {
            let nothing = || Error::invalid("the inventory has no database and no cache");
            return Err(all.first().map_or_else(nothing, Backed::without_backups));
        }
        let hosts = workplace.hosts();
        let looks = asked.iter().map(|(of, keeping)| look_at(&workplace, &hosts, of, keeping));
        let looked = workplace.patiently(join_all(looks)).await;
        hosts.close().await;
        if let [Err(failure), rest @ ..] = &looked[..]
            && rest.iter().all(Result::is_err)
        {
            return Err(unreachable_host(failure));
        }
        let (mut stocks, mut unasked) = (Vec::new(), Vec::new());
        for ((of, _), looked) in asked.iter().zip(looked) {
            match looked {
                Ok(stock) => stocks.push(stock),
                Err(failure) => unasked.push(Unasked { name: of.typed(), why: failure.to_string() }),
            }
        }
        if global.json {
            ui::look::give(&ui::backups::json(&stocks, &unasked))?;
        } else {
            ui::look::give(&ui::backups::text(&stocks))?;
            ui::look::say(&ui::concern::text(&stocks, &unasked));
            let without = all.iter().filter(|of| of.backups.is_none() && !global.quiet);
            without.for_each(|of| ui::look::say(&ui::concern::without(of.noun(), of.name)));
        }
        let is_well = unasked.is_empty() && stocks.iter().all(|stock| stock.shortfall().is_none());
        Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::from(Kind::Unhealthy.exit_code()) })
    }
}

async fn look_at(
    workplace: &Workplace,
    hosts: &Hosts,
    of: &Backed<'_>,
    keeping: &Keeping,
) -> Result<Stock, Failure> {
    // A server that does not answer is no reason not to show what could be restored to it.
    let aside = async {
        match of.kind {
            Engine::Postgres => {
                backups::set_aside(hosts, &workplace.site.inventory, of).await.unwrap_or_default()
            }
            Engine::Redis => Vec::new(),
        }
    };
    let (listing, aside) = join(backups::listing(hosts, of, keeping), aside).await;
    Ok(Stock {
        kind: of.kind,
        name: of.name.to_owned(),
        typed: of.typed(),
        host: of.host.to_owned(),
        rpo: keeping.rpo,
        listing: listing?,
        aside,
    })
}
