//! `opsctl restore`.

use std::process::ExitCode;

use clap::Subcommand;
use jiff::tz::TimeZone;

use super::Global;
use super::conduct::{Conduct, Conducted};
use super::open::{Workplace, unreachable_host};
use super::operator::operator;
use super::procedure::plan_of;
use super::release::Release;
use crate::base::clock::Timestamp;
use crate::base::stamp::stamp;
use crate::base::{Error, Kind, Result};
use crate::engine::backups::{self, Found};
use crate::engine::hosts::Hosts;
use crate::model::aside::kept_as;
use crate::model::backed::{self, Backed};
use crate::model::backups::{Backups, Kind as Engine};
use crate::model::choice::choose;
use crate::model::manifest::{Backup, Listing};
use crate::model::operation::{quoted, words};
use crate::ui;
use crate::ui::restore::Restored;

/// Restore a database or a cache from a backup, and keep what it holds now
///
/// The backup is read to its end and loaded beside the live one, and checked there. Only when all of it is good the two change places; what
/// was live stays until it is released. `opsctl undo` brings it back. A backup that is not good changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Restore {
    #[command(subcommand)]
    command: Option<Command>,
    /// The database or cache, by its name in the inventory; where two have the same name: `database/argus`, `cache/argus`
    #[arg(required = true)]
    name: Option<String>,
    /// Which backup: the newest, one by its name or path on the host, or the newest that is not later than a time: `2026-11-27` with all
    /// its hours, `2026-11-27 14:00` as the clock here has it, RFC 3339, or `2h` ago [default of a drill: latest]
    #[arg(long, value_name = "latest|FILE|TIME", required_unless_present = "drill")]
    from: Option<String>,
    /// Restore it beside the live one, check it, say how long it takes and what it would lose, and leave nothing behind
    #[arg(long)]
    drill: bool,
    /// Restore only these tables of a database, into a schema beside the live ones, for a person to copy from
    #[arg(long, value_name = "NAMES", value_delimiter = ',', conflicts_with = "drill")]
    tables: Vec<String>,
    /// The schema that they go into [default: restored_ and the time]
    #[arg(long, value_name = "NAME", requires = "tables")]
    schema: Option<String>,
    #[command(flatten)]
    conduct: Conduct,
}

#[derive(Debug, Subcommand)]
enum Command {
    Release(Release),
}

const EXAMPLES: &str = "\
Examples:
  opsctl restore argus --from latest --plan    what would be done, exactly; changes nothing
  opsctl restore argus --from latest           the newest backup
  opsctl restore argus --from '2026-11-27 14:00'
  opsctl restore argus --from 2h --tables orders,payments
  opsctl restore argus --drill --yes           prove that it could be restored, from a timer
  opsctl restore release argus                 drop what a restore has set aside";

/// What a restore is for.
enum Aim<'a> {
    Live,
    Drill,
    Tables { schema: &'a str },
}

