//! `opsctl audit`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use futures_util::future::join_all;

use super::Global;
use super::open::Workplace;
use crate::base::id::RunId;
use crate::base::{Kind, Result};
use crate::engine::hosts::Hosts;
use crate::host::Limits;
use crate::host::failure::Failure;
use crate::host::kept::Anchor as Seen;
use crate::journal::audit::Anchor;
use crate::journal::store::{RunDir, Store};
use crate::model::inventory::Host as HostEntry;
use crate::model::plan::Plan;
use crate::ui;
use crate::ui::audit::{Row, Unasked, Verdict};
use crate::ui::patience::patiently;

/// Prove that the record of a run is what was written
#[derive(Debug, clap::Args)]
pub struct Audit {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Find what was edited, removed, moved or cut off, and say which record it is
    ///
    /// Every record holds the digest of the one before it, and hosts keep the digest that the journal ended with at each command that
    /// they were given. So whoever edits a record would have to edit the hosts, too. Nothing is changed. Exits with 14 when
    /// anything is not as it was written.
    Verify {
        /// The run: `latest`, the start of its id, or its last characters [default: all runs]
        run: Option<String>,
        /// Ask no host what it remembers
        #[arg(long)]
        offline: bool,
    },
}

impl Audit {
    pub async fn run(&self, global: &Global) -> Result<ExitCode> {
        let Command::Verify { run, offline } = &self.command;
        let store = Store::open()?;
        let runs = match run {
            Some(run) => vec![store.find(run)?],
            None => store.list()?,
        };
        let mut witnesses = if *offline { None } else { Some(Witnesses::new(global)) };
        let mut rows = Vec::new();
        for run in &runs {
            let told = match &mut witnesses {
                Some(witnesses) => {
                    patiently("answers from the hosts", global.quiet, witnesses.ask(run)).await
                }
                None => Told::default(),
            };
            let report = run.audit(&told.anchors)?;
            rows.push(Row { run: run.id, report, asked: told.asked, unasked: told.unasked });
        }
        if let Some(witnesses) = witnesses {
            witnesses.close().await;
        }
        show(&rows, global)?;
        let worst = rows.iter().map(Row::verdict).max();
        Ok(match worst {
            Some(Verdict::Corrupt) => ExitCode::from(Kind::Corrupt.exit_code()),
            Some(Verdict::Unchecked) => ExitCode::from(Kind::Refused.exit_code()),
            Some(Verdict::Intact) | None => ExitCode::SUCCESS,
        })
    }
}

fn show(rows: &[Row], global: &Global) -> Result<()> {
    if global.json {
        return ui::look::give(&ui::audit::json(rows));
    }
    if rows.is_empty() {
        ui::look::say("there are no runs yet\n");
        return Ok(());
    }
    ui::look::give(&ui::audit::text(rows))
}

/// What the hosts remember of a run.
#[derive(Default)]
struct Told {
    anchors: Vec<Anchor>,
    asked: usize,
    unasked: Vec<Unasked>,
}

/// The hosts that may remember runs. A run's plan names its own; those of the inventory in force are asked as well, because
/// whoever edits a run can edit what its plan says about hosts.
struct Witnesses {
    all: Vec<Witness>,
    /// Those of the inventory are the first ones.
    of_inventory: usize,
}

struct Witness {
    name: String,
    entry: HostEntry,
    /// What relative paths in the entry are relative to.
    inventory: PathBuf,
    hosts: Hosts,
    /// Why it could not be asked. It is not asked again.
    is_silent: Option<String>,
}

impl Witnesses {
    fn new(global: &Global) -> Witnesses {
        let mut witnesses = Witnesses { all: Vec::new(), of_inventory: 0 };
        if let Ok(Workplace { site, .. }) = Workplace::open(global) {
            for (name, entry) in &site.inventory.hosts {
                witnesses.find(name, entry, &site.path);
            }
        }
        witnesses.of_inventory = witnesses.all.len();
        witnesses
    }

    async fn ask(&mut self, run: &RunDir) -> Told {
        let plan = run.lines().ok().and_then(|lines| serde_json::from_slice::<Plan>(&lines.plan).ok());
        let mut asked: BTreeSet<usize> = (0..self.of_inventory).collect();
        if let Some(plan) = &plan {
            let inventory = Path::new(&plan.inventory);
            asked.extend(plan.hosts.iter().map(|(name, entry)| self.find(name, entry, inventory)));
        }
        let answers = join_all(asked.iter().map(|place| self.all[*place].ask(run.id))).await;
        let mut told = Told::default();
        for (place, answer) in asked.into_iter().zip(answers) {
            let witness = &mut self.all[place];
            match answer {
                Ok(anchors) => {
                    told.asked += 1;
                    told.anchors.extend(anchors);
                }
                Err(why) => {
                    told.unasked.push(Unasked { host: witness.name.clone(), why: why.clone() });
                    witness.is_silent = Some(why);
                }
            }
        }
        told
    }

    /// Where a host is among all of them.
    fn find(&mut self, name: &str, entry: &HostEntry, inventory: &Path) -> usize {
        let is_it = |known: &Witness| {
            known.name == name && known.entry == *entry && known.inventory.parent() == inventory.parent()
        };
        self.all.iter().position(is_it).unwrap_or_else(|| {
            self.all.push(Witness {
                name: name.to_owned(),
                entry: entry.clone(),
                inventory: inventory.to_owned(),
                hosts: Hosts::new(
                    BTreeMap::from([(name.to_owned(), entry.clone())]),
                    inventory,
                    Limits::default(),
                ),
                is_silent: None,
            });
            self.all.len() - 1
        })
    }

    async fn close(self) {
        for witness in self.all {
            witness.hosts.close().await;
        }
    }
}

impl Witness {
    /// What it remembers of a run, or why it does not tell.
    async fn ask(&self, run: RunId) -> Result<Vec<Anchor>, String> {
        if let Some(why) = &self.is_silent {
            return Err(why.clone());
        }
        let asked = async { self.hosts.connection(&self.name).await?.anchors(run).await };
        let anchors = asked.await.map_err(|failure: Failure| failure.message)?;
        let named = |what: &str| format!("`{}` ({what})", self.name);
        Ok(anchors
            .into_iter()
            .map(|Seen { what, head }| Anchor { from: named(&what), seq: head.seq, digest: head.digest })
            .collect())
    }
}
