//! `opsctl backup`.

use std::process::ExitCode;

use super::Global;
use super::conduct::Conduct;
use super::open::Workplace;
use super::operator::operator;
use super::procedure::plan_of;
use crate::base::Result;
use crate::base::clock::Timestamp;
use crate::base::stamp::stamp;
use crate::engine::hosts::Hosts;
use crate::model::backed;
use crate::model::backups::Kind;
use crate::model::operation::quoted;

/// Make a backup of a database or a cache, while it is in use
///
/// It is written under another name until it is whole, and has a manifest beside it, with its checksum and what was in it. Older ones are
/// removed as the inventory says, but never the newest that is verified, and none when this one fails.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Backup {
    /// The database or cache, by its name in the inventory; where two have the same name: `database/argus`, `cache/argus`
    name: String,
    /// Restore it for a trial beside the live database, and compare; what is loaded is dropped again. Of a cache it always is
    #[arg(long)]
    verify: bool,
    #[command(flatten)]
    conduct: Conduct,
}

const EXAMPLES: &str = "\
Examples:
  opsctl backup argus --plan           the exact commands; changes nothing
  opsctl backup argus --verify         prove that it can be restored
  opsctl backup argus --verify --yes   from a timer
  opsctl backups argus                 what there is";

impl Backup {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let workplace = Workplace::open(global)?;
        let hosts = workplace.hosts();
        let done = self.make(&workplace, &hosts, global).await;
        hosts.close().await;
        done
    }

    async fn make(&self, workplace: &Workplace, hosts: &Hosts, global: &Global) -> Result<ExitCode> {
        let of = backed::find(&workplace.site.inventory, &self.name)?;
        let file = of.keeping()?.file(of.name, of.kind, &stamp(Timestamp::now()));
        let mut given = vec![(of.noun(), of.name.to_owned()), ("file", file), ("by", operator())];
        if of.kind == Kind::Postgres {
            given.push(("verify", self.verify.to_string()));
        }
        let given: Vec<_> = given.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let plan = plan_of(workplace, hosts, &format!("{}-backup", of.noun()), &given).await?;
        let verify = if self.verify { " --verify" } else { "" };
        let next = format!("opsctl backup {}{verify}", quoted(&self.name));
        let done = self.conduct.run(&plan, hosts, &next, global).await?;
        Ok(done.map_or(ExitCode::SUCCESS, |done| done.exit))
    }
}