impl Restore {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let workplace = Workplace::open(global)?;
        let hosts = workplace.hosts();
        let done = match &self.command {
            Some(Command::Release(release)) => release.run(&workplace, &hosts, global).await,
            None => self.restore(&workplace, &hosts, global).await,
        };
        hosts.close().await;
        done
    }

    async fn restore(&self, workplace: &Workplace, hosts: &Hosts, global: &Global) -> Result<ExitCode> {
        let of = backed::find(&workplace.site.inventory, self.name.as_deref().unwrap_or_default())?;
        if of.kind == Engine::Redis && !self.tables.is_empty() {
            return Err(Error::usage(format!("cache `{}` has no tables", of.name)));
        }
        let keeping = of.keeping()?;
        let from = self.from.as_deref().unwrap_or("latest");
        let listing = workplace.patiently(look(hosts, &of, keeping, from)).await?;
        let zone = TimeZone::system();
        let backup = choose(&listing, &of, from, &zone)?;
        let stamp = stamp(Timestamp::now());
        let schema = self.schema.clone().unwrap_or_else(|| format!("restored_{}", stamp.to_lowercase()));
        let aim = match self.drill {
            true => Aim::Drill,
            false if self.tables.is_empty() => Aim::Live,
            false => Aim::Tables { schema: &schema },
        };
        if !global.json && !global.quiet {
            ui::look::say(&ui::restore::intent(of.name, &listing, backup, &aim.effect(&self.tables), &zone));
            if backup.file != from && backup.name() != from {
                ui::look::say(&ui::restore::remarks(&listing, backup));
            }
        }
        let safety = keeping.file(of.name, of.kind, &stamp);
        let (runbook, given) = match aim {
            Aim::Live => ("restore", vec![("at", stamp.clone()), ("safety", safety), ("by", operator())]),
            Aim::Drill => ("trial", Vec::new()),
            Aim::Tables { .. } => {
                ("tables", vec![("tables", self.tables.join(",")), ("schema", schema.clone())])
            }
        };
        let whole = [(of.noun(), of.name.to_owned()), ("file", backup.file.clone())];
        let given: Vec<_> =
            whole.into_iter().chain(given).map(|(name, value)| (name.to_owned(), value)).collect();
        let plan = plan_of(workplace, hosts, &format!("{}-{runbook}", of.noun()), &given).await?;
        let Some(Conducted { exit, took, .. }) = self.conduct.run(&plan, hosts, &self.next(), global).await?
        else {
            return Ok(ExitCode::SUCCESS);
        };
        if exit == ExitCode::SUCCESS {
            match aim {
                Aim::Live => {
                    let left = left(workplace, hosts, &of, backup, &stamp).await;
                    ui::restore::restored(&left, global.json)?;
                }
                Aim::Drill => {
                    let loss = listing.loss(backup);
                    ui::restore::drilled(of.name, backup, took, loss, global.json)?;
                }
                Aim::Tables { .. } => {}
            }
        }
        Ok(exit)
    }

    /// What is typed to do it.
    fn next(&self) -> String {
        let from = self.from.as_ref().map(|from| ["--from", from]);
        let tables = self.tables.join(",");
        let tables = (!tables.is_empty()).then_some(["--tables", tables.as_str()]);
        let schema = self.schema.as_ref().map(|schema| ["--schema", schema]);
        let options = [from, tables, schema].into_iter().flatten().flatten();
        let drill = self.drill.then_some("--drill");
        let line: Vec<&str> = ["opsctl", "restore"]
            .into_iter()
            .chain(self.name.as_deref())
            .chain(options)
            .chain(drill)
            .collect();
        words(&line)
    }
}

impl Aim<'_> {
    /// Before the words that say what was written since the backup.
    fn effect(&self, tables: &[String]) -> String {
        match self {
            Aim::Live => "restoring it loses".to_owned(),
            Aim::Drill => {
                "it is restored beside the live one for a trial; restoring it would lose".to_owned()
            }
            Aim::Tables { schema } => {
                format!("{} of it are put into schema `{schema}`; they lack", tables.join(", "))
            }
        }
    }
}

/// The backups that there are, and the file that is named where it is none of them.
async fn look(hosts: &Hosts, of: &Backed<'_>, keeping: &Backups, from: &str) -> Result<Listing> {
    let unreachable = |failure| unreachable_host(&failure);
    let mut listing = backups::listing(hosts, of, keeping).await.map_err(unreachable)?;
    if from.starts_with('/') && listing.backups.iter().all(|backup| backup.file != from) {
        match backups::find(hosts, of, from).await.map_err(unreachable)? {
            Found::Backup(backup) => listing.backups.push(*backup),
            Found::Other(why) => {
                let error = Error::new(Kind::Refused, format!("`{from}` on host `{}` {why}", of.host));
                return Err(error.hint(format!("opsctl backups {}", of.typed())));
            }
            Found::Nothing => {}
        }
    }
    Ok(listing)
}

/// What a restore at `stamp` has set aside. That is said also where the server does not tell how large it is.
async fn left(
    workplace: &Workplace,
    hosts: &Hosts,
    of: &Backed<'_>,
    backup: &Backup,
    stamp: &str,
) -> Restored {
    let inventory = &workplace.site.inventory;
    let file = backup.file.clone();
    let Some(database) = inventory.databases.get(of.name).filter(|_| of.kind == Engine::Postgres) else {
        // Where `cache-restore` puts it.
        let kept = format!("opsctl-aside-{stamp}");
        return Restored { of: of.name.to_owned(), file, kept, bytes: None, next: None };
    };
    let kept = kept_as(&database.name, stamp);
    let all = workplace.patiently(backups::set_aside(hosts, inventory, of)).await.unwrap_or_default();
    let bytes = all.iter().find(|aside| aside.name == kept).map(|aside| aside.bytes);
    let mut next = format!("opsctl restore release {}", quoted(&of.typed()));
    if all.len() > 1 {
        next.push_str(&format!(" {}", quoted(&kept)));
    }
    Restored { of: of.name.to_owned(), file, kept, bytes, next: Some(next) }
}
