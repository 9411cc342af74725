//! `opsctl cleanup disk`.

use std::process::ExitCode;

use super::aftermath::{self, Before, on};
use super::schedule::Schedule;
use super::{machine, ways};
use crate::base::percent::Percent;
use crate::base::{Kind, Result};
use crate::cli::Global;
use crate::cli::conduct::{Conduct, Conducted};
use crate::cli::open::Workplace;
use crate::cli::procedure::planned;
use crate::engine::cleanup::compose;
use crate::engine::hosts::Hosts;
use crate::model::clutter::judge::judge;
use crate::model::clutter::survey::Survey;
use crate::model::operation::words;
use crate::ui;
use crate::ui::clutter::left::{Place, left};

/// Make room on the disks of a host, the least regretted first, until enough is free
///
/// Steps of image builds, stopped containers, images that nothing needs, old logs and packages go; what runs, what the last releases are made
/// of, volumes, and backups that are needed stay. Everything is shown first, with why it stays. Nothing is planned where enough is free.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Disk {
    /// The host [default: the only one; of several, the one that is short of room]
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// How much of each disk is to be free, in bytes and in inodes [default: `cleanup.until_free` of the inventory, or 20%]
    #[arg(long, value_name = "PERCENT", value_parser = share)]
    until_free: Option<Percent>,
    /// Show what fills the disks and what could go, and stop
    #[arg(long, conflicts_with_all = ["plan", "yes", "confirm"])]
    look: bool,
    /// Print a systemd service and timer that does it every day, and stop; asks no host
    #[arg(long, conflicts_with_all = ["look", "plan", "yes", "confirm", "no_preflight", "lock_wait"])]
    schedule: bool,
    #[command(flatten)]
    conduct: Conduct,
}

const EXAMPLES: &str = "\
Examples:
  opsctl cleanup disk --look                what fills the disks, what could go, and why the rest stays
  opsctl cleanup disk --plan                what would be done, exactly; changes nothing
  opsctl cleanup disk                       until 20% is free
  opsctl cleanup disk --host app --until-free 35%
  opsctl cleanup disk --host app --schedule
  opsctl cleanup volume NAME                a volume never goes by itself: one, by its name";

fn share(text: &str) -> std::result::Result<Percent, String> {
    let share: Percent = text.parse()?;
    match share.0 > 0.0 && share.0 < 100.0 {
        true => Ok(share),
        false => Err("nothing is done for 0%, and no disk is ever 100% free".to_owned()),
    }
}

impl Disk {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let mut workplace = Workplace::open(global)?;
        if let Some(wanted) = self.until_free {
            workplace.site.inventory.cleanup.until_free = wanted;
        }
        if self.schedule {
            return Schedule::of(&workplace, self.host.as_deref())?.give(global.json);
        }
        let hosts = workplace.hosts();
        let done = self.clean(&workplace, &hosts, global).await;
        hosts.close().await;
        done
    }

    async fn clean(&self, workplace: &Workplace, hosts: &Hosts, global: &Global) -> Result<ExitCode> {
        let inventory = &workplace.site.inventory;
        let host = match machine::named(inventory, self.host.as_deref())? {
            Some(host) => host,
            None => {
                let asked = machine::ask_all(workplace, hosts, inventory.cleanup.until_free).await;
                match machine::short(&asked, &self.typed(None))? {
                    Some(host) => host,
                    None => {
                        ui::clutter::enough(
                            &machine::told(&asked),
                            inventory.cleanup.until_free,
                            global.json,
                        )?;
                        return Ok(ExitCode::SUCCESS);
                    }
                }
            }
        };
        let contents = machine::contents(workplace, hosts, &host).await?;
        let survey = judge(&contents, &inventory.cleanup);
        self.show(&survey, &host, global)?;
        if self.look {
            return Ok(ExitCode::SUCCESS);
        }
        let is_short =
            |mount: &str| survey.disks.iter().any(|share| share.disk.mount == mount && !share.is_met());
        if survey.disks.iter().all(|share| share.is_met()) {
            ui::clutter::met(&host, inventory.cleanup.until_free, global.json)?;
            return Ok(ExitCode::SUCCESS);
        }
        if !survey.items.iter().any(|item| item.goes() && is_short(&item.mount)) {
            let typed = |line: &str| on(&inventory.hosts[&host], workplace.site.folder(), line);
            let left = left(&survey, &Place { host: &host, terms: &inventory.cleanup, typed: &typed });
            ui::clutter::nothing_goes(&left, &host, global.json)?;
            return Ok(ExitCode::from(Kind::Unhealthy.exit_code()));
        }
        let runbook = compose::runbook(&survey, inventory, &host);
        let params = compose::params(inventory, &host);
        let plan = planned(workplace, hosts, &runbook, "built-in", &params).await?;
        let ways = match self.conduct.wants_only_the_plan() {
            true => Vec::new(),
            false => ways::back(workplace, hosts, &host).await,
        };
        let next = self.typed(Some(&host));
        let Some(Conducted { run, exit, .. }) = self.conduct.run(&plan, hosts, &next, global).await? else {
            return Ok(ExitCode::SUCCESS);
        };
        // Who has pressed Ctrl-C wants no more, and a host that is waited for says nothing.
        let rests = [Kind::Interrupted, Kind::Waiting].map(|kind| ExitCode::from(kind.exit_code()));
        if !rests.contains(&exit) {
            aftermath::tell(workplace, hosts, &host, Before { survey, ways }, run, global).await?;
        }
        Ok(exit)
    }

    /// Data where nothing else is wanted, else talk.
    fn show(&self, survey: &Survey, host: &str, global: &Global) -> Result<()> {
        if global.json {
            return ui::look::give(&ui::clutter::json(survey, host));
        }
        if self.look {
            let columns = ui::look::columns(std::io::stdout());
            return ui::look::give(&ui::clutter::text(survey, host, columns, global.verbose));
        }
        if !global.quiet {
            let columns = ui::look::columns(std::io::stderr());
            let end = if self.conduct.wants_only_the_plan() { "\n" } else { "" };
            ui::look::say(&(ui::clutter::text(survey, host, columns, global.verbose) + end));
        }
        Ok(())
    }

    /// What is typed to do it.
    fn typed(&self, host: Option<&str>) -> String {
        let until = self.until_free.map(|percent| percent.to_string());
        let host = host.map(|host| ["--host", host]);
        let until = until.as_deref().map(|percent| ["--until-free", percent]);
        let options = [host, until].into_iter().flatten().flatten();
        words(&["opsctl", "cleanup", "disk"].into_iter().chain(options).collect::<Vec<_>>())
    }
}
